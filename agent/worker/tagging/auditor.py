"""The audit of one attempt: each beacon and what became of it, each origin and who it is.

Two see the traffic apart from each other. The tagger holds requests and acts on them; the
browser context tells of every request that its pages and workers made. A beacon that the
second saw and the first never held got out: it escaped.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.beacons import sockets
from agent.beacons.policy import bare_address
from agent.beacons.vendors import find
from agent.core.beacon_report import Audit, Beacon, BeaconAction, Contact
from agent.core.limits import BEACON_LENGTH, MOST_BEACONS, MOST_ORIGINS
from agent.core.origins import origin_of, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.beacons.policy import BeaconGuard, Sighting
    from agent.core.origins import FirstParty

_STEP = 0.02
_SETTLE = 0.3
"""Seconds for the tagger to hear of a request that the context has told of already."""

_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_LONGEST_KEY = 4_096
_Key = tuple[str, str]
"""Method and address; of an address of megabytes its beginning, length and hash."""


@dataclass(slots=True)
class _Origin:
    requests: int = 0
    suspects: int = 0
    actions: Counter[BeaconAction] = field(default_factory=Counter)
    vendors: dict[str, str] = field(default_factory=dict)
    """Of the beacons there, with their categories: a proxy's host says nothing."""


@dataclass(slots=True)
class _Tally:
    """What became of beacons, and what was asked of each origin."""

    beacons: list[Beacon] = field(default_factory=list)
    counts: dict[BeaconAction, Counter[str]] = field(default_factory=dict)
    origins: dict[str, _Origin] = field(default_factory=dict)

    def note(self, sighting: Sighting, url: str, action: BeaconAction) -> None:
        self.counts.setdefault(action, Counter())[sighting.vendor] += 1
        if len(self.beacons) < MOST_BEACONS:
            address = bare_address(url[:_LONGEST_KEY])
            self.beacons.append(Beacon(sighting.vendor, address, action))
        if (origin := self.of(url)) is not None:
            origin.actions[action] += 1
            origin.vendors[sighting.vendor] = sighting.category

    def of(self, url: str) -> _Origin | None:
        name = _origin(url)
        if name not in self.origins and (not name or len(self.origins) >= MOST_ORIGINS):
            return None
        return self.origins.setdefault(name, _Origin())


class Auditor:
    """Is told by both, and says at the end what became of everything.

    ``fit`` makes a text of the page's fit to be kept, within so many characters.
    """

    def __init__(
        self, guard: BeaconGuard, first_party: FirstParty, fit: Callable[[str, int], str]
    ) -> None:
        self._fit = fit
        self._guard = guard
        self._first_party = first_party
        self._tally = _Tally()
        self._tagged: Counter[str] = Counter()
        self._held: Counter[_Key] = Counter()
        self._let_go: Counter[_Key] = Counter()
        self._unheard: Counter[_Key] = Counter()
        """Those stopped whose failure was not yet told."""
        self._by_pages: Counter[_Key] = Counter()
        self._by_workers: Counter[_Key] = Counter()
        self._seen: dict[_Key, Sighting] = {}

    @property
    def stopped_vendors(self) -> dict[str, int]:
        """How many beacons of each vendor were stopped so far."""
        return dict(self._tally.counts.get(BeaconAction.BLOCKED, {}))

    @property
    def acts(self) -> bool:
        """Whether the policy stops or marks anything at all."""
        return self._guard.acts

    # What the tagger tells.

    def hold(self, method: str, url: str, kind: str, body: bytes | None) -> Sighting | None:
        """Decide on a request that is held; what is not let go as it is counts as done."""
        sighting = self._guard.look(method, url, kind, body)
        if sighting is None:
            return None
        if sighting.action is BeaconAction.ALLOWED:
            # Told at the end: the context may see it too, though not into every body.
            self._seen.setdefault(_key(method, url), sighting)
            self._let_go[_key(method, url)] += 1
            return None
        self._held[_key(method, url)] += 1
        if sighting.action is BeaconAction.BLOCKED:
            self._unheard[_key(method, url)] += 1
        self._tally.note(sighting, url, sighting.action)
        return sighting

    def tag(self, url: str) -> None:
        """Count a request that was given the identity."""
        self._tagged[_origin(url)] += 1

    # What went its way.

    def see(self, method: str, url: str, kind: str, body: bytes | None, *, by_worker: bool) -> None:
        """Note a request that a page, or a service worker, made."""
        sighting = self._look(method, url, kind, body)
        if sighting is not None:
            key = _key(method, url)
            self._seen[key] = sighting
            (self._by_workers if by_worker else self._by_pages)[key] += 1

    def unsee(self, method: str, url: str) -> None:
        """Take back a page's request that its service worker answered: it went nowhere."""
        self._by_pages[_key(method, url)] -= 1

    def connect(self, url: str) -> None:
        """Note a WebSocket that a page opened, by the address at which the browser had it."""
        meant = sockets.stopped(url)
        sighting = self._look("GET", meant or url, "websocket", None)
        if sighting is not None:
            self._tally.note(sighting, meant or url, sighting.action if meant else _free(sighting))

    def send(self, method: str, url: str, body: bytes | None) -> None:
        """Note a request of ``run.api``, which nobody can hold."""
        sighting = self._look(method, url, "fetch", body)
        if sighting is not None:
            self._tally.note(sighting, url, _free(sighting))

    def stopped(self, method: str, url: str) -> bool:
        """Whether a request that failed is one that was stopped here; each is told but once."""
        key = _key(method, url)
        known = self._unheard[key] > 0
        self._unheard[key] -= known
        return known

    # At the end.

    async def wait_for_tagger(self) -> None:
        """Wait a little for the tagger to hear of what was seen last."""
        for _ in range(round(_SETTLE / _STEP)):
            if not any(
                self._out(key, sighting)
                for key, sighting in self._seen.items()
                if sighting.action is not BeaconAction.ALLOWED
            ):
                return
            await asyncio.sleep(_STEP)

    def report(self) -> Audit:
        """Return what became of everything until now."""
        tally = deepcopy(self._tally)
        for key, sighting in self._seen.items():
            for _ in range(self._out(key, sighting)):
                tally.note(sighting, key[1], _free(sighting))
        return Audit(
            # Masked only now: the secrets of the journey are all known.
            beacons=tuple(
                Beacon(one.vendor, self._fit(one.url, BEACON_LENGTH), one.action)
                for one in tally.beacons
            ),
            counts={action: dict(vendors) for action, vendors in tally.counts.items()},
            contacts=tuple(self._contact(*one) for one in tally.origins.items()),
        )

    def _look(self, method: str, url: str, kind: str, body: bytes | None) -> Sighting | None:
        """Count a request at its origin; return whose beacon it is."""
        origin = self._tally.of(url)
        if origin is not None:
            origin.requests += 1
        sighting = self._guard.look(method, url, kind, body)
        if sighting is not None or origin is None:
            return sighting
        origin.suspects += self._guard.suspects(method, url, kind, len(body or b""))
        return None

    def _out(self, key: _Key, sighting: Sighting) -> int:
        """Return how many beacons went out: allowed, or escaped."""
        # A page's request that a service worker sends on is told twice.
        seen = max(self._by_pages[key], self._by_workers[key])
        if sighting.action is BeaconAction.ALLOWED:
            return max(seen, self._let_go[key])
        return max(0, seen - self._held[key])

    def _contact(self, name: str, origin: _Origin) -> Contact:
        first_party = self._first_party.covers(name)
        vendors = dict(origin.vendors)
        if not vendors and not first_party and (known := find(parse(name).host)):
            vendors = {known.name: known.category}
        return Contact(
            origin=self._fit(name, BEACON_LENGTH),
            party="first" if first_party else "third",
            vendors=vendors,
            requests=origin.requests,
            tagged=self._tagged[name],
            suspects=origin.suspects,
            actions=dict(origin.actions),
        )


def _free(sighting: Sighting) -> BeaconAction:
    """Return what a beacon that nobody held came to."""
    allowed = sighting.action is BeaconAction.ALLOWED
    return BeaconAction.ALLOWED if allowed else BeaconAction.ESCAPED


def _key(method: str, url: str) -> _Key:
    url = url.partition("#")[0]
    if len(url) > _LONGEST_KEY:
        url = f"{url[:_LONGEST_KEY]} {len(url)} {hash(url)}"
    return method, url


def _origin(url: str) -> str:
    address = parse(url[:_LONGEST_KEY])
    return origin_of(address.bare) if address.scheme in _SCHEMES else ""
