"""The fault campaign in a short form; `make faults` tries every fault many times."""

from __future__ import annotations

import random
import re

import pytest

from tests.faults.__main__ import FAMILIES
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


@pytest.mark.timeout(180)
@pytest.mark.parametrize("family", CHOICE)
async def test_every_rule_holds(tmp_path, family):
    """Every slot ends once, blame is right, nothing is left over, and the agent exits 0."""
    if family == "first" and not can_unshare():
        pytest.skip("process namespaces can't be made here: takes root")
    only = re.compile(CHOICE[family])
    rows = await FAMILIES[family](tmp_path / "home", 1, random.Random(), only)
    assert rows
    assert {row.fault: row.broken for row in rows if row.broken} == {}
