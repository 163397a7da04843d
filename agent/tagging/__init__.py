"""Marking the agent's traffic: which origins are first party, and what they are sent."""
