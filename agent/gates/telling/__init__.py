"""Who is told of a verdict: what rolls back, a sink of events, and GitHub."""
