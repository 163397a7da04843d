"""The journeys of a gate, voting together: which is walked next, and what they say. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.gate import GateVerdict
from agent.gates.ballot import Standing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from agent.gates.ballot import Ballot


class Poll:
    """``ballots`` by journey."""

    def __init__(self, ballots: Mapping[str, Ballot]) -> None:
        self.ballots = ballots

    @property
    def verdict(self) -> GateVerdict:
        """Return what they say: one that fails for sure is enough, and all have to be good."""
        standings = {ballot.standing for ballot in self.ballots.values()}
        if Standing.BROKEN in standings:
            return GateVerdict.FAIL
        if Standing.OPEN in standings:
            return GateVerdict.PENDING
        return GateVerdict.PASS if standings == {Standing.GOOD} else GateVerdict.ERROR

    def next(self, now: float, among: Collection[str]) -> str | None:
        """Return the journey that is to be walked next; None: none of them at the moment.

        One that has failed comes first, since it may decide; then the one that lacks most.
        """
        lacking = {name: self._lacks(name, now) for name in among}
        open_ = [name for name, lacks in lacking.items() if lacks > 0]
        if not open_:
            return None
        return max(open_, key=lambda name: (self.ballots[name].fails > 0, lacking[name]))

    def next_at(self, now: float, among: Collection[str]) -> float | None:
        """Return when a journey is due that rests until its failure is confirmed; None: none is."""
        due = [
            ballot.due_at
            for name, ballot in self.ballots.items()
            if name in among and ballot.standing is Standing.OPEN and ballot.due_at > now
        ]
        return min(due, default=None)

    def _lacks(self, name: str, now: float) -> int:
        """Return how many walks of a journey may begin now."""
        ballot = self.ballots[name]
        if ballot.standing is not Standing.OPEN or now < ballot.due_at:
            return 0
        return ballot.wanted - ballot.under_way
