"""What pages look like: templates, style sheets, and the shapes they draw."""
