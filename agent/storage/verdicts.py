"""Who says how a journey stands once a run of it has ended, and what incident it is part of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from agent.storage import incidents, journey_state

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from agent.core.model import Journey
    from agent.core.suspension import Suspension
    from agent.storage.run_end import RunEnd, Turn

    Folded = Callable[[sqlite3.Connection], Turn | None]
    """Writes what a run came to into the database, in the transaction that counts the run, and
    returns the turn that its journey took with it."""


class Verdicts(Protocol):
    """Takes the runs of a location in, one after the other."""

    def watches(self, journey: str) -> bool:
        """Whether it is this agent that walks a journey between its slots while it fails."""
        ...

    async def fold(
        self,
        run: RunEnd,
        journey: Journey,
        over: Sequence[Suspension],
        document: Mapping[str, Any],
    ) -> Folded:
        """Take a run in that has its word; taken in again it changes nothing more.

        Args:
            run: what it says of its journey.
            journey: which it is of.
            over: what has suspended the journey by its end.
            document: its public form.

        """
        ...


class OwnVerdicts:
    """Those of an agent that is alone at its location: the database says all."""

    def watches(self, journey: str) -> bool:  # noqa: ARG002 - all of them
        """Whether it is this agent: there is no other."""
        return True

    async def fold(
        self,
        run: RunEnd,
        journey: Journey,
        over: Sequence[Suspension],
        document: Mapping[str, Any],  # noqa: ARG002 - nobody else has to hear of it
    ) -> Folded:
        """Move how the journey stands, and then its incident, in the transaction itself."""

        def write(connection: sqlite3.Connection) -> Turn | None:
            turn = journey_state.note(connection, run)
            incidents.note(connection, run, journey, over)
            return turn

        return write
