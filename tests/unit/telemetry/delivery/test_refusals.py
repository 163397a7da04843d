"""A closed door is not a refusal, and one payload that is refused blocks no other."""

from __future__ import annotations

import asyncio
import random

import pytest
from structlog.testing import capture_logs

from agent.core import names
from agent.telemetry.delivery.signals import Signal
from tests.support.collector import drained, run_ids

PROTOCOLS = ["http/protobuf", "grpc"]


def url_of(collector, protocol):
    return collector.grpc_url if protocol == "grpc" else collector.url


def taken(collector):
    return run_ids(collector.taken["traces"])


async def passing(waiting, clock, condition):
    """Let time pass until the condition holds."""
    async with asyncio.timeout(30):
        while not condition():
            clock.advance(1.0)
            await waiting(Signal.TRACES)


async def to_the_end(waiting, clock):
    """Let every pause pass at once until no spans wait."""
    async with asyncio.timeout(30):
        while await waiting(Signal.TRACES):
            clock.advance(1.0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("rounds", [2, 7])
async def test_a_door_that_refuses_everything_costs_nothing(
    rounds, protocol, collector, put, start, waiting, clock, books
):
    """Where nothing is taken it is the door: all is kept, and arrives once it opens."""
    collector.always = (400, {"content-type": "text/plain"}, b"no tenant")
    await put(*"12345")
    sender = start(url_of(collector, protocol), protocol)
    await passing(waiting, clock, lambda: collector.calls["traces"] >= 4 + rounds)
    assert await waiting(Signal.TRACES) == 20
    trouble = sender.reports[Signal.TRACES].trouble
    assert trouble.refused
    assert "no tenant" in trouble.reason
    collector.always = None
    await to_the_end(waiting, clock)
    assert sorted(taken(collector)) == list("12345")
    assert await books(names.SPOOL_DROPPED) == {}
    assert sender.reports[Signal.TRACES].trouble is None
    assert sender.reports[Signal.TRACES].loss is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "bad", ["1", "3", "5", "12", "34", "45", "135", "1234", "2345"], ids=lambda bad: f"bad {bad}"
)
async def test_poison_is_lost_and_nothing_else(
    bad, protocol, collector, put, start, waiting, clock, books
):
    """Wherever payloads stand that are refused, one or several in a row: the others arrive, and
    once something else is taken they are lost, counted and told."""
    collector.refused = set(bad)
    await put(*"12345")
    with capture_logs() as lines:
        sender = start(url_of(collector, protocol), protocol)
        good = set("12345") - set(bad)
        await passing(waiting, clock, lambda: good <= set(taken(collector)))
        # What is refused last of all waits for another to be tried.
        for number in range(3 * len(bad)):
            await put(f"later-{number}")
            sender.wake()
            await passing(waiting, clock, lambda n=number: f"later-{n}" in taken(collector))
        await to_the_end(waiting, clock)
    assert len(taken(collector)) == len(set(taken(collector)))
    assert not set(bad) & set(taken(collector))
    assert await books(names.SPOOL_DROPPED) == {"traces": 4 * len(bad)}
    assert sender.reports[Signal.TRACES].loss.items == 4 * len(bad)
    told = [line["reason"] for line in lines if line["event"] == "telemetry.refused"]
    assert told
    assert all("thank you" in reason or "INVALID" in reason for reason in told)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("refusals", [1, 2, 3, 4, 5, 8, 13])
@pytest.mark.parametrize("payloads", [1, 2, 5])
async def test_a_door_that_opens_between_two_requests_costs_nothing(  # noqa: PLR0917 - fixtures
    payloads, refusals, protocol, collector, put, start, waiting, clock, books
):
    """The last one that it refused is tried again before it is blamed."""
    collector.answers["traces"] = [(400, {}, b"")] * refusals
    numbers = [str(number) for number in range(payloads)]
    await put(*numbers)
    sender = start(url_of(collector, protocol), protocol)
    async with asyncio.timeout(30):
        while collector.answers["traces"] or await waiting(Signal.TRACES):
            clock.advance(1.0)
            if not await waiting(Signal.TRACES):
                await put("more")
                sender.wake()
    assert set(numbers) <= set(taken(collector))
    assert await books(names.SPOOL_DROPPED) == {}


async def test_a_lone_refusal_waits_for_another_to_be_tried(
    collector, put, start, waiting, clock, books
):
    """With nothing to compare it with, a refused payload is kept, tried again, and told of."""
    collector.refused = {"1"}
    await put("1")
    sender = start(collector.url)
    await passing(waiting, clock, lambda: collector.calls["traces"] >= 4)
    assert await waiting(Signal.TRACES) == 4
    assert sender.reports[Signal.TRACES].trouble.refused
    for number in ("2", "3"):
        await put(number)
        sender.wake()
        await passing(waiting, clock, lambda n=number: n in taken(collector))
    await to_the_end(waiting, clock)
    assert taken(collector) == ["2", "3"]
    assert await books(names.SPOOL_DROPPED) == {"traces": 4}


async def test_a_lone_refusal_that_passes_costs_nothing(
    collector, put, start, waiting, clock, books
):
    """One that was refused in passing, with nothing else to send, arrives at the next try."""
    collector.answers["traces"] = [(400, {}, b"")]
    await put("1")
    start(collector.url)
    await to_the_end(waiting, clock)
    assert taken(collector) == ["1"]
    assert await books(names.SPOOL_DROPPED) == {}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("bad", ["1", "3", "13", "123"])
async def test_a_payload_that_brings_the_collector_down_blocks_no_other(
    bad, protocol, collector, put, start, waiting, clock, books
):
    """One that is never answered for is set aside and kept; the others go on."""
    collector.deadly = set(bad)
    await put(*"12345")
    sender = start(url_of(collector, protocol), protocol)
    good = set("12345") - set(bad)
    await passing(waiting, clock, lambda: good <= set(taken(collector)))
    await put("6")
    sender.wake()
    async with asyncio.timeout(30):
        while await waiting(Signal.TRACES) > 4 * len(bad):
            clock.advance(1.0)
    assert "6" in taken(collector)
    assert await books(names.SPOOL_DROPPED) == {}
    collector.deadly = set()
    await put("7")
    clock.advance(4000.0)
    sender.wake()
    await to_the_end(waiting, clock)
    assert sorted(taken(collector)) == list("1234567")


@pytest.mark.parametrize("bad", [{"20"}, {str(number) for number in range(1, 40, 2)}])
async def test_what_brings_the_collector_down_is_soon_found_among_many(
    bad, collector, put, start, waiting, clock
):
    """However many are well before it, a handful of failures is enough, each of which is a pause;
    and each further one costs one failure or two."""
    collector.deadly = bad
    numbers = [str(number) for number in range(40)]
    await put(*numbers)
    start(collector.url)
    good = set(numbers) - bad
    await passing(waiting, clock, lambda: good <= set(taken(collector)))
    unanswered = collector.calls["traces"] - len(collector.taken["traces"])
    assert unanswered <= 6 + 2 * len(bad)


@pytest.mark.parametrize("seed", range(6))
async def test_any_mix_of_doors_and_poison_loses_the_poison_alone(
    seed, collector, put, start, waiting, clock, books
):
    """A door that shuts and opens, whatever it says, costs none that is well."""
    dice = random.Random(seed)
    numbers = [str(number) for number in range(60)]
    collector.refused = set(dice.sample(numbers, dice.choice([0, 1, 5, 20])))
    sender = start(collector.url)
    for first in range(0, 60, 10):
        # A door that shuts long enough for two payloads to be refused.
        collector.always = dice.choice([None, (503, {}, b""), (400, {}, b""), (302, {}, b"")])
        await put(*numbers[first : first + 10])
        sender.wake()
        calls = collector.calls["traces"]
        if collector.always:
            await passing(waiting, clock, lambda c=calls: collector.calls["traces"] >= c + 9)
        collector.always = None
        good = set(numbers[: first + 10]) - collector.refused
        await passing(waiting, clock, lambda good=good: good <= set(taken(collector)))
    for number in range(2 * len(collector.refused) + 2):
        await put(f"later-{number}")
        sender.wake()
        await passing(waiting, clock, lambda n=number: f"later-{n}" in taken(collector))
    await to_the_end(waiting, clock)
    arrived = [one for one in taken(collector) if not one.startswith("later")]
    assert sorted(arrived, key=int) == [one for one in numbers if one not in collector.refused]
    assert sum((await books(names.SPOOL_DROPPED)).values()) == 4 * len(collector.refused)


async def test_an_end_in_the_midst_of_a_refusal_keeps_it(collector, put, start, waiting):
    """A stop with a door that is shut is quick, and leaves all on disk."""
    collector.always = (400, {}, b"")
    await put("1", "2", "3")
    sender = start(collector.url)
    await sender.stop(3.0)
    assert await waiting(Signal.TRACES) == 12
    await drained(waiting, Signal.METRICS)
