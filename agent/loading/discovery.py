"""Discovery: journey files are imported in a worker and come back as data."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.core.errors import Problem
from agent.pool.process import WorkerProcess
from agent.protocol.messages import Blocked, Discover, FileLoaded, FileStarted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.core.model import Definition, PopupHandlers
    from agent.pool.process import Spawn
    from agent.protocol.messages import FromWorker

_FILE_TIMEOUT = 10.0
"""Seconds that the import of one file may take."""

_START = 30.0
"""Seconds for a worker to start on a busy machine."""


async def discover(
    folder: Path, spawn: Spawn, file_timeout: float = _FILE_TIMEOUT
) -> tuple[list[Definition], list[Problem]]:
    """Import every journey file below ``folder``; return the journeys, and what is wrong.

    A file that hangs or kills its process is told and left out; the others are read on in
    another process.
    """
    files = _files(folder)
    if files is None:
        return [], [Problem(str(folder), "there is no such folder (key `journeys`)")]
    definitions: list[Definition] = []
    problems: list[Problem] = []
    popups: list[PopupHandlers] = []
    while files:
        reading = _Reading(files, folder.name, file_timeout)
        await reading.run(spawn)
        definitions += reading.definitions
        problems += reading.problems
        popups += reading.popups
        files = reading.left
    _warn_of_idle(popups, definitions, folder.name)
    definitions = [_with_popups(one, popups) for one in definitions]
    return _without_doubles(definitions, problems, folder.name)


def _with_popups(one: Definition, popups: Sequence[PopupHandlers]) -> Definition:
    """Give a journey the handlers of its site, wherever they are declared."""
    own = tuple(handlers for handlers in popups if handlers.site == one.site)
    return replace(one, popups=own) if own and one.browser else one


def _warn_of_idle(
    popups: Sequence[PopupHandlers], definitions: Sequence[Definition], folder: str
) -> None:
    """Warn of handlers for a site that no journey is of: its name may be a slip."""
    sites = sorted({one.site for one in definitions})
    for one in popups:
        if sites and one.site not in sites:
            why = f"@popups {one.name}: no journey is of site {one.site!r}; theirs: "
            place = f"{folder}/{one.file}:{one.line}"
            definitions[0].warnings.append(Problem(place, why + ", ".join(sites)))


def _files(folder: Path) -> list[str] | None:
    if not folder.is_dir():
        return None
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if not path.name.startswith(("_", "test_", "conftest"))
        and not any(_is_tools_own(part) for part in path.relative_to(folder).parts)
    )


def _is_tools_own(name: str) -> bool:
    """Whether a file or folder of this name is not the author's: hidden ones and caches."""
    return name.startswith(".") or name in {"__pycache__", "node_modules"}


class _Reading:
    """One worker's part of the discovery."""

    def __init__(self, files: Sequence[str], folder: str, file_timeout: float) -> None:
        self.left = list(files)
        self.definitions: list[Definition] = []
        self.problems: list[Problem] = []
        self.popups: list[PopupHandlers] = []
        self._folder = folder
        self._file_timeout = file_timeout
        self._progress = asyncio.Event()
        self._blocked_at = ""
        self._begun: set[str] = set()

    async def run(self, spawn: Spawn) -> None:
        worker = await WorkerProcess.start(0, spawn)
        worker.listener = self._hear
        gone = asyncio.create_task(worker.gone.wait())
        gone.add_done_callback(lambda _: self._progress.set())
        try:
            worker.send(Discover(list(self.left)))
            while self.left:
                self._progress.clear()
                # Until the first file is read, it is the worker that starts; no file hangs.
                limit = self._file_timeout if self._begun else max(_START, self._file_timeout)
                async with asyncio.timeout(limit):
                    await self._progress.wait()
                if worker.gone.is_set():
                    self._give_up("its import ended the process")
                    return
        except TimeoutError:
            late = f"its import was not done after {self._file_timeout:g} s"
            self._give_up(late if self._begun else f"no worker started within {_START:g} s")
        finally:
            gone.cancel()
            await worker.kill()

    def _give_up(self, why: str) -> None:
        if self.left:
            file = self.left.pop(0)
            where = self._blocked_at or f"{file}:1"
            self.problems.append(Problem(f"{self._folder}/{where}", why))

    def _hear(self, message: FromWorker) -> None:
        match message:
            case FileStarted(file):
                if file in self._begun or file not in self.left:
                    return  # each file has its time once, whoever else may speak on the pipe
                self._begun.add(file)
                self._blocked_at = ""
            case Blocked(_, where, in_journey):
                if in_journey:
                    self._blocked_at = where
                return
            case FileLoaded(file, definitions, problems, popups):
                if file not in self.left:
                    return
                self.left.remove(file)
                self.definitions += definitions
                self.problems += problems
                self.popups += popups
            case _:
                return
        self._progress.set()


def _without_doubles(
    definitions: list[Definition], problems: list[Problem], folder: str
) -> tuple[list[Definition], list[Problem]]:
    """Two journeys of one name are both told and both left out: neither is the right one."""
    by_name: dict[str, list[Definition]] = {}
    for definition in definitions:
        by_name.setdefault(definition.name, []).append(definition)
    single = []
    for name, found in by_name.items():
        if len(found) == 1:
            single.append(found[0])
            continue
        places = [f"{folder}/{one.file}:{one.line}" for one in found]
        problems.extend(
            Problem(place, f"another journey is named {name!r} too: {', '.join(places)}")
            for place in places
        )
    return single, problems
