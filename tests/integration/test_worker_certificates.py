"""The certificates that a real browser, and ``run.api``, meet on a walk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from agent.core.errors import ErrorType
from agent.core.origins import authority_of
from tests.support.authority import Authority
from tests.support.origin import Origin
from tests.support.walking import Walked, Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 86_400.0


class Sites:
    """Servers with certificates of their own, and a walker that trusts all but the ended one."""

    def __init__(self, walker: Walker, **origins: Origin) -> None:
        self.walker = walker
        self.origins = origins

    def url(self, name: str) -> str:
        return self.origins[name].url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sites(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sites]:
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder / "authority.pem")
    short = authority.context("127.0.0.1", "localhost", "::1", begins=-DAY, ends=5 * DAY)
    long = authority.context("127.0.0.1", "localhost", begins=-DAY, ends=89 * DAY)
    page = {"/": "<title>Home</title><img src=/a><img src=/b><img src=/c>"}
    journeys = folder / "journeys"
    journeys.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODE_EXTRA_CA_CERTS", authority.file)
        async with (
            Origin(pages=page, tls=short) as first,
            Origin(pages=page, tls=long) as second,
            Origin("::1", pages=page, tls=short) as six,
            Walker(journeys, args=authority.browser_args) as walker,
        ):
            yield Sites(walker, short=first, long=second, six=six)


def met(walked: Walked) -> dict[str, tuple[float, float]]:
    """Days until each host's certificate ends, and days that it holds, rounded."""
    now = time.time()
    return {
        one.host: (round((one.ends_at - now) / DAY, 1), round(one.lifetime / DAY, 1))
        for one in walked.report.certificates
    }


async def test_pages(sites: Sites) -> None:
    """Each first-party host of a page is told with its port, once; a third party is not."""
    short, long = sites.url("short"), sites.url("long")
    six = sites.url("six")
    body = f"""
        await run.page.goto("/")
        await run.page.goto("{six}/")
        await run.page.goto("{long}/")
    """
    walked = await sites.walker.walk(body, site(short, six))
    assert walked.report.error_type is None, walked.report.error
    assert met(walked) == {authority_of(short): (5.0, 6.0), authority_of(six): (5.0, 6.0)}


async def test_run_api(sites: Sites) -> None:
    """What ``run.api`` meets is told likewise, where no page was opened at all."""
    short, long = sites.url("short"), sites.url("long")
    body = f"""
        await run.api.get("/")
        await run.api.get("/")
        await run.api.get("{long}/")
    """
    walked = await sites.walker.walk(body, site(short))
    assert walked.report.error_type is None, walked.report.error
    assert met(walked) == {authority_of(short): (5.0, 6.0)}


async def test_without_tls(sites: Sites) -> None:
    """A site without TLS has no certificate, and its pages are asked for none."""
    async with Origin(pages={"/": "plain"}) as plain:
        walked = await sites.walker.walk('await run.page.goto("/")', site(plain.url))
    assert walked.report.error_type is None
    assert met(walked) == {}


async def test_two_certificates_of_one_host(sites: Sites) -> None:
    """Of a host that shows several on one walk, the one that ends soonest is told."""
    first, second = sites.origins["short"], sites.origins["long"]
    body = """
        await run.api.get("/")
        await run.page.goto("/")
    """
    keep = first.tls
    assert keep is not None
    walked = await sites.walker.walk(body, site(second.url))
    assert met(walked) == {authority_of(second.url): (89.0, 90.0)}
    # Behind one address: the second answers for a machine that still has the old one.


async def test_a_certificate_that_has_ended(sites: Sites, tmp_path) -> None:
    """It fails the journey as what it is, and is no certificate that somebody was shown."""
    ended = Authority(tmp_path / "other.pem").context("localhost", begins=-90 * DAY, ends=-DAY)
    async with Origin(pages={"/": "late"}, tls=ended) as late:
        walked = await sites.walker.walk('await run.page.goto("/")', site(late.url))
    assert walked.report.error_type is ErrorType.NAVIGATION
    assert "ERR_CERT" in walked.report.error
    assert met(walked) == {}
