"""The codes by which Chromium, and Playwright's API client, say what the network did."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.async_api import TimeoutError as PlaywrightTimeout

from agent.core.origins import parse
from agent.core.refused_ports import REFUSED_PORTS

if TYPE_CHECKING:
    from playwright.async_api import Error

_NET = re.compile(r"net::(ERR_[A-Z0-9_]+)")
_UNREACHABLE = frozenset(
    {
        "ERR_ADDRESS_UNREACHABLE",
        "ERR_CONNECTION_FAILED",
        "ERR_CONNECTION_REFUSED",
        "ERR_CONNECTION_TIMED_OUT",
        "ERR_DNS_TIMED_OUT",
        "ERR_INTERNET_DISCONNECTED",
        "ERR_NAME_NOT_RESOLVED",
        "ERR_NAME_RESOLUTION_FAILED",
        "ERR_NETWORK_ACCESS_DENIED",
        "ERR_NETWORK_CHANGED",
        "ERR_INVALID_AUTH_CREDENTIALS",
        "ERR_MANDATORY_PROXY_CONFIGURATION_FAILED",
        "ERR_PROXY_AUTH_REQUESTED",
        "ERR_PROXY_AUTH_REQUESTED_WITH_NO_CONNECTION",
        "ERR_PROXY_AUTH_UNSUPPORTED",
        "ERR_PROXY_CERTIFICATE_INVALID",
        "ERR_PROXY_CONNECTION_FAILED",
        "ERR_PROXY_UNABLE_TO_CONNECT_TO_DESTINATION",
        "ERR_TUNNEL_CONNECTION_FAILED",
        "ERR_UNEXPECTED_PROXY_AUTH",
        # What Playwright's API client says in Node's words.
        "EAI_AGAIN",
        "ECONNREFUSED",
        "EHOSTUNREACH",
        "ENETUNREACH",
        "ENOTFOUND",
    }
)
_NO_WAY = re.compile(r"Proxy (connection ended|response)\b|CONNECT response")
"""What Playwright's API client says where a proxy does not let it through."""
_BAD_ADDRESS = frozenset({"ERR_INVALID_PROTOCOL", "ERR_INVALID_URL"})
"""Codes of addresses of which nothing was asked."""
_UNSAFE_PORT = re.compile(r"net::ERR_UNSAFE_PORT at (\S+)")
"""The address that was asked for, from which the site may have led on to another."""


def is_one(error: BaseException) -> bool:
    """Whether an error quotes a code of Chromium's network."""
    return _NET.search(str(error)) is not None


def is_bad_address(error: BaseException) -> bool:
    """Whether a call was given an address to which nothing can be sent."""
    unsafe = _UNSAFE_PORT.search(str(error))
    if unsafe:
        return parse(unsafe[1]).port in REFUSED_PORTS | {0}
    return _code(error) in _BAD_ADDRESS


def is_unreachable(error: BaseException) -> bool:
    """Whether nothing came of asking: no name, no way, no connection."""
    if _code(error) in _UNREACHABLE:
        return True
    return _NO_WAY.search(str(error)) is not None


def failure_of(error: Error) -> str:
    """Return what a call failed on, in a word; "" where it was given up for time."""
    if isinstance(error, PlaywrightTimeout):
        return ""
    return _code(error) or "request failed"


def _code(error: BaseException) -> str:
    net = _NET.search(str(error))
    return net[1] if net else str(getattr(error, "code", ""))
