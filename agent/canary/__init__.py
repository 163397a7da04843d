"""The page that the agent serves itself, to tell its own trouble from the target's."""
