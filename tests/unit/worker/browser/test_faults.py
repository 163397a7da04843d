"""Whatever a journey raises has one word, and a message that says where."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Error, expect

from agent.core.errors import ErrorType
from agent.core.redact import Redactor
from agent.worker.browser.faults import (
    AttemptTimeout,
    BadRedirect,
    BrowserGone,
    Challenged,
    HttpStatusError,
    LaunchFailed,
    PageCrashed,
    ProxyRefused,
    fault_of,
    first_line,
)
from agent.worker.browser.raised import AuthorCode

if TYPE_CHECKING:
    from playwright.async_api import Browser


CODE = AuthorCode(str(Path(__file__).parent))


@pytest.mark.parametrize(
    ("error", "error_type"),
    [
        (AssertionError("no"), ErrorType.ASSERTION),
        (HttpStatusError("GET / answered 500"), ErrorType.HTTP_STATUS),
        (Challenged("GET / asks for a proof"), ErrorType.CHALLENGED),
        (AttemptTimeout("not done"), ErrorType.TIMEOUT),
        (PageCrashed("gone"), ErrorType.PAGE_CRASH),
        (BrowserGone("gone"), ErrorType.BROWSER_CRASH),
        (LaunchFailed("no"), ErrorType.BROWSER_LAUNCH),
        (BadRedirect("on and on"), ErrorType.NAVIGATION),
        (Error("of the author's own"), ErrorType.SCRIPT_ERROR),
        (ValueError("no"), ErrorType.SCRIPT_ERROR),
        (TimeoutError("of asyncio"), ErrorType.SCRIPT_ERROR),
        (asyncio.CancelledError("mine"), ErrorType.SCRIPT_ERROR),
        (SystemExit(1), ErrorType.SCRIPT_ERROR),
        (KeyboardInterrupt("mine"), ErrorType.SCRIPT_ERROR),
        (ConnectionRefusedError("of the author's own socket"), ErrorType.SCRIPT_ERROR),
        (ExceptionGroup("two", [ValueError("first"), AssertionError()]), ErrorType.SCRIPT_ERROR),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_words(error: BaseException, error_type: ErrorType) -> None:
    """What no call of Playwright's raised has one word, by its class."""
    fault = fault_of(error, CODE, str_cut)
    assert fault.error_type is error_type
    assert not fault.unreachable
    assert fault.message


def test_a_proxy_that_wants_a_sign_in() -> None:
    """Where the agent's own proxy answers, nothing was reached."""
    fault = fault_of(ProxyRefused("407"), CODE, str_cut)
    assert (fault.error_type, fault.unreachable) == (ErrorType.NAVIGATION, True)


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "[::1]:{port}", "no.such.invalid"])
@pytest.mark.parametrize("ask", ["page.goto", "page.request.get"])
async def test_unreachable(browser: Browser, ask: str, host: str) -> None:
    """Resolve and connect errors say that nothing was reached: the network may be our own."""
    page = await browser.new_page()
    call = page.goto if ask == "page.goto" else page.request.get
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Error) as raised:
        await call(f"http://{host.format(port=port)}/")
    fault = fault_of(raised.value, CODE, str_cut)
    assert (fault.error_type, fault.unreachable) == (ErrorType.NAVIGATION, True), fault


async def test_a_renderer_that_crashed(browser: Browser) -> None:
    """What a call raises when its page crashes is the crash's."""
    page = await browser.new_page()
    page.set_default_timeout(3000)
    waiting = asyncio.create_task(page.wait_for_selector("#never"))
    with contextlib.suppress(Error):
        await page.goto("chrome://crash")
    with pytest.raises(Error) as raised:
        await waiting
    assert fault_of(raised.value, CODE, str_cut).error_type is ErrorType.PAGE_CRASH


def test_a_bare_assertion() -> None:
    """An assertion without words has some, and its place."""
    with pytest.raises(AssertionError) as raised:
        raise AssertionError
    fault = fault_of(raised.value, CODE, str_cut)
    assert fault.message == "assertion failed"
    assert fault.place is not None
    assert (fault.place.file, fault.place.source) == (
        "browser/test_faults.py",
        "raise AssertionError",
    )


def test_length() -> None:
    """A message is bounded, whatever a page put into it."""
    for kind in (AssertionError, ValueError, AttemptTimeout):
        assert len(fault_of(kind("x" * 100_000), CODE, str_cut).message) == 4000


def test_no_half_of_a_secret() -> None:
    """What is cut to length has been cleaned before: half a secret would not be known again."""
    redactor = Redactor()
    redactor.add("correct-horse-battery-staple")
    for spare in range(5, 28):
        error = AssertionError("x" * (4000 - spare) + "correct-horse-battery-staple")
        assert "corre" not in fault_of(error, CODE, redactor.fit).message
        assert "corre" not in first_line(error, redactor.fit)


def test_first_line() -> None:
    """The line that a step's span gets tells no more than the whole message."""
    error = Error("\nPage.goto: net::ERR_FAILED at http://me:pw@shop/?token=abc&page=2\nCall log:")
    line = first_line(error, str_cut)
    assert line == "Page.goto: net::ERR_FAILED at http://shop/?token=REDACTED&page=2"


async def test_no_page_content(browser: Browser) -> None:
    """A failed `expect` says what it expected, and nothing of the page's other fields."""
    page = await browser.new_page()
    await page.set_content("<h1>Cart</h1><input aria-label=card value=4242424242424242>")
    with pytest.raises(AssertionError) as raised:
        await expect(page.locator("body")).to_contain_text("Thank you", timeout=50)
    assert "4242" in str(raised.value), "Playwright no longer tells; nothing is left to cut"
    message = fault_of(raised.value, CODE, str_cut).message
    assert "Thank you" in message
    assert "4242" not in message


def test_what_a_site_issued_stays_out() -> None:
    """Headers of a failed API request and telling parts of addresses are left out."""
    text = (
        "APIRequestContext.get: connect ECONNREFUSED 127.0.0.1:1\n"
        "Call log:\n"
        "  - → GET http://127.0.0.1:1/cart?token=abc&page=2\n"
        "    - user-agent: Mozilla/5.0\n"
        "    - authorization: Bearer sess-123\n"
        "    - cookie: sid=zzz\n"
        '  - waiting for get_by_role("link")\n'
    )
    message = fault_of(Error(text), CODE, str_cut).message
    for telling in ("abc", "sess-123", "zzz", "Mozilla"):
        assert telling not in message
    assert "page=2" in message.partition("\n")[0]
    assert "waiting for get_by_role" in message


def str_cut(text: str, limit: int) -> str:
    return text[:limit]


async def test_a_port_that_browsers_refuse_is_not_the_targets(browser: Browser) -> None:
    """Nothing was asked of the site, which may well be fine."""
    page = await browser.new_page()
    with pytest.raises(Error) as raised:
        await page.goto("http://127.0.0.1:6667/")
    fault = fault_of(raised.value, CODE, str_cut)
    assert fault.error_type is ErrorType.SCRIPT_ERROR
    assert "ERR_UNSAFE_PORT" in fault.message


def test_clean_up_that_breaks_tells_what_had_failed_before() -> None:
    """An error in `finally` is the author's, and the failure that it hides is told with it."""
    with pytest.raises(KeyError) as raised:  # noqa: PT012 - the order is what is tried
        try:
            raise AssertionError("the cart is empty")
        finally:
            {}["order"]
    fault = fault_of(raised.value, CODE, str_cut)
    assert fault.error_type is ErrorType.SCRIPT_ERROR
    assert fault.message == "KeyError: 'order'\nraised after the cart is empty"
