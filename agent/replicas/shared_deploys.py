"""Deploys of a location: whichever replica is told of one, all know it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import structlog

from agent.core.deploy import Deploy
from agent.queue import key_names
from agent.queue.shared import Away
from agent.storage import deploys

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from agent.replicas.board import Board, Document
    from agent.storage.database import Database

_log = structlog.get_logger("footfall.replicas")

_KEPT: Final = 30 * 86_400.0
"""Seconds for which the store keeps a deploy, for replicas that come later."""


class SharedDeploys:
    """Tells the others of deploys, and notes theirs; ``on_heard`` is told when there is a new one.

    What a walk has met without any announcement each replica notes by itself.
    """

    def __init__(self, board: Board, database: Database) -> None:
        self._board = board
        self._database = database
        self.on_heard: Callable[[], object] = lambda: None
        board.room(key_names.DEPLOYS, self._hear)

    async def tell(self, deploy: Deploy) -> None:
        """Tell of a deploy as it was noted here; the others may hear of it later."""
        key = key_names.deploy(deploy.site, deploy.release, deploy.at)
        try:
            await self._board.put(key, asdict(deploy), _KEPT)
        except Away as error:
            release = deploy.release
            _log.warning("deploy.unshared", action="note", release=release, error=str(error))

    async def _hear(self, documents: Mapping[str, Document]) -> None:
        told = [Deploy(**{**one, "seen_at": None}) for one in documents.values()]

        def write(connection: sqlite3.Connection) -> bool:
            found = [deploys.copy(connection, one) for one in told]
            return any(found)

        if await self._database.transaction(write):
            self.on_heard()
