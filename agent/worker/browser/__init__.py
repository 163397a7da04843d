"""One run's browser: started so that it dies with us, and what it saw."""
