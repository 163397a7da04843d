"""Noticing that somebody saved a file: by looking, which works on every kind of disk."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    State = dict[Path, tuple[int, int, int]]

_LOOK = 0.2
"""Seconds between two looks, and at least ten times what a look takes."""
_SETTLED = 0.1
"""Seconds without another change after which a save is over: editors write in several steps."""
_TOOLS = frozenset({"__pycache__", "node_modules", "site-packages"})
_UNFINISHED = ("~", ".swp", ".tmp", ".pyc", ".part")


class Saves:
    """The files of a folder, and some others, as they were when it was made."""

    def __init__(
        self,
        folder: Path | None,
        files: Sequence[Path] = (),
        own: Collection[Path] = (),
    ) -> None:
        """Look below ``folder`` and at ``files``, but never at what is the agent's ``own``."""
        self._folder = folder
        self._files = files
        self._own = {one.absolute() for one in own}
        self._state = self._look()

    async def changed(self) -> list[Path]:
        """Wait for a save; return the paths of what was changed, added or removed by it."""
        pause = _LOOK
        while True:
            await asyncio.sleep(pause)
            begun = time.monotonic()
            state = await asyncio.to_thread(self._look)
            pause = max(_LOOK, 10 * (time.monotonic() - begun))
            if state == self._state:
                continue
            state = await self._settled(state)
            before, self._state = self._state, state
            differing = dict(before.items() ^ state.items())
            # An editor's trial, a file that came and went, is no save.
            if differing:
                return sorted(differing)

    async def _settled(self, state: State) -> State:
        while True:
            await asyncio.sleep(_SETTLED)
            again = await asyncio.to_thread(self._look)
            if again == state:
                return state
            state = again

    def _look(self) -> State:
        found: State = {}
        for path in (*self._files, *self._below()):
            try:
                seen = path.stat()
            except OSError:
                continue  # it is not there, or no more
            found[path] = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        return found

    def _below(self) -> Iterator[Path]:
        if self._folder is None:
            return
        for name, folders, files in os.walk(self._folder, followlinks=True):
            folder = Path(name).absolute()
            folders[:] = [
                one
                for one in folders
                if not one.startswith(".") and one not in _TOOLS and folder / one not in self._own
            ]
            for file in files:
                unlike = file.startswith(".") or file.endswith(_UNFINISHED)
                if not unlike and folder / file not in self._own:
                    yield folder / file
