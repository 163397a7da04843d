"""The agent's one database: everything that must survive a ``kill -9``, in one SQLite file.

So a result, its totals and its encoded spans are committed in one transaction. The
write-ahead log with ``synchronous=NORMAL`` is synced at checkpoints: the death of the process
at any instant takes nothing that was committed, a power cut may take the last commits, and
neither takes the file.

A disk that refuses costs delay: the transaction is tried again until the disk takes it. A
file that is damaged is set aside, what can still be read goes into a fresh one, and the agent
goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import structlog

from agent.core.errors import StateError
from agent.core.first_of import first_of
from agent.storage import salvage
from agent.storage.migration import migrate
from agent.storage.private import make_file, restrict_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from agent.core.clock import Clock

T = TypeVar("T")

_log = structlog.get_logger("footfall.state")

_RETRY = 1.0
"""Seconds between two tries of a transaction that the disk refused."""
_SHRINK_PAGES = 2000
_REFUSED = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}
"""What may pass without anything being done to the file."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNREADABLE = "Could not decode to UTF-8"
"""How Python's own error begins, which has no code, where a text in a row is none."""


class Database:
    """A SQLite file driven from one thread of its own, so that the loop never waits for a disk.

    Stations bring their own tables as ``schemas`` (idempotent SQL) and work through
    ``transaction``: the function given runs with the connection, and everything it did is
    committed together or, where it raises, not at all. After damage ``repair`` gets the fresh
    file with what was salvaged, to make its tables agree with each other.
    """

    def __init__(
        self,
        path: Path,
        schemas: Iterable[str],
        clock: Clock,
        repair: Callable[[sqlite3.Connection], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._schemas = tuple(schemas)
        self._clock = clock
        self._repair = repair
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footfall-state")
        self._connection: sqlite3.Connection | None = None
        self._given_up = asyncio.Event()
        self.trouble = ""
        """Why nothing can be written at the moment; empty where all is well."""

    async def open(self) -> None:
        """Open or create the file; a damaged one is salvaged into a fresh one.

        Raises:
            StateError: it can't be written.

        """
        try:
            await self._submit(self._open)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._thread.shutdown()
            raise StateError(
                f"{self._path}: {error}. Check the rights and the free space of the state folder."
            ) from error

    async def transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in one transaction and return what it returns.

        It waits as long as the disk refuses; ``work`` may therefore run more than once, each
        time as if it had never run.

        Raises:
            StateError: the disk refuses, and nobody waits any more.

        """
        while True:
            try:
                value = await self._submit(lambda: self._transact(work))
            except (sqlite3.Error, UnicodeDecodeError) as error:
                await self._retry_or_repair(error)
            else:
                if self.trouble:
                    self.trouble = ""
                    _log.info("state.writable", action="resume")
                return value

    def give_up(self) -> None:
        """Wait for the disk no longer: from now on what it refuses raises."""
        self._given_up.set()

    async def shrink(self) -> None:
        """Give some of the pages that were freed back to the disk; cheap where there are none."""
        await self._submit(self._shrink)

    async def close(self) -> None:
        """Fold the log into the file and close it."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                # A log that can't be folded in is read by the next who opens the file.
                await self._submit(self._connection.close)
            self._connection = None
        self._thread.shutdown()

    async def _retry_or_repair(self, error: sqlite3.Error | UnicodeDecodeError) -> None:
        """Do what the error asks for: wait, or replace the file; any other is raised."""
        if _is_damage(error):
            await self._submit(lambda: self._replace(str(error)))
            return
        if _kind(error) not in _REFUSED:
            raise error
        if self._given_up.is_set():
            raise StateError(f"{self._path} could not be written: {error}") from error
        if not self.trouble:
            _log.error("state.unwritable", action="wait", path=str(self._path), error=str(error))
        self.trouble = f"{self._path}: {error}"
        await first_of(self._clock.sleep(_RETRY), self._given_up.wait())

    async def _submit(self, work: Callable[[], T]) -> T:
        # Shielded: a cancelled caller must not leave a commit half believed.
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        return await asyncio.shield(future)

    # On the thread.

    def _open(self) -> None:
        try:
            self._connection = self._connect()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            # The statements that open a file are right, so what finds them wrong is the file.
            if not _is_damage(error) and _kind(error) != sqlite3.SQLITE_ERROR:
                raise
            self._replace(str(error))

    def _connect(self) -> sqlite3.Connection:
        with contextlib.suppress(OSError):
            # SQLite gives its log the rights of the file, and says better what is wrong.
            make_file(self._path)
            restrict_file(self._path.with_name(f"{self._path.name}-wal"))
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA busy_timeout=5000")
            _check(connection)
            changed = migrate(connection, self._schemas)
            if changed:
                _log.info("state.migrated", action="start", tables=changed)
            for schema in self._schemas:
                connection.executescript(schema)
        except BaseException:
            connection.close()
            raise
        return connection

    def _replace(self, why: str) -> None:
        """Set the damaged file aside and go on with a fresh one and what could be saved."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        aside = salvage.set_aside(self._path, self._clock.wall())
        fresh = self._connect()
        self._connection = fresh
        saved: dict[str, int] = {}
        try:
            saved = salvage.copy(aside, fresh)
            self._transact(self._repair)
        except sqlite3.Error as error:
            # No room for it, say. The damaged file stays, and the agent has one to go on with.
            with contextlib.suppress(sqlite3.Error):
                fresh.execute("ROLLBACK")
            _log.error("state.not_salvaged", action="salvage", error=str(error))
        _log.error(
            "state.damaged", action="salvage", error=why, kept_as=str(aside), rows_saved=saved
        )

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            raise StateError(f"{self._path} is closed")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            value = work(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        return value

    def _shrink(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.OperationalError):
                # Not ``execute``, which takes a single step of it: one page.
                self._connection.executescript(f"PRAGMA incremental_vacuum({_SHRINK_PAGES})")


def _kind(error: Exception) -> int:
    """Return SQLite's primary result code; 0 where the error is not SQLite's own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _is_damage(error: Exception) -> bool:
    """Whether the file is at fault. SQLite hands out text as it lies there; Python reads it."""
    if isinstance(error, UnicodeDecodeError) or str(error).startswith(_UNREADABLE):
        return True
    return _kind(error) in _DAMAGED


def _check(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        error = sqlite3.DatabaseError(f"the file is damaged: {found}")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
