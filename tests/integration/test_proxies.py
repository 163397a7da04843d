"""Pages and ``run.api`` go through the proxy that was named, and its trouble is not the site's."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from agent.core.errors import ErrorType
from agent.core.model import Site
from agent.core.proxies import Proxies, Proxy
from tests.support.forward_proxy import ForwardProxy
from tests.support.origin import Origin
from tests.support.service import free_port
from tests.support.walking import Heard, Walked, Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = Site("shop", "http://shop.test", ("http://shop.test",))
"""A host that only the proxy knows."""
BOTH = """
await run.page.goto("/")
await expect(run.page.locator("h1")).to_have_text("Home")
assert (await run.api.get("/api")).status == 200
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    async with Origin(pages={"/": "<title>Home</title><h1>Home</h1>", "/api": "fine"}) as serving:
        yield serving


@pytest.fixture
def known(origin: Origin) -> dict[str, int]:
    return {"shop.test": urlsplit(origin.url).port or 0}


async def walk(walker: Walker, source: str, target: Site, proxy: Proxy, *bypass: str) -> Walked:
    order = walker.order(source, target)
    proxies = Proxies(proxy, proxy, bypass)
    return await walker.follow(replace(order, proxies=proxies), Heard())


async def test_pages_and_api_go_through_the_proxy(walker, known):
    """Both reach a host that this machine can't resolve, and no identity is lost on the way."""
    async with ForwardProxy(known) as proxy:
        walked = await walk(walker, BOTH, SHOP, Proxy.parse(proxy.url))
    assert walked.report.error_type is None, walked.report
    assert "GET http://shop.test/ HTTP/1.1" in proxy.seen
    assert "CONNECT shop.test:80 HTTP/1.1" in proxy.seen


async def test_the_proxy_is_given_its_credentials(walker, known):
    """By pages and ``run.api`` alike."""
    async with ForwardProxy(known, credentials=b64encode(b"walker:p@ss").decode()) as proxy:
        given = Proxy.parse(proxy.url.replace("://", "://walker:p%40ss@"))
        walked = await walk(walker, BOTH, SHOP, given)
    assert walked.report.error_type is None, walked.report


async def test_loopback_never_goes_through_the_proxy(walker, origin):
    """Nor does the canary: neither page nor ``run.api`` shows at a proxy that would refuse."""
    async with ForwardProxy(refuses=403) as proxy:
        walked = await walk(walker, BOTH, site(origin.url), Proxy.parse(proxy.url))
    assert walked.report.error_type is None, walked.report
    assert proxy.seen == []


@pytest.mark.parametrize(
    "source", ['await run.page.goto("/")', 'await run.api.get("/")'], ids=["page", "api"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_away_reads_as_a_connection_that_failed(walker, source, scheme):
    """So that the supervisor asks whose trouble it is before anybody is blamed."""
    shop = replace(SHOP, url=f"{scheme}://shop.test", first_party=(f"{scheme}://shop.test",))
    walked = await walk(walker, source, shop, Proxy.parse(f"127.0.0.1:{free_port()}"))
    assert walked.report.error_type is ErrorType.NAVIGATION, walked.report
    assert walked.report.unreachable


@pytest.mark.parametrize(
    "source", ['await run.page.goto("/")', 'await run.api.get("/")'], ids=["page", "api"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_sign_in_does_too(walker, known, source, scheme):
    """A 407 comes from the proxy, whatever it is an answer to."""
    shop = replace(SHOP, url=f"{scheme}://shop.test", first_party=(f"{scheme}://shop.test",))
    async with ForwardProxy(known, credentials="none") as proxy:
        walked = await walk(walker, source, shop, Proxy.parse(proxy.url))
    assert walked.report.error_type is ErrorType.NAVIGATION, walked.report
    assert walked.report.unreachable
    assert walked.report.place is not None
    assert walked.report.place.source == source
