"""The queue between the schedule and the workers: the seam, and what keeps it."""
