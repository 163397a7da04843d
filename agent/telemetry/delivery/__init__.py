"""How telemetry is kept on disk and sent."""
