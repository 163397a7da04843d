"""What a walk's exception means: the one place where Playwright's errors are translated.

Whose fault it is follows from where it was raised: by the author's own Python, by a call that
fetches something, or by one that does what a customer does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.async_api import Error
from playwright.async_api import TimeoutError as PlaywrightTimeout

from agent.core.errors import ErrorType, Owner
from agent.core.limits import MESSAGE_LENGTH
from agent.worker.browser import net_errors, raised
from agent.worker.browser.wording import cause_first, of_answer, of_download, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.source_line import SourceLine
    from agent.worker.browser.raised import AuthorCode, Call

    Fit = Callable[[str, int], str]
    """Cleans a text and cuts it to so many characters (``Redactor.fit``)."""

_FETCHING = frozenset(
    {"APIRequestContext", "APIResponse", "Download", "Request", "Response", "WebSocket"}
)
"""Classes whose every call brings something over the network."""
_NAVIGATING = frozenset(
    f"{owner}.{method}"
    for owner in ("Page", "Frame")
    for method in (
        "expect_navigation",
        "go_back",
        "go_forward",
        "goto",
        "reload",
        "wait_for_load_state",
        "wait_for_url",
    )
) | {"Route.fetch"}
_READING = frozenset({"APIResponse.json", "APIResponse.text", "Response.json", "Response.text"})
_UNREADABLE = (ValueError, RecursionError)
"""What Python's own readers raise: the second where lists lie in lists, thousands deep."""
_SETTING_UP = frozenset(
    {
        "Browser",
        "BrowserContext",
        "BrowserType",
        "CDPSession",
        "Clock",
        "Credentials",
        "Debugger",
        "Dialog",
        "Disposable",
        "Playwright",
        "Route",
        "Screencast",
        "Selectors",
        "Tracing",
        "Video",
        "WebMCP",
        "WebSocketRoute",
        "WebStorage",
    }
)
"""Classes by which an author arranges his walk: no customer does any of it."""
_ARRANGING = frozenset(
    f"Page.{method}"
    for method in (
        "add_init_script",
        "emulate_media",
        "expose_binding",
        "expose_function",
        "set_extra_http_headers",
        "set_viewport_size",
    )
)
"""What an author arranges on a page."""
_MISUSE = re.compile(
    r"while (?:parsing|querying) |^(?:\S+: )?(?:Error while parsing|Malformed selector)"
    r"|is not a valid (?:selector|XPath expression)|Unknown attribute \"|selector cannot be first"
    r"|Selector cannot (?:start|end|be)|Can not capture the selector|can capture using \* modifier"
    r"|Unknown key: |Cannot navigate to invalid URL|does not support tap"
    r"|must be a valid HTTP token|Invalid character in header content \[\"(?!cookie\")"
    r"|^(?:\S+: )?E[A-Z]+: [^\n]+, (?:copyfile|mkdir|open) '"
    r"|at new ExpectedTextMatcher \(|^Locator\.(?!eval)\w+: SyntaxError: Invalid regular expression"
    r"|Unknown paper format|No resource with given identifier found\n.+ was navigated away from"
    r"|SyntaxError: [^\n]*\n    at eval \(<anonymous>\)"
)
"""What the driver says of arguments that it can't use; a test asks it for each."""
_CLOSED = "context or browser has been closed"
_MOVED_ON = re.compile(r"Execution context was destroyed|because the page is navigating")
"""What is said of a page that went elsewhere while something was read from it."""


class HttpStatusError(AssertionError):
    """A main document answered 400 or above and the author had not expected it."""


class PageErrorRaised(AssertionError):
    """A script of the site's own raised what nothing on the page caught, and that is to count."""


class Challenged(Exception):
    """The site's edge took the agent for a bot, and answered so."""


class AttemptTimeout(Exception):
    """The attempt's own deadline passed; the message says where the journey was."""


class BadRedirect(Error):
    """An answer to ``run.api`` that leads to no answer: on and on, or to what is no address."""


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
    """What ended a walk, and in which line of the author's, if in any."""

    error_type: ErrorType
    message: str
    unreachable: bool = False
    place: SourceLine | None = None
    target: object = None
    """What the call that failed was made on."""


_OWN = {
    AttemptTimeout: ErrorType.TIMEOUT,
    BrowserGone: ErrorType.BROWSER_CRASH,
    Challenged: ErrorType.CHALLENGED,
    HttpStatusError: ErrorType.HTTP_STATUS,
    LaunchFailed: ErrorType.BROWSER_LAUNCH,
    PageCrashed: ErrorType.PAGE_CRASH,
    PageErrorRaised: ErrorType.ASSERTION,
    ProxyRefused: ErrorType.NAVIGATION,
    BadRedirect: ErrorType.NAVIGATION,
}


def fault_of(error: BaseException, code: AuthorCode, fit: Fit) -> Fault:
    """Translate whatever a journey raised.

    ``fit`` takes secrets out of its text before that is cut to length, for half a secret
    would not be known again.
    """
    group, error = error, raised.first_error(error)
    call = raised.call_of(error)
    error_type = _word(error, call)
    place = code.raised_at(error) or code.raised_at(group)
    if place is not None:
        place = place.cleaned(fit)
    message = fit(_message(error, call, error_type), MESSAGE_LENGTH)
    unreachable = error_type is ErrorType.NAVIGATION and (
        isinstance(error, ProxyRefused) or net_errors.is_unreachable(error)
    )
    return Fault(error_type, message, unreachable, place, call.target if call else None)


def first_line(error: BaseException, fit: Fit) -> str:
    """Return the first line of what an exception says, fit to be kept like the whole."""
    error = raised.first_error(error)
    text = cause_first(text_of(error)).partition("\n")[0]
    return fit(text, MESSAGE_LENGTH)


def _word(error: BaseException, call: Call | None) -> ErrorType:
    for kind, error_type in _OWN.items():
        if isinstance(error, kind):
            return error_type
    if isinstance(error, AssertionError):
        misused = raised.in_playwright(error) and _is_misuse(error, call)
        return ErrorType.SCRIPT_ERROR if misused else ErrorType.ASSERTION
    if isinstance(error, TimeoutError) and raised.interrupted_call(error) is not None:
        return ErrorType.TIMEOUT
    if isinstance(error, _UNREADABLE) and call is not None and call.name in _READING:
        return ErrorType.NAVIGATION
    if isinstance(error, Error) and raised.in_playwright(error):
        return _of_playwright(error, call)
    return ErrorType.SCRIPT_ERROR


def _of_playwright(error: Error, call: Call | None) -> ErrorType:
    if isinstance(error, PlaywrightTimeout):
        return ErrorType.TIMEOUT
    if "crashed" in str(error).partition("\n")[0]:
        return ErrorType.PAGE_CRASH
    if call is not None and call.name in _NAVIGATING:
        return ErrorType.SCRIPT_ERROR if _is_misuse(error, call) else ErrorType.NAVIGATION
    if _is_misuse(error, call) or (call is not None and _arranges(error, call)):
        return ErrorType.SCRIPT_ERROR
    fetching = call is not None and call.owner in _FETCHING
    if fetching or net_errors.is_one(error) or _MOVED_ON.search(str(error)):
        return ErrorType.NAVIGATION
    return ErrorType.ASSERTION


def _arranges(error: Error, call: Call) -> bool:
    """Whether it broke while an author arranged his walk, not on a page that went away."""
    if call.owner in _SETTING_UP:
        return True
    return call.name in _ARRANGING and _CLOSED not in str(error)


def _is_misuse(error: BaseException, call: Call | None) -> bool:
    """Whether a call was given what it can't use, or an object that the author had closed."""
    if call is not None and raised.closed_by_author(call.target):
        return True
    if call is not None and call.owner == "APIRequestContext" and _CLOSED in str(error):
        return True
    if isinstance(error, Error) and error.name is None:
        # Raised before anything was asked of the browser, unless a page's news raised it.
        return not raised.by_waiter(error)
    return net_errors.is_bad_address(error) or _MISUSE.search(str(error)) is not None


def _message(error: BaseException, call: Call | None, error_type: ErrorType) -> str:
    text = text_of(error)
    if call is not None and call.owner == "Download" and error_type is ErrorType.NAVIGATION:
        return of_download(call.target, text)
    if call is not None and call.name in _READING and isinstance(error, _UNREADABLE):
        return of_answer(call.target, text)
    if isinstance(error, TimeoutError) and (cut_off := raised.interrupted_call(error)):
        return f"{cut_off.name}: not done when the journey's own time-out passed"
    if error_type is ErrorType.SCRIPT_ERROR:
        return f"{type(error).__name__}: {cause_first(text)}{_hidden(error)}"
    return cause_first(text) or "assertion failed"


def _hidden(error: BaseException) -> str:
    """Tell the target's failure in whose `except` or `finally` the author's own code broke."""
    before = error.__context__
    if before is None or _word(before, raised.call_of(before)).owner is not Owner.TARGET:
        return ""
    return f"\nraised after {cause_first(text_of(before)).partition(chr(10))[0]}"
