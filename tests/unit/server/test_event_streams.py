"""``GET /api/v1/events``: who hears what, how many may, and that nobody holds anything up."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from agent.server import event_streams
from agent.server.event_streams import EventStreams, _Stream
from tests.support.daemon import until


class Listener:
    """Reads a stream event by event."""

    def __init__(self, response):
        self.response = response

    async def next(self):
        """Return the next event's kind and data, beats left out; None: the stream is over."""
        kind = data = None
        while line := await self.response.content.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                data = json.loads(value)
            elif not line.strip() and kind:
                return kind, data
        return None


@pytest.fixture
async def listen(served):
    opened = []

    async def connect(query="", session=None):
        path = f"/api/v1/events{query}"
        response = await (session or served.session).get(path)
        opened.append(response)
        assert response.status == 200, await response.text()
        assert (await response.content.readline()).startswith(b"retry: ")
        await response.content.readline()
        return Listener(response)

    yield connect
    for response in opened:
        response.close()


async def test_what_happens_is_heard(served, listen):
    """By everybody who listens from then on, in order, as JSON; nobody stores it on the way."""
    one, other = [await listen() for _ in range(2)]
    assert one.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert one.response.headers["cache-control"] == "no-store"
    for number in range(3):
        served.streams.publish("run", {"run_id": "a", "number": number})
    for listener in (one, other):
        for number in range(3):
            assert await listener.next() == ("run", {"run_id": "a", "number": number})


async def test_who_asks_for_one_journey_or_run_hears_no_other(served, listen):
    """And all that is of none in particular, such as a pause."""
    of_buy, of_run = await listen("?journey=buy"), await listen("?run=0a")
    for journey, run_id in (("look", "0b"), ("buy", "0c"), ("buy", "0a")):
        served.streams.publish("run", {"journey": journey, "run_id": run_id})
    served.streams.publish("state", {"what": "reload"})
    heard = [[await one.next() for _ in range(count)] for one, count in ((of_buy, 3), (of_run, 2))]
    assert [data.get("run_id") for _, data in heard[0]] == ["0c", "0a", None]
    assert [data.get("run_id") for _, data in heard[1]] == ["0a", None]
    for wrong in ("?jurney=buy", "?run=a&run=b", "?run=a&sort=b"):
        async with served.session.get(f"/api/v1/events{wrong}") as response:
            assert response.status == 400


async def test_no_text_begins_an_event_of_its_own(served, listen):
    """Whatever ends a line for a browser, in a name or a step, stays within its data."""
    listener = await listen()
    text = "Pay\n\nevent: state\ndata: {}\r\r\x85\u2028\0é<script>"
    served.streams.publish("step", {"step": text})
    served.streams.publish("end", {})
    assert await listener.next() == ("step", {"step": text})
    assert (await listener.next())[0] == "end"


async def test_beyond_sixteen_the_oldest_is_closed(served):
    """It hears why; the others go on, and API and pages have all their places."""
    async with aiohttp.ClientSession(
        served.url, connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        listeners = []
        for _ in range(18):
            response = await session.get("/api/v1/events")
            await response.content.readline()
            await response.content.readline()
            listeners.append(Listener(response))
        for closed in listeners[:2]:
            assert await closed.next() == ("closed", {"why": "full"})
            assert await closed.next() is None
        served.streams.publish("run", {})
        for going_on in listeners[2:]:
            assert await going_on.next() == ("run", {})
        for _ in range(3):
            assert (await served.get("/api/v1/runs"))[0] == 200
        for one in listeners:
            one.response.close()


async def test_who_leaves_is_forgotten(served, listen):
    """And makes room for another."""
    for _ in range(20):
        (await listen()).response.close()
    await until(lambda: not served.streams._streams, 5)


async def test_the_end_closes_every_stream(served, listen):
    """At once, with a word; and none begins any more."""
    listener = await listen()
    served.streams.publish("run", {"number": 1})
    assert (await listener.next())[0] == "run"
    served.streams.end()
    assert await listener.next() == ("closed", {"why": "ending"})
    assert await listener.next() is None
    assert (await served.get("/api/v1/events"))[0] == 503


async def test_nobody_waits_for_who_takes_nothing(served):
    """However much happens: what one didn't take in time it isn't told, and it hears that."""
    reader, writer = await served.connect()
    writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"retry: ")
    writer.transport.pause_reading()
    for number in range(20_000):
        served.streams.publish("step", {"number": number, "step": "x" * 100})
        if not number % 50:
            await asyncio.sleep(0)
    (stream,) = served.streams._streams
    assert len(stream._waiting) <= 257
    writer.transport.resume_reading()
    heard = ""
    while '"number": 19999' not in heard:
        heard += (await reader.read(1 << 16)).decode()
    assert "event: missed" in heard
    assert heard.count("event: step") < 20_000


async def test_a_silent_stream_says_that_it_is_there(served, listen, monkeypatch):
    """So that nothing on the way takes it for dead."""
    monkeypatch.setattr(event_streams, "_BEATS", 0.01)
    listener = await listen()
    assert await listener.response.content.readline() == b": still here\n"


async def test_it_is_no_page_of_anybodys(served):
    """Another site's script gets none, so it can't take others' places; HEAD takes none either,
    and none is told to keep what it is told."""
    foreign = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}
    async with served.session.get("/api/v1/events", headers=foreign) as response:
        assert response.status == 403
    async with served.session.head("/api/v1/events") as response:
        assert response.status == 200
    assert served.streams._streams == []


def test_to_nobody_is_told_nothing():
    """What happens costs nothing where nobody listens, not even what can't be told."""
    EventStreams().publish("run", {"odd": object()})


async def test_what_came_before_its_end_is_left_out():
    """Who is closed has no use for it."""
    stream = _Stream({})
    stream.tell("a", {})
    stream.close("full")
    stream.tell("b", {})
    assert [await stream.next() for _ in range(2)] == [
        'event: closed\ndata: {"why": "full"}\n\n',
        "",
    ]
