"""Scheme, host and port of addresses: first-party patterns, authorities, default ports.

Patterns are matched on the parsed address. A CDP ``urlPattern`` alone won't do: its ``*`` also
matches ``/`` and ``?``, so it would take ``https://tracker/?u=https://a.shop.example.com`` for
the shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SOCKETS = {"ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Origin:
    """One pattern: scheme, host (``*.`` stands for one or more labels) and port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, pattern: str) -> Origin:
        """Read ``https://*.shop.example.com:8443``."""
        parts = urlsplit(pattern)
        scheme = parts.scheme.lower()
        return cls(scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(scheme, 0))

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
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/"

    @property
    def cdp_pattern(self) -> str:
        """The (wider) pattern by which CDP is asked to pause requests."""
        default = DEFAULT_PORTS.get(self.scheme) == self.port
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if default else f':{self.port}'}/*"

    @property
    def cookie_domain(self) -> str:
        """The domain for which a cookie covers this pattern; cookies know no ports."""
        return self.host[1:] if self.host.startswith("*.") else self.host


class FirstParty:
    """The set of origins that belong to the site under test."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.origins = tuple(Origin.parse(pattern) for pattern in patterns)

    def covers(self, url: str) -> bool:
        """Whether a URL belongs to the site; a malformed one never does."""
        if "\\" in url:
            # Browsers read it as a slash and Python doesn't: the hosts would differ.
            return False
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return False
        scheme = _SOCKETS.get(parts.scheme, parts.scheme)
        host = parts.hostname or ""
        port = port or DEFAULT_PORTS.get(scheme, 0)
        return any(origin.matches(scheme, host, port) for origin in self.origins)


def authority_of(url: str) -> str:
    """Return ``host``, or ``host:port`` where the port isn't the scheme's own.

    "" where the address is malformed or not HTTP's.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not host or parts.scheme not in {"http", "https"}:
        return ""
    host = f"[{host}]" if ":" in host else host
    own = port in {None, DEFAULT_PORTS[parts.scheme]}
    return host if own else f"{host}:{port}"
