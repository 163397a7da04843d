"""Telemetry: what the agent tells your collector, kept on disk until it was told."""
