"""What the API tells of pauses and maintenance windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.runs.document import time

if TYPE_CHECKING:
    from collections.abc import Collection

    from agent.core.clock import Clock
    from agent.core.model import Journey
    from agent.core.suspension import Suspension
    from agent.schedule.maintenance import Window
    from agent.schedule.pauses import Pause
    from agent.schedule.suspensions import Suspensions
    from agent.server.documents.what_suspends import (
        PauseDocument,
        SuspensionDocument,
        WindowDocument,
    )
    from agent.storage.journey_state import JourneyState


class SuspensionReport:
    """Tells how things are at the moment of asking."""

    def __init__(self, suspensions: Suspensions, clock: Clock) -> None:
        self._suspensions = suspensions
        self._clock = clock

    def of(self, journey: Journey, state: JourneyState) -> SuspensionDocument | None:
        """Return what suspends a journey, or did while no verdict is younger; None: nothing."""
        now = self._clock.wall()
        if held := self._suspensions.holding(journey, now):
            return suspension_document(held[0], over=False)
        lingering = self._suspensions.lingering(journey, state, now)
        return None if lingering is None else suspension_document(lingering, over=True)

    def pauses(self) -> list[PauseDocument]:
        """Return the pauses that hold."""
        now = self._clock.wall()
        return [pause_document(pause) for pause in self._suspensions.pauses.in_force(now)]

    def windows(self, journeys: Collection[Journey]) -> list[WindowDocument]:
        """Return of each window the turn that holds or comes next.

        ``journeys`` are those that are loaded.
        """
        now = self._clock.wall()
        return [
            told
            for window in self._suspensions.windows
            if (told := _window(window, journeys, now)) is not None
        ]


def pause_document(pause: Pause) -> PauseDocument:
    """Return a pause as the API has it; ``journeys`` is None where it is of all."""
    return {
        "id": pause.id,
        "journeys": None if pause.journeys is None else list(pause.journeys),
        "resumed": sorted(pause.resumed),
        "mode": pause.mode.value,
        "reason": pause.reason,
        "who": pause.who,
        "since": time(pause.since),
        "until": None if pause.until is None else time(pause.until),
    }


def suspension_document(told: Suspension, *, over: bool) -> SuspensionDocument:
    """Return what suspends a journey as the API has it; ``over`` where alerts alone still wait."""
    return {
        "cause": told.cause.value,
        "mode": told.mode.value,
        "reason": told.reason,
        "who": told.who,
        "since": time(told.since),
        "until": None if told.until is None else time(told.until),
        "over": over,
    }


def _window(window: Window, journeys: Collection[Journey], now: float) -> WindowDocument | None:
    latest = window.latest(now)
    holds = latest is not None and now < latest.end
    turn = latest if holds else window.next(now)
    if turn is None:
        return None
    told = window.maintenance
    return {
        "journeys": list(told.journeys),
        "mode": told.mode.value,
        "reason": told.reason,
        "who": "",
        "since": time(turn.begin),
        "until": time(turn.end),
        "holds": holds,
        "covers": sorted(one.name for one in journeys if window.covers(one)),
    }
