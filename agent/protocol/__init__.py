"""What crosses the pipe between the supervisor and a worker."""
