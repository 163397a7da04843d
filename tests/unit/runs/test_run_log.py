"""What a journey says goes into the log in bounds."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from agent.core.limits import MESSAGE_LENGTH, MOST_ATTRIBUTES, MOST_LOGGED
from agent.runs.run_log import RunLog


@pytest.fixture
def log(request_) -> RunLog:
    return RunLog(request_)


def test_long_lines_and_values_are_cut(log: RunLog) -> None:
    """A line or a value of megabytes is cut, whatever its shape; short ones stay as they are."""
    most = "x" * MESSAGE_LENGTH
    with capture_logs() as lines:
        log.on_printed(most + "x")
        log.on_logged("info", most + "x", {"deep": {"z": [most]}, "flat": 7, "x" * 1000: 1})
        log.on_logged("info", "fits", {"deep": {"z": ["z"]}, "flat": most})
    printed, logged, fits = lines
    assert printed["event"] == logged["event"] == most[:-1] + "…"
    assert logged["deep"].startswith('{"z": ["xxx')
    assert len(logged["deep"]) == MESSAGE_LENGTH
    assert logged["flat"] == 7
    assert max(map(len, logged)) == 200
    assert (fits["deep"], fits["flat"]) == ({"z": ["z"]}, most)


def test_lines_without_end_are_cut_off_once(log: RunLog) -> None:
    """A journey that logs in a loop fills no disk, and the log says so."""
    with capture_logs() as lines:
        for number in range(MOST_LOGGED + 50):
            log.on_logged("info", f"line {number}", {})
    assert len(lines) == MOST_LOGGED + 1
    assert lines[-1]["event"] == "journey.log_cut"


def test_fields_without_end_are_cut(log: RunLog) -> None:
    """Collectors of logs refuse records of thousands of fields."""
    with capture_logs() as lines:
        log.on_logged("info", "wide", {f"k{number}": number for number in range(1000)})
    assert MOST_ATTRIBUTES <= len(lines[0]) < MOST_ATTRIBUTES + 10


@pytest.mark.parametrize("level", ["bind", "_context", "exception", "", "__class__", "new"])
def test_a_level_that_is_none_is_info(log: RunLog, level: str) -> None:
    """It comes over the pipe and must reach no other method of the logger."""
    fields = {"self": 1, "exc_info": True, "stack_info": True, "event": 2, "": None}
    with capture_logs() as lines:
        log.on_logged(level, "said", fields)
    assert (lines[0]["event"], lines[0]["log_level"], lines[0]["event_"]) == ("said", "info", 2)
