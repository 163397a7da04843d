"""What makes a run, wherever it was asked for: workers, canary, judge and evidence.

The daemon and ``footfall once`` both stand on this; neither adds another way to walk.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog

from agent.browsers.find import require_browser
from agent.canary.serve import canary, canary_trouble
from agent.core import ids
from agent.core.errors import ConfigError
from agent.core.first_of import first_of
from agent.loading.load import configuration, log_print
from agent.pool.pools import Pools
from agent.pool.process import Spawn
from agent.pool.recycling import PoolOptions
from agent.pool.stops import Stops
from agent.pool.walk_listener import Answers
from agent.protocol.messages import SignatureReply, Walk
from agent.runs.conduct import conduct
from agent.runs.live_runs import LiveRuns
from agent.runs.network import Network
from agent.runs.request import RunRequest
from agent.signing.issuer import Signatures, signer_of
from agent.storage.artifacts import ArtifactStore, Retention

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.core.model import Journey, Trigger
    from agent.core.results import Attempt, AttemptRecord, RunResult
    from agent.pool.stops import Stop
    from agent.runs.last_passes import LastPasses
    from agent.runs.listener import RunListener
    from agent.runs.request import AttemptOrder
    from agent.storage.folder import StateFolder

_log = structlog.get_logger("footfall.journey")


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine is set up beyond the configuration."""

    agent_id: str
    adopt_orphans: bool
    """Whether this process has no children but workers."""
    last_passes: LastPasses
    on_restart: Callable[[str], None] = lambda _: None
    on_progress: Callable[[str, Mapping[str, Any]], None] = lambda _, __: None
    """Hears what happens to runs, see ``LiveRuns``."""
    inspected: bool = False
    """Whether a person steps through each walk in Playwright's inspector."""


class Engine:
    """Owns the pool and the canary; ``run`` makes one run from request to result."""

    def __init__(
        self,
        settings: Settings,
        folder: StateFolder,
        secret: Callable[[str], str],
        clock: Clock,
        options: EngineOptions,
        journeys: Path,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._options = options
        self._read_secret = secret
        self._scratch = folder.scratch
        self._signer = signer_of(settings)
        self._network = Network(settings.canary.reference, settings.proxies)
        self._canary_url = ""
        self._stack = AsyncExitStack()
        artifacts = settings.artifacts
        self.artifacts = ArtifactStore(
            folder.artifacts,
            folder.scratch,
            Retention(artifacts.keep, artifacts.trace, artifacts.max_bytes, artifacts.max_age),
        )
        self.stops = Stops()
        """The runs under way, of every trigger."""
        self.live = LiveRuns(options.on_progress)
        """How far each of them is, that the agent itself asked for."""
        workers = settings.workers
        self.pools = Pools(
            PoolOptions(
                # One more than the schedule has is there at once for whoever asks for a gate.
                workers.count + settings.keeps_warm,
                workers.max_runs,
                workers.max_age,
                workers.max_memory,
                options.adopt_orphans,
            ),
            self._spawn(settings, journeys),
            options.on_restart,
        )

    @property
    def location(self) -> str:
        """Where it stands."""
        return self._settings.location

    async def start(self) -> None:
        """Bring up the canary and the workers."""
        self._canary_url = await self._stack.enter_async_context(canary())
        await self.pools.start()

    async def abort(self, why: str) -> None:
        """End every run under way as not measured, each with what is known of it."""
        await self.pools.abort(why)

    async def stop_runs(self, journeys: Collection[str] | None, why: str) -> list[str]:
        """End the runs of these journeys (None: all) as stopped; return whose they are."""
        stopped = self.stops.ask(journeys, why)
        await self.pools.wake()
        # Each walk has heeded it by the next turn of the loop, before anybody is told.
        await asyncio.sleep(0)
        return stopped

    async def stop(self) -> None:
        """Kill the workers and close the canary."""
        await self.pools.stop()
        await self._stack.aclose()

    def renew(self, settings: Settings, secret: Callable[[str], str], journeys: Path) -> None:
        """Work by another configuration and folder of journeys from the next run on."""
        spawn = self._spawn(settings, journeys)  # raises before anything has changed
        self._settings = settings
        self._read_secret = secret
        self._signer = signer_of(settings)
        self._network = Network(settings.canary.reference, settings.proxies)
        self.pools.replace_spawn(spawn)

    def request(
        self, journey: Journey, trigger: Trigger, run_id: str, scheduled_at: float | None
    ) -> RunRequest:
        """Ask for a run: give it its trace and its root span."""
        return RunRequest(
            run_id=run_id,
            journey=journey,
            location=self._settings.location,
            trigger=trigger,
            trace_id=ids.trace_id(),
            span_id=ids.span_id(),
            scheduled_at=scheduled_at,
        )

    async def run(
        self,
        request: RunRequest,
        listener: RunListener,
        resting: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        stop: Stop | None = None,
    ) -> RunResult:
        """Make a run; it always comes to a result. While it rests, it is within ``resting``.

        Whoever had it count as under way before this gives its ``stop``.
        """
        enlisted = nullcontext(stop) if stop else self.stops.enlisted(request.journey.name)
        with enlisted as heeded:
            walker = _Walker(self, listener, resting, heeded)
            try:
                return await conduct(request, walker, self._network, self._clock)
            finally:
                self.artifacts.drop_scratch(request.run_id)

    async def canary_trouble(self) -> str:
        """Load the canary without a browser; return why that failed, or nothing."""
        return await canary_trouble(self._canary_url)

    async def walk(
        self, request: RunRequest, attempt: AttemptOrder, listener: RunListener, stop: Stop
    ) -> AttemptRecord:
        """Make one attempt in a worker."""
        journey, number = request.journey, attempt.number
        listener.on_attempt_started(number)
        signatures = (
            Signatures(self._signer, journey.site, self._clock.wall) if self._signer else None
        )
        secret = _withheld(request.withheld) if request.withheld else self._secret
        answers = Answers(secret, signatures.reply if signatures else SignatureReply)
        order = Walk(
            run_id=request.run_id,
            journey=journey,
            attempt=number,
            trace_id=request.trace_id,
            span_id=attempt.span_id,
            canary_url=self._canary_url,
            scratch=str(self.artifacts.open_scratch(request.run_id, number)),
            record_trace=attempt.may_record
            and journey.browser
            and self.artifacts.retention.records(number, confirmed=journey.confirm),
            signatures=signatures.ahead() if signatures is not None else None,
            proxies=self._settings.proxies,
            headers=dict(request.headers),
        )
        return await self.pools.walk(order, listener, answers, stop, attempt.avoid)

    async def compare(self, request: RunRequest, attempt: Attempt) -> Attempt:
        """Compare an attempt that failed with its journey's last passes."""
        if attempt.error_type is None:
            return attempt
        comparison = await self._options.last_passes.compare(request.journey.name, attempt)
        return replace(attempt, comparison=comparison, outline=None)

    def keep(
        self, request: RunRequest, started_at: float, attempt: Attempt, names: Sequence[str]
    ) -> Attempt:
        """Keep what is wanted of an attempt's evidence."""
        name = request.journey.name
        kept = self.artifacts.keep(name, request.run_id, started_at, attempt, names)
        return replace(attempt, artifacts=kept)

    def _secret(self, name: str) -> str:
        try:
            return self._read_secret(name)
        except ConfigError as error:
            raise LookupError(str(error)) from None

    def _spawn(self, settings: Settings, journeys: Path) -> Spawn:
        headed = not settings.browser.headless
        executable = require_browser(settings.browser.executable, headed=headed)
        return Spawn(
            agent_id=self._options.agent_id,
            configure=replace(
                configuration(settings, journeys, str(executable)),
                inspected=self._options.inspected,
            ),
            on_output=log_print,
            clock=self._clock,
            scratch=self._scratch,
        )


def _withheld(why: str) -> Callable[[str], str]:
    def refuse(name: str) -> str:
        raise LookupError(f"the secret {name!a} is withheld: {why}")

    return refuse


class _Walker:
    """The engine as the conductor of one run sees it."""

    def __init__(
        self,
        engine: Engine,
        listener: RunListener,
        resting: Callable[[], AbstractAsyncContextManager[None]],
        stop: Stop,
    ) -> None:
        self._engine = engine
        self._listener = listener
        self._resting = resting
        self._stop = stop

    async def walk(self, request: RunRequest, order: AttemptOrder) -> AttemptRecord:
        return await self._engine.walk(request, order, self._listener, self._stop)

    async def rest(self, seconds: float) -> None:
        if seconds > 0:
            self._listener.on_rest(seconds)
            # Who is to end waits for nothing more, not for a place to walk either.
            await first_of(self._rest(seconds), self._stop.asked())

    async def _rest(self, seconds: float) -> None:
        async with self._resting():
            await self._engine.pools.rest(seconds)

    async def compare(self, request: RunRequest, attempt: Attempt) -> Attempt:
        return await self._engine.compare(request, attempt)

    def keep(
        self, request: RunRequest, started_at: float, attempt: Attempt, evidence: Sequence[str]
    ) -> Attempt:
        return self._engine.keep(request, started_at, attempt, evidence)
