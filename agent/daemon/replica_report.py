"""What the API tells of a location's replicas, and which of them made a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.runs.document import time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from agent.replicas.presence import Known, Presence
    from agent.server.documents.replicas import MadeByDocument, ReplicaDocument, ReplicaState

_SHORT = 8
"""Characters of an id that tell it from those of the same host."""


class ReplicaReport:
    """Tells how things are at the moment of asking; without ``presence`` the agent is alone."""

    def __init__(self, instance: str, presence: Presence | None) -> None:
        self._instance = instance
        self._presence = presence

    def documents(self) -> list[ReplicaDocument]:
        """Return every replica that is heard, or was; none where the agent is alone."""
        if self._presence is None:
            return []
        known, owner = self._presence.known(), self._presence.owner
        return [
            {
                "replica": one.said.instance,
                "name": _name(one, known),
                "here": one.said.instance == self._instance,
                "state": self._state(one),
                "address": _address(one, known),
                "version": one.said.version,
                "workers": one.said.workers,
                "free": one.said.free,
                "journeys": one.said.bundle,
                "behind": one.is_heard and bool(owner) and one.said.bundle != owner,
                "since": time(one.said.since),
                "heard_at": time(one.heard_at),
                "clock_ahead": round(one.clock_ahead, 1),
            }
            for one in known
        ]

    def elsewhere(self) -> list[str]:
        """Return the addresses of the other replicas that are heard."""
        known = self._presence.known() if self._presence is not None else ()
        others = (one for one in known if one.is_heard and one.said.instance != self._instance)
        return [address for one in others if (address := _address(one, known))]

    def made_by(self, run: Mapping[str, Any]) -> MadeByDocument | None:
        """Return which other replica made a run; None: this one did."""
        instance = run.get("replica")
        if instance is None or instance == self._instance:
            return None
        known = self._presence.known() if self._presence is not None else ()
        found = next((one for one in known if one.said.instance == instance), None)
        if found is None:
            name = instance[:_SHORT]
            return {"replica": instance, "name": name, "state": "lost", "address": "", "run": ""}
        address = _address(found, known) if found.is_heard else ""
        return {
            "replica": instance,
            "name": _name(found, known),
            "state": self._state(found),
            "address": address,
            "run": f"{address}/runs/{run['run_id']}" if address else "",
        }

    def _state(self, one: Known) -> ReplicaState:
        if one.is_heard:
            return "draining" if one.said.draining else "heard"
        if one.left:
            return "left"
        # Who hears nobody can't tell who is there.
        return "lost" if self._presence is not None and self._presence.is_fresh() else "unknown"

    def walking(self) -> AbstractSet[str]:
        """Return the journeys that other replicas walk now."""
        return self._presence.walking() if self._presence is not None else frozenset()


def _name(one: Known, known: Sequence[Known]) -> str:
    """Return its host, and where several run there, the beginning of its id as well."""
    alike = sum(other.said.host == one.said.host for other in known)
    return one.said.host if alike == 1 else f"{one.said.host} {one.said.instance[:_SHORT]}"


def _address(one: Known, known: Sequence[Known]) -> str:
    """Return where its own pages are: a name that several share leads to any of them."""
    url = one.said.url
    shared = sum(other.said.url == url and other.is_heard for other in known) > 1
    return one.said.address if not url or shared else url
