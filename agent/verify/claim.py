"""What a request says of itself. Anyone can say it: only the signature proves it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE = "synthetic"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What a journey's name or a run's id may be; anything else from outside is not passed on."""
_MOST = 8192
"""Characters of baggage that are read: the most that its standard lets one send."""


class Reason(StrEnum):
    """Why a claim is not verified: few words, fit for a metric."""

    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    """The signature's headers can't be read, or hold none with the profile's tag."""
    PROFILE = "profile"
    """It covers other components than it must, or lacks a parameter."""
    UNKNOWN_KEY = "unknown_key"
    KEY_NOT_VALID = "key_not_valid"
    """The key is before its ``nbf`` or past its ``exp``."""
    FUTURE = "future"
    EXPIRED = "expired"
    TOO_OLD = "too_old"
    """Still good by its own word, but older than the window."""
    WRONG = "wrong"
    """It was not made with that key for this authority: forged, or taken from another site."""


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A request that says that it is the agent's. Believe it where it is ``verified``.

    ``journey`` and ``run_id`` are empty where they aren't given. The signature doesn't cover
    them: whoever holds a captured, still good signature can write others.
    """

    journey: str
    run_id: str
    verified: bool
    reason: Reason | None = None
    """Why it is not verified."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The journey and the run that a request names; empty where it names none."""

    journey: str = ""
    run_id: str = ""


def read_claim(headers: Mapping[str, str], header: str) -> Claim | None:
    """Return what the headers (lower-case names) claim, None if nothing."""
    journey = headers.get(header)
    members = _members(headers.get("baggage", ""))
    claimed = journey is not None or members.get("synthetic_request") == "true"
    if not claimed and not _has_cookie(headers.get("cookie", "")):
        return None
    name = members.get("footfall.journey", "") if journey is None else journey
    return Claim(_plain(name), _plain(members.get("footfall.run", "")))


def _members(baggage: str) -> dict[str, str]:
    pairs = (member.partition(";")[0].partition("=") for member in baggage[:_MOST].split(","))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _has_cookie(cookies: str) -> bool:
    # Most requests hold no such word, and need no taking apart.
    return COOKIE in cookies and any(
        cookie.strip() == f"{COOKIE}=1" for cookie in cookies.split(";")
    )


def _plain(text: str) -> str:
    return text if _NAME.fullmatch(text) else ""
