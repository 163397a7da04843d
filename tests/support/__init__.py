"""The real parts that the suite talks to: receivers, stores, shops, and their set-up."""
