"""The page that the agent serves itself, to tell its own trouble from the target's."""

TITLE = "footfall canary"

PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title></head>
<body><p>If a browser shows this, the agent can measure.</p></body></html>
"""
