"""What every store of a location promises to its replicas, whoever keeps it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from agent.core.clock import SystemClock
from agent.queue.nats.endpoint import Endpoint
from agent.queue.nats.location import opened
from agent.queue.shared import Away
from tests.support.memory_store import MemoryServer
from tests.support.nats_server import NatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.queue.shared import Store


class InMemory:
    """Two replicas' stores on one server."""

    def __init__(self):
        self.server = MemoryServer()
        self.one, self.other = self.server.store(), self.server.store()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def let_expire(self):
        """Let two seconds and a bit pass."""
        self.server.clock.advance(2.1)

    async def stop(self):
        self.server.stop()

    async def start(self):
        self.server.start()


class OnNats:
    """Two replicas' stores on a real server."""

    def __init__(self):
        self.server = NatsServer()

    async def __aenter__(self):
        self._stack = AsyncExitStack()
        await self._stack.enter_async_context(self.server)
        self.one, self.other = [await self._open() for _ in range(2)]
        return self

    async def __aexit__(self, *_):
        await self._stack.aclose()

    async def _open(self):
        one = opened(Endpoint(self.server.url), "eu", "test", SystemClock())
        store = (await self._stack.enter_async_context(one)).store
        async with asyncio.timeout(30):
            await store.until_connected()
        return store

    async def let_expire(self):
        await asyncio.sleep(2.1)

    async def stop(self):
        await self.server.stop()

    async def start(self):
        await self.server.start()


IMPLEMENTATIONS = {"memory": InMemory, "nats": OnNats}


@pytest.fixture(params=IMPLEMENTATIONS)
async def location(request) -> AsyncIterator[InMemory]:
    async with IMPLEMENTATIONS[request.param]() as made:
        yield made


@pytest.fixture
def one(location) -> Store:
    return location.one


@pytest.fixture
def other(location) -> Store:
    return location.other


async def test_of_those_who_create_a_key_one_has_done_it(one, other):
    """The others are told that it is there, and read what the one wrote."""
    answers = await asyncio.gather(
        *(
            end.create("word.1", end_of)
            for end, end_of in [(one, b"a"), (other, b"b"), (one, b"c"), (other, b"d")]
        )
    )
    (revision,) = [answer for answer in answers if answer is not None]
    entry = await other.get("word.1")
    assert (entry.value, entry.revision) == (b"abcd"[answers.index(revision)].to_bytes(), revision)


async def test_what_is_written_everybody_reads_and_what_is_not_is_none(one, other):
    """With the revision that its writer was told, growing over all keys; empty values too."""
    first = await one.put("a", b"1")
    second = await one.put("b", b"")
    third = await one.put("a", b"2")
    assert first < second < third
    assert ((await other.get("a")).value, (await other.get("a")).revision) == (b"2", third)
    assert (await other.get("b")).value == b""
    assert await other.get("c") is None


async def test_an_update_holds_only_on_the_revision_that_was_seen(one, other):
    """Who comes second changes nothing and is told so; so is who updates what isn't there."""
    seen = await one.put("leader", b"one")
    taken = await one.update("leader", b"one again", seen)
    assert taken > seen
    assert await other.update("leader", b"other", seen) is None
    assert (await other.get("leader")).value == b"one again"
    assert await other.update("nothing", b"x", taken) is None
    assert await other.get("nothing") is None


async def test_what_is_deleted_is_gone_and_can_be_created_again(one, other):
    """Deleting says whether there was anything; with a revision, only that one goes."""
    first = await one.put("running.a", b"1")
    second = await one.put("running.a", b"2")
    assert not await other.delete("running.a", first)
    assert (await one.get("running.a")).value == b"2"
    assert await other.delete("running.a", second)
    assert await one.get("running.a") is None
    assert not await one.delete("running.a")
    assert await one.create("running.a", b"3") > second
    assert await other.delete("running.a")
    assert await one.list("running.") == {}


async def test_a_value_with_a_time_to_live_is_gone_after_it(location, one, other):
    """As if it had been deleted; written again without one, it stays."""
    for key in ("presence.a", "presence.b", "presence.c"):
        await one.create(key, b"1", ttl=1)
    await one.put("presence.b", b"2")
    kept = await one.update("presence.c", b"2", (await one.get("presence.c")).revision, ttl=60.5)
    await location.let_expire()
    assert await other.get("presence.a") is None
    assert (await other.get("presence.b")).value == b"2"
    assert (await other.get("presence.c")).revision == kept
    assert list(await other.list("presence.")) == ["presence.b", "presence.c"]
    assert await other.create("presence.a", b"3", ttl=0.2)


async def test_a_list_has_all_below_its_prefix_and_nothing_else(one, other):
    """Whole entries, the oldest revision first, however many; without a prefix, everything."""
    assert await one.list("note.") == {}
    for number in range(300):
        await one.put(f"note.{number}", str(number).encode())
    await one.put("notes", b"another")
    await one.put("incident.1", b"another")
    await one.put("note.3", b"again")
    listed = await other.list("note.")
    assert len(listed) == 300
    assert list(listed)[-1] == "note.3"
    assert listed["note.3"] == await one.get("note.3")
    assert listed["note.299"].value == b"299"
    assert len(await other.list("")) == 302


async def test_what_is_told_reaches_all_who_listen(one, other):
    """Oneself among them, in order; not who has stopped, and not under another subject."""
    heard = []
    everything = asyncio.Event()

    def hear(who):
        def note(data):
            heard.append((who, data))
            if data == b"end":
                everything.set()

        return note

    one.subscribe("pause", hear("one"))
    other.subscribe("pause", hear("other"))
    stop = other.subscribe("pause", hear("stopped"))
    other.subscribe("resume", hear("elsewhere"))
    stop()
    await asyncio.sleep(0.05)
    await one.publish("pause", b"all")
    await one.publish("pause", b"end")
    async with asyncio.timeout(10):
        while len(heard) < 4:
            everything.clear()
            await everything.wait()
    assert [data for who, data in heard if who == "one"] == [b"all", b"end"]
    assert [data for who, data in heard if who == "other"] == [b"all", b"end"]
    assert len(heard) == 4


async def test_while_the_server_is_away_everything_says_so(location, one, other):
    """Each method raises within its time, and the store says that it is not connected, and why."""
    await one.put("a", b"1")
    times = await one.until_connected()
    assert (one.connected, one.trouble) == (True, "")
    again = asyncio.create_task(one.until_connected(after=times))
    await location.stop()
    for _ in range(2):
        for ask in (
            lambda: one.create("b", b""),
            lambda: one.get("a"),
            lambda: one.put("a", b""),
            lambda: one.update("a", b"", 1),
            lambda: one.delete("a"),
            lambda: one.list(""),
            lambda: one.publish("pause", b""),
        ):
            with pytest.raises(Away):
                await ask()
    assert not one.connected
    assert one.trouble
    assert not again.done()
    await location.start()
    async with asyncio.timeout(30):
        assert await again > times
        await other.until_connected()
    assert one.connected
    assert (await other.get("a")).value == b"1"


async def test_who_listened_before_a_break_hears_after_it(location, one, other):
    """Without listening again."""
    heard = asyncio.Queue()
    one.subscribe("pause", heard.put_nowait)
    await location.stop()
    with pytest.raises(Away):
        await one.put("a", b"")
    await location.start()
    async with asyncio.timeout(30):
        await one.until_connected()
        await other.until_connected()
        await asyncio.sleep(0.05)
        await other.publish("pause", b"all")
        assert await heard.get() == b"all"
