"""The state folder: one agent's lock, its lasting identity, and its database.

Everything that must survive a ``kill -9`` stands in one SQLite file, so that a result, its
totals and its encoded spans are committed in one transaction. The write-ahead log with
``synchronous=NORMAL`` survives the death of the process at any instant; a power cut may
take the last few commits, never the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, TypeVar

from agent.errors import StateError, StateLocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

T = TypeVar("T")


class Database:
    """A SQLite file driven from one thread of its own, so that the loop never waits for a disk.

    Stations bring their own tables as ``schemas`` (idempotent SQL) and work through
    ``transaction``: the function given runs with the connection, and everything it did is
    committed together or, where it raises, not at all.
    """

    def __init__(self, path: Path, schemas: Iterable[str]) -> None:
        self._path = path
        self._schemas = tuple(schemas)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footfall-state")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open or create the file.

        Raises:
            StateError: it can't be written, or isn't a database.

        """
        try:
            await self._submit(self._open)
        except sqlite3.Error as error:
            self._thread.shutdown()
            raise StateError(
                f"{self._path}: {error}. Check the rights and the free space of the state "
                "folder; if the file is damaged, move it away and start again."
            ) from error

    async def transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in one transaction and return what it returns."""
        return await self._submit(lambda: self._transact(work))

    async def close(self) -> None:
        """Fold the log into the file and close it."""
        if self._connection is not None:
            await self._submit(self._connection.close)
            self._connection = None
        self._thread.shutdown()

    async def _submit(self, work: Callable[[], T]) -> T:
        # Shielded: a cancelled caller must not leave a commit half believed.
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        return await asyncio.shield(future)

    def _open(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA busy_timeout=5000")
        for schema in self._schemas:
            connection.executescript(schema)
        self._connection = connection

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


class StateFolder:
    """The folder of one agent. Held by a lock from ``claim`` until ``release``."""

    def __init__(self, path: Path, artifacts: Path | None = None) -> None:
        self.path = path
        self.artifacts = artifacts or path / "artifacts"
        """Evidence that was kept."""
        self._lock: IO[str] | None = None

    @property
    def database(self) -> Path:
        """The one SQLite file."""
        return self.path / "footfall.db"

    @property
    def scratch(self) -> Path:
        """Where runs record before anybody knows whether it is wanted."""
        return self.path / "scratch"

    def claim(self) -> str:
        """Lock the folder, create what is missing, and return the agent's lasting id.

        Raises:
            StateLocked: another agent holds it.
            StateError: it can't be created or written.

        """
        try:
            for folder in (self.path, self.artifacts, self.scratch):
                folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise StateError(
                f"state folder {self.path}: {error.strerror}. Give the agent a folder "
                "that it may write to (key `state`)."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self.release()
            raise StateLocked(
                f"state folder {self.path} is held by another agent (process {holder}). "
                "Stop that one, or give this one a folder of its own (key `state`)."
            ) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        return self._instance_id()

    def release(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _instance_id(self) -> str:
        path = self.path / "instance-id"
        with contextlib.suppress(FileNotFoundError, ValueError):
            return str(uuid.UUID(path.read_text().strip()))
        fresh = str(uuid.uuid4())
        partial = path.with_suffix(".partial")
        partial.write_text(fresh + "\n")
        partial.replace(path)
        return fresh
