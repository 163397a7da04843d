"""What the agent answers over HTTP: its health, and its own canary page."""
