"""Titles that the public shows a journey under, and the ids that are made of them."""

from __future__ import annotations

import re

LONGEST = 80
"""Characters of a title."""


def id_of(title: str) -> str:
    """Return the id of a title, which stands in addresses: ``Buy a mug`` is ``buy-a-mug``.

    Empty where there is no letter and no digit in it.
    """
    return re.sub(r"[\W_]+", "-", title.casefold()).strip("-")


def trouble(title: str) -> str:
    """Say why a title can't be shown; empty where it can, or says that there is none."""
    if not title:
        return ""
    if len(title) > LONGEST:
        return f"must be at most {LONGEST} characters"
    if not title.isprintable() or title != title.strip():
        return "must be one line of text, without blanks around it"
    return "" if id_of(title) else "needs a letter or a digit"
