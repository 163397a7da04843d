"""Whether it is the agent's own network, when a site can't be reached."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from agent.core.proxies import Proxies, Proxy
from agent.runs.network import Network
from tests.support.forward_proxy import ForwardProxy
from tests.support.origin import Origin
from tests.support.service import free_port


@pytest.fixture
async def answering():
    """An address that answers, with a refusal even."""

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.fixture
def silent():
    return f"http://127.0.0.1:{free_port()}/"


async def test_a_reference_that_answers_clears_the_network(answering, silent):
    """Any status of any reference will do, however many sites are out of reach."""
    network = Network([silent, answering])
    assert not await network.is_down("shop", 100.0, 60.0)
    assert not await network.is_down("depot", 101.0, 60.0)


async def test_no_reference_that_answers_is_a_dead_network(silent):
    """One unreachable site is enough then."""
    assert await Network([silent]).is_down("shop", 100.0, 60.0)


async def test_one_site_alone_is_its_own_trouble():
    """Without references, one site out of reach is that site, however often."""
    network = Network(())
    assert not await network.is_down("shop", 100.0, 60.0)
    assert not await network.is_down("shop", 101.0, 60.0)


async def test_two_sites_within_an_interval_are_the_network():
    """Two sites in one interval, none answering."""
    network = Network(())
    await network.is_down("shop", 100.0, 60.0)
    assert await network.is_down("depot", 130.0, 60.0)


async def test_two_sites_far_apart_are_not():
    """The first one's failure is too old by then."""
    network = Network(())
    await network.is_down("shop", 100.0, 60.0)
    assert not await network.is_down("depot", 161.0, 60.0)


@pytest.mark.parametrize("answered", ["blog", "shop"])
async def test_a_site_that_answered_meanwhile_clears_the_network(answered):
    """A third one, or one of the two: something came over the network."""
    network = Network(())
    await network.is_down("shop", 100.0, 60.0)
    network.answered(answered, 120.0)
    assert not await network.is_down("depot", 130.0, 60.0)


async def test_an_answer_of_long_ago_clears_nothing():
    """What answered before the interval says nothing about now."""
    network = Network(())
    network.answered("blog", 10.0)
    await network.is_down("shop", 100.0, 60.0)
    assert await network.is_down("depot", 130.0, 60.0)


async def test_a_proxy_that_is_away_is_the_network(answering):
    """Nothing is asked of references then: they would be asked through it."""
    away = Proxy.parse(f"127.0.0.1:{free_port()}")
    network = Network([answering], Proxies(away, away))
    assert await network.is_down("shop", 100.0, 60.0, "https://shop.test")


@pytest.mark.parametrize("url", ["http://shop.test", "https://shop.test:8443"])
async def test_a_proxy_that_wants_a_sign_in_is_the_network(url):
    """A 407 is about the agent, not about the site."""
    async with ForwardProxy(credentials="other") as proxy:
        given = Proxy.parse(proxy.url)
        assert await Network((), Proxies(given, given)).is_down("shop", 100.0, 60.0, url)


async def test_a_proxy_that_cannot_reach_one_site_leaves_the_blame_open():
    """It answers, so the network works: one site alone is its own trouble."""
    async with ForwardProxy(refuses=503) as proxy:
        given = Proxy.parse(proxy.url)
        network = Network((), Proxies(given, given))
        assert not await network.is_down("shop", 100.0, 60.0, "https://shop.test")
        assert await network.is_down("depot", 101.0, 60.0, "https://depot.test")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_references_are_asked_through_the_proxy(scheme):
    """What a proxy answers by itself has come over no network."""
    async with ForwardProxy(refuses=503) as proxy:
        given = Proxy.parse(proxy.url)
        network = Network([f"{scheme}://reference.test/"], Proxies(given, given))
        assert await network.is_down("shop", 100.0, 60.0, "https://shop.test")
    assert any("reference.test" in line for line in proxy.seen)


async def test_a_reference_behind_the_proxy_clears_the_network():
    """Found by a name that only the proxy knows."""
    async with (
        Origin(pages={"/": "fine"}) as origin,
        ForwardProxy({"reference.test": urlsplit(origin.url).port}) as proxy,
    ):
        given = Proxy.parse(proxy.url)
        network = Network(["http://reference.test/"], Proxies(given, given))
        assert not await network.is_down("shop", 100.0, 60.0, "https://shop.test")


async def test_a_site_that_is_reached_directly_is_not_asked_of_the_proxy(silent):
    """Loopback, say."""
    away = Proxy.parse(f"127.0.0.1:{free_port()}")
    assert not await Network((), Proxies(away, away)).is_down("shop", 100.0, 60.0, silent)
