"""What the agent answers over HTTP: health, journeys and their evidence, its own canary page."""
