"""What a finished run leaves for the collector: its spans, and its log record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from agent.core.results import Result
from agent.telemetry import logs, spans
from agent.telemetry.delivery.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from opentelemetry.sdk.resources import Resource

    from agent.core.deploy import Deploy
    from agent.core.results import RunResult
    from agent.storage.run_end import Turn

_log = structlog.get_logger(__name__)


def of_run(
    run: RunResult,
    turn: Turn | None,
    near: Callable[[float, float, Sequence[str]], Deploy | None],
    signals: Container[Signal],
    resource: Resource,
    version: str,
) -> Iterator[tuple[Signal, bytes, int]]:
    """Yield for each signal that is sent the payloads, and how many items each has.

    ``turn`` is the one that the journey took with this run, if it did; ``near`` finds the deploy
    near which something began at one Unix time that was known at another, by what answered.

    What can't be encoded costs itself alone: the run's end is committed with it.
    """
    if Signal.TRACES in signals:
        try:
            payload, items = spans.encode_run(run, resource, version)
        except Exception:  # noqa: BLE001 - encoders raise many kinds
            _log.exception("telemetry.unencodable", action="record", run_id=run.run_id)
            payload, items = spans.encode_root(run, resource, version)
        yield Signal.TRACES, payload, items
    if Signal.LOGS in signals:
        try:
            failed = run.result is Result.FAIL
            met = run.failed_releases
            deploy = near(run.started_at, run.ended_at, met) if failed else None
            records = [logs.encode_run(run, resource, version, deploy)]
            if turn is not None:
                deploy = near(turn.since, run.ended_at, met) if turn.down else None
                records.append(logs.encode_turn(run, turn, resource, version, deploy))
        except Exception:  # noqa: BLE001 - as above
            _log.exception("telemetry.unencodable", action="record", run_id=run.run_id)
        else:
            yield from ((Signal.LOGS, payload, 1) for payload in records)
