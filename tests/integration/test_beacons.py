"""The beacon guard on a page that calls look-alikes of vendors, seen by who serves them.

Every host leads to one server, so what it got is what would have gone to vendors.
"""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.beacon_report import BeaconAction, BeaconPolicy
from agent.core.model import Site
from tests.support.beacons import SHAPES, Shape
from tests.support.origin import Asked
from tests.support.walking import HEADER, Walker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.walking import Walked

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORIGINS = "https://shop.test", "https://m.shop.test"
CORS = {
    "Access-Control-Allow-Headers": "*, content-type",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Allow-Credentials": "true",
}
GA4 = (
    "https://www.google-analytics.com/g/collect?v=2&tid=G-ABC123&cid=1.2&dl=http%3A%2F%2Fshop.test"
)
SENDER = """
    const send = async ([kind, method, url, body]) => {
        const bytes = body === null ? undefined : Uint8Array.from(atob(body), c => c.charCodeAt(0));
        if (kind === "Ping") { navigator.sendBeacon(url, bytes); return; }
        if (kind === "Image") {
            await new Promise(done => { const image = new Image();
                image.onload = image.onerror = done; image.src = url; });
            return;
        }
        if (kind === "XHR") {
            await new Promise(done => { const asked = new XMLHttpRequest();
                asked.open(method, url); asked.onloadend = done; asked.send(bytes); });
            return;
        }
        await fetch(url, {method, body: bytes, mode: "no-cors", keepalive: kind === "Keepalive"})
            .catch(() => 0);
    };
"""
CONNECT = """
    const connect = url => new Promise(done => { const one = new WebSocket(url);
        one.onopen = () => done("open"); one.onerror = () => done("failed"); });
"""
SOCKET = "wss://ws.hotjar.com/api/v2/client/ws?v=7"
SCRIPTS = {
    "/worker-opens.js": f"""{CONNECT}
        const answer = to => setTimeout(
            () => connect("{SOCKET}").then(came => to.postMessage(came)), 300);
        onmessage = e => answer(e.source || self);
        onconnect = e => answer(e.ports[0]);""",
    "/worker.js": f"""{SENDER}
        onmessage = async ({{data}}) => {{ await send(data); postMessage(1); }};""",
    "/sw.js": f"""{SENDER}
        self.addEventListener("install", () => self.skipWaiting());
        self.addEventListener("activate", e => e.waitUntil(self.clients.claim()));
        self.addEventListener("message", e => e.waitUntil(
            send(e.data).then(() => e.source.postMessage(1))));
        self.addEventListener("fetch", e => {{
            if (e.request.url.includes("proxied=1")) e.respondWith(fetch(e.request)); }});""",
}


@dataclass(frozen=True)
class Got:
    """A request that arrived, with the host that it was for."""

    asked: Asked
    host: str
    target: str


@dataclass
class Internet:
    """The one server behind every host."""

    walker: Walker
    got: list[Got]
    pages: dict[str, str] = field(default_factory=dict)
    """Further pages by path, on every host."""
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Headers of theirs, by path."""

    async def walk(
        self,
        source: str,
        policy: BeaconPolicy,
        first_party: tuple[str, ...] = ORIGINS,
        **options: Any,
    ) -> Walked:
        """Walk; a walk that fails fails the test."""
        self.got.clear()
        site = Site("shop", ORIGINS[0], first_party, policy)
        walked = await self.walker.walk(source, site, **options)
        assert walked.report.error_type is None, walked.report.error
        return walked

    def beacons(self) -> list[Got]:
        """What arrived that the shop's own pages don't account for."""
        own = {"/", "/go", "/two", "/frame", *SCRIPTS, *self.pages}
        shops = {"shop.test", "other.test"}
        return [one for one in self.got if one.host not in shops or one.asked.path not in own]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def internet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Internet]:
    got: list[Got] = []

    async def answer(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path, headers, await request.read())
        if request.method != "OPTIONS":
            got.append(Got(asked, request.host, request.path_qs))
        if "upgrade" in headers:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.close()
            return socket
        if request.path == "/go":
            return web.Response(status=302, headers={"Location": request.query["to"]})
        if request.path in SCRIPTS:
            return web.Response(text=SCRIPTS[request.path], content_type="text/javascript")
        if request.path in {"/", "/two", "/frame", *internet.pages}:
            own = internet.pages.get(request.path, f"<script>{SENDER}</script>")
            text = f"<title>Shop</title><link rel=icon href=data:,>{own}"
            more = internet.headers.get(request.path)
            return web.Response(text=text, content_type="text/html", headers=more)
        origin = request.headers.get("Origin", "*")
        return web.Response(text="", headers={**CORS, "Access-Control-Allow-Origin": origin})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=_certified(tmp_path_factory)).start()
    port = runner.addresses[0][1]
    folder = tmp_path_factory.mktemp("beacons") / "journeys"
    folder.mkdir()
    args = (
        f"--host-resolver-rules=MAP * 127.0.0.1:{port}, EXCLUDE 127.0.0.1",
        "--ignore-certificate-errors",
    )
    async with Walker(folder, args=args) as walker:
        internet = Internet(walker, got)
        yield internet
    await runner.cleanup()


def _certified(folders: pytest.TempPathFactory) -> ssl.SSLContext:
    folder = folders.mktemp("certificate")
    made = ["-keyout", str(folder / "key"), "-out", str(folder / "certificate")]
    asked = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=shop.test"]
    subprocess.run(["openssl", "req", *asked, *made], check=True, capture_output=True, timeout=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate", folder / "key")
    return context


def order(shape: Shape, host: str = "") -> list[str | None]:
    """A shape as ``send`` takes it."""
    body = None if shape.body is None else base64.b64encode(shape.body).decode()
    if shape.kind in {"Ping", "Image"} or shape.method == "GET":
        body = body if shape.kind == "Ping" else None
    return [shape.kind, shape.method, shape.url(host), body]


def all_sent(shapes: list[list[str | None]]) -> str:
    return f"""
        await run.page.goto("/")
        for shape in {shapes!r}:
            await run.page.evaluate("shape => send(shape)", shape)
        await run.page.evaluate("() => new Promise(done => setTimeout(done, 300))")
    """


def told_of(walked: Walked) -> dict[BeaconAction, set[str]]:
    return {action: set(names) for action, names in walked.report.audit.counts.items()}


def told(walked: Walked, action: BeaconAction) -> int:
    return sum(walked.report.audit.counts.get(action, {}).values())


async def test_block(internet: Internet) -> None:
    """Of the real shapes of every vendor nothing arrives, and each is told as blocked."""
    orders = [order(shape) for shape in SHAPES]
    orders += [order(shape, "m.shop.test") for shape in SHAPES if shape.proxied]
    walked = await internet.walk(all_sent(orders), BeaconPolicy())
    assert [one.host + one.target for one in internet.beacons()] == []
    assert walked.report.audit.escaped == 0
    assert told(walked, BeaconAction.BLOCKED) == len(orders)
    vendors = {beacon.vendor for beacon in walked.report.audit.beacons}
    assert vendors == {shape.vendor for shape in SHAPES}
    assert len(vendors) >= 15


async def test_mark(internet: Internet) -> None:
    """What has a flag arrives with it, the rest doesn't; nothing gets out otherwise."""
    orders = [order(shape) for shape in SHAPES]
    walked = await internet.walk(all_sent(orders), BeaconPolicy("mark"))
    assert walked.report.audit.escaped == 0
    marked = [shape for shape in SHAPES if shape.mark == "address"]
    arrived = [one for one in internet.beacons() if "google-analytics" in one.host]
    assert len(internet.beacons()) == told(walked, BeaconAction.MARKED) >= len(marked)
    assert arrived
    for one in arrived:
        assert "tt=internal" in one.target, one
    for one in internet.beacons():
        assert HEADER.lower() not in one.asked.headers, one


async def test_allow(internet: Internet) -> None:
    """All of it arrives as it was sent, with no header of ours, and is told as allowed."""
    orders = [order(shape) for shape in SHAPES]
    walked = await internet.walk(all_sent(orders), BeaconPolicy("allow"))
    assert len(internet.beacons()) == len(orders) == told(walked, BeaconAction.ALLOWED)
    assert walked.report.audit.escaped == 0
    for one in internet.beacons():
        assert not {HEADER.lower(), "baggage", "traceparent"} & one.asked.headers.keys(), one


async def test_one_vendor_otherwise(internet: Internet) -> None:
    """A vendor that the policy names goes its own way."""
    both = [shape for shape in SHAPES if shape.vendor in {"Hotjar", "Matomo"}]
    policy = BeaconPolicy("block", {"hotjar": "allow"})
    walked = await internet.walk(all_sent([order(shape) for shape in both]), policy)
    counts = walked.report.audit.counts
    assert counts[BeaconAction.ALLOWED].keys() == {"Hotjar"}
    assert counts[BeaconAction.BLOCKED].keys() == {"Matomo"}
    assert all("hotjar" in one.host for one in internet.beacons())


FLAGS = {
    # The vendor, by which it is chosen; the script's own test; what it sends otherwise.
    "Plausible": (
        'localStorage.plausible_ignore === "true"',
        '["XHR", "POST", "https://plausible.io/api/event", btoa("{}")]',
    ),
    "Umami": (
        'localStorage.getItem("umami.disabled")',
        '["Fetch", "POST", "https://cloud.umami.is/api/send", btoa("{}")]',
    ),
    "Fathom Analytics": (
        'localStorage.getItem("blockFathomTracking")',
        '["Image", "GET", "https://cdn.usefathom.com/?h=a&p=b&r=c&sid=d", null]',
    ),
    "GoatCounter": (
        'localStorage.getItem("skipgc") === "t"',
        '["Ping", "POST", "https://shop.goatcounter.com/count?p=/", null]',
    ),
    "Pirsch": (
        'localStorage.getItem("disable_pirsch")',
        '["Fetch", "GET", "https://api.pirsch.io/hit?url=a&t=b&w=c&h=d", null]',
    ),
}
"""Flags that vendors' own scripts look for before they send anything."""


async def test_scripts_read_their_flag_and_send_nothing(internet: Internet) -> None:
    """Each vendor's script finds its flag in its first line, on the site's pages and in their
    frames of the site alone, and stops by itself; without the policy it would have sent."""
    scripts = [
        f"""if ({test}) stopped.push("{vendor}"); else sent.push(send({order}));"""
        for vendor, (test, order) in FLAGS.items()
    ]
    look_alike = f"""<script>{SENDER}
        const stopped = [], sent = []; {" ".join(scripts)}
        parent.postMessage([location.origin, stopped], "*");</script>"""
    internet.pages = {
        "/tracked": f"""<script>const told = [], all = new Promise(done => {{
            onmessage = e => {{ if (told.push(e.data.join()) === 3) done(told.sort()); }}; }});
            </script>{look_alike}
            <iframe src="/inner"></iframe><iframe src="https://other.test/inner"></iframe>""",
        "/inner": look_alike,
    }
    source = """
        await run.page.goto("/tracked")
        run.log.info("told", stopped=await run.page.evaluate("all"))
    """
    walked = await internet.walk(source, BeaconPolicy("block", dict.fromkeys(FLAGS, "mark")))
    own = f"{ORIGINS[0]},{','.join(FLAGS)}"
    assert walked.heard.logs[0][2] == {"stopped": ["https://other.test,", own, own]}
    # Those of the stranger's frame went on, and were held.
    assert told_of(walked) == {BeaconAction.BLOCKED: set(FLAGS)}
    free = await internet.walk(source, BeaconPolicy("allow"))
    own = f"{ORIGINS[0]},"
    assert free.heard.logs[0][2] == {"stopped": ["https://other.test,", own, own]}


async def test_servers_read_their_cookie(internet: Internet) -> None:
    """A hit that a vendor's server knows by a cookie has it when it arrives: Matomo's on the
    site's own hosts, Mixpanel's on the vendor's. Without the policy there is none."""
    hits = [
        ["Ping", "POST", f"{ORIGINS[1]}/matomo.php?idsite=1&rec=1", None],
        ["XHR", "POST", "https://api-js.mixpanel.com/track/?verbose=1&ip=1&_=1700000000123", None],
    ]
    names = {"m.shop.test": "matomo_ignore=", "api-js.mixpanel.com": "mp_optout=1"}
    cross = SENDER.replace(
        "asked.open(method, url);", "asked.open(method, url); asked.withCredentials = true;"
    )
    internet.pages = {"/tracked": f"<script>{cross}</script>"}
    source = all_sent(hits).replace('goto("/")', 'goto("/tracked")')
    walked = await internet.walk(source, BeaconPolicy("mark"))
    assert told_of(walked) == {BeaconAction.MARKED: {"Matomo", "Mixpanel"}}
    marked = {one.host: one.asked.headers.get("cookie", "") for one in internet.beacons()}
    assert {host: names[host] in cookie for host, cookie in marked.items()} == dict.fromkeys(
        names, True
    )
    await internet.walk(source, BeaconPolicy("allow"))
    bare = {one.host: one.asked.headers.get("cookie", "") for one in internet.beacons()}
    assert {host: names[host] in cookie for host, cookie in bare.items()} == dict.fromkeys(
        names, False
    )


WAYS = {
    "sendBeacon": "await page.evaluate(\"url => navigator.sendBeacon(url, 'a')\", url)",
    "keepalive": "await page.evaluate(\"url => send(['Keepalive', 'POST', url, null])\", url)",
    "image": "await page.evaluate(\"url => send(['Image', 'GET', url, null])\", url)",
    "frame": """
        await page.evaluate("() => new Promise(done => {"
            "const f = document.createElement('iframe');"
            "f.onload = done; f.src = 'https://other.test/frame'; document.body.append(f); })")
        await page.frames[1].evaluate("url => send(['Fetch', 'POST', url, null])", url)
    """,
    "worker": """
        await page.evaluate("url => new Promise(done => { const w = new Worker('/worker.js');"
            "w.onmessage = done; w.postMessage(['Fetch', 'POST', url, null]); })", url)
    """,
    "service worker": """
        await page.evaluate("async url => { await navigator.serviceWorker.register('/sw.js');"
            "const active = (await navigator.serviceWorker.ready).active;"
            "await new Promise(done => { navigator.serviceWorker.onmessage = done;"
            "active.postMessage(['Fetch', 'POST', url, null]); }); }", url)
    """,
    "through a service worker": """
        await page.evaluate("async url => { await navigator.serviceWorker.register('/sw.js');"
            "await navigator.serviceWorker.ready; await new Promise(d => setTimeout(d, 200));"
            "await send(['Fetch', 'POST', url + '&proxied=1', null]); }", url)
    """,
    "unload": """
        await page.evaluate("url => addEventListener('pagehide',"
            " () => navigator.sendBeacon(url, 'a'))", url)
        await page.goto("/two")
    """,
}


@pytest.mark.parametrize("way", WAYS)
async def test_ways_out(internet: Internet, way: str) -> None:
    """However a beacon leaves, it is stopped and told once."""
    head = f'page, url = run.page, "{GA4}&en=view"\nawait page.goto("/")\n'
    wait = 'await page.evaluate("() => new Promise(done => setTimeout(done, 300))")\n'
    lines = "\n".join(line.strip() for line in WAYS[way].strip().splitlines())
    walked = await internet.walk(head + lines + "\n" + wait, BeaconPolicy())
    assert [one.host for one in internet.beacons()] == []
    assert told(walked, BeaconAction.BLOCKED) == 1, walked.report.audit
    assert walked.report.audit.escaped == 0
    (beacon,) = walked.report.audit.beacons
    assert beacon.url == GA4.partition("?")[0]


STRANGE_WAYS = {
    "prefetch": "const l = add('link'); l.rel = 'prefetch'; l.href = url; document.head.append(l)",
    "preload": "const l = add('link'); l.rel = 'preload'; l.as = 'image'; l.href = url",
    "ping": "const a = add('a'); a.href = '#x'; a.ping = url; a.click()",
    "style": "document.body.style.background = `url('${url}')`",
    "script": "add('script').src = url",
    "redirect": "new Image().src = '/go?to=' + encodeURIComponent(url)",
    "form": "add('iframe').name = 'in'; const f = add('form');"
    "f.method = 'post'; f.action = url; f.target = 'in'; f.submit()",
    "shared": "const code = `fetch('${url}', {mode: 'no-cors'}).catch(() => 0)`;"
    "new SharedWorker(URL.createObjectURL(new Blob([code])))",
}


async def test_strange_ways_out(internet: Internet) -> None:
    """What else a page has to make a request with: each is stopped and told once."""
    source = f"""
        await run.page.goto("/")
        for name, way in {STRANGE_WAYS!r}.items():
            await run.page.evaluate("([url, way]) => {{"
                "const add = n => document.body.appendChild(document.createElement(n));"
                "new Function('url', 'add', way)(url, add); }}", [f"{GA4}&en={{name}}", way])
        await run.page.evaluate("() => new Promise(done => setTimeout(done, 500))")
    """
    walked = await internet.walk(source, BeaconPolicy())
    assert [one.target.rpartition("en=")[2] for one in internet.beacons()] == []
    assert told(walked, BeaconAction.BLOCKED) == len(STRANGE_WAYS), walked.report.audit
    assert walked.report.audit.escaped == 0


CONNECTS = f"<script>{CONNECT}</script>"
PLACES = """
    page = run.page
    async def framed(attribute, value):
        await page.evaluate("([name, value]) => new Promise(done => {"
            "const f = document.createElement('iframe'); f[name] = value;"
            "f.onload = done; document.body.append(f); })", [attribute, value])
        return page.frames[-1]
    await page.goto("/connects")
    async with page.expect_popup() as opened:
        await page.evaluate("void open('/connects')")
    places = {
        "page": page,
        "popup": await opened.value,
        "stranger's frame": await framed("src", "https://other.test/connects"),
        "written frame": await framed("srcdoc", run.params["text"]),
    }
"""


async def test_sockets_of_vendors_are_stopped(internet: Internet) -> None:
    """Whichever document opens one, it fails at once, nothing leaves, and it is told without
    its query. The page finds a WebSocket as the browser makes it."""
    internet.pages = {"/connects": CONNECTS}
    source = f"""{PLACES}
    for name, place in places.items():
        run.log.info(name, came=await place.evaluate("url => connect(url)", "{SOCKET}"))
    like = "[WebSocket.name, WebSocket.OPEN, String(WebSocket), typeof WebSocket]"
    run.log.info("like", came=await page.evaluate(like))
    made = "const one = new WebSocket('/a', ['b']); one.close();" \
        "[one instanceof WebSocket, one.constructor === WebSocket, one.url]"
    run.log.info("made", came=await page.evaluate(made))
    """
    walked = await internet.walk(source, BeaconPolicy(), params={"text": CONNECTS})
    came = {name: fields["came"] for _, name, fields in walked.heard.logs}
    assert came.pop("like") == ["WebSocket", 1, "function () { [native code] }", "function"]
    assert came.pop("made") == [True, True, "wss://shop.test/a"]
    assert len(came) == 4
    assert set(came.values()) == {"failed"}
    assert [one for one in internet.got if "hotjar" in one.host] == []
    assert walked.report.audit.counts == {BeaconAction.BLOCKED: {"Hotjar": 4}}
    assert {one.url for one in walked.report.audit.beacons} == {SOCKET.partition("?")[0]}
    origins = {one.origin: one for one in walked.report.audit.contacts}
    assert origins["wss://ws.hotjar.com"].actions == {BeaconAction.BLOCKED: 4}


async def test_a_policy_that_names_the_vendor(internet: Internet) -> None:
    """A page whose policy names the vendor sees a socket fail, not a breach: no event, no report
    to the site, an error and a close; the beacon is told as stopped. Its own breaches reach it."""
    policy = "connect-src 'self' wss://ws.hotjar.com; report-uri /csp"
    internet.pages = {"/strict": f"<script>{STRICT}</script>"}
    internet.headers = {"/strict": {"Content-Security-Policy": policy}}
    source = f"""
        await run.page.goto("/strict")
        came = await run.page.evaluate("url => sees(url)", "{SOCKET}")
        run.log.info("vendor", came=came)
        run.log.info("other", came=await run.page.evaluate("url => sees(url)", "wss://other.test/"))
        await run.page.wait_for_timeout(300)
    """
    walked = await internet.walk(source, BeaconPolicy())
    came = {name: fields["came"] for _, name, fields in walked.heard.logs}
    assert came == {"vendor": ["error", "close 1006"], "other": ["breach", "error"]}
    reports = [one for one in internet.got if one.asked.path == "/csp"]
    assert len(reports) == 1
    assert walked.report.audit.counts == {BeaconAction.BLOCKED: {"Hotjar": 1}}


STRICT = """
window.sees = url => new Promise(done => {
  const seen = [];
  document.addEventListener("securitypolicyviolation", () => seen.push("breach"));
  const socket = new WebSocket(url);
  socket.onerror = () => seen.push("error");
  socket.onclose = event => seen.push(`close ${event.code}`);
  setTimeout(() => done(seen), 500);
})"""
LET_BE = (
    "wss://shop.test/live",
    "wss://m.shop.test/live",
    "wss://nexus-websocket-a.intercom.io/chat",  # a chat: part of the page
    "wss://ws-eu.pusher.com/app/key",
    "wss://api.lab.amplitude.com/flags",  # spared below a vendor that isn't
    "wss://other.test/",
)


async def test_other_sockets_open(internet: Internet) -> None:
    """The site's own, chats and strangers' sockets open; so do a vendor's that the policy
    allows, or whose host is the site under test. The first four are no beacons, the rest told."""
    internet.pages = {"/connects": CONNECTS}
    vendors = (SOCKET, "wss://app.pendo.io/ws")
    source = f"""
        await run.page.goto("/connects")
        for url in {(*LET_BE, *vendors)!r}:
            run.log.info(url, came=await run.page.evaluate("url => connect(url)", url))
    """
    policy = BeaconPolicy("block", {"hotjar": "allow"})
    own = (*ORIGINS, "https://*.pendo.io")
    walked = await internet.walk(source, policy, first_party=own)
    came = {name: fields["came"] for _, name, fields in walked.heard.logs}
    assert came == dict.fromkeys((*LET_BE, *vendors), "open")
    assert walked.report.audit.counts == {BeaconAction.ALLOWED: {"Hotjar": 1}}


CODES = {
    "worker": """
        const w = new Worker("/worker-opens.js"); w.onmessage = e => done(e.data);
        w.postMessage(1); """,
    "shared worker": """
        new SharedWorker("/worker-opens.js").port.onmessage = e => done(e.data); """,
    "service worker": """
        navigator.serviceWorker.onmessage = e => done(e.data);
        navigator.serviceWorker.register("/worker-opens.js")
            .then(one => navigator.serviceWorker.ready).then(one => one.active.postMessage(1)); """,
}


@pytest.mark.parametrize("code", CODES)
async def test_a_workers_socket_is_told_as_escaped(internet: Internet, code: str) -> None:
    """What opens it there can't be replaced, so it gets out, and is told once."""
    source = """
        await run.page.goto("/")
        came = await run.page.evaluate(
            "code => new Promise(done => eval(code))", run.params["code"])
        assert came == "open", came
    """
    walked = await internet.walk(source, BeaconPolicy(), params={"code": CODES[code]})
    assert walked.report.audit.counts == {BeaconAction.ESCAPED: {"Hotjar": 1}}
    assert walked.report.audit.escaped == 1


HIT = "https://1234567.fls.doubleclick.net/activityi;src=1234567;type=a;cat=b;ord=1"


async def test_a_frame_that_is_a_hit_is_stopped(internet: Internet) -> None:
    """A frame whose document itself counts is stopped, wherever it stands, and its page goes on;
    other frames of vendors load."""
    frames = (HIT, "https://td.doubleclick.net/td/ga/rul?tid=G-ABC123&gacid=1.2&gtm=45")
    library = "https://www.facebook.com/plugins/like.php?href=a&layout=b&size=c&width=d"
    source = f"""
        await run.page.goto("/")
        for url in {(*frames, library)!r}:
            await run.page.evaluate("url => new Promise(done => {{"
                "const f = document.createElement('iframe'); f.onload = done; f.src = url;"
                "document.body.append(f); }})", url)
    """
    walked = await internet.walk(source, BeaconPolicy())
    assert [one.host for one in internet.beacons()] == ["www.facebook.com"]
    assert walked.report.audit.counts == {BeaconAction.BLOCKED: {"Google Ads": 2}}


async def test_what_the_journey_aborts_is_a_failed_request(internet: Internet) -> None:
    """The guard's word for what it stopped may be an author's too: his own is told and counted
    as failed, even of an address that the guard stops otherwise, and the guard's are not."""
    source = f"""
        page, taken = run.page, []
        async def abort(route):
            taken.append(route.request.url)
            await route.abort("blockedbyclient")
        await page.goto("/")
        await page.evaluate("url => send(['Fetch', 'POST', url, null])", "{GA4}&en=view")
        await page.route("**/own", abort)
        await page.evaluate("send(['Fetch', 'GET', '/own', null])")
        await page.route("**/collect?*", abort)
        await page.evaluate("url => send(['Fetch', 'POST', url, null])", "{GA4}&en=view")
        assert False, taken
    """
    walked = await internet.walker.walk(source, Site("shop", ORIGINS[0], ORIGINS))
    assert walked.report.error.startswith(str(["https://shop.test/own", f"{GA4}&en=view"]))
    assert {outcome: n for outcome, n in walked.report.requests.items() if "failed" in outcome} == {
        "first failed": 1,
        "third failed": 1,
    }
    failed = json.loads((walked.scratch / "failure.json").read_text())["failed_requests"]
    assert [line.partition(" ")[2] for line in failed] == [
        "GET https://shop.test/own",
        f"POST {GA4}&en=view",
    ]


SEGMENT = next(shape for shape in SHAPES if shape.vendor == "Segment" and shape.proxied)


async def test_a_blob_is_looked_into(internet: Internet) -> None:
    """A hit through the site's own host is known by what is in its body, and that may be a
    Blob: stopped, or let go and told."""
    assert SEGMENT.body is not None
    url = SEGMENT.url("m.shop.test")
    source = f"""
        await run.page.goto("/")
        await run.page.evaluate("([url, text]) => {{"
            "const blob = new Blob([text], {{type: 'application/json'}});"
            "navigator.sendBeacon(url, blob);"
            "return fetch(url, {{method: 'POST', body: blob}}).catch(() => 0); }}",
            {[url, SEGMENT.body.decode()]!r})
        await run.page.evaluate("() => new Promise(done => setTimeout(done, 300))")
    """
    walked = await internet.walk(source, BeaconPolicy())
    assert internet.beacons() == []
    assert walked.report.audit.counts == {BeaconAction.BLOCKED: {"Segment": 2}}
    walked = await internet.walk(source, BeaconPolicy("allow"))
    assert len(internet.beacons()) == 2
    assert walked.report.audit.counts == {BeaconAction.ALLOWED: {"Segment": 2}}


async def test_an_escape_is_told(internet: Internet) -> None:
    """What gets out past the guard, here because it lost its hold, is told as escaped."""
    source = f"""
        await run.page.goto("/")
        session = await run.context.browser.new_browser_cdp_session()
        await run.page.evaluate("url => send(['Fetch', 'POST', url, null])", "{GA4}&en=held")
        import agent.worker.tagging.tagger as tagger
        import contextlib
        import gc
        for one in [one for one in gc.get_objects() if isinstance(one, tagger.Tagger)]:
            if one._session is not None:
                with contextlib.suppress(Exception):  # those of browsers before
                    await one._session.send("Fetch.disable", {{}})
        await run.page.evaluate("url => send(['Fetch', 'POST', url, null])", "{GA4}&en=free")
    """
    walked = await internet.walk(source, BeaconPolicy())
    assert [one.target.rpartition("en=")[2] for one in internet.beacons()] == ["free"]
    assert walked.report.audit.escaped == 1
    assert told(walked, BeaconAction.BLOCKED) == 1


async def test_run_api_is_no_way_out(internet: Internet) -> None:
    """What the author's own code sends to a vendor is told, for nobody can hold it."""
    proxied = GA4.replace("https://www.google-analytics.com", "http://127.0.0.1:9")
    source = f"""
        await run.page.goto("/")
        try:
            await run.api.post("{proxied}", timeout=500)
        except Exception:
            pass
    """
    walked = await internet.walk(source, BeaconPolicy())
    assert walked.report.audit.counts == {BeaconAction.ESCAPED: {"Google Analytics": 1}}


async def test_origins(internet: Internet) -> None:
    """The audit names each origin, whose it is, and what looks like a stranger's beacon."""
    stranger = "https://metrics.stranger.test/collect"
    sends = [["Fetch", "POST", f"{GA4}&en=view", None], ["Ping", "POST", stranger, ""]]
    walked = await internet.walk(all_sent(sends), BeaconPolicy())
    origins = {one.origin: one for one in walked.report.audit.contacts}
    assert origins.keys() == {
        ORIGINS[0],
        "https://www.google-analytics.com",
        "https://metrics.stranger.test",
    }
    shop = origins[ORIGINS[0]]
    assert (shop.party, shop.vendors, shop.requests) == ("first", {}, shop.tagged)
    vendor = origins["https://www.google-analytics.com"]
    assert (vendor.party, list(vendor.vendors), vendor.tagged) == ("third", ["Google Analytics"], 0)
    assert vendor.actions == {BeaconAction.BLOCKED: 1}
    assert origins["https://metrics.stranger.test"].suspects == 1
    assert [one.host for one in internet.beacons()] == ["metrics.stranger.test"]
