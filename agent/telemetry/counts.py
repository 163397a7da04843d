"""What a finished run adds to which counters, and under which attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core import names
from agent.core.slowness import too_slow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.core.gate import GateEnd
    from agent.core.model import Slot
    from agent.core.results import RunResult


def of_result(run: RunResult) -> Iterator[tuple[str, dict[str, str], int]]:
    """Yield what a run of the schedule adds to the counters.

    A closer run adds its beacons alone: one that escaped is an alarm, whatever it was walked for.
    """
    if not run.closer:
        yield from _of_run(run)
    for attempt in run.attempts:
        for action, vendors in attempt.audit.counts.items():
            for vendor, amount in vendors.items():
                beacon = {names.VENDOR: vendor, names.ACTION: action.value}
                yield names.BEACONS, {**shared_by(run), **beacon}, amount


def _of_run(run: RunResult) -> Iterator[tuple[str, dict[str, str], int]]:
    shared = shared_by(run)
    error = {names.ERROR_TYPE: run.error_type.value} if run.error_type is not None else {}
    yield names.RUNS, {**shared, names.RESULT: run.result.value, **error}, 1
    if too_slow(run):
        yield names.SLOW, shared, 1
    for attempt in run.attempts:
        error = {names.ERROR_TYPE: attempt.error_type.value} if attempt.error_type else {}
        yield names.ATTEMPTS, {**shared, names.RESULT: attempt.result.value, **error}, 1
        for key, amount in attempt.requests.items():
            party, _, outcome = key.partition(" ")
            yield names.REQUESTS, {**shared, names.PARTY: party, names.OUTCOME: outcome}, amount
        for who, amount in attempt.page_errors.items():
            yield names.PAGE_ERRORS, {**shared, names.PARTY: who}, amount


def shared_by(run: RunResult) -> dict[str, str]:
    """Return the attributes that all metrics of a journey carry."""
    return {
        names.JOURNEY: run.journey.name,
        names.SITE: run.journey.site.name,
        names.LOCATION: run.location,
    }


def of_gate(end: GateEnd) -> dict[str, str]:
    """Return the attributes of a gate's verdict."""
    return {
        names.SITE: end.order.site,
        names.LOCATION: end.location,
        names.VERDICT: end.verdict.value,
    }


def of_slot(slot: Slot, site: str) -> dict[str, str]:
    """Return the attributes of what is counted for a slot."""
    return {
        names.JOURNEY: slot.journey,
        names.SITE: site,
        names.LOCATION: slot.location,
    }
