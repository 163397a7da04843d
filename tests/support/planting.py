"""A shop behind a proxy that gives it a life of its own, and breaks it in one way at a time.

Each page gets what shops change all the time: prices, recommendations, a variant under test, a
cache-buster, ids, a third party's script. What the page needs to be usable is a script of the
site's own, the third party's, and an answer of the site's API: until then it is covered.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import dataclass, field
from typing import Literal, Self

import aiohttp
from aiohttp import web

from tests.support.origin import Origin

Fault = Literal[
    "",
    "script",
    "redirect",
    "third party",
    "slow",
    "page error",
    "moved",
    "status",
    "missing",
    "console",
    "release",
]
_HOP = frozenset(
    {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}
)
_KIT = "window.kit = {start() { return 'started'; }};"
_SHOP = """
addEventListener("DOMContentLoaded", async () => {
  const {stock, broken, closed} = document.getElementById("life").dataset;
  kit.start();
  for (const slug of window.recommended) fetch(`/life/products/${slug}`);
  if (!stock || broken || closed) return;
  const answer = await fetch(stock);
  if (answer.ok) document.getElementById("cover").remove();
});
"""
_SLUGS = [f"{one}-{two}" for one in ("blue", "red", "old", "new") for two in ("cup", "jug", "lamp")]
_PAGE = """
<div id="life" hidden data-stock="{stock}" data-broken="{broken}" data-closed="{closed}">
  from € {price}</div>
<div id="cover" style="position:fixed;inset:0;z-index:9999;background:#8884"></div>
<script>window.recommended = {recommended};</script>
<script src="{cdn}/kit.js"></script>
<script src="/life/ads.js?cb={buster}"></script>
<script src="/life/variant-{variant}.js"></script>
<script src="/life/shop.js?v={version}"></script>
<img src="/life/pictures/{slug}.png" alt="">
{trouble}
"""
_TROUBLE = {
    "page error": "<script>throw new Error('settings of session 4711 are missing')</script>",
    "console": "<script>console.error('payment refused session ' + Math.random())</script>",
}


@dataclass
class PlantedShop:
    """Serves the shop at ``upstream``; ``at`` is the path of the page where faults show.

    ``link`` is the address in a page that the fault ``moved`` moves, ``posted`` the beginning of
    the path whose form the fault ``status`` refuses, and ``renamed`` a text of the page at ``at``
    that another release has otherwise.
    """

    upstream: str
    at: str
    link: str
    posted: str
    renamed: str
    fault: Fault = ""
    random: random.Random = field(default_factory=lambda: random.Random(7))
    url: str = ""
    _variants: random.Random = field(default_factory=lambda: random.Random(7))
    """Of its own: each visitor's is the next, however many requests there were."""

    async def __aenter__(self) -> Self:
        self._cdn = Origin(pages={"/kit.js": self._kit})
        await self._cdn.__aenter__()
        self._visits = itertools.count(1000)
        self._client = aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
        await self._runner.cleanup()
        await self._cdn.__aexit__()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/life/"):
            return await self._life(request)
        posted = request.method == "POST" and request.path.startswith(self.posted)
        if self.fault == "status" and posted:
            return web.Response(status=503, text="come back later", content_type="text/html")
        if self.fault == "redirect" and request.method == "GET" and request.path == self.at:
            return web.Response(status=302, headers={"location": "/life/closed"})
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in {"accept-encoding", "connection"}
        }
        async with self._client.request(
            request.method,
            f"{self.upstream}{request.path_qs}",
            headers=headers,
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in _HOP]
        response = web.Response(status=answer.status, body=body)
        response.headers.clear()
        response.headers.extend(kept)
        if answer.content_type == "text/html" and answer.status == 200:
            response.headers["X-Release"] = "1.4.3" if self.fault == "release" else "1.4.2"
            variant = request.cookies.get("variant") or self._variants.choice("ab")
            response.headers.add("Set-Cookie", f"variant={variant}; Path=/")
            response.body = self._page(body.decode(), request.path, variant).encode()
        return response

    def _page(self, html: str, path: str, variant: str) -> str:
        here = path == self.at
        if self.fault == "moved":
            html = html.replace(f'href="{self.link}"', 'href="/life/elsewhere"')
        if self.fault == "release" and here:
            html = html.replace(self.renamed, "Go on")
        trouble = _TROUBLE.get(self.fault, "") if here else ""
        chosen = self.random.sample(_SLUGS, 2)
        added = _PAGE.format(
            stock="" if here and self.fault == "missing" else "/life/stock",
            broken="yes" if trouble else "",
            closed="yes" if here and self.fault == "script" else "",
            price=self.random.randint(3, 99),
            recommended=chosen,
            cdn=self._cdn.url,
            buster=next(self._visits),
            variant=variant,
            version=42 if self.fault == "script" else 41,
            slug=chosen[0],
            trouble=trouble,
        )
        return html.replace("</body>", f"{added}</body>")

    async def _life(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/life/")
        if path.endswith(".js"):
            made = f"// {path} {self.random.random() if path == 'ads.js' else ''}"
            text = _SHOP if path == "shop.js" else made
            return web.Response(text=text, content_type="text/javascript")
        if path == "stock":
            if self.fault == "slow" and request.headers.get("referer", "").endswith(self.at):
                await asyncio.sleep(30)
            return web.json_response({"pieces": self.random.randint(1, 9)})
        if path == "closed":
            return web.Response(text="<h1>Closed</h1>", content_type="text/html")
        if path.startswith(("products/", "pictures/")):
            return web.Response(text="{}", content_type="application/json")
        return web.Response(status=404, text="not here", content_type="text/html")

    async def _kit(self, request: web.Request) -> web.Response:
        if self.fault == "third party" and request.transport:
            request.transport.abort()
        return web.Response(text=_KIT, content_type="text/javascript")
