"""Worker processes, as the supervisor sees them."""
