"""The pages in every state they have, drawn from made-up documents and looked at in a browser."""
