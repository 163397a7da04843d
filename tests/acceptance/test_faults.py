"""The fault campaign in a short form; `make faults` tries every fault many times."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import sys

import pytest

from tests.faults.__main__ import FAMILIES, campaign
from tests.faults.books import ALL, Row, each
from tests.support.namespace import can_unshare

CHOICE = {
    "journeys": "^(hangs|forks|eats_memory)$",
    "sites": "^(resetting|half_open|expired)$",
    "hostile": "^(addresses_that_are_none|beacons_of_megabytes)$",
    "network": "reference gone",
    "collectors": "^(all refused, http|refuses one journey's spans, grpc)$",
    "kills": "kill -9 of the worker$|kill -STOP of the browser$",
    "operator": "SIGHUP",
    "damage": "log of the state file cut",
    "clock": "to and fro",
    "first": "calls_os_exit",
}


@pytest.mark.timeout(290)
@pytest.mark.parametrize("family", CHOICE)
async def test_every_rule_holds(tmp_path, family):
    """Every slot ends once, blame is right, nothing is left over, and the agent exits 0."""
    if family == "first" and not can_unshare():
        pytest.skip("process namespaces can't be made here: takes root")
    only = re.compile(CHOICE[family])
    rows = [
        row
        async for row in FAMILIES[family](
            tmp_path / "home", 1, random.Random(random.getrandbits(64)), only
        )
    ]
    assert rows
    assert {row.fault: [*row.broken, row.story] for row in rows if row.broken} == {}


async def test_a_fault_that_breaks_off_is_a_row_and_the_next_is_tried():
    """What ends the trying of a fault, or of a family, is told and ends nothing else."""

    async def lost(_: str) -> Row:
        raise AssertionError("no run.finished within 20 s:\nthe whole log")

    async def held(name: str) -> Row:
        return Row(name, 1)

    async def first(*_: object):
        async for row in each({"lost": lost, "after it": held}, 3, ALL):
            yield row
        raise OSError("no room")

    async def second(*_: object):
        yield Row("the next family's", 1)

    told = []
    families = {"first": first, "second": second}
    await campaign(families, 1, 1, ALL, lambda name, row: told.append((name, row and row.line())))
    assert [(name, line and line.partition(" (")[0]) for name, line in told] == [
        ("first", None),
        (
            "first",
            "lost, 3 tries: -: BROKEN: broke off with AssertionError: no run.finished within 20 s:",
        ),
        ("first", "after it, 1 tries: -: held"),
        ("first", "(all of first), 1 tries: -: BROKEN: broke off with OSError: no room"),
        ("second", None),
        ("second", "the next family's, 1 tries: -: held"),
    ]


_SLOW = """
import asyncio, sys
from tests.faults import __main__ as campaign, books

async def slow(*_):
    yield books.Row("quick", 1)
    await asyncio.sleep(600)

campaign.FAMILIES = {"slow": slow}
sys.exit(campaign.main())
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_rows_are_told_at_once_and_kept_when_it_is_stopped(tmp_path, stop):
    """A pipe gets each row as it is known; Ctrl-C prints the table so far, and exits 1."""
    kept = tmp_path / "rows.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _SLOW, "--out", str(kept)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while b"quick, 1 tries" not in await process.stdout.readline():
                assert not process.stdout.at_eof()
            process.send_signal(stop)
            rest = (await process.stdout.read()).decode()
            assert await process.wait() == 1
    finally:
        if process.returncode is None:
            process.kill()
    assert re.search(r"^quick .*held", rest, re.MULTILINE), rest
    assert "stopped before its end" in rest
    assert '"fault": "quick"' in kept.read_text()
