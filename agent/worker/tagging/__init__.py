"""Marking the requests of one run, and auditing that it was done."""
