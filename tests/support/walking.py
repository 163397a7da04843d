"""Walks journeys in a real pool of workers, as the daemon does, one source text at a time."""

from __future__ import annotations

import asyncio
import secrets
import textwrap
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import psutil

from agent.browsers.find import require_browser
from agent.core.clock import SystemClock
from agent.core.model import Site
from agent.pool.pool import Pool
from agent.pool.process import Spawn, WorkerProcess
from agent.pool.process_tree import MARK, become_subreaper
from agent.pool.recycling import PoolOptions
from agent.pool.stops import Stop
from agent.pool.walk_listener import Answers
from agent.protocol.messages import Configure, SignatureReply, Walk
from tests.support.build import a_journey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from agent.core.model import Hold
    from agent.core.results import AttemptRecord, AttemptReport, SpanData, Step

INFO_URL = "https://example.com/synthetic"
HEADER = "X-Synthetic-Journey"
VERSION = "0.1.0"
_HEAD = "import asyncio\nimport time\n\nfrom agent import Run, expect, journey\n\n\n"
_PAGE = b"<!doctype html><title>footfall canary</title>"


@dataclass
class Heard:
    """What a walk's listener was told."""

    secrets: Mapping[str, str] = field(default_factory=dict)
    started: list[tuple[str, int]] = field(default_factory=list)
    ended: list[tuple[Step, int]] = field(default_factory=list)
    logs: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sign: Callable[[str], SignatureReply] = SignatureReply
    stepped: asyncio.Event = field(default_factory=asyncio.Event)

    def secret(self, name: str) -> str:
        if name not in self.secrets:
            raise LookupError(f"secret {name}: there is none")
        return self.secrets[name]

    def on_step_started(self, name: str, depth: int) -> None:
        self.started.append((name, depth))
        self.stepped.set()

    def on_step_ended(self, step: Step, depth: int) -> None:
        self.ended.append((step, depth))

    def on_logged(self, level: str, event: str, fields: dict[str, object]) -> None:
        self.logs.append((level, event, fields))

    def on_printed(self, line: str) -> None:
        self.lines.append(line)


@dataclass
class Walked:
    """A finished walk, with all that was seen of it."""

    order: Walk
    record: AttemptRecord
    heard: Heard
    scratch: Path

    @property
    def report(self) -> AttemptReport:
        """The worker's report; a walk that left none fails the test here."""
        assert self.record.report is not None, self.record
        return self.record.report

    @property
    def requests(self) -> list[SpanData]:
        """The client spans."""
        return [span for span in self.record.spans if span.kind == "client"]

    @property
    def steps(self) -> dict[str, str]:
        """Each step's result."""
        return {step.name: step.result.value for step in self.record.steps}


class Walker:
    """A pool of workers with a canary page, for one folder of journeys."""

    def __init__(
        self,
        folder: Path,
        executable: str = "",
        count: int = 1,
        max_memory: int = 2**31,
        max_runs: int = 50,
        max_age: float = 3600,
        args: tuple[str, ...] = (),
        hold: Hold = "calls",
        *,
        browser: bool = True,
    ) -> None:
        self.folder = folder
        self.output: list[str] = []
        self.restarts: list[str] = []
        self.agent_id = secrets.token_hex(8)
        self._numbers = 0
        configure = Configure(
            journeys=str(folder),
            executable=executable or str(require_browser()),
            args=list(args),
            headless=True,
            info_url=INFO_URL,
            header=HEADER,
            version=VERSION,
            hold=hold,
            browser=browser,
        )
        temporary = folder.parent / f"tmp-{folder.name}"
        temporary.mkdir(exist_ok=True)
        self.spawn = Spawn(self.agent_id, configure, self.output.append, SystemClock(), temporary)
        self.pool = Pool(
            PoolOptions(count, max_runs, max_age, max_memory, adopt_orphans=True),
            self.spawn,
            self.restarts.append,
        )

    async def __aenter__(self) -> Self:
        become_subreaper()
        # Programs that other tests started hang below this process too.
        WorkerProcess.all.pids |= {child.pid for child in psutil.Process().children()}
        self._canary = await asyncio.start_server(_serve_canary, "127.0.0.1", 0)
        self.canary_url = f"http://127.0.0.1:{self._canary.sockets[0].getsockname()[1]}/"
        await self.pool.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.pool.stop()
        self._canary.close()
        await self._canary.wait_closed()

    @property
    def workers(self) -> list[WorkerProcess]:
        """The workers that are up."""
        return [*self.pool._idle, *self.pool._busy]

    def processes(self) -> list[psutil.Process]:
        """All processes that carry this agent's mark, zombies of this process too."""
        found = []
        for process in psutil.process_iter():
            try:
                marked = process.environ().get(MARK) == self.agent_id
            except psutil.Error:
                continue
            if marked:
                found.append(process)
        return found

    def order(self, source: str, site: Site, **options: Any) -> Walk:
        """Write a journey named ``walked`` to a file of its own and order a walk of it."""
        self._numbers += 1
        decorator = options.pop("decorator", '@journey(site="shop", owner="tests")')
        file = f"walk_{self._numbers}.py"
        body = textwrap.indent(textwrap.dedent(source).strip(), "    ")
        text = f"{_HEAD}{decorator}\nasync def walked(run: Run) -> None:\n{body}\n"
        (self.folder / file).write_text(text)
        scratch = self.folder.parent / f"scratch_{self._numbers}"
        scratch.mkdir()
        order = Walk(
            run_id=secrets.token_hex(16),
            journey=a_journey(
                "walked",
                site=site,
                file=file,
                line=text[: text.index("@journey")].count("\n") + 1,
                timeout=10.0,
                grace=3.0,
            ),
            attempt=1,
            trace_id=secrets.token_hex(16),
            span_id=secrets.token_hex(8),
            canary_url=self.canary_url,
            scratch=str(scratch),
            record_trace=options.pop("record_trace", False),
        )
        return replace(order, journey=replace(order.journey, **options))

    async def walk(self, source: str, site: Site, **options: Any) -> Walked:
        """Walk a journey with this body once."""
        heard = Heard(options.pop("secrets", {}))
        return await self.follow(self.order(source, site, **options), heard)

    async def follow(
        self, order: Walk, heard: Heard, avoid: int | None = None, stop: Stop | None = None
    ) -> Walked:
        """Walk an order once, in another worker than the one to ``avoid``."""
        answers = Answers(heard.secret, heard.sign)
        record = await self.pool.walk(order, heard, answers, stop or Stop("walked"), avoid)
        return Walked(order, record, heard, self.folder.parent / order.scratch.rpartition("/")[2])


def site(*urls: str) -> Site:
    """A site whose first address is where journeys start; all are first party."""
    return Site("shop", urls[0], urls)


async def _serve_canary(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {len(_PAGE)}\r\n"
        writer.write(head.encode() + b"connection: close\r\n\r\n" + _PAGE)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
