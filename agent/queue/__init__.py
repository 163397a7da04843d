"""The queue between the schedule and the workers."""
