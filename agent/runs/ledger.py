"""What becomes of slots, written down: each end in one transaction with all it entails.

Slot table, history, counters and encoded telemetry stand in one database, so that a kill at
any instant leaves them agreeing with each other.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from agent.core.model import SkipReason
from agent.core.results import Result
from agent.runs.run_entry import RunEntry
from agent.schedule import slots
from agent.schedule.decision import Elsewhere, Offer
from agent.schedule.repair import roll_up
from agent.storage import deploys, incidents, journey_state, outlines, rollups, walks
from agent.storage.verdicts import OwnVerdicts

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Mapping, Sequence

    from agent.core.model import Journey, Slot
    from agent.core.results import RunResult
    from agent.core.suspension import Suspension
    from agent.schedule.decision import Decision
    from agent.schedule.slots import Unfinished
    from agent.storage.database import Database
    from agent.storage.run_end import Turn
    from agent.storage.verdicts import Folded, Verdicts
    from agent.telemetry.telemetry import Telemetry

SCHEMA = f"""{incidents.SCHEMA}{outlines.SCHEMA}{walks.SCHEMA}{deploys.SCHEMA}
CREATE TABLE IF NOT EXISTS journey_sites (
    journey TEXT PRIMARY KEY,
    site TEXT NOT NULL
) WITHOUT ROWID;
"""

Written = tuple["Turn | None", dict[str, int]]
"""The turn that a journey took with a run, and who is watched closely since."""
_KEPT_SLOTS = 25 * 3600.0
"""Seconds for which rows of ended slots are kept; longer than any gap is counted back."""
_KEPT_OUTLINES = 90 * 86_400.0
"""Seconds for which a pass is one to compare with: what it met may be long gone by."""


class Fate(Enum):
    """What becomes of a slot that was claimed."""

    WALK = auto()
    """It is to be walked now."""
    ENDED = auto()
    """It has its word, or is sure to get it without a walk."""
    LEFT = auto()
    """Another is to claim it: nothing is said of it here."""


class Ledger:
    """Writes down what becomes of the slots of one location; each call is one commit.

    ``suspended`` lists what suspended a journey, as far as it is known, up to a Unix time;
    ``verdicts`` say how it stands after each run.
    """

    def __init__(
        self,
        database: Database,
        telemetry: Telemetry,
        location: str,
        suspended: Callable[[Journey, float], Sequence[Suspension]] = lambda *_: (),
        verdicts: Verdicts | None = None,
    ) -> None:
        self._verdicts = verdicts or OwnVerdicts()
        self._database = database
        self._telemetry = telemetry
        self._location = location
        self._suspended = suspended
        self._sites: dict[str, str] = {}
        self.watched: Mapping[str, int] = {}
        """Journeys from a fail to the second pass in a row, each with its fails in a row."""
        self.replica = ""
        """Which replica of the location this is, as each run's document tells; "": it is alone."""

    async def register_sites(self, sites: Mapping[str, str]) -> None:
        """Note which site each journey is of.

        Remembered for good: slots of a journey that is gone may still have to be ended.
        """

        def write(connection: sqlite3.Connection) -> tuple[dict[str, str], dict[str, int]]:
            connection.executemany(
                "INSERT OR REPLACE INTO journey_sites VALUES (?, ?)", sites.items()
            )
            rows = connection.execute("SELECT journey, site FROM journey_sites")
            sites_of = {row["journey"]: row["site"] for row in rows}
            return sites_of, journey_state.watched(connection, self._location)

        self._sites, watched = await self._database.transaction(write)
        self._watch(watched)

    async def look_again(self) -> None:
        """Take note of how the journeys stand, which others have moved."""
        self._watch(
            await self._database.transaction(
                lambda connection: journey_state.watched(connection, self._location)
            )
        )

    def _watch(self, watched: Mapping[str, int]) -> None:
        self.watched = {name: n for name, n in watched.items() if self._verdicts.watches(name)}

    async def take_up(self, enabled: Collection[str], now: float) -> None:
        """Go on at Unix time ``now`` with these journeys, of all that are in the books."""

        def write(connection: sqlite3.Connection) -> None:
            if not rollups.is_begun(connection):
                # An older agent has rolled nothing up.
                roll_up(connection)
            rollups.forget_the_oldest(connection)
            if not self.replica:
                incidents.end_gone(connection, self._location, enabled, now)

        await self._database.transaction(write)

    async def decided_until(self) -> float | None:
        """Return the latest moment up to which anything is decided, in Unix seconds."""
        return await self._database.transaction(slots.decided_until)

    async def last_decided(self) -> dict[str, float]:
        """Return up to where each journey is decided, in Unix seconds."""
        return await self._database.transaction(
            lambda connection: slots.last_decided(connection, self._location)
        )

    async def note_ticking(self, decided: Mapping[str, float]) -> None:
        """Note which journeys tick from now on, and from where."""
        await self._database.transaction(
            lambda connection: slots.note_ticking(connection, self._location, decided)
        )

    async def unfinished(self) -> list[Unfinished]:
        """Return the slots that a killed predecessor left without a word."""
        return await self._database.transaction(
            lambda connection: slots.unfinished(connection, self._location)
        )

    async def decide(self, decisions: Sequence[Decision], ahead: float = 0.0) -> None:
        """Write down one tick's decisions; a slot that is decided already stays as it is.

        ``ahead`` are the seconds by which the schedule is before the wall clock.
        """

        def write(connection: sqlite3.Connection) -> None:
            for decision in decisions:
                slot = decision.slot
                site = self._site(slot.journey)
                if isinstance(decision, Elsewhere):
                    slots.elsewhere(connection, slot)
                elif isinstance(decision, Offer):
                    if slots.offer(connection, slot, ahead) is not None:
                        self._telemetry.record_expected(connection, slot, site)
                elif slots.pass_over(connection, decision, ahead):
                    count = decision.count
                    self._telemetry.record_expected(connection, slot, site, count)
                    self._telemetry.record_skip(connection, slot, site, decision.reason, count)

        await self._database.transaction(write)

    async def start(self, run_id: str, slot: Slot) -> Fate:  # noqa: ARG002 - its row has it
        """Note that an offered slot is to be walked, unless it no longer waits."""
        waited = await self._database.transaction(
            lambda connection: slots.start(connection, run_id)
        )
        return Fate.WALK if waited else Fate.ENDED

    async def skip(self, run_id: str, slot: Slot, reason: SkipReason) -> Fate:
        """End an offered slot that was not run."""

        def write(connection: sqlite3.Connection) -> None:
            if slots.skip(connection, run_id, reason):
                site = self._site(slot.journey)
                self._telemetry.record_skip(connection, slot, site, reason)

        await self._database.transaction(write)
        return Fate.ENDED

    async def finish(self, run: RunResult, at: float, now: float) -> Turn | None:
        """End a running slot with its result, counters, history and telemetry, all or none.

        Args:
            run: how it ended.
            at: when, in the schedule's own time, by which the history is ordered.
            now: when, in Unix seconds by the wall clock as it is.

        Return the turn that its journey took with it, if it did.

        """
        entry = self._entry(run, at, now)
        walked = entry.walked()
        folded = await self._fold(entry)

        def write(connection: sqlite3.Connection) -> Written | None:
            if not slots.finish(connection, run.run_id, run.result, walked):
                return None
            return self._write(connection, entry, folded)

        return self._observe(run, await self._database.transaction(write))

    async def finish_closer(self, run: RunResult, at: float, now: float) -> Turn | None:
        """Do the same for a closer run, which has no slot and moves no figure."""
        entry = self._entry(run, at, now)
        folded = await self._fold(entry)
        written = await self._database.transaction(
            lambda connection: self._write(connection, entry, folded)
        )
        return self._observe(run, written)

    def _entry(self, run: RunResult, at: float, now: float) -> RunEntry:
        return RunEntry.of(run, at, now, self._suspended(run.journey, now), self.replica)

    async def _fold(self, entry: RunEntry) -> Folded:
        return await self._verdicts.fold(entry.end, entry.run.journey, entry.over, entry.public)

    def _write(self, connection: sqlite3.Connection, entry: RunEntry, folded: Folded) -> Written:
        entry.keep(connection, self._location)
        turn = folded(connection)
        entry.note_met(connection)
        self._telemetry.record_run(connection, entry.run, turn)
        return turn, journey_state.watched(connection, self._location)

    def _observe(self, run: RunResult, written: Written | None) -> Turn | None:
        if written is None:
            return None
        turn, watched = written
        self._watch(watched)
        self._telemetry.observe_run(run)
        return turn

    async def forget(self, unfinished: Unfinished) -> None:
        """End a slot of a journey that is no longer known, after its agent was killed."""
        if not unfinished.running:
            await self.skip(unfinished.run_id, unfinished.slot, SkipReason.DOWN)
            return

        def write(connection: sqlite3.Connection) -> None:
            if slots.finish(connection, unfinished.run_id, Result.NOT_MEASURED):
                slot = unfinished.slot
                self._telemetry.record_lost(connection, slot, self._site(slot.journey))

        await self._database.transaction(write)

    async def restarted(self, reason: str) -> None:
        """Count a worker that was replaced."""
        await self._database.transaction(
            lambda connection: self._telemetry.record_restart(connection, reason)
        )

    async def set_back(self, seconds: float, now: float) -> None:
        """Have what was noted of the past stay in it: the wall clock was set back to ``now``."""

        def write(connection: sqlite3.Connection) -> None:
            journey_state.set_back(connection, seconds, now)
            incidents.set_back(connection, seconds, now)
            deploys.set_back(connection, seconds, now)
            rollups.set_back(connection, seconds, now)

        await self._database.transaction(write)

    async def prune(self, now: float) -> None:
        """Let go of old rows; what is decided and every total stay."""

        def write(connection: sqlite3.Connection) -> None:
            slots.prune(connection, now - _KEPT_SLOTS)
            outlines.prune(connection, now - _KEPT_OUTLINES)

        await self._database.transaction(write)

    def _site(self, journey: str) -> str:
        return self._sites.get(journey, "")
