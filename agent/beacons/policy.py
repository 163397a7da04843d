"""The beacon guard: which requests would put a run into the figures, and what becomes of them.

It decides; whoever holds the paused request carries it out. What it knows of a request is
its method, address, kind (the browser's resource type, ``Ping`` or ``XHR``) and body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from agent.beacons.fingerprints import match
from agent.beacons.marks import FLAGGED, Preparations, marked_address, marked_by_cookie, prepare
from agent.beacons.sockets import script
from agent.beacons.vendor_overrides import READS
from agent.beacons.vendors import ALL_FORMS, STOPPED, Form, Vendor, find, hosts, named, suggest
from agent.core.beacon_report import BeaconAction
from agent.core.origins import Address, parse

if TYPE_CHECKING:
    from collections.abc import Container

    from agent.core.beacon_report import BeaconChoice, BeaconPolicy
    from agent.core.origins import FirstParty

_CALLS = frozenset({"xhr", "fetch", "other", "prefetch"})
_NO_HIT = frozenset({"preflight", "cspviolationreport"})
"""Kinds that carry no hit of their own."""
_SOCKET = "websocket"
_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_PHOTOS = (".jpg", ".jpeg", ".webp", ".avif", ".svg", ".ico")
_TELLING_LENGTH = 100
_TELLING_PAIRS = 4
_BEACON_WORDS = re.compile(
    r"[/._-](?:analytics|beacons?|batch|capture|collect(?:or)?|events?|hits?|impressions?"
    r"|ingest|log|metrics|ping|pixel|rum|stats?|telemetry|track(?:er|ing)?)(?:[/._-]|$)",
    re.IGNORECASE,
)
_KEEPALIVE_BYTES = 65_536
"""What a browser lets a page send while it goes away."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A beacon that is about to leave. ``action`` is never ``escaped``: that is seen later.

    ``url`` is the address to send instead; None: as it is.
    """

    vendor: str
    category: str
    action: BeaconAction
    url: str | None = None


def unknown(policy: BeaconPolicy) -> dict[str, str]:
    """Return the names that are no vendor's, each with what to do about it."""
    return {name: _advice(name) for name in policy.vendors if named(name) is None}


def stopped_instead(policy: BeaconPolicy) -> tuple[str, ...]:
    """Return the vendors that are to be marked but have no flag, so are blocked."""
    known = {named(name): choice for name, choice in policy.vendors.items()}
    return tuple(
        vendor.name
        for vendor, choice in known.items()
        if vendor is not None and choice == "mark" and vendor.name not in FLAGGED
    )


class BeaconGuard:
    """Decides on the requests of one attempt. Names that are no vendor's change nothing."""

    def __init__(self, policy: BeaconPolicy, first_party: FirstParty) -> None:
        self._default = policy.default
        self._choices: dict[str, BeaconChoice] = {
            vendor.name: choice
            for name, choice in policy.vendors.items()
            if (vendor := named(name)) is not None
        }
        self._first_party = first_party

    @property
    def acts(self) -> bool:
        """Whether the policy stops or marks anything at all."""
        return any(choice != "allow" for choice in (self._default, *self._choices.values()))

    def look(self, method: str, url: str, kind: str, body: bytes | None) -> Sighting | None:
        """Return what a request is and what to do with it; None: it is no beacon.

        ``kind`` is taken in any case. A first-party request is one by its shape alone.
        """
        kind = kind.lower()
        parts = _split(url)
        if parts is None or kind in _NO_HIT or method == "OPTIONS":
            return None
        host = parts.host
        first_party = self._first_party.covers(url)
        vendor = None if first_party else find(host)
        if kind == _SOCKET:
            vendor = vendor if vendor and Form.SOCKET in _forms(vendor, self._choices) else None
        elif vendor is None or not self._sends(vendor, method, parts, kind):
            shape = match(parts.path, parts.query, body, vendor.name if vendor else "")
            vendor = named(shape) if shape else None
        if vendor is None:
            return None
        choice = self._choice(vendor.name)
        if choice == "allow":
            return Sighting(vendor.name, vendor.category, BeaconAction.ALLOWED)
        if choice == "mark" and kind != _SOCKET:
            marked = marked_address(vendor.name, url)
            if marked or marked_by_cookie(vendor.name, host, kind, first_party=first_party):
                return Sighting(vendor.name, vendor.category, BeaconAction.MARKED, marked)
        return Sighting(vendor.name, vendor.category, BeaconAction.BLOCKED)

    def suspects(self, method: str, url: str, kind: str, body_size: int) -> bool:
        """Whether a request that ``look`` made nothing of is a stranger's likely beacon."""
        parts = _split(url)
        if parts is None or self._first_party.covers(url) or find(parts.host):
            return False
        return looks_like_beacon(method, url, kind, body_size)

    def preparations(self) -> Preparations:
        """Return what the browser context needs before the journey starts."""
        marked = {name for name in FLAGGED if self._choice(name) == "mark"}
        return prepare(marked, self._first_party.origins)

    def socket_script(self) -> str:
        """Return what stops vendors' WebSockets, to be run first in every document."""
        stopped = _stopped_sockets(self._default, frozenset(self._choices.items()))
        return script(stopped, self._first_party.origins)

    def _sends(self, vendor: Vendor, method: str, parts: Address, kind: str) -> bool:
        """Whether this request to a vendor's host tells the vendor something."""
        reads = READS.get(vendor.name)
        if reads is not None and re.search(reads, parts.path):
            return False
        return _form(method, parts, kind) in _forms(vendor, self._choices)

    def _choice(self, vendor: str) -> BeaconChoice:
        return self._choices.get(vendor, self._default)


def looks_like_beacon(method: str, url: str, kind: str, body_size: int) -> bool:
    """Whether a third party's request looks like a beacon. ``body_size`` is in bytes.

    For listing alone: a guess stops nothing.
    """
    kind = kind.lower()
    parts = _split(url)
    if parts is None:
        return False
    form = _form(method, parts, kind)
    if form is Form.BEACON:
        return True
    worded = _BEACON_WORDS.search(parts.path) is not None
    if form is Form.PIXEL:
        return _tells(parts.query) or worded
    small = 0 < body_size <= _KEEPALIVE_BYTES
    return worded and (form is Form.READ or (form is Form.POST and small))


def bare_address(url: str) -> str:
    """Return an address without query, fragment, user info and matrix parameters."""
    parts = _split(url)
    return parts.bare.partition(";")[0] if parts else ""


def _form(method: str, parts: Address, kind: str) -> Form | None:
    """Return how a request would carry a hit; None: it is a library, a frame, or asks little."""
    if kind == "ping":
        return Form.BEACON
    if kind == "image":
        path = parts.path.lower()
        photo = path.endswith(_PHOTOS) or (path.endswith(".png") and not _tells(parts.query))
        return Form.PIXEL if path.endswith(".gif") or (parts.query and not photo) else None
    if kind in _CALLS:
        if method not in {"GET", "HEAD"}:
            return Form.POST
        return Form.READ if _tells(parts.query) else None
    return None


def _tells(query: str) -> bool:
    """Whether a query says more than which file is wanted."""
    return query.count("&") + 1 >= _TELLING_PAIRS or len(query) >= _TELLING_LENGTH


def _forms(vendor: Vendor, choices: Container[str]) -> frozenset[Form]:
    """Return what of the requests to a vendor's hosts tells the vendor something.

    ``choices`` are the vendors that the policy names.
    """
    others = ALL_FORMS if vendor.name in choices else frozenset[Form]()
    return STOPPED.get(vendor.category, others)


@lru_cache(maxsize=16)
def _stopped_sockets(
    default: BeaconChoice, choices: frozenset[tuple[str, BeaconChoice]]
) -> frozenset[str]:
    """Return whose sockets a policy stops: found once, of two thousand vendors."""
    chosen = dict(choices)
    return frozenset(
        vendor.name
        for _, vendor in hosts()
        if Form.SOCKET in _forms(vendor, chosen) and chosen.get(vendor.name, default) != "allow"
    )


def _split(url: str) -> Address | None:
    parts = parse(url)
    return parts if parts.scheme in _SCHEMES and parts.host else None


def _advice(name: str) -> str:
    meant = suggest(name)
    if meant:
        quoted = " or ".join(f'"{one}"' for one in meant)
        return f'"{name}" is no known vendor; did you mean {quoted}?'
    return (
        f'"{name}" is no known vendor; `footfall audit` prints the names of those that a '
        "journey's pages call"
    )
