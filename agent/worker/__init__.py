"""The worker process: one run at a time, from a browser to an outcome."""
