"""What a walk's exception means: the one place where Playwright's errors are translated."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.async_api import Error
from playwright.async_api import TimeoutError as PlaywrightTimeout

from agent.core.errors import ErrorType
from agent.core.redact import bare_url

if TYPE_CHECKING:
    from collections.abc import Callable

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
    }
)
# What Playwright's API client says in Node's words where the browser says net::ERR_….
_API_CONNECT = re.compile(
    r"\b(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)\b"
    r"|Proxy (connection ended|response)\b|CONNECT response"
)
_API_BROKEN = re.compile(r"\b(ECONNRESET|ETIMEDOUT|EPIPE|socket hang up|ERR_SSL|ERR_TLS)\b")
# A failed `expect` ends with the page's content, form fields and all, masked or not.
_PAGE_CONTENT = "\n\nAria snapshot:"
_LONGEST = 2000
# How Playwright's API client lists the headers of a request that failed.
_HEADER = re.compile(r"^\s+- (?!→|←|\d|[Ee]xpect |waiting |locator |unexpected )[\w-]+: ")
_ADDRESS = re.compile(r"https?://[^\s\"'<>)\]]+")


class HttpStatusError(AssertionError):
    """A main document answered 400 or above and the author had not expected it."""


class AttemptTimeout(Exception):
    """The attempt's own deadline passed; the message says where the journey was."""


class ProxyRefused(Exception):
    """The agent's own proxy answered in a page's stead that it wants a sign-in."""


class PageCrashed(Exception):
    """A renderer crashed under the journey."""


class BrowserGone(Exception):
    """The browser died or closed its connection under the journey."""


class BadContext(Exception):
    """The options that a journey gives its context make none."""


class LaunchFailed(Exception):
    """The browser did not start."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What ended a walk."""

    error_type: ErrorType
    message: str
    unreachable: bool = False


_OWN = {
    AttemptTimeout: ErrorType.TIMEOUT,
    BrowserGone: ErrorType.BROWSER_CRASH,
    HttpStatusError: ErrorType.HTTP_STATUS,
    LaunchFailed: ErrorType.BROWSER_LAUNCH,
    PageCrashed: ErrorType.PAGE_CRASH,
}


def fault_of(error: BaseException, redact: Callable[[str], str]) -> Fault:
    """Translate whatever a journey raised.

    ``redact`` takes secrets out of its text: here, before that is cut to length, for half a
    secret would not be known again.
    """
    message = _bare(redact(str(error)).partition(_PAGE_CONTENT)[0].strip())[:_LONGEST]
    for kind, error_type in _OWN.items():
        if isinstance(error, kind):
            return Fault(error_type, message)
    if isinstance(error, ProxyRefused):
        return Fault(ErrorType.NAVIGATION, message, unreachable=True)
    if isinstance(error, AssertionError):
        return Fault(ErrorType.ASSERTION, message or _where(error, "assertion failed"))
    if isinstance(error, PlaywrightTimeout):
        return Fault(ErrorType.TIMEOUT, message)
    fault = _of_network(message) if isinstance(error, Error) else None
    return fault or Fault(ErrorType.SCRIPT_ERROR, _where(error, message))


def first_line(error: BaseException, redact: Callable[[str], str]) -> str:
    """Return the first line of what an exception says, fit to be kept like the whole."""
    return _bare(redact(str(error)).strip().partition("\n")[0])[:_LONGEST]


def _bare(message: str) -> str:
    """Leave out what a site may have issued: request headers, telling parts of addresses."""
    lines = (line for line in message.splitlines() if not _HEADER.match(line))
    return _ADDRESS.sub(lambda found: bare_url(found[0]), "\n".join(lines))


def _of_network(message: str) -> Fault | None:
    """Read what Playwright says of a connection or a page that failed."""
    net = _NET.search(message)
    if net:
        return Fault(ErrorType.NAVIGATION, message, net[1] in _UNREACHABLE)
    refused = _API_CONNECT.search(message) is not None
    if refused or _API_BROKEN.search(message):
        return Fault(ErrorType.NAVIGATION, message, refused)
    return Fault(ErrorType.PAGE_CRASH, message) if "crashed" in message else None


def _where(error: BaseException, message: str) -> str:
    """Prefix a message with the exception's name and the line of the journey it came from."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and "/agent/" not in frame.filename
    ]
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}: {message}"[:_LONGEST]
