"""Whether it is the agent's own network, when a site can't be reached."""

from __future__ import annotations

import asyncio

import pytest

from agent.runs.network import Network
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
