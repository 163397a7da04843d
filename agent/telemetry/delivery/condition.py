"""How delivery stands, in words for ``/readyz`` and ``footfall status``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from agent.telemetry.delivery.report import Loss, Report
    from agent.telemetry.delivery.signals import Signal

_LONG: Final = 300.0
"""Seconds without delivery after which somebody should look."""
_RECENT: Final = 3600.0
"""Seconds for which a loss is told of."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What there is to say of delivery; ``degraded`` where somebody should look."""

    detail: str
    degraded: bool = False


def condition(
    reports: Mapping[Signal, Report], overflow: Mapping[Signal, Loss], now: float, wall: float
) -> Condition:
    """Say how each signal fares, and what of it was lost within the hour.

    Args:
        reports: of each signal.
        overflow: what the spool's bounds have cost.
        now: steady time, as the reports' moments are.
        wall: what the wall clock shows meanwhile, by which moments are told.

    """

    def told(at: float) -> str:
        return f"{datetime.fromtimestamp(at - now + wall, UTC):%Y-%m-%dT%H:%M:%SZ}"

    troubles = list(_troubles(reports, now, told))
    losses = [
        f"{_items(loss.items)} of {signal} lost since {told(loss.since)}, "
        f"the last {told(loss.last)}: {loss.reason}"
        for signal, loss in _losses(reports, overflow)
        if now - loss.last < _RECENT
    ]
    words = [text for text, _ in troubles] + losses
    degraded = bool(losses) or any(grave for _, grave in troubles)
    return Condition("; ".join(words) or "delivered as it comes", degraded)


def _troubles(
    reports: Mapping[Signal, Report], now: float, told: Callable[[float], str]
) -> Iterator[tuple[str, bool]]:
    for signal, report in reports.items():
        trouble = report.trouble
        if trouble is None:
            continue
        what = "refused" if trouble.refused else "not delivered"
        grave = trouble.refused or now - trouble.since >= _LONG
        kept = "kept within the bounds of the spool, and lost beyond them"
        whose = "" if trouble.refused else "the collector is away: "
        since = f"{whose}{signal} {what} since {told(trouble.since)}"
        yield f"{since}, {kept}: {trouble.reason}", grave


def _losses(
    reports: Mapping[Signal, Report], overflow: Mapping[Signal, Loss]
) -> Iterator[tuple[Signal, Loss]]:
    for signal, report in reports.items():
        if report.loss is not None:
            yield signal, report.loss
    yield from overflow.items()


def _items(number: int) -> str:
    return f"{number} item{'' if number == 1 else 's'}"
