"""What the agent's own log says of a finished run, and of a journey that turned with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from agent.core import names
from agent.core.results import Result
from agent.core.slowness import too_slow
from agent.runs.document import time

if TYPE_CHECKING:
    from agent.core.results import RunResult
    from agent.storage.run_end import Turn

_log = structlog.get_logger("footfall.dispatch")


def log_run(run: RunResult, turn: Turn | None) -> None:
    """Write a finished run's line; and that of a journey that went down or came back."""
    failed = run.result is Result.FAIL
    log = _log.warning if failed else _log.info
    where = {"step": run.failed_step or None, "place": _place(run)} if failed else {}
    slow = [one.shown for one in too_slow(run)]
    log(
        "run.finished",
        action="run",
        **_of(run),
        trigger=run.trigger.value,
        result=run.result.value,
        error_type=run.error_type.value if run.error_type else None,
        error=run.error.partition("\n")[0] or None,
        duration=round(run.duration, 3),
        attempts=len(run.attempts),
        **where,
        **({"change": change} if (change := run.comparison.first_line) else {}),
        **({"slow": slow} if slow else {}),
    )
    if turn is not None:
        _log_turn(run, turn)


def _log_turn(run: RunResult, turn: Turn) -> None:
    log, name = (_log.warning, names.JOURNEY_DOWN) if turn.down else (_log.info, names.JOURNEY_UP)
    log(
        name,
        action="run",
        **_of(run),
        owner=run.journey.owner,
        runbook=run.journey.runbook or None,
        severity=run.journey.severity or None,
        fails=turn.fails,
        since=time(turn.since),
        **({} if turn.down else {"down_for": round(turn.seconds, 3)}),
        step=turn.step or None,
        error_type=turn.error_type or None,
        error=turn.error or None,
    )


def _of(run: RunResult) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "journey": run.journey.name,
        "site": run.journey.site.name,
        "trace_id": run.trace_id,
    }


def _place(run: RunResult) -> str | None:
    return f"{run.place.file}:{run.place.line}" if run.place else None
