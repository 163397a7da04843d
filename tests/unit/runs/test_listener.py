"""What a journey says goes into the log in bounds."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from agent.runs.listener import LONGEST, Watcher


@pytest.fixture
def watcher() -> Watcher:
    class Request:
        run_id, trace_id = "run", "trace"

        class journey:  # noqa: N801 - stands in for a field
            name = "walked"

    return Watcher(Request(), lambda name: name)  # type: ignore[arg-type]


def test_long_lines_and_values_are_cut(watcher: Watcher) -> None:
    """A line or a value of megabytes is cut, and says how much there was more."""
    more = "… (6 characters more)"
    with capture_logs() as lines:
        watcher.printed("x" * (LONGEST + 6))
        watcher.logged("info", "y" * (LONGEST + 6), {"deep": {"z": ["z" * LONGEST]}, "flat": 7})
        watcher.logged("info", "fits", {"deep": {"z": ["z"]}, "flat": "z" * LONGEST})
    printed, logged, fits = lines
    assert printed["event"] == "x" * LONGEST + more
    assert logged["event"] == "y" * LONGEST + more
    assert logged["deep"].startswith('{"z": ["zzz')
    assert len(logged["deep"]) < LONGEST + 50
    assert logged["flat"] == 7
    assert (fits["deep"], fits["flat"]) == ({"z": ["z"]}, "z" * LONGEST)
