"""Every kind of request that a page can make, as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.play import File, Kind, page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from playwright.async_api import Page

BIG = 3 * 1024 * 1024
"""Bytes of the file that is uploaded: more than one message of any protocol."""


async def _download(page: Page, urls: Mapping[str, str], _: Path) -> Any:
    async with page.expect_download() as started:
        await page.evaluate(
            "const a = document.createElement('a'); a.href = 'down.bin'; a.download = 'x';"
            "document.body.append(a); a.click()"
        )
    path = await (await started.value).path()
    return path.stat().st_size


async def _download_page(page: Page, urls: Mapping[str, str], _: Path) -> Any:
    async with page.expect_download() as started:
        await page.evaluate("void (location.href = 'down.bin')")
    return (await (await started.value).path()).stat().st_size


async def _upload(page: Page, urls: Mapping[str, str], folder: Path) -> Any:
    file = folder / "big.bin"
    file.write_bytes(b"x" * BIG)
    await page.set_input_files("input", file)
    await page.evaluate("document.forms[0].submit()")


async def _upload_fetch(page: Page, urls: Mapping[str, str], folder: Path) -> Any:
    file = folder / "big.bin"
    file.write_bytes(b"x" * BIG)
    await page.set_input_files("input", file)
    return await page.evaluate(
        "fetch('open', {method: 'POST', body: document.querySelector('input').files[0]})"
        ".then(r => r.json()).then(([n]) => n)"
    )


async def _route(page: Page, urls: Mapping[str, str], _: Path) -> Any:
    await page.route("**/*", lambda route: route.continue_())
    await page.reload()
    return await page.evaluate(
        "([api, third]) => Promise.all(["
        "fetch('one'), fetch(api + '/route/open', {method: 'PUT', headers: {'x-mine': '1'}}),"
        "fetch(third + '/route/open-third')]).then(all => all.map(r => r.status))",
        [urls["api"], urls["third"]],
    )


async def _route_headers(page: Page, urls: Mapping[str, str], _: Path) -> Any:
    async def add(route: Any) -> None:
        await route.continue_(headers={**route.request.headers, "x-mine": "2"})

    await page.route("**/one", add)
    return await page.evaluate("fetch('one').then(r => r.status)")


async def _api(page: Page, urls: Mapping[str, str], _: Path) -> Any:
    api, home = page.context.request, f"{urls['direct']}/api"
    got = await api.get(f"{home}/one")
    put = await api.put(f"{home}/two", data=b"12345")
    form = await api.post(f"{home}/redirect", params={"to": f"{home}/three"}, form={"a": "1"})
    return [got.status, (await put.json())[0], form.status]


def _script(text: str) -> File:
    return File(text, "text/javascript")


_SHARED = "onconnect = e => fetch('one').then(() => e.ports[0].postMessage(1))"
_SERVICE = """
    oninstall = e => { skipWaiting();
        e.waitUntil(Promise.all([fetch('installed'),
            caches.open('k').then(c => c.addAll(['cached'])),
            fetch('{third}/service/open-third')])); };
    onactivate = e => e.waitUntil(clients.claim());
    onfetch = e => { if (e.request.url.endsWith('/asked')) e.respondWith(fetch('answered')); };
"""
_UPLOAD = "<form method=post enctype=multipart/form-data action=sent><input type=file name=f>"
_WAIT = "await new Promise(r => setTimeout(r, 100));"

KINDS: dict[str, Kind] = {
    # Documents.
    "document": Kind("void (location.href = 'two')", "GET shop/two"),
    "reload": Kind("void location.reload()", "GET shop/, GET shop/"),
    "refresh": Kind(
        "void (location.href = 'two')",
        "GET shop/two, GET shop/three",
        files={"two": page("<meta http-equiv=refresh content='0;three'>")},
    ),
    "redirect": Kind(
        "void (location.href = 'redirect?to=' + encodeURIComponent("
        "  `${third}/redirect/redirect?to=${shop}/redirect/two`))",
        "GET shop/redirect, GET third/redirect, GET shop/two",
    ),
    "redirect_post": Kind(
        "const f = document.createElement('form'); f.method = 'post';"
        "f.action = `redirect?status=307&to=${third}/redirect_post/redirect-b`"
        " + encodeURIComponent(`?status=307&to=${shop}/redirect_post/two`);"
        "f.innerHTML = '<input name=a value=1>'; document.body.append(f); f.submit()",
        "POST shop/redirect, POST third/redirect-b, POST shop/two",
    ),
    "redirect_fetch": Kind(
        "return fetch(`redirect?to=${api}/redirect_fetch/redirect-b?to=`"
        " + encodeURIComponent(`${shop}/redirect_fetch/open`)).then(r => r.status)",
        "GET shop/redirect, GET api/redirect-b, GET shop/open",
        200,
    ),
    "redirect_picture": Kind(
        "const i = new Image(); i.src = 'redirect?to=' + encodeURIComponent("
        "  `${third}/redirect_picture/redirect?to=${shop}/redirect_picture/two`)",
        "GET shop/redirect, GET third/redirect, GET shop/two",
        files_asked="two",
    ),
    "popup": Kind("void open('two')", "GET shop/two"),
    "popup_alone": Kind("void open('two', '_blank', 'noopener')", "GET shop/two"),
    "popup_away": Kind(
        "void open(third + '/popup_away/page')",
        "GET third/page, GET shop/one",
        files={"page": page("<script src='{shop}/popup_away/one'></script>")},
        files_asked="one",
    ),
    "download": Kind("", "GET shop/down.bin", 4000, act=_download),
    "download_page": Kind("", "GET shop/down.bin", 4000, act=_download_page),
    # Frames.
    "frame": Kind(
        "const f = document.createElement('iframe'); f.src = 'two'; document.body.append(f)",
        "GET shop/two, GET shop/one",
        files={"two": page("<script>fetch('one')</script>")},
    ),
    "frame_away": Kind(
        "const f = document.createElement('iframe');"
        "f.src = third + '/frame_away/page'; document.body.append(f)",
        "GET third/page, GET shop/open",
        files={
            "page": page(
                "<script>fetch('{shop}/frame_away/open', {credentials: 'include'})</script>"
            )
        },
    ),
    "frame_home": Kind(
        "void (location.href = third + '/frame_home/page')",
        "GET third/page, GET shop/two, GET shop/one",
        files={
            "page": page("<iframe src='{shop}/frame_home/two'></iframe>"),
            "two": page("<img src=one>"),
        },
        files_asked="one",
    ),
    "frame_written": Kind(
        "const f = document.createElement('iframe');"
        "f.srcdoc = '<script>fetch(`one`)</scr' + 'ipt>'; document.body.append(f);"
        "const s = document.createElement('iframe'); s.sandbox = 'allow-scripts';"
        "s.srcdoc = '<img src=two>'; document.body.append(s)",
        "GET shop/one, GET shop/two",
        files_asked="two",
    ),
    # What pages are made of.
    "parts": Kind(
        "void (location.href = 'two')",
        "GET shop/a.css, GET shop/b.css, GET shop/c.svg, GET shop/d.js, GET shop/e.js,"
        "GET shop/f.js, GET shop/g.svg, GET shop/h.woff2, GET shop/i.mp4, GET shop/j.vtt,"
        "GET shop/k.html, GET shop/l.json",
        files={
            "two": page(
                "<link rel=stylesheet href=a.css><script src=d.js></script>"
                "<script type=module src=e.js></script><img srcset='g.svg 1x'><p>font</p>"
                "<video preload=auto src=i.mp4></video><object data=k.html></object>"
                "<video preload=none><track default src=j.vtt></video>"
                "<script>document.querySelector('track').track.mode = 'showing';"
                "import('./l.json', {with: {type: 'json'}})</script>"
            ),
            "a.css": File(
                "@import 'b.css'; body { background: url(c.svg) }"
                "@font-face { font-family: f; src: url(h.woff2) } p { font-family: f }",
                "text/css",
            ),
            "b.css": File("", "text/css"),
            "e.js": _script("import './f.js'"),
            "f.js": _script("1"),
            "k.html": page(""),
        },
        files_asked="a.css b.css c.svg d.js e.js f.js g.svg h.woff2 i.mp4 j.vtt l.json",
    ),
    "worklet": Kind(
        "const a = new OfflineAudioContext(1, 1, 8000);await a.audioWorklet.addModule('two.js')",
        "GET shop/two.js",
        files={"two.js": _script("1")},
        files_asked="two.js",
    ),
    # Fetches.
    "fetch": Kind("return fetch('one').then(r => r.status)", "GET shop/one", 200),
    "fetch_post": Kind(
        "return fetch('one', {method: 'POST', body: 'four'}).then(r => r.json()).then(([n]) => n)",
        "POST shop/one",
        4,
    ),
    "xhr": Kind(
        "return new Promise(done => { const x = new XMLHttpRequest();"
        "x.onload = () => done(x.responseText); x.open('POST', 'one'); x.send('abc'); })"
        ".then(t => JSON.parse(t)[0])",
        "POST shop/one",
        3,
    ),
    "xhr_sync": Kind(
        "const x = new XMLHttpRequest(); x.open('GET', 'one', false); x.send(); return x.status",
        "GET shop/one",
        200,
    ),
    "stream": Kind(
        "const parts = ['one', 'two', 'three'].map(t => new TextEncoder().encode(t));"
        "const body = new ReadableStream({ async pull(c) { const p = parts.shift();"
        f"  {_WAIT} p ? c.enqueue(p) : c.close(); }} }});"
        "return fetch('one', {method: 'POST', body, duplex: 'half'})"
        ".then(r => r.json()).then(([n]) => n)",
        "POST shop/one",
        11,
        only="2",
    ),
    "upload": Kind("", "POST shop/sent", files={"": page(_UPLOAD)}, act=_upload),
    "upload_fetch": Kind(
        "", "POST shop/open", BIG, files={"": page("<input type=file>")}, act=_upload_fetch
    ),
    "events": Kind(
        "const s = new EventSource('events'); return new Promise(done => {"
        "s.onmessage = e => { s.close(); done(e.data); } })",
        "GET shop/events",
        "one",
    ),
    "socket": Kind(
        "const s = new WebSocket(shop.replace('http', 'ws') + '/socket/socket');"
        "return new Promise(done => { s.onmessage = e => { s.close(); done(e.data); };"
        "s.onerror = () => done('broken') })",
        "WEBSOCKET shop/socket",
        "hello",
    ),
    # Other origins of the site: real CORS.
    "cors_simple": Kind(
        "return fetch(api + '/cors_simple/open').then(r => r.status)", "GET api/open", 200
    ),
    "cors_credentials": Kind(
        "return fetch(api + '/cors_credentials/open', {credentials: 'include'})"
        ".then(r => r.status)",
        "GET api/open",
        200,
    ),
    "cors_preflight": Kind(
        "return fetch(api + '/cors_preflight/open', {method: 'PUT', headers: {'x-mine': '1'},"
        "body: 'a'}).then(r => r.status)",
        "OPTIONS api/open, PUT api/open",
        200,
    ),
    "cors_out": Kind(
        "return fetch(api + '/cors_out/shut').then(r => r.status, e => 'refused')",
        "GET api/shut",
        "refused",
    ),
    "cors_preflight_out": Kind(
        "return fetch(api + '/cors_preflight_out/shut', {method: 'PUT'})"
        ".then(r => r.status, e => 'refused')",
        "OPTIONS api/shut",
        "refused",
    ),
    "cors_other_header": Kind(
        "return fetch(api + '/cors_other_header/open', {headers: {'x-other': '1'}})"
        ".then(r => r.status, e => 'refused')",
        "OPTIONS api/open",
        "refused",
    ),
    # Workers.
    "worker": Kind(
        "return new Promise(d => new Worker('one.js').onmessage = e => d(e.data))",
        "GET shop/one.js, GET shop/two.js, GET shop/one, GET third/open",
        1,
        files={
            "one.js": _script(
                "importScripts('two.js'); fetch('one').then(() => fetch('{third}/worker/open'))"
                ".then(() => postMessage(1))"
            ),
            "two.js": _script("1"),
        },
    ),
    "worker_module": Kind(
        "return new Promise(d => new Worker('one.js', {type: 'module'}).onmessage ="
        " e => d(e.data))",
        "GET shop/one.js, GET shop/two.js, GET shop/one",
        1,
        files={
            "one.js": _script("import './two.js'; fetch('one').then(() => postMessage(1))"),
            "two.js": _script("1"),
        },
    ),
    "worker_nested": Kind(
        "return new Promise(d => new Worker('one.js').onmessage = e => d(e.data))",
        "GET shop/one.js, GET shop/two.js, GET shop/one",
        1,
        files={
            "one.js": _script("new Worker('two.js').onmessage = e => postMessage(1)"),
            "two.js": _script("fetch('one').then(() => postMessage(1))"),
        },
    ),
    "worker_blob": Kind(
        "const b = new Blob([`fetch('${shop}/worker_blob/one').then(() => postMessage(1))`]);"
        "return new Promise(d => new Worker(URL.createObjectURL(b)).onmessage = e => d(e.data))",
        "GET shop/one",
        1,
    ),
    "shared_worker": Kind(
        "return new Promise(d => new SharedWorker('one.js').port.onmessage = e => d(e.data))",
        "GET shop/one.js, GET shop/one",
        1,
        files={"one.js": _script(_SHARED)},
    ),
    "service": Kind(
        "await navigator.serviceWorker.register('sw.js'); await navigator.serviceWorker.ready;"
        "while (!navigator.serviceWorker.controller) await new Promise(r => setTimeout(r, 10));"
        "const s = (await fetch('asked')).status;"
        "await (await navigator.serviceWorker.getRegistration()).unregister(); return s",
        "GET shop/sw.js, GET shop/installed, GET shop/cached, GET third/open-third,"
        "GET shop/answered",
        200,
        files={"sw.js": _script(_SERVICE)},
    ),
    # What outlives its page.
    "beacon": Kind("return navigator.sendBeacon('one', 'abc')", "POST shop/one", True),
    "beacon_leaving": Kind(
        "addEventListener('pagehide', () => navigator.sendBeacon('one', 'abc'));"
        "void (location.href = 'two')",
        "POST shop/one, GET shop/two",
    ),
    "beacon_api": Kind(
        "return navigator.sendBeacon(api + '/beacon_api/open', 'abc')",
        "POST api/open",
        True,
    ),
    "keepalive": Kind(
        "return fetch('one', {method: 'POST', keepalive: true, body: 'a'}).then(r => r.status)",
        "POST shop/one",
        200,
    ),
    "keepalive_leaving": Kind(
        "addEventListener('pagehide', () => fetch('one', {method: 'POST', keepalive: true}));"
        "void (location.href = 'two')",
        "POST shop/one, GET shop/two",
    ),
    "fetch_later": Kind(
        "if (!window.fetchLater) return fetch('one').then(() => 1);"
        "fetchLater('one', {activateAfter: 0}); return 1",
        "GET shop/one",
        1,
    ),
    "ping": Kind(
        "const a = document.createElement('a'); a.href = '#x'; a.ping = 'one';"
        "document.body.append(a); a.click()",
        "POST shop/one",
    ),
    "report": Kind(
        "const i = new Image(); i.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='",
        "POST shop/told",
        files={
            "": File(
                "<!doctype html><link rel=icon href='/report/icon'>",
                headers=(("content-security-policy", "img-src 'self'; report-uri /report/told"),),
            )
        },
    ),
    # Fetched ahead.
    "prefetch": Kind(
        "const l = document.createElement('link'); l.rel = 'prefetch'; l.href = 'keep.js';"
        "document.head.append(l); await new Promise(d => l.onload = d);"
        "const s = document.createElement('script'); s.src = 'keep.js';"
        "document.body.append(s); await new Promise(d => s.onload = d)",
        "GET shop/keep.js",
    ),
    "preload": Kind(
        "void (location.href = 'two')",
        "GET shop/keep.js, GET shop/keep-module.js, GET shop/keep-header.js",
        files={
            "two": File(
                "<!doctype html><link rel=icon href=data:,><link rel=preload as=script"
                " href=keep.js><link rel=modulepreload href=keep-module.js><body>"
                "<script src=keep.js></script><script type=module src=keep-module.js></script>"
                "<script src=keep-header.js></script>",
                headers=(("link", "<keep-header.js>; rel=preload; as=script"),),
            )
        },
    ),
    "speculation": Kind(
        "const s = document.createElement('script'); s.type = 'speculationrules';"
        "s.textContent = JSON.stringify({prefetch: [{urls: ['two']}]}); document.head.append(s)",
        "GET shop/two",
        unseen="two",
    ),
    "prerender": Kind(
        "const s = document.createElement('script'); s.type = 'speculationrules';"
        "s.textContent = JSON.stringify({prerender: [{urls: ['two']}]}); document.head.append(s)",
        "GET shop/two",
        unseen="two",
    ),
    # Forms.
    "form": Kind(
        "document.forms[0].submit()",
        "POST shop/sent",
        files={"": page("<form method=post action=sent><input name=a value=1></form>")},
    ),
    "form_get": Kind(
        "document.forms[0].submit()",
        "GET shop/sent",
        files={"": page("<form action=sent><input name=a value=1></form>")},
    ),
    "form_back": Kind(
        "void (location.href = third + '/form_back/page')",
        "GET third/page, POST shop/sent",
        files={
            "page": page(
                "<form method=post action='{shop}/form_back/sent'><input name=a value=1></form>"
                "<script>document.forms[0].submit()</script>"
            )
        },
    ),
    # The cache.
    "cache": Kind(
        "for (const n of ['keep.js', 'keep.js', 'stale.js', 'stale.js']) {"
        "const s = document.createElement('script'); s.src = n; document.body.append(s);"
        "await new Promise(d => s.onload = d); } void (location.href = 'two')",
        "GET shop/keep.js, GET shop/stale.js, GET shop/two, GET shop/last",
        files={
            "two": page(
                "<script src=keep.js></script><script src=stale.js></script>"
                "<script>fetch('keep.js').then(() => fetch('last'))</script>"
            )
        },
    ),
    # Third parties.
    "away": Kind(
        "const f = (n, o) => fetch(`${third}/away/open-${n}?u=${api}/`, o);"
        "await f(1); await f(2, {method: 'PUT', headers: {'x-mine': '1'}});"
        "await f(3, {credentials: 'include', mode: 'no-cors'});"
        "navigator.sendBeacon(`${third}/away/open-4?u=${api}/`, shop);"
        "new Image().src = `${third}/away/five?u=${api}/one`;"
        "const s = document.createElement('script'); s.src = third + '/away/keep.js';"
        "document.body.append(s); await new Promise(d => s.onload = d);"
        "const w = new WebSocket(third.replace('http', 'ws') + '/away/socket');"
        "await new Promise(d => w.onmessage = d); w.close()",
        "GET third/open-1, OPTIONS third/open-2, PUT third/open-2, GET third/open-3,"
        "POST third/open-4, GET third/five, GET third/keep.js, WEBSOCKET third/socket",
    ),
    # What an author does.
    "route": Kind(
        "",
        "GET shop/, GET shop/, GET shop/one, PUT api/open, GET third/open-third",
        [200, 200, 200],
        act=_route,
    ),
    "route_headers": Kind("", "GET shop/one", 200, act=_route_headers),
    "api": Kind(
        "",
        "GET direct/one, PUT direct/two, POST direct/redirect, GET direct/three",
        [200, 5, 200],
        act=_api,
    ),
}

CREDENTIALS = {
    "auth": Kind("return fetch('auth').then(r => r.status)", "GET shop/auth, GET shop/auth", 200),
    "auth_document": Kind("void (location.href = 'auth')", "GET shop/auth, GET shop/auth"),
}
"""Walked in a context with ``http_credentials``, which changes it for every request."""
