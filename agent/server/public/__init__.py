"""The page for everybody: what journeys with a public title came to, and nothing else."""
