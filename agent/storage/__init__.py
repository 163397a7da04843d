"""The state folder: the database, runs, totals, journeys' states and artifacts."""
