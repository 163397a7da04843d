"""Holds the tests to loopback: any other address is refused, and remembered."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Self


class ForeignAddress(BaseException):
    """A test tried to leave the machine. Not an ``Exception``, so that no handler hides it."""


class LoopbackOnly:
    """While entered, connecting, sending or resolving beyond loopback raises ``ForeignAddress``.

    ``attempts`` names each address tried, so that one can still tell after the exception
    was swallowed somewhere.
    """

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def __enter__(self) -> Self:
        _guards.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _guards.remove(self)

    def refuse(self, address: str) -> None:
        """Note the address and raise."""
        self.attempts.append(address)
        raise ForeignAddress(f"{address} is not loopback; a unit test stays on this machine")


_guards: list[LoopbackOnly] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if not _guards:
        return
    if event in {"socket.connect", "socket.sendto"}:
        sender, address = arguments
        if not isinstance(sender, socket.socket) or sender.family == socket.AF_UNIX:
            return
        host = str(address[0]) if isinstance(address, tuple) else str(address)
    elif event == "socket.getaddrinfo" and arguments[0] is not None:
        host = str(arguments[0])
    else:
        return
    if not _is_loopback(host):
        _guards[-1].refuse(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", "ip6-localhost"}


# An audit hook sees every socket, those of the event loop too, and can't be taken back:
# installed once, it does nothing while no guard is entered.
sys.addaudithook(_audit)
