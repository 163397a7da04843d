"""Pages that would break whoever listens to them, and heavy ones, each with its journey."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PASSES = "await run.page.wait_for_timeout(400)"
FAILS = 'await expect(run.page.locator("#x")).to_have_text("never", timeout=500)'
_HEAD = "<!doctype html><link rel=icon href='data:,'>"


@dataclass(frozen=True, slots=True)
class HostilePage:
    """A page and what is done on it once it is open; ``fails``: as the target's ``assertion``."""

    body: str
    then: str = PASSES
    fails: bool = False


def _fails(body: str, then: str = FAILS) -> HostilePage:
    return HostilePage(body, then, fails=True)


def _script(code: str) -> str:
    return f"<title>Shop</title><h1 id=x>Shop</h1><script>{code}</script>"


_ODD = r"\x00\x1b[2J\x1b]0;t\x07\x9b31m\ud800 http://[oops http://a\uff0fb http://[::1]:9103/"

HOSTILE: dict[str, HostilePage] = {
    "addresses_that_are_none": _fails(
        "<p id=x>see http://[oops or http://a\uff0fb or http://[::1]:9103/ or https://x:99999999/p</p>"
    ),
    "odd_text": _fails(_script(f'x.textContent = document.title = "{_ODD}"')),
    "odd_console": _fails(_script(f'console.log("{_ODD}"); console.error({{}}, "{_ODD}")')),
    "console_with_a_bad_source": HostilePage(
        _script('console.error("Failed to load resource: boo")\n//# sourceURL=http://[x')
    ),
    "errors_without_end": HostilePage(
        _script(
            "setInterval(() => { for (let i = 0; i < 20; i++) "
            "setTimeout(() => { throw new Error('x'.repeat(1e5)) }) }, 10)"
        )
    ),
    "an_error_of_megabytes": _fails(_script("throw new Error('http://[' + 'x'.repeat(5e6))")),
    "throws_what_is_no_error": HostilePage(
        _script(
            "setTimeout(() => { throw {toString() { throw 1 }} }); "
            "Promise.reject(Symbol('x')); setTimeout(() => { throw null })"
        )
    ),
    "words_without_end": HostilePage(
        _script("for (let i = 0; i < 30; i++) console.log('x'.repeat(1e6))")
    ),
    "replaces_the_language": HostilePage(
        _script(
            "Object.keys = Object.entries = Object.values = () => ['toString', 'x', 1];"
            "Array.prototype.map = Array.prototype.push = () => { throw new Error('no') };"
            "JSON.stringify = JSON.parse = () => undefined;"
            "String.prototype.slice = () => 'x'.repeat(9e6);"
        )
    ),
    "replaces_the_clock": HostilePage(
        _script(
            "performance.now = () => NaN; Date.now = () => 'x';"
            "performance.getEntriesByName = () => [{startTime: 'x'.repeat(9e6)}];"
            "performance.getEntriesByType = () => [{responseStart: {}}];"
            "window.PerformanceObserver = function () { throw 1 };"
            "window.Promise = function () { throw 1 };"
        )
    ),
    "replaces_what_the_agent_reads": HostilePage(
        _script("Object.defineProperty(window, '__footfall_vitals', {value: () => [1, {}]});")
    ),
    "beacons_of_megabytes": HostilePage(
        _script(
            "for (let i = 0; i < 12; i++) fetch('https://www.google-analytics.com/g/collect/' + i"
            " + 'x'.repeat(1.9e6), {method: 'POST', mode: 'no-cors'}).catch(() => 0)"
        )
    ),
    "many_beacons": HostilePage(
        _script(
            "for (let i = 0; i < 600; i++) navigator.sendBeacon("
            "'https://www.google-analytics.com/g/collect?v=2&tid=G-1&n=' + i)"
        )
    ),
    "addresses_of_megabytes": HostilePage(
        _script(
            "for (let i = 0; i < 5; i++) fetch('/404/' + i + 'x'.repeat(1e6)).catch(() => 0);"
            "history.replaceState(0, '', '/404/#' + 'y'.repeat(1e6))"
        )
    ),
    "odd_requests": HostilePage(
        _script(
            "for (const u of ['http://[oops', 'http://a\uff0fb', 'http://[::1]:9/', 'http://a.b:0/',"
            " '//', 'http://u:p@127.0.0.1:9/?token=1', 'data:x', 'blob:null/1', 'ftp://x/'])"
            " { try { fetch(u).catch(() => 0) } catch {} new Image().src = u }"
            "fetch('/404/', {method: 'M'.repeat(5000)}).catch(() => 0);"
            "fetch('/404/', {headers: {traceparent: '00-\\u00e9', baggage: 'x'.repeat(1e5)}})"
            ".catch(() => 0)"
        )
    ),
    "odd_sockets": HostilePage(
        _script(
            "for (const u of ['ws://[oops', 'ws://[::1]:1/', 'ws://x:0/', 'wss://127.0.0.1:9/'"
            " + 'x'.repeat(1e6)]) { try { new WebSocket(u) } catch {} }"
            "for (let i = 0; i < 100; i++) new WebSocket('ws://127.0.0.1:9/' + i)"
        )
    ),
    "frames_of_all_kinds": _fails(
        _script("")
        + "<iframe src='javascript:1'></iframe><iframe src='data:text/html,<title>%00'></iframe>"
        "<iframe srcdoc='<input type=password>'></iframe><iframe src='http://[oops'></iframe>"
        "<iframe sandbox src='/404/'></iframe>"
    ),
    "a_title_that_is_a_trap": _fails(
        _script(
            "Object.defineProperty(document, 'title', {get() { for (;;) {} }});"
            "Object.defineProperty(Document.prototype, 'title', {get() { throw 1 }})"
        )
    ),
    "downloads_for_ever": HostilePage(
        _script(
            "for (let i = 0; i < 3; i++) setTimeout(() => { const a = document.createElement('a');"
            "a.href = '/endless?' + i; a.download = 'x'; document.body.append(a); a.click() },"
            " i * 100)"
        ),
        "await run.page.wait_for_timeout(3000)",
    ),
    "a_dialog_without_end": HostilePage(
        _script("setTimeout(function again() { alert('x'.repeat(1e5)); setTimeout(again, 20) })")
    ),
}

_SCROLL = "<h1 id=x>Shop</h1>"
_SLOW_FAILS = 'await expect(run.page.locator("#x")).to_have_text("never", timeout=2000)'

HEAVY: dict[str, HostilePage] = {
    "title_of_60_mb": _fails(_script("document.title = 'x'.repeat(6e7)"), _SLOW_FAILS),
    "300000_paragraphs": _fails(
        _script(
            "const all = []; for (let i = 0; i < 3e5; i++) all.push(`<p>line ${i}</p>`);"
            "document.body.insertAdjacentHTML('beforeend', all.join(''))"
        ),
        _SLOW_FAILS,
    ),
    "20000_console_lines": _fails(
        _script("for (let i = 0; i < 2e4; i++) console.error('line', i, {a: [i]})"), _SLOW_FAILS
    ),
    "250_console_lines_of_400_kb": _fails(
        _script("for (let i = 0; i < 250; i++) console.log(i + 'x'.repeat(4e5))"), _SLOW_FAILS
    ),
    "50_fetches_for_ever": _fails(
        _script(
            "const go = () => fetch('/small?' + Math.random()).then(go, go);"
            "for (let i = 0; i < 50; i++) go()"
        ),
        _SLOW_FAILS,
    ),
    "2000_frames": _fails(
        _script(
            "for (let i = 0; i < 2000; i++) { const f = document.createElement('iframe');"
            "f.srcdoc = '<p>' + i; document.body.append(f) }"
        ),
        _SLOW_FAILS,
    ),
    "2000_lines_a_second": _fails(
        _script(
            "let n = 0; const k = 'x'.repeat(200); setInterval(() => { for (let i = 0; i < 20; i++)"
            " console.warn('tile', n++, k, {a: n, b: [k]}) }, 10)"
        ),
        _SLOW_FAILS,
    ),
    "a_spinning_script": _fails(
        _script("setTimeout(() => { const t = Date.now(); while (Date.now() - t < 8000); }, 300)"),
        _SLOW_FAILS,
    ),
    "a_dom_that_never_rests": _fails(
        _script(
            "setInterval(() => { for (let i = 0; i < 500; i++) { const p = "
            "document.createElement('p'); p.textContent = Math.random(); document.body.append(p) }"
            " }, 5)"
        ),
        _SLOW_FAILS,
    ),
    "pictures_without_end": _fails(
        _script(
            "setInterval(() => { for (let i = 0; i < 20; i++) "
            "new Image().src = '/small?' + Math.random() }, 10)"
        ),
        _SLOW_FAILS,
    ),
    "workers_that_spin": _fails(
        _script(
            "const u = URL.createObjectURL(new Blob(['for (;;) {}']));"
            "for (let i = 0; i < 4; i++) new Worker(u)"
        ),
        _SLOW_FAILS,
    ),
}


async def _small(_: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"content-disposition": "attachment; filename=x"})
    await answer.prepare(request)
    with suppress(ConnectionError):
        while True:
            await answer.write(b"x" * 1_000_000)
            await asyncio.sleep(0)
    return answer


def _leads(address: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": address})

    return answer


def pages() -> dict[str, str | Callable[[web.Request], Awaitable[web.StreamResponse]]]:
    """All of them by path, as ``Origin`` serves them; ``/`` is a page that is well."""
    return {
        "/": "<title>Home</title><h1>Home</h1>",
        "/small": _small,
        "/endless": _endless,
        "/leads_nowhere": _leads("http://[oops/"),
        "/leads_to_no_host": _leads("http://a b/"),
        "/leads_to_a_script": _leads("javascript:1"),
        "/leads_to_a_file": _leads("file:///etc/hostname"),
        "/leads_far": _leads("http://[::1]:9/" + "x" * 4000),
        **{f"/{name}": _HEAD + page.body for name, page in (HOSTILE | HEAVY).items()},
    }


def journey(name: str) -> str:
    """Return the body of the journey on a page."""
    page = (HOSTILE | HEAVY)[name]
    return (
        f'async with run.step("Open"):\n    await run.page.goto("/{name}", wait_until="commit")\n'
        f'async with run.step("Look"):\n    {page.then}\n'
    )
