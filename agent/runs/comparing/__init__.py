"""What is different in a walk that failed, from its journey's last passes."""
