"""What all parts share: the model and small helpers, with no heavy library under it."""
