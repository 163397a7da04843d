"""What the replicas of one location share: who is there, pauses, verdicts, incidents, sign-ins."""
