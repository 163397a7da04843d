"""The schedule: which slots there are, when each is due, and what became of it."""
