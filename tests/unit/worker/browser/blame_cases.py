"""What can go wrong for a walk, each as a few lines of a journey, with the word it has.

The names say what is wrong. ``page`` is at the home page of ``SITE`` unless a case goes elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web
from playwright.async_api import Error, expect

from agent.core.errors import ErrorType

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import Page

    Walk = Callable[[Page], Awaitable[object]]

HOME = """<!doctype html><link rel=icon href=data:,><title>Shop</title>
<h1>Home</h1><h1>Welcome</h1><button id=buy>Buy</button><input id=name><input id=off disabled>
<select id=size><option value=s>S</select><input id=file type=file>
<input id=stubborn type=checkbox onclick=event.preventDefault()>
<div id=hidden style=display:none>x</div>
<a id=popup target=_blank href=/closes>popup</a><a id=report href=/report>report</a>
<button id=under>Under</button><div id=overlay style=position:fixed;inset:0></div>"""


async def _attachment(_: web.Request) -> web.Response:
    disposition = {"content-disposition": "attachment; filename=a.bin"}
    return web.Response(body=b"x", content_type="application/octet-stream", headers=disposition)


async def _nothing(_: web.Request) -> web.Response:
    return web.Response(status=204)


async def _circle(_: web.Request) -> web.Response:
    raise web.HTTPFound("/circle")


async def _to_a_refused_port(_: web.Request) -> web.Response:
    raise web.HTTPFound("http://127.0.0.1:6000/")


async def _deep(_: web.Request) -> web.Response:
    return web.Response(text="[" * 200_000, content_type="application/json")


async def _break_off(request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"content-length": "100000", **headers})
    await answer.prepare(request)
    await answer.write(b'{"a":' + b" " * 20_000)
    await asyncio.sleep(0.1)
    if request.transport is not None:
        request.transport.abort()
    return answer


async def _cut(request: web.Request) -> web.StreamResponse:
    return await _break_off(request, {"content-type": "application/json"})


async def _report(request: web.Request) -> web.StreamResponse:
    disposition = "attachment; filename=year.csv"
    return await _break_off(
        request, {"content-type": "text/csv", "content-disposition": disposition}
    )


async def _no_http(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.write(b"HELLO THERE\r\n\r\n")  # type: ignore[attr-defined]
        request.transport.close()
    return web.Response()


async def _no_gzip(_: web.Request) -> web.Response:
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    return web.Response(body=b"not gzip at all", headers=headers)


async def _back_soon(_: web.Request) -> web.Response:
    return web.Response(status=500, text="<h1>Back soon</h1>", content_type="text/html")


async def _slow(_: web.Request) -> web.Response:
    await asyncio.sleep(3)
    return web.Response(text="late")


async def _socket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.close()
    return socket


PAGES = {
    "/": HOME,
    "/reloads": "<script>setInterval(() => location.reload(), 20)</script>",
    "/closes": "<script>setTimeout(() => window.close(), 50)</script>",
    "/frame": "<iframe id=f src=/inner></iframe>"
    "<script>setTimeout(() => document.getElementById('f').remove(), 200)</script>",
    "/inner": "<p>inside",
    "/attachment": _attachment,
    "/nothing": _nothing,
    "/circle": _circle,
    "/to-a-refused-port": _to_a_refused_port,
    "/deep": _deep,
    "/cut": _cut,
    "/report": _report,
    "/no-http": _no_http,
    "/no-gzip": _no_gzip,
    "/back-soon": _back_soon,
    "/slow": _slow,
    "/socket": _socket,
}


@dataclass(frozen=True, slots=True)
class Case:
    """A walk that goes wrong, its word, and what its first line says."""

    walk: Walk
    word: ErrorType
    says: str


CASES: dict[str, Case] = {}


def case(word: str, says: str = "") -> Callable[[Walk], Walk]:
    def note(walk: Walk) -> Walk:
        CASES[walk.__name__] = Case(walk, ErrorType(word), says)
        return walk

    return note


# What did not arrive whole, by page.


@case("navigation", "Download is starting")
async def goto_an_attachment(page: Page) -> None:
    await page.goto("/attachment")


@case("navigation", "ERR_ABORTED")
async def goto_nothing(page: Page) -> None:
    await page.goto("/nothing")


@case("navigation", "ERR_TOO_MANY_REDIRECTS")
async def goto_in_a_circle(page: Page) -> None:
    await page.goto("/circle")


@case("navigation", "ERR_UNSAFE_PORT")
async def goto_led_to_a_port_that_browsers_refuse(page: Page) -> None:
    await page.goto("/to-a-refused-port")


@case("navigation", "ERR_INVALID_HTTP_RESPONSE")
async def goto_no_http(page: Page) -> None:
    await page.goto("/no-http")


@case("navigation")
async def goto_interrupted(page: Page) -> None:
    await asyncio.gather(page.goto("/slow"), page.goto("/"))


@case("navigation")
async def goto_in_a_frame_that_goes(page: Page) -> None:
    await page.goto("/frame")
    await page.frames[1].goto("/slow", timeout=3000)


@case("navigation", "Execution context was destroyed")
async def evaluate_on_a_page_that_reloads(page: Page) -> None:
    await page.goto("/reloads")
    for _ in range(100):
        await page.evaluate("new Promise(done => setTimeout(done, 300))")


@case("timeout", "Page.goto: Timeout")
async def goto_a_page_that_never_comes(page: Page) -> None:
    await page.goto("/slow")


@case("navigation", "No data found")
async def body_that_broke_off(page: Page) -> None:
    async with page.expect_response("**/cut") as waiting:
        await page.evaluate("fetch('/cut').catch(() => 0)")
    await (await waiting.value).body()


# The same by run.api, page.request and context.request, which are one object of Playwright's.


@case("navigation", "redirect")
async def api_in_a_circle(page: Page) -> None:
    await page.request.get("/circle")


@case("navigation", "/cut")
async def api_cut(page: Page) -> None:
    await page.request.get("/cut")


@case("navigation", "Parse Error")
async def api_no_http(page: Page) -> None:
    await page.request.get("/no-http")


@case("navigation", "decompress")
async def api_no_gzip(page: Page) -> None:
    await page.context.request.get("/no-gzip")


@case("navigation", "/back-soon answered 500 text/html")
async def api_page_where_json_was(page: Page) -> None:
    await (await page.request.get("/back-soon")).json()


@case("navigation", "/ answered 200 text/html")
async def page_where_json_was(page: Page) -> None:
    answer = await page.goto("/")
    assert answer
    await answer.json()


@case("navigation", "/deep answered 200 application/json")
async def api_of_lists_in_lists(page: Page) -> None:
    await (await page.request.get("/deep")).json()


@case("navigation", "/deep answered 200 application/json")
async def page_of_lists_in_lists(page: Page) -> None:
    answer = await page.goto("/deep")
    assert answer
    await answer.json()


@case("navigation", "500 Internal Server Error")
async def api_asked_to_fail(page: Page) -> None:
    await page.request.get("/back-soon", fail_on_status_code=True)


@case("timeout", "/slow")
async def api_that_never_comes(page: Page) -> None:
    await page.request.get("/slow", timeout=200)


@case("assertion", "expected to be within [200..299]")
async def api_expected_to_be_ok(page: Page) -> None:
    await expect(await page.request.get("/back-soon")).to_be_ok()


# Downloads and sockets.


async def _take(page: Page) -> object:
    async with page.expect_download() as waiting:
        await page.evaluate("document.getElementById('report').click()")
    return await waiting.value


@case("navigation", "the download 'year.csv' broke off: canceled")
async def download_cut(page: Page) -> None:
    await (await _take(page)).path()  # type: ignore[attr-defined]


@case("navigation", "year.csv")
async def download_cut_while_saved(page: Page) -> None:
    await (await _take(page)).save_as("/dev/null")  # type: ignore[attr-defined]


@case("navigation", "Socket closed")
async def socket_closed(page: Page) -> None:
    async with page.expect_websocket() as waiting:
        await page.evaluate("new WebSocket(location.href.replace('http', 'ws') + 'socket')")
    await (await waiting.value).wait_for_event("framereceived")


# What a customer could not do.


@case("assertion", "found 2 elements")
async def found_twice(page: Page) -> None:
    await page.locator("h1").click()


@case("assertion", "strict mode violation")
async def found_twice_by_expect(page: Page) -> None:
    await expect(page.locator("h1")).to_have_text("x", timeout=200)


@case("assertion", "Not a checkbox")
async def no_checkbox(page: Page) -> None:
    await page.check("#name", force=True)


@case("assertion", "did not change its state")
async def checkbox_that_will_not_tick(page: Page) -> None:
    await page.evaluate("document.getElementById('overlay').remove()")
    await page.check("#stubborn")


@case("assertion", "Element is not an <input>")
async def no_field(page: Page) -> None:
    await page.locator("#buy").fill("x")


@case("assertion", "not a <select>")
async def no_choice(page: Page) -> None:
    await page.select_option("#name", "s", force=True)


@case("timeout", "did not find some options: Timeout")
async def choice_without_the_option(page: Page) -> None:
    await page.select_option("#size", "xl", timeout=300)


@case("assertion", "single file")
async def field_for_one_file(page: Page) -> None:
    one = {"name": "a", "mimeType": "text/plain", "buffer": b"a"}
    await page.set_input_files("#file", [one, one])  # type: ignore[list-item]


@case("timeout", '<div id="overlay"></div> intercepts pointer events: Timeout')
async def covered(page: Page) -> None:
    await page.click("#under")


@case("timeout", "element is not enabled: Timeout")
async def disabled(page: Page) -> None:
    await page.fill("#off", "x")


@case("timeout", "element is not visible: Timeout")
async def hidden(page: Page) -> None:
    await page.click("#hidden")


@case("timeout", 'Page.click: waiting for locator("#never"): Timeout')
async def not_there(page: Page) -> None:
    await page.click("#never")


@case("assertion", "Failed to find element")
async def nothing_to_evaluate_on(page: Page) -> None:
    await page.eval_on_selector("#never", "one => one.id")


@case("assertion", "not attached")
async def element_detached(page: Page) -> None:
    element = await page.query_selector("#buy")
    await page.evaluate("document.getElementById('buy').remove()")
    assert element
    await element.click()


@case("assertion", "Frame was detached")
async def frame_detached(page: Page) -> None:
    await page.goto("/frame")
    await page.frames[1].click("#never")


@case("assertion", "has been closed")
async def popup_closed_itself(page: Page) -> None:
    async with page.expect_popup() as waiting:
        await page.evaluate("document.getElementById('popup').click()")
    await (await waiting.value).wait_for_selector("#never")


@case("assertion", "<iframe> was expected")
async def no_frame(page: Page) -> None:
    await page.frame_locator("#buy").locator("p").click()


@case("assertion", "Cannot read properties of null")
async def script_on_what_is_not_there(page: Page) -> None:
    await page.evaluate("document.querySelector('#never').innerText")


@case("assertion", "is not valid JSON")
async def script_that_reads_a_page_as_json(page: Page) -> None:
    await page.evaluate("fetch('/back-soon').then(answer => answer.json())")


@case("assertion", "locator(\"#never\") expected to have text 'x'; Actual value: None; element(s)")
async def expected_and_not_there(page: Page) -> None:
    await expect(page.locator("#never")).to_have_text("x", timeout=200)


@case("assertion", "locator(\"h1\") expected to have count '3'; Actual value: 2")
async def expected_another_count(page: Page) -> None:
    await expect(page.locator("h1")).to_have_count(3, timeout=200)


@case("assertion", "Page title expected to be 'Nope'; Actual value: Shop")
async def expected_another_title(page: Page) -> None:
    await expect(page).to_have_title("Nope", timeout=200)


@case("assertion", "found 2 elements")
async def found_twice_in_a_group(page: Page) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(page.locator("h1").click())


@case("timeout", "Page.wait_for_selector: not done")
async def the_authors_own_deadline(page: Page) -> None:
    async with asyncio.timeout(0.2):
        await page.wait_for_selector("#never")


@case("timeout", "Page.wait_for_selector: not done")
async def the_authors_own_wait(page: Page) -> None:
    await asyncio.wait_for(page.wait_for_selector("#never"), 0.2)


@case("timeout", 'waiting for event "response"')
async def response_that_never_came(page: Page) -> None:
    async with page.expect_response("**/never", timeout=200):
        pass


# Misuse of the API: the author's own.

SELECTORS = {
    "css": "h1[",
    "xpath": "xpath=//[",
    "engine": "foo=bar",
    "pseudo_class": "button:has-txt('a')",
    "no_argument": "button:has-text()",
    "attribute": "role=button[foo=1]",
    "end": "h1 >>",
    "frame_at_the_end": "div >> internal:control=enter-frame",
    "frame_at_the_start": "internal:control=enter-frame >> h1",
    "two_captures": "*css=div >> *css=p",
}


def _selecting(selector: str) -> Walk:
    async def click(page: Page) -> None:
        await page.locator(selector).click(timeout=300)

    return click


for _name, _selector in SELECTORS.items():
    CASES[f"selector_{_name}"] = Case(_selecting(_selector), ErrorType.SCRIPT_ERROR, "Error: ")


@case("script_error", "while parsing css selector")
async def selector_in_expect(page: Page) -> None:
    await expect(page.locator("h1[")).to_have_text("x", timeout=200)


@case("script_error", 'Unknown key: "Entre"')
async def key(page: Page) -> None:
    await page.keyboard.press("Entre")


@case("script_error", 'Unknown key: "Ctrl"')
async def key_of_an_element(page: Page) -> None:
    await page.locator("#name").press("Ctrl+Q")


@case("script_error", "wait_until: expected one of")
async def argument(page: Page) -> None:
    await page.goto("/", wait_until="later")  # type: ignore[arg-type]


@case("script_error", "value: expected string, got number")
async def type_of_an_argument(page: Page) -> None:
    await page.fill("#name", 7)  # type: ignore[arg-type]


@case("script_error", "unexpected keyword")
async def name_of_an_argument(page: Page) -> None:
    await page.click("#buy", tiemout=1)  # type: ignore[call-arg]


@case("script_error", "invalid URL")
async def address(page: Page) -> None:
    await page.goto("http://[oops")


@case("script_error", "Invalid URL")
async def address_of_the_api(page: Page) -> None:
    await page.request.get("http://[oops/")


@case("script_error", "not supported")
async def protocol_of_the_api(page: Page) -> None:
    await page.request.get("ftp://shop/")


@case("script_error", "must be a valid HTTP token")
async def header_of_the_api(page: Page) -> None:
    await page.request.get("/", headers={"a b": "c"})


@case("script_error", "Invalid character in header content")
async def value_of_a_header_of_the_api(page: Page) -> None:
    await page.request.get("/", headers={"a": "b\r\nc: d"})


@case("script_error", "must be a valid HTTP token")
async def method_of_the_api(page: Page) -> None:
    await page.request.fetch("/", method="GE T")


@case("script_error", "Invalid header name")
async def header_of_a_page(page: Page) -> None:
    await page.set_extra_http_headers({"a b": "c"})


@case("script_error", "must be positive")
async def size_of_a_page(page: Page) -> None:
    await page.set_viewport_size({"width": -1, "height": 5})


@case("script_error", "no such file or directory")
async def place_for_a_download(page: Page) -> None:
    async with page.expect_download() as waiting:
        await page.evaluate("location.href = '/attachment'")
    await (await waiting.value).save_as("/proc/nope/x")


@case("script_error", "No such file or directory")
async def style_of_the_authors(page: Page) -> None:
    await page.add_style_tag(path="/no/such/style.css")


@case("script_error", "Invalid regular expression")
async def pattern_that_browsers_do_not_know(page: Page) -> None:
    await page.get_by_text(re.compile("(?P<a>H)ome")).click()


@case("script_error", "Invalid regular expression")
async def pattern_in_expect(page: Page) -> None:
    await expect(page.locator("#buy")).to_have_text(re.compile("(?P<a>B)uy"), timeout=200)


@case("script_error", "ERR_UNSAFE_PORT")
async def port_that_is_none(page: Page) -> None:
    await page.goto("http://127.0.0.1:0/")


@case("script_error", "Only one of")
async def two_bodies(page: Page) -> None:
    await page.request.post("/", data="x", form={"a": "b"})


@case("script_error", "SyntaxError")
async def script(page: Page) -> None:
    await page.evaluate("1 +")


@case("script_error", "SyntaxError")
async def script_to_wait_for(page: Page) -> None:
    await page.wait_for_function("1 +")


@case("script_error", "unexpected value")
async def argument_of_a_script(page: Page) -> None:
    await page.evaluate("x => x", object())


@case("script_error", "No such file")
async def file_of_the_authors(page: Page) -> None:
    await page.set_input_files("#file", "/no/such/file")


@case("script_error", "does not support tap")
async def tap_without_a_touch_screen(page: Page) -> None:
    await page.tap("#buy")


@case("script_error", "url or a domain/path")
async def cookie(page: Page) -> None:
    await page.context.add_cookies([{"name": "a", "value": "b"}])


@case("script_error", "Unknown permission")
async def permission(page: Page) -> None:
    await page.context.grant_permissions(["nope"])


@case("script_error", "already started")
async def tracing_twice(page: Page) -> None:
    await page.context.tracing.start()
    await page.context.tracing.start()


@case("script_error", "has been closed")
async def page_that_the_journey_closed(page: Page) -> None:
    await page.close()
    await page.click("#buy")


@case("script_error", "has been closed")
async def context_that_the_journey_closed(page: Page) -> None:
    await page.context.close()
    await page.goto("/")


@case("script_error", "expected to be visible")
async def expecting_of_a_page_that_the_journey_closed(page: Page) -> None:
    await page.close()
    await expect(page.locator("#buy")).to_be_visible(timeout=200)


@case("script_error", "has been disposed")
async def answer_that_was_disposed(page: Page) -> None:
    answer = await page.request.get("/")
    await answer.dispose()
    await answer.text()


@case("script_error", "No resource with given identifier")
async def body_of_a_page_before(page: Page) -> None:
    answer = await page.goto("/")
    await page.goto("/inner")
    assert answer
    await answer.body()


@case("script_error", "has been closed")
async def api_that_was_disposed(page: Page) -> None:
    await page.request.dispose()
    await page.request.get("/")


@case("script_error", "mine")
async def own_listener(page: Page) -> None:
    def listen(_: object) -> None:
        raise ValueError("mine")

    page.on("request", listen)
    await page.goto("/")
    await page.title()


# The author's own Python.


@case("script_error", "Error: mine")
async def own_error_of_playwrights_class(_: Page) -> None:
    raise Error("mine")


class _Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@case("script_error", "_Mute: its text can't be had: RuntimeError was raised")
async def own_error_that_says_nothing(_: Page) -> None:
    raise _Mute


@case("script_error", "JSONDecodeError")
async def own_reading_of_json(_: Page) -> None:
    json.loads("<h1>")


@case("script_error", "AttributeError")
async def own_none(page: Page) -> None:
    element = await page.query_selector("#never")
    await element.click()  # type: ignore[union-attr]


@case("script_error", "TimeoutError")
async def own_deadline_of_nothing(_: Page) -> None:
    async with asyncio.timeout(0.05):
        await asyncio.sleep(5)


@case("assertion", "mine")
async def own_assertion(_: Page) -> None:
    raise AssertionError("mine")
