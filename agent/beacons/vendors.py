"""Who is behind a host, and whether what it is sent are beacons.

A beacon is a request that puts the visit into somebody's figures. The rest of what a
vendor's host gets is left alone, for the page under test must be the customers' page: its
**libraries load** (scripts, styles, fonts, frames), so that code which waits for them goes
on, and only what they **send** is stopped. Loading a library counts nowhere but in the
vendor's own traffic; where it does count as a hit (a conversion tag asked for as a script)
there is a signature (``agent.beacons.fingerprints``).

What is stopped by default, by the data set's category:

================  ==================  ====================================================
category          stopped             why
================  ==================  ====================================================
ad, analytics,    beacons, pixels,    all they are sent is figures: visits, conversions,
marketing,        posts, telling      audiences, recordings, variants seen
tag-manager       reads, sockets
social            beacons, pixels     a log-in, a share or a comment is a post to the same
                                      hosts; their conversion pixels have signatures
customer-success  beacons             a chat is part of the page; it needs its posts
consent-provider  nothing             a banner that can't load or store covers the page
cdn, hosting,     nothing             the page is made of them
content, video,
utility, other                        payment, maps, search, flags, error reports: stopping
                                      them breaks the journey or hides defects from those
                                      who mend them, and feeds no figure of the business
================  ==================  ====================================================

Where the configuration names a vendor of which nothing is stopped, all forms count.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from agent.beacons.fingerprints import SIGNATURES
from agent.beacons.vendor_overrides import ALSO, CORRECTED, OWN

if TYPE_CHECKING:
    from collections.abc import Iterator


class Form(StrEnum):
    """How a request carries what it tells."""

    BEACON = "beacon"  # sendBeacon, <a ping>
    PIXEL = "pixel"  # an image asked for with a query, or a GIF
    POST = "post"  # XHR and fetch with a body
    READ = "read"  # XHR and fetch without one, but with much in the query
    SOCKET = "socket"  # a WebSocket


ALL_FORMS = frozenset(Form)

STOPPED: dict[str, frozenset[Form]] = {
    "ad": ALL_FORMS,
    "analytics": ALL_FORMS,
    "marketing": ALL_FORMS,
    "tag-manager": ALL_FORMS,
    "social": frozenset({Form.BEACON, Form.PIXEL}),
    "customer-success": frozenset({Form.BEACON}),
}
"""What is stopped by category; of the others nothing, unless the configuration names them."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """Who is behind a host. ``category`` is one of the data set's."""

    name: str
    category: str


class _Index:
    """Hosts by name, and those with everything below them."""

    def __init__(self) -> None:
        self.exact: dict[str, Vendor] = {}
        self.below: dict[str, Vendor] = {}
        self.names: dict[str, Vendor] = {}
        text = (resources.files("agent.beacons") / "vendors.json").read_text("utf-8")
        for name, category, hosts in json.loads(text)["vendors"]:
            self._add(Vendor(*CORRECTED.get(name, (name, category))), hosts)
        for name, category, hosts in OWN:
            self._add(Vendor(name, category), hosts)
        for signature in SIGNATURES:
            vendor = Vendor(signature.vendor, "analytics")
            self.names.setdefault(vendor.name.casefold(), vendor)

    def _add(self, vendor: Vendor, hosts: tuple[str, ...]) -> None:
        self.names[vendor.name.casefold()] = vendor
        for host in hosts:
            if host.startswith("*."):
                self.below[host[2:]] = vendor
            else:
                self.exact[host] = vendor


@cache
def _index() -> _Index:
    return _Index()


def find(host: str) -> Vendor | None:
    """Return whose host this is, by the closest entry; None: nobody's that is known."""
    index = _index()
    host = host.rstrip(".").lower()
    found = index.exact.get(host)
    while found is None and host:
        found = index.below.get(host)
        host = host.partition(".")[2]
    return found


def hosts() -> Iterator[tuple[str, Vendor]]:
    """Return every host with its vendor; ``*.`` stands for one and all below it."""
    index = _index()
    yield from index.exact.items()
    yield from ((f"*.{host}", vendor) for host, vendor in index.below.items())


def named(name: str) -> Vendor | None:
    """Return the vendor of this name, in whatever case."""
    return _index().names.get(name.casefold())


def suggest(name: str) -> list[str]:
    """Return the names of known vendors that an unknown one may mean, the likeliest first."""
    wanted = name.casefold()
    names = _index().names
    if wanted in ALSO:
        return [ALSO[wanted]]
    close = difflib.get_close_matches(wanted, [*names, *ALSO], n=3, cutoff=0.75)
    starting = [known for known in names if known.startswith(wanted)][:3]
    found = [ALSO.get(one) or names[one].name for one in close or starting]
    return list(dict.fromkeys(found))
