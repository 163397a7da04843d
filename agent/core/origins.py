"""Addresses: taken apart, and their scheme, host and port compared, in this one place.

They come from pages, so nothing here that takes one raises. Compared is the parsed address: a
CDP ``urlPattern`` alone won't do, since its ``*`` also matches ``/`` and ``?``, so that it
would take ``https://tracker/?u=https://a.shop.example.com`` for the shop.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SOCKETS = {"ws": "http", "wss": "https"}
_LONGEST_HOST = 253
_LONGEST_KEPT = 2_048
"""Characters of an address up to which its parts are remembered: pages also send megabytes."""
_ADDRESS = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#\\]*))?([^?#]*)(?:\?([^#]*))?", re.DOTALL
)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]*\]|[^:\[\]\s]*)(?::([0-9]{0,5}))?")


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart. What makes no sense in it is empty, or 0.

    ``host`` is lower-case and without brackets, and empty where host or port are malformed;
    ``port`` is that of the scheme where none is given. The fragment is left out.
    ``authority`` is what was written for both, without user info; None: nothing was.
    """

    scheme: str
    authority: str | None
    host: str
    port: int
    path: str
    query: str

    @property
    def netloc(self) -> str:
        """``host``, or ``host:port`` where the port isn't the scheme's own; no user info."""
        host = bracketed(self.host)
        return host if DEFAULT_PORTS.get(self.scheme) == self.port else f"{host}:{self.port}"

    @property
    def bare(self) -> str:
        """The address without query, fragment and user info."""
        scheme = f"{self.scheme}:" if self.scheme else ""
        authority = "" if self.authority is None else f"//{self.authority}"
        return f"{scheme}{authority}{self.path}"


def parse(url: str) -> Address:
    """Take an address apart, whatever it is."""
    # Whoever has a say in a request asks for its parts anew.
    return _remembered(url) if len(url) <= _LONGEST_KEPT else _parts(url)


def _parts(url: str) -> Address:
    found = _ADDRESS.match(url)
    scheme, authority, path, query = found.groups() if found else (None, None, url, None)
    scheme = (scheme or "").lower()
    if authority is not None:
        authority = authority.rpartition("@")[2]
    place = _HOST.fullmatch(authority or "")
    host = _canonical(place[1]) if place else ""
    port = int(place[2] or DEFAULT_PORTS.get(scheme, 0)) if place else 0
    if port > 0xFFFF:
        host, port = "", 0
    return Address(scheme, authority, host, port, path, query or "")


_remembered = lru_cache(maxsize=512)(_parts)


def bracketed(host: str) -> str:
    """Return a host as addresses spell it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def authority_of(url: str) -> str:
    """Return ``host``, or ``host:port`` where the port isn't the scheme's own; "" if neither."""
    address = parse(url)
    return address.netloc if address.host and address.scheme in {"http", "https"} else ""


def origin_of(url: str) -> str:
    """Return ``scheme://host`` and the port where it isn't the scheme's own; "" if neither."""
    address = parse(url)
    return f"{address.scheme}://{address.netloc}" if address.host and address.scheme else ""


def _canonical(host: str) -> str:
    """Return a host as browsers write it."""
    if not host.startswith("["):
        return host.lower() if len(host) <= _LONGEST_HOST else ""
    try:
        address = IPv6Address(host[1:-1])
    except AddressValueError:
        return ""
    if address.ipv4_mapped is not None:
        low = int(address) & 0xFFFFFFFF
        return f"::ffff:{low >> 16:x}:{low & 0xFFFF:x}"
    return address.compressed


@dataclass(frozen=True, slots=True)
class Origin:
    """One pattern: scheme, host (``*.`` stands for one or more labels) and port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, pattern: str) -> Origin:
        """Read ``https://*.shop.example.com:8443``."""
        address = parse(pattern)
        return cls(address.scheme, address.host, address.port)

    def matches(self, scheme: str, host: str, port: int) -> bool:
        """Whether an address with these parts is covered."""
        if scheme != self.scheme or port != self.port:
            return False
        if self.host.startswith("*."):
            suffix = self.host[1:]
            return host.endswith(suffix) and len(host) > len(suffix)
        return host == self.host

    @property
    def url(self) -> str:
        """An address of this origin; of no use where its host is a wildcard."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}/"

    @property
    def cdp_pattern(self) -> str:
        """The (wider) pattern by which CDP is asked to pause requests."""
        default = DEFAULT_PORTS.get(self.scheme) == self.port
        port = "" if default else f":{self.port}"
        return f"{self.scheme}://{bracketed(self.host)}{port}/*"

    @property
    def cookie_domain(self) -> str:
        """The domain for which a cookie covers this pattern; cookies know no ports."""
        return self.host[1:] if self.host.startswith("*.") else bracketed(self.host)


class FirstParty:
    """The set of origins that belong to the site under test."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.origins = tuple(Origin.parse(pattern) for pattern in patterns)

    def covers(self, url: str) -> bool:
        """Whether a URL belongs to the site; a malformed one never does."""
        if "\\" in url:
            # Browsers read it as a slash and Python doesn't: the hosts would differ.
            return False
        address = parse(url)
        scheme = _SOCKETS.get(address.scheme, address.scheme)
        return any(one.matches(scheme, address.host, address.port) for one in self.origins)
