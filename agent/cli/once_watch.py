"""``footfall once --watch``: walk again on each save, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from rich.console import Console

from agent.cli.once import check_options, open_runs, walk_all
from agent.cli.paths import short
from agent.cli.saves import Saves
from agent.cli.shown import escape
from agent.config.load import DEFAULT_FILE
from agent.core.errors import ConfigError
from agent.core.first_of import first_of
from agent.pool.process_tree import become_subreaper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.cli.once import OnceOptions
    from agent.core.clock import Clock
    from agent.runs.adhoc import AdhocRuns

_INTERRUPTED = 130
_MOST_NAMED = 3


async def watch(
    path: Path | None, environ: Mapping[str, str], options: OnceOptions, clock: Clock
) -> int:
    """Walk at once and after each save; return what the last whole round came to.

    A round that a save interrupts begins anew. A save of the configuration is heeded too.

    Raises:
        ConfigError: something that was asked for can't be had to begin with.

    """
    check_options(options, environ)
    become_subreaper()
    return await _Watch(path, environ, options, clock).run()


class _Watch:
    def __init__(
        self, path: Path | None, environ: Mapping[str, str], options: OnceOptions, clock: Clock
    ) -> None:
        self._path = path
        self._environ = environ
        self._options = options
        self._clock = clock
        self._config = path or DEFAULT_FILE
        self._console = Console(stderr=options.json, highlight=False, soft_wrap=True)
        self._left = asyncio.Event()
        self._code = _INTERRUPTED
        self._rounds = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._left.set)
        while not self._left.is_set():
            try:
                runs = open_runs(self._path, self._environ, self._options, self._clock)
                async with runs as session:
                    await self._rounds_in(session)
            except ConfigError as error:
                if not self._rounds:
                    raise
                self._show(error)
                await self._next(Saves(None, [self._config]))
        return self._code

    async def _rounds_in(self, session: AdhocRuns) -> None:
        """Walk on until the configuration is saved, or the person leaves."""
        own = [session.state, *([self._options.junit] if self._options.junit else [])]
        saves = Saves(session.folder, [self._config], own)
        while not self._left.is_set():
            changed = asyncio.create_task(saves.changed())
            walking = asyncio.create_task(self._round(session))
            leaving = asyncio.create_task(self._left.wait())
            try:
                await first_of(changed, walking, leaving)
                if walking.done():
                    self._code = walking.result()
                    self._say(f"Walks again on a save in {short(session.folder)}; Ctrl-C leaves.")
                    await first_of(changed, leaving)
            finally:
                for task in (changed, walking, leaving):
                    task.cancel()
                await asyncio.gather(changed, walking, leaving, return_exceptions=True)
            if self._left.is_set() or changed.cancelled():
                return
            files = changed.result()
            self._begin(files)
            if self._config in files:
                return

    async def _round(self, session: AdhocRuns) -> int:
        self._rounds += 1
        try:
            return await walk_all(session, self._options)
        except ConfigError as error:
            self._show(error)
            return 2

    async def _next(self, saves: Saves) -> None:
        changed = asyncio.create_task(saves.changed())
        await first_of(changed, self._left.wait())
        changed.cancel()

    def _begin(self, files: Sequence[Path]) -> None:
        """Clear what the last round said: what stands there is of one round alone."""
        self._console.clear()
        more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
        self._say(f"{', '.join(map(short, files[:_MOST_NAMED]))}{more}: saved")

    def _show(self, error: ConfigError) -> None:
        self._code = 2
        for problem in error.problems:
            self._console.print(f"[red]error:[/red] {escape(str(problem))}")

    def _say(self, text: str) -> None:
        self._console.print(f"[dim]{escape(text)}[/dim]")
