"""Configuration and journeys in: loaded, checked, as one snapshot."""
