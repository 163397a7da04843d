"""Signing in at a location: a link is spent once at all replicas, a sign-out holds at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.queue import key_names
from agent.queue.shared import Away
from agent.server.control import Refused
from agent.server.one_time_links import LASTS, digest, new_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.queue.shared import Store
    from agent.replicas.board import Board, Document

_SPENT: Final = b"spent"
_AWAY: Final = (
    "links that sign in can't be used now, since the server of queue.url is away ({}): sign in "
    "with the token, or try again when it is back"
)


class SharedLinks:
    """Makes and takes links that work at every replica."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def make(self) -> str:
        """Return a code that works once.

        Raises:
            Refused: the server is away.

        """
        code = new_code()
        try:
            await self._store.create(_key(code), b"", LASTS)
        except Away as error:
            raise Refused(503, _AWAY.format(error)) from None
        return code

    async def spend(self, code: str) -> bool:
        """Whether a code signs somebody in; from now on it doesn't, at no replica.

        Raises:
            Refused: the server is away.

        """
        key = _key(code)
        try:
            entry = await self._store.get(key)
            if entry is None or entry.value == _SPENT:
                return False
            # Of two who use it at once one is the first.
            return await self._store.update(key, _SPENT, entry.revision, LASTS) is not None
        except Away as error:
            raise Refused(503, _AWAY.format(error)) from None


class SharedSignOuts:
    """Tells the others who signed out here; ``on_heard`` is told who did elsewhere."""

    def __init__(self, board: Board, on_heard: Callable[[Mapping[str, float]], None]) -> None:
        self._board = board
        self._on_heard = on_heard
        board.room(key_names.SESSIONS, self._hear)

    async def tell(self, ended: Mapping[str, float], now: float) -> None:
        """Tell of sessions that were ended, and when they would have by themselves.

        Raises:
            Away: the server can't be reached; some may be told.

        """
        for session, ends_at in ended.items():
            if ends_at > now:
                document = {"session": session, "ends_at": ends_at}
                await self._board.put(key_names.session(session), document, ends_at - now)

    async def _hear(self, documents: Mapping[str, Document]) -> None:
        self._on_heard({one["session"]: one["ends_at"] for one in documents.values()})


def _key(code: str) -> str:
    return key_names.link(digest(code).hex())
