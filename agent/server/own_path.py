"""Where to go on after signing in: a path of the agent's own, whatever somebody asks for."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 2_000
_OWN: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""Printable ASCII without a backslash, which browsers read as a slash; ``//`` begins a host."""
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"


def own_path(text: str) -> str:
    """Return a path, with its query, that leads nowhere else; ``/`` for whatever may."""
    if len(text) > _LONGEST or not _OWN.fullmatch(text):
        return "/"
    path = re.split(r"[?#]", text, maxsplit=1)[0]
    # A browser takes dots out of a path, and may be left with two slashes.
    if "//" in path or re.search(r"/(\.|%2e){1,2}(/|$)", path, re.IGNORECASE):
        return "/"
    return "/" if path in {SIGN_IN, SIGN_OUT} else text
