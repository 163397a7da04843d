"""The soak: the real agent at full rate for thousands of runs, and what grows meanwhile."""
