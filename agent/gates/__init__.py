"""A verdict on a release: asked for, walked ahead of the schedule, and kept."""
