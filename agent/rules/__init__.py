"""Alert and recording rules, made from the journeys: text for others to load."""
