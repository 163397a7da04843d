"""Reading the agent's database beside the thread that writes it."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from agent.core.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class Reader:
    """Looks things up on a thread and a connection of its own, one question after the other.

    So neither the loop nor a slot that is to be written down waits for whoever asks, and there
    are answers too while the disk refuses to be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footfall-reader")

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` on the thread, on one consistent state of the file; return what it returns.

        Raises:
            StateError: the file can't be read now.

        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._read, work)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise StateError(f"{self._path} can't be read: {error}") from error

    def close(self) -> None:
        """Answer nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        # A connection each time: a damaged file is replaced under its name.
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            return work(connection)
