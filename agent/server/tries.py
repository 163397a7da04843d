"""How often somebody may try a token in the sign-in form. Who shows it as a bearer isn't asked."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST: Final = 10
"""Wrong tokens from one address, before it has to wait."""
_FORGETS: Final = 30.0
"""Seconds after which one of them is forgotten."""
_ADDRESSES: Final = 4096
_NETWORK: Final = 64
"""Bits of an IPv6 address that stand for one machine: it may have all that begin with them."""


class Tries:
    """Counts wrong tokens by the address that they came from."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """By address, when all of its tries will be forgotten."""

    def wait(self, address: str) -> float:
        """Return the seconds until an address may try again; 0: it may now."""
        forgotten_at = self._full_at.get(_machine(address), 0.0)
        return max(0.0, forgotten_at - self._now() - (_MOST - 1) * _FORGETS)

    def wrong(self, address: str) -> None:
        """Note a wrong token."""
        machine, now = _machine(address), self._now()
        self._full_at[machine] = max(self._full_at.get(machine, now), now) + _FORGETS
        self._full_at.move_to_end(machine)
        if len(self._full_at) > _ADDRESSES:
            self._full_at.popitem(last=False)


def _machine(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _NETWORK), strict=False))
