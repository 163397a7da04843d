"""One gate's judging: who votes, the walks, and what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from agent.core.gate import GateVerdict
from agent.core.units import format_duration
from agent.gates import past
from agent.gates.admission import paused, withheld
from agent.gates.ballot import Ballot
from agent.gates.course import Course
from agent.gates.judged_release import Releases, tells
from agent.gates.poll import Poll
from agent.gates.sequential_test import LEAST_SHARE, MOST_SHARE, scale
from agent.gates.slower import slower
from agent.gates.words import Told

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from agent.config import Settings
    from agent.gates.course import Road
    from agent.gates.under_way import UnderWay
    from agent.schedule.timeline import Timeline
    from agent.storage.reader import Reader

_log = structlog.get_logger("footfall.gates")


class Trial:
    """Judges one gate. Its walks may outlast its verdict."""

    def __init__(
        self,
        gate: UnderWay,
        road: Road,
        settings: Settings,
        reader: Reader,
        timeline: Timeline,
    ) -> None:
        self._gate = gate
        self._road = road
        self._settings = settings
        self._reader = reader
        self._timeline = timeline
        self._course: Course | None = None
        self._broken_off = ""
        """Why it is to end without a verdict of its walks; empty: it isn't."""

    async def verdict(self) -> Told:
        """Have journeys walked until there is a verdict; whatever fails, there is one."""
        try:
            return await self._judge()
        except Exception as error:  # noqa: BLE001 - a fault of the agent's own costs one gate
            _log.exception("gate.failed", action="gate", gate=self._gate.gate_id)
            return Told(GateVerdict.ERROR, [f"the agent failed on it: {error!r}"])

    def break_off(self, why: str) -> None:
        """Have the verdict now, whatever the walks have shown."""
        self._broken_off = why
        if self._course:
            self._course.break_off(why)

    async def ended(self) -> None:
        """Wait for the walks that go on after the verdict."""
        if self._course:
            await self._course.ended()

    async def cancel(self) -> None:
        """Break off the walks there are."""
        if self._course:
            await self._course.cancel()

    async def _judge(self) -> Told:
        order, journeys = self._gate.order, self._road.dispatcher.journeys
        chosen = [journeys[name] for name in order.journeys if name in journeys]
        for journey in chosen:
            if why := paused(self._road.suspensions, journey, self._road.clock.wall()):
                return Told(GateVerdict.ERROR, [why])
        shares = await self._shares()
        voting = [one for one in chosen if shares[one.name].value <= MOST_SHARE]
        asides = [_no_vote(one.name, shares[one.name], order.baseline) for one in chosen]
        asides = [one for one in asides if one]
        if not voting:
            return Told(GateVerdict.ERROR, ["no journey is left to vote", *asides])
        ballots = {
            one.name: Ballot(scale(shares[one.name].value, len(voting)), one.confirm_after)
            for one in voting
        }
        course = self._course = Course(
            self._gate,
            Poll(ballots),
            Releases(order.release, told=tells(chosen[0].site)),
            self._road,
            withheld(order, self._settings),
        )
        if self._broken_off:
            course.break_off(self._broken_off)
        told = await course.run(max(one.timeout for one in voting))
        slow = await self._slower(course)
        return Told(told.verdict, [*told.reasons, *slow, *asides, *course.asides], told.would_do)

    async def _shares(self) -> Mapping[str, past.Share]:
        order = self._gate.order
        since = self._timeline.now() - order.baseline

        def look(connection: sqlite3.Connection) -> dict[str, past.Share]:
            return {
                name: past.share(connection, name, since, order.release) for name in order.journeys
            }

        return await self._reader.read(look)

    async def _slower(self, course: Course) -> list[str]:
        """Say which journeys are clearly slower than before."""
        took = course.durations

        def look(connection: sqlite3.Connection) -> dict[str, list[float]]:
            return {name: past.durations(connection, name) for name in took}

        before = await self._reader.read(look)
        found = ((name, slower(now, before[name])) for name, now in took.items())
        return [
            f"{name} is clearly slower: {now:.2f} s, before {then:.2f} s (medians)"
            for name, medians in found
            if medians
            for now, then in (medians,)
        ]


def _no_vote(name: str, share: past.Share, baseline: float) -> str:
    """Say why a journey has no vote, or with what little it votes; or nothing."""
    if share.value > MOST_SHARE:
        return (
            f"{name} has no vote: {share.failed} of its {share.walks} first attempts failed in "
            f"the last {format_duration(baseline)}, and above {MOST_SHARE:.0%} that says too little"
        )
    if not share.walks:
        past_of = format_duration(baseline)
        return f"{name} has no past of {past_of}: held to {LEAST_SHARE:.0%} of fails"
    return ""
