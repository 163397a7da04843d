"""Whatever a journey raises has one word, and a message that says where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Error, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from agent.core.errors import ErrorType
from agent.core.redact import Redactor
from agent.worker.browser.faults import (
    AttemptTimeout,
    BrowserGone,
    HttpStatusError,
    LaunchFailed,
    PageCrashed,
    fault_of,
    first_line,
)

if TYPE_CHECKING:
    from playwright.async_api import Browser


@pytest.mark.parametrize(
    ("error", "error_type"),
    [
        (AssertionError("no"), ErrorType.ASSERTION),
        (HttpStatusError("GET / answered 500"), ErrorType.HTTP_STATUS),
        (PlaywrightTimeout("Timeout 100ms exceeded."), ErrorType.TIMEOUT),
        (AttemptTimeout("not done"), ErrorType.TIMEOUT),
        (PageCrashed("gone"), ErrorType.PAGE_CRASH),
        (Error("Page.goto: Page crashed"), ErrorType.PAGE_CRASH),
        (Error("Locator.click: Target crashed"), ErrorType.PAGE_CRASH),
        (BrowserGone("gone"), ErrorType.BROWSER_CRASH),
        (LaunchFailed("no"), ErrorType.BROWSER_LAUNCH),
        (Error("Page.goto: net::ERR_CERT_DATE_INVALID at https://x/"), ErrorType.NAVIGATION),
        (Error("APIRequestContext.get: socket hang up"), ErrorType.NAVIGATION),
        (Error("APIRequestContext.get: read ECONNRESET"), ErrorType.NAVIGATION),
        (Error("Unexpected token"), ErrorType.SCRIPT_ERROR),
        (Error("strict mode violation: 2 elements"), ErrorType.SCRIPT_ERROR),
        (ValueError("no"), ErrorType.SCRIPT_ERROR),
        (TimeoutError("of asyncio"), ErrorType.SCRIPT_ERROR),
        (asyncio.CancelledError(), ErrorType.SCRIPT_ERROR),
        (SystemExit(1), ErrorType.SCRIPT_ERROR),
        (KeyboardInterrupt(), ErrorType.SCRIPT_ERROR),
        (ConnectionRefusedError("of the author's own socket"), ErrorType.SCRIPT_ERROR),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_words(error: BaseException, error_type: ErrorType) -> None:
    """Each exception has exactly one word."""
    fault = fault_of(error, str)
    assert fault.error_type is error_type
    assert not fault.unreachable
    assert str(error) in fault.message
    assert fault.message


@pytest.mark.parametrize(
    "code",
    [
        "net::ERR_NAME_NOT_RESOLVED",
        "net::ERR_CONNECTION_REFUSED",
        "net::ERR_CONNECTION_TIMED_OUT",
        "net::ERR_ADDRESS_UNREACHABLE",
        "net::ERR_INTERNET_DISCONNECTED",
        "connect ECONNREFUSED 127.0.0.1:1",
        "getaddrinfo ENOTFOUND shop",
        "getaddrinfo EAI_AGAIN shop",
    ],
)
def test_unreachable(code: str) -> None:
    """Resolve and connect errors say that nothing was reached: the network may be our own."""
    fault = fault_of(Error(f"Page.goto: {code} at https://shop/"), str)
    assert (fault.error_type, fault.unreachable) == (ErrorType.NAVIGATION, True)


@pytest.mark.parametrize(
    "code", ["ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_TOO_MANY_REDIRECTS", "ERR_ABORTED"]
)
def test_reached(code: str) -> None:
    """Who answers wrongly was reached."""
    fault = fault_of(Error(f"Page.goto: net::{code} at https://shop/"), str)
    assert (fault.error_type, fault.unreachable) == (ErrorType.NAVIGATION, False)


def test_where() -> None:
    """A script error names the exception and the line of the journey that raised it."""

    def journey() -> None:
        {}["mug"]

    with pytest.raises(KeyError) as raised:
        journey()
    line = journey.__code__.co_firstlineno + 1
    assert fault_of(raised.value, str).message == f"KeyError at test_faults.py:{line}: 'mug'"


def test_a_bare_assert() -> None:
    """An assertion without words says at least where it stands."""
    with pytest.raises(AssertionError) as raised:
        raise AssertionError
    assert "test_faults.py:" in fault_of(raised.value, str).message


def test_length() -> None:
    """A message is bounded, whatever a page put into it."""
    for kind in (AssertionError, ValueError, PlaywrightTimeout):
        assert len(fault_of(kind("x" * 100_000), str).message) == 2000


def test_no_half_of_a_secret() -> None:
    """What is cut to length has been cleaned before: half a secret would not be known again."""
    redactor = Redactor()
    redactor.add("correct-horse-battery-staple")
    for spare in range(5, 28):
        error = AssertionError("x" * (2000 - spare) + "correct-horse-battery-staple")
        assert "corre" not in fault_of(error, redactor.text).message
        assert "corre" not in first_line(error, redactor.text)


def test_first_line() -> None:
    """The line that a step's span gets tells no more than the whole message."""
    error = Error("\nPage.goto: net::ERR_FAILED at http://me:pw@shop/?token=abc&page=2\nCall log:")
    line = first_line(error, str)
    assert line == "Page.goto: net::ERR_FAILED at http://shop/?token=REDACTED&page=2"


async def test_no_page_content(browser: Browser) -> None:
    """A failed `expect` says what it expected, and nothing of the page's other fields."""
    page = await browser.new_page()
    await page.set_content("<h1>Cart</h1><input aria-label=card value=4242424242424242>")
    with pytest.raises(AssertionError) as raised:
        await expect(page.locator("body")).to_contain_text("Thank you", timeout=50)
    assert "4242" in str(raised.value), "Playwright no longer tells; nothing is left to cut"
    message = fault_of(raised.value, str).message
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
    fault = fault_of(Error(text), str)
    assert fault.unreachable
    for telling in ("abc", "sess-123", "zzz", "Mozilla"):
        assert telling not in fault.message
    assert "page=2" in fault.message
    assert "waiting for get_by_role" in fault.message
