"""All that is written down of a run that has ended, beside how its journey stands since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from agent.core.results import Result
from agent.core.slowness import was_slow
from agent.core.suspension import Mode
from agent.runs.document import document
from agent.runs.walk_record import walk_record
from agent.storage import certificates, deploys, outlines, runs, walks
from agent.storage.rollup import Walked
from agent.storage.run_end import RunEnd

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agent.core.results import RunResult
    from agent.core.suspension import Suspension


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run's part of the books. Made before the transaction that it is written in."""

    run: RunResult
    at: float
    """When it ended, in the schedule's own time."""
    end: RunEnd
    over: Sequence[Suspension]
    """What has suspended its journey by then."""
    public: dict[str, Any]
    packed: bytes
    """What was seen in it."""

    @classmethod
    def of(
        cls, run: RunResult, at: float, now: float, over: Sequence[Suspension], replica: str
    ) -> Self:
        """Return the entry of a run that ended at Unix time ``now``, made by a replica, or none."""
        made_by = {"replica": replica} if replica else {}
        public = {**document(run), **made_by}
        return cls(run, at, RunEnd.of(run, now), over, public, walks.pack(walk_record(run)))

    def walked(self) -> Walked:
        """Say what is rolled up beside its result."""
        run, began = self.run, self.end.started_at
        slow = was_slow(run)
        silent = (one.until for one in self.over if one.mode is Mode.SILENCE)
        return Walked(
            seconds=None if slow is None else run.duration,
            slow=bool(slow),
            silenced=any(until is None or until > began for until in silent),
            step=run.failed_step if run.result is Result.FAIL else "",
        )

    def keep(self, connection: sqlite3.Connection, location: str) -> None:
        """Add it to the history, and a pass to those that failures are compared with."""
        run, journey, passed = self.run, self.run.journey.name, self.run.result is Result.PASS
        runs.add(connection, self.at, self.public)
        walks.add(connection, run.run_id, journey, self.at, self.packed, good=passed)
        outline = run.attempts[run.decided_by].outline if run.attempts else None
        if outline is not None and passed:
            outlines.add(connection, journey, location, self.at, outline)

    def note_met(self, connection: sqlite3.Connection) -> None:
        """Note the certificates and the releases that it met."""
        run, end = self.run, self.end
        met = (one for attempt in run.attempts for one in attempt.certificates)
        certificates.note(connection, met, end.ended_at)
        deploys.meet(connection, run.journey.site.name, run.releases, end.started_at)
