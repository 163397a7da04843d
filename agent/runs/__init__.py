"""A run, from request to result."""
