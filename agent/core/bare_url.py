"""Addresses fit to be stored: without credentials, and no longer than they need be."""

from __future__ import annotations

from typing import Final

from agent.core.limits import ADDRESS_LENGTH
from agent.core.origins import parse
from agent.core.printable import cut, printable

_MOST_READ: Final = 16 * ADDRESS_LENGTH
"""Characters that are looked through, far beyond those that are kept."""
_TELLING = (
    "auth",
    "code",
    "credential",
    "key",
    "pass",
    "pwd",
    "secret",
    "session",
    "sid",
    "sig",
    "token",
)


def bare_url(url: str) -> str:
    """Return any address fit to be stored: cut, no user info, no fragment, telling values masked.

    It never raises: an address that makes no sense is kept as far as it does no harm.
    """
    address = parse(url[:_MOST_READ])
    pairs = address.query.split("&") if address.query else []
    query = "?" + "&".join(map(_bare_pair, pairs)) if pairs else ""
    return cut(printable(f"{address.bare}{query}"), ADDRESS_LENGTH)


def is_telling(name: str) -> bool:
    """Tell whether a parameter or a header of this name is likely to carry a credential."""
    return any(word in name.lower() for word in _TELLING)


def _bare_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if equals and is_telling(name):
        return f"{name}=REDACTED"
    return pair
