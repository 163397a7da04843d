"""The daemon: built, served, drained."""
