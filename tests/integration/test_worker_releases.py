"""Which release answered a walk, in a real browser, of fleets, caches and frames as there are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.model import ReleaseSource
from tests.support.origin import Origin
from tests.support.walking import site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.walking import Walker

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADER = ReleaseSource("x-version")
META = ReleaseSource(meta="version")
_WORKER = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(new Response("<h1>kept</h1>",
  {headers: {"content-type": "text/html", "x-version": "0.9"}})));
"""
_REGISTER = """<script>
navigator.serviceWorker.register("/worker.js");
navigator.serviceWorker.addEventListener("controllerchange", () => document.title = "kept");
</script>"""


class Fleet:
    """Servers behind one address: which release they run is for a test to say."""

    def __init__(self) -> None:
        self.version = "1.4.3"
        self.other = ""
        """The address of another first party."""
        self.cdn = Origin(pages={"/": self.strange, "/pay": self.strange})

    async def strange(self, _: web.Request) -> web.Response:
        return _page("<h1>other</h1>", "77", "77")

    async def by_cookie(self, request: web.Request) -> web.Response:
        answer = _page("<h1>a pod</h1>", request.cookies.get("pod", "1.4.2"))
        answer.set_cookie("pod", "1.4.3")
        return answer

    async def last(self, _: web.Request) -> web.Response:
        version, self.version = self.version, "1.4.4"
        return _page("<h1>the last of its release</h1>", version)

    async def away(self, _: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": "/", "x-version": "1.4.2"})

    async def checked(self, request: web.Request) -> web.Response:
        head = {"etag": '"1"', "cache-control": "no-cache"}
        if "if-none-match" not in request.headers:
            return _page("<h1>checked</h1>", self.version, **head)
        named = {} if request.path.endswith("silently") else {"x-version": self.version}
        return web.Response(status=304, headers={**head, **named})

    async def script(self, _: web.Request) -> web.Response:
        return web.Response(text=_WORKER, content_type="text/javascript")

    async def answer(self, request: web.Request) -> web.Response:
        frames = f'<iframe src="{self.other}/pay"></iframe><iframe src="/"></iframe>'
        body = {
            "/ahead": '<link rel="prefetch" as="document" href="/kept">',
            "/frames": frames,
            "/registers": _REGISTER,
        }.get(request.path, "<h1>shop</h1>")
        kept = {"cache-control": "max-age=600"} if request.path == "/kept" else {}
        return _page(body, "" if request.path == "/ahead" else self.version, **kept)


def _page(body: str, version: str, meta: str = "", **headers: str) -> web.Response:
    named = {"x-version": version} if version else {}
    html = f'<!doctype html><meta charset=utf-8><META content="{meta or version}" NAME=Version>'
    return web.Response(text=html + body, content_type="text/html", headers={**named, **headers})


@pytest_asyncio.fixture(loop_scope="module")
async def fleet() -> AsyncIterator[tuple[Fleet, Origin, Origin]]:
    fleet = Fleet()
    pages = {
        **dict.fromkeys(("/", "/kept", "/ahead", "/frames", "/registers"), fleet.answer),
        **dict.fromkeys(("/checked", "/checked_silently"), fleet.checked),
        "/away": fleet.away,
        "/by_cookie": fleet.by_cookie,
        "/last": fleet.last,
        "/worker.js": fleet.script,
    }
    async with Origin(pages=pages) as shop, fleet.cdn as other:
        fleet.other = other.url
        yield fleet, shop, other


GOTO = "await run.page.goto({!r})"
STAY = "await (await run.page.goto({!r})).body()"
"""What a page says of itself can't be read any more once it was left: here it has been."""


def steps(*paths: str) -> str:
    return "\n".join(STAY.format(path) for path in paths)


@pytest.mark.parametrize("source", [HEADER, META], ids=["header", "meta"])
async def test_a_mixed_fleet(walker: Walker, fleet, source: ReleaseSource) -> None:
    """Each release that answered a document is told, in order: whoever asks for one release can
    leave out the walks that met another."""
    fleet, shop, _ = fleet
    here = replace(site(shop.url), release=source)
    walked = await walker.walk(steps("/", "/"), here)
    assert walked.report.releases == ("1.4.3",)
    walked = await walker.walk(steps("/by_cookie", "/by_cookie"), here)
    assert walked.report.releases == ("1.4.2", "1.4.3")
    walked = await walker.walk(steps("/last", "/"), here)
    assert walked.report.releases == ("1.4.3", "1.4.4")


@pytest.mark.parametrize("source", [HEADER, META], ids=["header", "meta"])
async def test_what_is_kept_says_nothing(walker: Walker, fleet, source: ReleaseSource) -> None:
    """Neither the HTTP cache, nor what was fetched ahead, nor a service worker: none of them
    proves what answers now."""
    fleet, shop, _ = fleet
    here = replace(site(shop.url), release=source)
    walked = await walker.walk(steps("/kept", "/", "/kept"), here)
    assert (walked.report.releases, len(shop.asked("/kept"))) == (("1.4.3",), 1)
    ahead = """
        async with run.page.context.expect_event("requestfinished", lambda r: "/kept" in r.url):
            await run.page.goto("/ahead")
        await run.page.goto("/kept")
    """
    walked = await walker.walk(ahead, here)
    assert walked.report.releases == ()
    assert len(shop.asked("/kept")) == 2
    worker = (
        GOTO.format("/registers")
        + """
await expect(run.page).to_have_title("kept")
await run.page.goto("/")
await expect(run.page.get_by_role("heading")).to_have_text("kept")
"""
    )
    walked = await walker.walk(worker, here)
    assert walked.report.releases == ("1.4.3",)


async def test_what_is_not_modified(walker: Walker, fleet) -> None:
    """It is the new release's word where its own header says so, not where the kept one does; HTML
    that is current for the server is what it would have sent."""
    fleet, shop, _ = fleet

    async def walk(path: str, source: ReleaseSource) -> tuple[str, ...]:
        body = f"""
            await run.page.goto("{path}")
            await run.api.get("/last")
            await run.page.goto("{path}")
        """
        fleet.version = "1.4.3"
        walked = await walker.walk(body, replace(site(shop.url), release=source))
        return walked.report.releases

    assert await walk("/checked", HEADER) == ("1.4.3", "1.4.4")
    assert await walk("/checked_silently", HEADER) == ("1.4.3",)
    assert await walk("/checked", META) == ("1.4.3",)


async def test_whose_documents_say_it(walker: Walker, fleet) -> None:
    """First parties' pages, and frames of their page's own origin; or those of the origins that
    are named. A redirect says it too; third parties, calls and pictures never do."""
    fleet, shop, other = fleet
    first, third = site(shop.url, other.url), site(shop.url)

    async def walk(body: str, of, source: ReleaseSource = HEADER, **options) -> tuple[str, ...]:
        walked = await walker.walk(body, replace(of, release=source), **options)
        return walked.report.releases

    assert await walk(steps("/frames"), first) == ("1.4.3",)
    assert await walk(steps("/", other.url), first) == ("1.4.3", "77")
    assert await walk(steps("/", other.url), first, replace(HEADER, origins=(shop.url,))) == (
        "1.4.3",
    )
    assert await walk(steps("/frames"), first, replace(HEADER, origins=(other.url,))) == ("77",)
    assert await walk(steps("/", other.url), third) == ("1.4.3",)
    assert await walk(steps("/away"), third) == ("1.4.2", "1.4.3")
    calls = "await run.api.get('/')\nawait run.page.set_content('<img src=/>')"
    assert await walk(calls, third) == ()
    assert await walk("await run.api.get('/away')", third, browser=False) == ("1.4.2", "1.4.3")


async def test_no_secret_is_a_release(walker: Walker, fleet) -> None:
    """What a server says is kept without the secrets of the walk, cut, and few at most."""
    fleet, shop, _ = fleet
    fleet.version = "hush-hush-hush" + "x" * 500
    walked = await walker.walk(
        "run.secret('PW')\n" + steps("/"),
        replace(site(shop.url), release=HEADER),
        secrets={"PW": "hush-hush-hush"},
    )
    (said,) = walked.report.releases
    assert said.startswith("***x")
    assert len(said) == 200
