"""How people come in with a browser, where nothing outlives the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.server.app import Entrance
from agent.server.one_time_links import OneTimeLinks
from agent.server.sessions import Sessions

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.server.access import Access


class SignOutsInMemory(dict[str, float]):
    """Who signed out, for as long as it is there."""

    def add(self, session_id: str, ends_at: float) -> None:
        self[session_id] = ends_at


def an_entrance(access: Access, clock: Clock) -> Entrance:
    """That of an agent that is alone."""
    sessions = Sessions(access.token, access.url, access.port, clock.wall, SignOutsInMemory())
    return Entrance(sessions, OneTimeLinks(clock.monotonic), clock)
