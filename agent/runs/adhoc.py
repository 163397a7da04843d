"""Runs that nobody scheduled: the engine without a schedule, for ``once`` and for pytest."""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agent import config
from agent.config.addresses import origin
from agent.config.sections import SiteSection
from agent.core import ids
from agent.core.errors import ConfigError, Problem
from agent.loading.beacon_choices import check_vendors
from agent.loading.load import VERSION, discover
from agent.loading.selection import select
from agent.runs.engine import Engine, EngineOptions
from agent.runs.last_passes import LastPasses
from agent.schedule.plan import interval_of
from agent.storage.database import Database
from agent.storage.folder import StateFolder
from agent.storage.reader import Reader
from agent.telemetry import telemetry
from agent.telemetry.delivery.export import resolve as resolve_export
from agent.telemetry.delivery.signals import Signal
from agent.telemetry.delivery.spool import Bounds
from agent.telemetry.resource import ResourceInfo
from agent.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.core.model import Definition, Journey, Trigger
    from agent.core.results import RunResult
    from agent.runs.listener import RunListener
    from agent.runs.request import RunRequest
    from agent.telemetry.delivery.destination import Export

_FLUSH = 5.0
"""Seconds for delivering spans and logs before the session ends."""


@dataclass(frozen=True, slots=True)
class AdhocOptions:
    """What a session is made for, beyond the configuration."""

    trigger: Trigger
    sites: tuple[str, ...] = ()
    """Names of sites that were pointed elsewhere, each of which some journey must use."""
    endpoint: str = ""
    """Where spans and logs go; ``OTEL_*`` variables win, and without either nothing goes."""
    owns_children: bool = True
    """Whether this process has no children but workers."""
    inspected: bool = False
    """Whether a person steps through each walk in Playwright's inspector."""


class AdhocRuns:
    """An engine with one worker, in a scratch state of its own; evidence goes to ``state``."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        clock: Clock,
        options: AdhocOptions,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._options = options
        self._stack = AsyncExitStack()
        self.state = settings.state
        """The state folder, of which only the artifacts are its own."""
        self.artifacts = settings.state / "artifacts"
        """Where kept evidence lies."""
        self.folder = settings.journeys
        """The folder of the journeys."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            temporary = tempfile.TemporaryDirectory(prefix="footfall-", ignore_cleanup_errors=True)
            scratch = Path(stack.enter_context(temporary))
            folder = StateFolder(scratch, artifacts=self.artifacts)
            agent_id = folder.acquire()
            stack.callback(folder.release)
            self._engine = Engine(
                self._settings,
                folder,
                config.secret_reader(self._settings, self._environ),
                self._clock,
                EngineOptions(
                    agent_id,
                    self._options.owns_children,
                    self._last_passes(stack),
                    inspected=self._options.inspected,
                ),
                self.folder,
            )
            self._database = Database(folder.database, (telemetry.SCHEMA,), self._clock)
            await self._database.open()
            # Who waits at a terminal wants to be told, not to wait for the disk.
            self._database.give_up()
            stack.push_async_callback(self._database.close)
            self._telemetry = self._create_telemetry(agent_id)
            await self._telemetry.start()
            stack.push_async_callback(self._telemetry.stop, _FLUSH)
            await self._engine.start()
            stack.push_async_callback(self._engine.stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def journeys(self, names: Sequence[str]) -> tuple[list[Journey], list[Problem]]:
        """Return the journeys that are asked for (none: all), and what is wrong with others.

        ``names`` may be names, patterns of them, and files or folders of journeys.

        Raises:
            ConfigError: one of them matches nothing, or one of the journeys does not fit the
                configuration.

        """
        folder = self.folder
        definitions, problems = await discover(self._settings, self._clock, folder)
        wanted, unknown = select(definitions, names, folder)
        if unknown:
            listed = ", ".join(sorted(one.name for one in definitions)) or "none"
            where = " in the files that can be read" if problems else ""
            missing = [
                Problem(name, f"there is no such journey{where}; known: {listed}")
                for name in unknown
                if not any(_tells_of(name, one) for one in problems)
            ]
            raise ConfigError([*problems, *missing])
        self._refuse_idle_sites(wanted)
        journeys: list[Journey] = []
        for definition in wanted:
            try:
                journeys += config.resolve(
                    self._settings, [definition], interval_of, complete=False
                )
            except ConfigError as error:
                # One that doesn't fit costs itself alone, unless it was asked for by name.
                if names:
                    raise
                problems = [*problems, *error.problems]
        return journeys, problems

    def _refuse_idle_sites(self, wanted: Sequence[Definition]) -> None:
        """Refuse a mistyped site: the journey would walk the real one instead."""
        used = {definition.site for definition in wanted}
        listed = ", ".join(sorted(used)) or "none"
        idle = [name for name in self._options.sites if name not in used]
        if idle:
            message = f"no journey chosen is of a site of that name; theirs: {listed}"
            raise ConfigError([Problem(f"--site {name}", message) for name in idle])

    async def run(
        self,
        journey: Journey,
        follow: Callable[[RunRequest], RunListener],
        *,
        again: bool = True,
    ) -> RunResult:
        """Run a journey now; ``follow`` returns who follows it.

        Without ``again`` there is one attempt, whatever comes of it.
        """
        run_id = ids.fresh_run_id(self._clock.wall())
        request = self._engine.request(journey, self._options.trigger, run_id, None)
        request = replace(request, again=again)
        run = await self._engine.run(request, follow(request))
        await self._database.transaction(lambda c: self._telemetry.record_run(c, run))
        self._telemetry.observe_run(run)
        return run

    def _last_passes(self, stack: AsyncExitStack) -> LastPasses:
        """Return the passes that an agent left in the state folder, if one ever was there."""
        database = StateFolder(self._settings.state).database
        if not database.exists():
            return LastPasses(None, self._settings.location)
        reader = Reader(database)
        stack.callback(reader.close)
        return LastPasses(reader, self._settings.location)

    def _create_telemetry(self, agent_id: str) -> Telemetry:
        settings = self._settings
        export = resolve_export(self._environ, endpoint=self._options.endpoint)
        if export is not None:
            export = _without_metrics(export)
        identity = ResourceInfo(VERSION, agent_id, settings.environment, settings.location)
        bounds = Bounds(size=settings.telemetry.spool_bytes, age=settings.telemetry.spool_age)
        return Telemetry(self._database, export, identity, self._clock, bounds)


def adhoc_settings(path: Path | None, environ: Mapping[str, str], sites: Sequence[str]) -> Settings:
    """Load the configuration for a session, with sites of the form ``NAME=URL`` over it.

    Where there is no configuration file, sites are enough: a laptop needs none.

    Raises:
        ConfigError: the configuration or a site is wrong.

    """
    given = dict(_site(text) for text in sites)
    settings = config.load(path, environ, required=not given)
    if problems := check_vendors(settings):
        raise ConfigError(problems)
    given = {
        name: section.model_copy(
            update={key: getattr(settings.sites[name], key) for key in ("beacons", "release")}
        )
        if name in settings.sites
        else section
        for name, section in given.items()
    }
    workers = settings.workers.model_copy(update={"count": 1})
    return settings.model_copy(update={"sites": {**settings.sites, **given}, "workers": workers})


def site_names(sites: Sequence[str]) -> tuple[str, ...]:
    """Return the names in sites of the form ``NAME=URL``."""
    return tuple(text.partition("=")[0] for text in sites)


def _tells_of(name: str, problem: Problem) -> bool:
    """Whether a problem is that of the journey or the file asked for: it is there, but wrong."""
    file = problem.where.partition(":")[0]
    declared = name.partition("-")[0]
    return problem.message.startswith((f"journey {name}: ", f"journey {declared}: ")) or (
        name.endswith(".py") and Path(file).name == Path(name).name
    )


def _site(text: str) -> tuple[str, SiteSection]:
    name, equals, url = text.partition("=")
    if not equals or not name:
        raise ConfigError([Problem("--site", "write it as NAME=URL")])
    try:
        address = origin(url)
    except ValueError as error:
        # The address itself may hold a password.
        raise ConfigError([Problem(f"--site {name}", str(error))]) from None
    return name, SiteSection(url=address, first_party=(address,))


def _without_metrics(export: Export) -> Export:
    """Leave the metrics out: a run that nobody scheduled has none."""
    targets = dict(export.targets)
    targets.pop(Signal.METRICS, None)
    return replace(export, targets=targets)
