"""What a run comes to where several replicas of the agent share a location."""
