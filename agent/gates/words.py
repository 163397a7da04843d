"""What a gate came to, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Final

from agent.core.gate import GateVerdict
from agent.core.units import format_duration
from agent.gates.admission import LONGEST
from agent.gates.ballot import Standing

if TYPE_CHECKING:
    from agent.gates.ballot import Ballot
    from agent.gates.judged_release import Releases
    from agent.gates.poll import Poll

_LISTED: Final = 10
"""Journeys that are told of one by one."""
_LEAVE: Final = 1.25
_STEPS: Final = 5.0
"""Seconds; what would do is told in whole steps of them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast walks come: so many at once, each in so many seconds."""

    seats: int
    seconds: float
    rest: float
    """Seconds until a failure is confirmed."""

    def would_do(self, poll: Poll) -> float:
        """Return the seconds in which every journey could have its say, as far as can be told."""
        ballots = list(poll.ballots.values())
        walks = sum(one.counted + one.wanted for one in ballots)
        rounds = max(
            ceil(walks / max(1, self.seats)), max((one.fails + 1 for one in ballots), default=1)
        )
        rests = max((one.fails for one in ballots), default=0) * self.rest
        return ceil((rounds * self.seconds + rests) * _LEAVE / _STEPS) * _STEPS


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict, why, and of one for want of time how much of it would do."""

    verdict: GateVerdict
    reasons: list[str] = field(default_factory=list)
    would_do: str | None = None


def decided(poll: Poll, errors: dict[str, str]) -> Told:
    """Say what the journeys said. ``errors`` are their last, by journey."""
    verdict = poll.verdict
    ballots = poll.ballots.items()
    if verdict is GateVerdict.FAIL:
        return Told(
            verdict,
            [
                f"{name} failed in {one.fails} of {one.counted} walks: {errors.get(name, '')}"
                for name, one in ballots
                if one.standing is Standing.BROKEN
            ],
        )
    if verdict is GateVerdict.PASS:
        return Told(verdict, _few([_passed(name, one) for name, one in ballots]))
    lost = [(name, one) for name, one in ballots if one.standing is Standing.UNMEASURED]
    return Told(
        verdict, _few([f"{name} could not be measured: {one.trouble}" for name, one in lost])
    )


def out_of_time(
    poll: Poll, errors: dict[str, str], releases: Releases, within: float, pace: Pace, trouble: str
) -> Told:
    """Say why there is no verdict after so many seconds. ``trouble`` is what workers have."""
    if releases.missing:
        return Told(GateVerdict.ERROR, [f"{releases.words} after {within:g} s"])
    ballots = list(poll.ballots.items())
    counted = sum(one.counted for _, one in ballots)
    total = counted + sum(one.wanted for _, one in ballots if one.standing is Standing.OPEN)
    reasons = [f"{counted} of {total} walks in {within:g} s"]
    if trouble:
        reasons.append(f"a worker or its browser doesn't start: {trouble}")
    for name, one in ballots[:_LISTED]:
        if one.fails and one.standing is Standing.OPEN:
            reasons.append(
                f"{name} failed in {one.fails} of {one.counted} walks, which is not enough to "
                f"tell: {errors.get(name, '')}"
            )
        elif one.standing is not Standing.GOOD and one.trouble:
            reasons.append(f"{name} could not be measured: {one.trouble}")
    enough = pace.would_do(poll)
    if enough > LONGEST:
        reasons.append(f"even {format_duration(LONGEST)} would not do: name fewer journeys")
        return Told(GateVerdict.ERROR, reasons)
    reasons.append(f"within {format_duration(enough)} it could be told")
    return Told(GateVerdict.ERROR, reasons, format_duration(enough))


def _passed(name: str, one: Ballot) -> str:
    return f"{name} passed in {one.passes} of {one.counted} walks"


def _few(reasons: list[str]) -> list[str]:
    more = len(reasons) - _LISTED
    return [*reasons[:_LISTED], f"and {more} more"] if more > 0 else reasons
