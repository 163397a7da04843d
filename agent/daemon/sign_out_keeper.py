"""Who signed out: known at once, kept over a restart, and told to the other replicas."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from agent.queue.shared import Away
from agent.replicas.shared_sign_in import SharedSignOuts
from agent.storage import sign_outs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.core.clock import Clock
    from agent.replicas.board import Board
    from agent.storage.database import Database

_AGAIN = 2.0
"""Seconds until the others are told who could not be."""


class SignOuts:
    """Sessions that people ended."""

    def __init__(self, database: Database, clock: Clock, board: Board | None = None) -> None:
        self._database = database
        self._clock = clock
        self._ended: dict[str, float] = {}
        self._unkept: dict[str, float] = {}
        self._untold: dict[str, float] = {}
        self._any = asyncio.Event()
        self._others = None if board is None else SharedSignOuts(board, self._on_heard)

    def __contains__(self, session_id: str) -> bool:
        """Whether this one was ended."""
        return session_id in self._ended

    def add(self, session_id: str, ends_at: float) -> None:
        """Note that one was ended; it counts at once, and is kept and told after that."""
        if self._others is not None:
            self._untold[session_id] = ends_at
        self._note({session_id: ends_at})

    async def read(self) -> None:
        """Take up those that were ended before the agent started."""
        self._ended |= await self._database.transaction(sign_outs.read)

    async def run(self) -> None:
        """Keep and tell them, until cancelled."""
        while True:
            await self._any.wait()
            self._any.clear()
            unkept, self._unkept = self._unkept, {}
            now = self._clock.wall()
            if unkept:
                await self._database.transaction(partial(sign_outs.add, ended=unkept, now=now))
            if self._others is not None and self._untold:
                await self._tell(self._others)

    async def _tell(self, others: SharedSignOuts) -> None:
        untold = dict(self._untold)
        try:
            await others.tell(untold, self._clock.wall())
        except Away:
            self._any.set()
            await self._clock.sleep(_AGAIN)
        else:
            self._untold = {one: at for one, at in self._untold.items() if one not in untold}

    def _on_heard(self, ended: Mapping[str, float]) -> None:
        self._note({one: at for one, at in ended.items() if one not in self._ended})

    def _note(self, ended: Mapping[str, float]) -> None:
        now = self._clock.wall()
        self._ended = {one: at for one, at in {**self._ended, **ended}.items() if at > now}
        self._unkept |= ended
        if ended:
            self._any.set()
