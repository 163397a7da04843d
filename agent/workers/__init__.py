"""Workers: processes that walk journeys, their supervision, and the words between."""
