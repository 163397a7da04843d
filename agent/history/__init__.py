"""What runs came to, kept in the state folder."""
