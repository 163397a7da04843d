"""Incidents over all replicas: one number and one time line each, whoever opens or closes it.

Each is a document that is changed by compare and set. One more document has the last number, and
which incidents of a site are open or may still be joined, so that two replicas whose journeys go
down at once don't open two.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agent.queue import key_names
from agent.queue.shared import Away
from agent.replicas.folding import a_model
from agent.storage import incident_copies, incident_moments, incidents, journey_state

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Sequence

    from agent.core.model import Journey
    from agent.core.suspension import Suspension
    from agent.queue.shared import Entry, Store
    from agent.replicas.board import Board
    from agent.storage.incident_copies import Copy
    from agent.storage.run_end import RunEnd

_TRIES: Final = 50
_REMEMBERED: Final = 100
"""Runs of an incident that are known to be part of it: one that is taken in again is among them."""
_KEPT: Final = 2_000
"""Incidents, as each replica keeps."""


@dataclass(frozen=True, slots=True)
class Written:
    """An incident as it is now, and the revision of its document."""

    key: str
    revision: int
    copy: Copy


class IncidentBook:
    """Opens, joins, closes and annotates them."""

    def __init__(self, store: Store, board: Board) -> None:
        self._store = store
        self._board = board
        self._model = a_model()

    async def begin(self, copies: Sequence[Copy]) -> bool:
        """Take up these, which one replica had by itself, if the location knows of none yet.

        Raises:
            Away: the server can't be reached.

        """
        last = max((one["incident"]["id"] for one in copies), default=0)
        live: dict[str, list[int]] = {}
        for one in copies:
            if one["incident"]["ended_at"] is None:
                live.setdefault(one["incident"]["site"], []).append(one["incident"]["id"])
        value = json.dumps({"last": last, "live": live}).encode()
        if await self._store.create(key_names.INCIDENT_NUMBERS, value) is None:
            return False
        for one in copies:
            await self._board.put(key_names.incident(one["incident"]["id"]), {"runs": [], **one})
        return True

    async def numbers(self) -> set[int]:
        """Return the numbers of all that the location knows.

        Raises:
            Away: the server can't be reached.

        """
        listed = await self._store.list(key_names.INCIDENTS)
        return {int(key.removeprefix(key_names.INCIDENTS)) for key in listed}

    async def note(
        self,
        run: RunEnd,
        journey: Journey,
        over: Sequence[Suspension],
        row: journey_state.Row,
    ) -> list[Written]:
        """Take in a run whose journey stands so after it; return what that changed.

        Raises:
            Away: the server can't be reached.

        """
        for _ in range(_TRIES):
            index = await self._store.get(key_names.INCIDENT_NUMBERS)
            told = _index(index)
            numbers = told["live"].get(journey.site.name, [])
            live = await self._live(numbers)
            known = [one for one in live.values() if run.run_id in one[1]["runs"]]
            if known:
                return [_written(entry, copy) for entry, copy in known]
            # One that was given a number, and whoever did so wrote nothing more.
            blank = min((one for one in numbers if one not in live), default=told["last"] + 1)
            after = self._after(run, journey, over, row, live, blank - 1)
            opened = [number for number in after if number not in live]
            if opened and opened[0] not in numbers:
                began = run.started_at if row["failing_since"] is None else row["failing_since"]
                joined = [one for one, (_, copy) in live.items() if _may_be_joined(copy, began)]
                open_to = {**told["live"], journey.site.name: [*joined, *opened]}
                if not await self._number(index, {"last": opened[0], "live": open_to}):
                    continue
            changed: list[Written] = []
            for number, copy in after.items():
                entry, before = live.get(number, (None, None))
                if before is not None and _same(before, copy):
                    continue
                noted = [*(before["runs"] if before else ()), run.run_id][-_REMEMBERED:]
                written = await self._write(number, {"runs": noted, **copy}, entry)
                if written is None:
                    break
                changed.append(written)
            else:
                return changed
        raise Away("incidents were changed by others all the time while one was to be changed")

    async def add_note(self, number: int, at: float, who: str, text: str) -> Written | bool | None:
        """Add a person's note to an incident; return it as it is then.

        None: there is none such; False: it has too many already.

        Raises:
            Away: the server can't be reached, and the note may be there or not.

        """

        def add(connection: sqlite3.Connection) -> bool:
            return incident_moments.add_note(connection, number, at, who, text)

        return await self._change(number, add)

    async def end_gone(
        self, number: int, location: str, enabled: Collection[str], now: float
    ) -> Written | bool | None:
        """End in an incident the outages of journeys that are no longer walked.

        Raises:
            Away: the server can't be reached.

        """

        def end(connection: sqlite3.Connection) -> bool:
            incidents.end_gone(connection, location, enabled, now)
            return True

        return await self._change(number, end)

    async def _change(
        self, number: int, change: Callable[[sqlite3.Connection], bool]
    ) -> Written | bool | None:
        key = key_names.incident(number)
        for _ in range(_TRIES):
            entry = await self._store.get(key)
            if entry is None:
                return None
            before = json.loads(entry.value)
            self._load([before])
            if not change(self._model):
                return False
            copy = incident_copies.take_out(self._model, number)
            if copy is None or _same(before, copy):
                return Written(key, entry.revision, before)
            written = await self._write(number, {"runs": before["runs"], **copy}, entry)
            if written is not None:
                return written
        raise Away(f"incident {number} was changed by others all the time")

    def _after(
        self,
        run: RunEnd,
        journey: Journey,
        over: Sequence[Suspension],
        row: journey_state.Row,
        live: dict[int, tuple[Entry, Copy]],
        last: int,
    ) -> dict[int, Copy]:
        """Return the live incidents as they are with a run, a new one among them maybe."""
        self._load([copy for _, copy in live.values()])
        self._model.execute("DELETE FROM journey_state")
        journey_state.put_in(self._model, row)
        self._model.execute("DELETE FROM sqlite_sequence")
        self._model.execute("INSERT INTO sqlite_sequence VALUES ('incidents', ?)", (last,))
        incidents.note(self._model, run, journey, over)
        numbers = incident_copies.numbers(self._model, run.location)
        copies = {number: incident_copies.take_out(self._model, number) for number in numbers}
        return {number: copy for number, copy in copies.items() if copy is not None}

    def _load(self, copies: Sequence[Copy]) -> None:
        for table in ("incidents", "outages", "incident_moments"):
            self._model.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        for copy in copies:
            incident_copies.put_in(self._model, copy)

    async def _live(self, numbers: Sequence[int]) -> dict[int, tuple[Entry, Copy]]:
        found = {}
        for number in numbers:
            entry = await self._store.get(key_names.incident(number))
            if entry is not None:
                found[number] = entry, json.loads(entry.value)
        return found

    async def _number(self, index: Entry | None, after: dict[str, Any]) -> bool:
        """Take the number of a new incident before anybody else does; False: somebody has."""
        value = json.dumps(after).encode()
        if index is None:
            done = await self._store.create(key_names.INCIDENT_NUMBERS, value)
        else:
            done = await self._store.update(key_names.INCIDENT_NUMBERS, value, index.revision)
        if done is not None and after["last"] > _KEPT:
            await self._store.delete(key_names.incident(after["last"] - _KEPT))
        return done is not None

    async def _write(self, number: int, copy: Copy, entry: Entry | None) -> Written | None:
        """Write an incident unless it has moved on, and tell of it."""
        key = key_names.incident(number)
        revision = await self._board.replace(key, copy, entry)
        return None if revision is None else Written(key, revision, copy)


def _index(entry: Entry | None) -> dict[str, Any]:
    return {"last": 0, "live": {}} if entry is None else json.loads(entry.value)


def _may_be_joined(copy: Copy, began: float) -> bool:
    """Whether an outage that began then may be part of an incident."""
    ended: float | None = copy["incident"]["ended_at"]
    return ended is None or ended + incidents.JOINED >= began


def _written(entry: Entry, copy: Copy) -> Written:
    return Written(key_names.incident(copy["incident"]["id"]), entry.revision, copy)


def _same(before: Copy, after: Copy) -> bool:
    return all(before[part] == after[part] for part in ("incident", "outages", "moments"))
