"""Results: whose trouble an attempt was, and what its run comes to."""
