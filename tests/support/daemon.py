"""The agent as an operator has it: a folder with a configuration, and a process that runs on it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import textwrap
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

import aiohttp
import psutil

from agent.pool.process_tree import MARK
from tests.support.service import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

HeldT = TypeVar("HeldT")

LOCATION = "test"
_KEPT = ("PATH", "HOME", "LANG", "PLAYWRIGHT_BROWSERS_PATH", "PYTHONPATH", "TMPDIR")
_HEAD = "import asyncio\nimport os\nimport time\n\nfrom agent import Run, expect, journey\n\n\n"
_WITHIN = 60.0
"""Seconds for what takes two on a machine at rest."""
PATIENT = {"every": "2m", "timeout": "30s", "grace": "10s"}
"""A schedule for walks each of which has to come to its own verdict, on whatever machine."""
NEVER = "300d"
"""How often a journey is due that is to be walked by hand alone: no slot falls into the test."""
_DEFAULTS: dict[str, dict[str, Any]] = {
    "": {"location": LOCATION, "environment": "test", "journeys": "journeys", "state": "var"},
    "workers": {"count": 2},
    "schedule": {"every": "3s", "timeout": "2s", "grace": "1s", "confirm_after": "0s"},
    "telemetry": {"interval": "500ms"},
}

Record = dict[str, Any]


@dataclass(frozen=True)
class Finished:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[Record]:
        """Each line of standard output as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Home:
    """A folder with ``config.toml``, ``journeys/`` and, once an agent ran there, ``var/``."""

    path: Path
    sites: dict[str, str]
    environment: dict[str, str] = field(default_factory=lambda: {"OTEL_SDK_DISABLED": "true"})
    schedule: dict[str, str] = field(default_factory=lambda: dict(_DEFAULTS["schedule"]))
    """What ``configure`` writes there where it is told nothing else."""

    def __post_init__(self) -> None:
        self.journeys.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.configure()

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.path / "config.toml"

    @property
    def journeys(self) -> Path:
        """The folder with journey files."""
        return self.path / "journeys"

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.path / "var"

    def configure(self, **sections: Mapping[str, Any]) -> None:
        """Write the configuration; a section's keys go over the defaults of these tests.

        Keys outside any section are those of ``top``; ``__`` stands for the dot in a name.
        """
        merged = {name: dict(keys) for name, keys in _DEFAULTS.items()}
        merged["server"] = {"port": self.port}
        merged["schedule"] = dict(self.schedule)
        for name, url in self.sites.items():
            merged[f"sites.{name}"] = {"url": url, "first_party": [url]}
        for name, keys in sections.items():
            merged.setdefault("" if name == "top" else name.replace("__", "."), {}).update(keys)
        lines: list[str] = []
        for name, keys in merged.items():
            lines += [f"[{name}]"] if name else []
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        self.config.write_text("\n".join(lines) + "\n")

    def journey(self, name: str, body: str, decorator: str = 'site="shop", owner="tests"') -> Path:
        """Write a journey into a file of its own; return the file."""
        text = textwrap.indent(textwrap.dedent(body).strip(), "    ")
        return self.file(
            f"{name}.py",
            f"{_HEAD}@journey({decorator})\nasync def {name}(run: Run) -> None:\n{text}\n",
        )

    def file(self, name: str, text: str) -> Path:
        """Write any file into the journeys folder."""
        path = self.journeys / name
        path.write_text(text)
        return path

    def variables(self) -> dict[str, str]:
        """The whole environment of an agent here."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {**kept, "PYTHONUNBUFFERED": "1", **self.environment}

    async def footfall(self, *arguments: str, within: float = 90.0) -> Finished:
        """Run one command to its end in this folder."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agent",
            *arguments,
            cwd=self.path,
            env=self.variables(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), within)
        except TimeoutError:
            process.kill()
            out, err = await process.communicate()
            raise AssertionError(
                f"{arguments} took more than {within} s:\n{out.decode()}\n{err.decode()}"
            ) from None
        return Finished(process.returncode or 0, out.decode(), err.decode())

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Ask the database, which an agent may be writing meanwhile."""
        address = f"file:{self.state / 'footfall.db'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(sql, values).fetchall()

    def slots(self) -> list[sqlite3.Row]:
        """Every row of the slot table, oldest first."""
        return self.rows("SELECT * FROM slots ORDER BY scheduled_at, journey")

    def runs(self) -> list[Record]:
        """The history's public objects, oldest first, each with its ``ended_at`` (Unix time)."""
        return [
            {**json.loads(row["document"]), "ended_at": row["ended_at"]}
            for row in self.rows("SELECT * FROM runs ORDER BY ended_at")
        ]

    def totals(self, kind: str) -> dict[str, int]:
        """Each journey's total of ``expected``, ``result`` or ``skip``, all words together."""
        rows = self.rows(
            "SELECT journey, sum(total) AS total FROM slot_totals WHERE kind = ? GROUP BY journey",
            kind,
        )
        return {row["journey"]: row["total"] for row in rows}

    def balance(self) -> dict[str, int]:
        """Each journey's slots in flight, after the books were found to balance at one commit."""
        rows = self.rows(
            "SELECT journey, sum(count) AS decided, "
            "sum(iif(state IN ('offered', 'running'), count, 0)) AS flying, "
            "(SELECT total FROM slot_totals t WHERE t.journey = s.journey "
            "AND kind = 'expected') AS expected, "
            "(SELECT coalesce(sum(total), 0) FROM slot_totals t WHERE t.journey = s.journey "
            "AND kind <> 'expected') AS ended FROM slots s GROUP BY journey"
        )
        assert rows, "no slot was decided yet"
        for row in rows:
            assert row["expected"] == row["ended"] + row["flying"], dict(row)
            assert row["expected"] == row["decided"], dict(row)
        return {row["journey"]: row["flying"] for row in rows}

    def scratch(self) -> list[str]:
        """What lies in the scratch folder."""
        return sorted(path.name for path in (self.state / "scratch").iterdir())

    def processes(self) -> list[psutil.Process]:
        """Everything alive below an agent of this folder, by the mark in its environment."""
        try:
            agent_id = (self.state / "instance-id").read_text().strip()
        except FileNotFoundError:
            return []  # no agent has ever got as far as to start anything
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == agent_id:
                    found.append(process)
        return found

    async def until_gone(self, within: float = _WITHIN) -> None:
        """Wait until no process of an agent here is left."""
        await until(lambda: not self.processes(), within, lambda: f"left: {self.processes()}")


def patient(folder: Path, sites: dict[str, str]) -> Home:
    """A home for walks each of which has to come to its own verdict, however busy the machine."""
    home = Home(folder, sites)
    home.schedule |= PATIENT
    home.configure()
    return home


class Daemon:
    """``footfall run`` in a home. ``async with`` starts it, and ends whatever is left of it.

    ``records`` holds each JSON line of its log, ``noise`` every other line. ``wrapper`` is a
    program that is to start it as its one child.
    """

    def __init__(self, home: Home, wrapper: Sequence[str] = ()) -> None:
        self.home = home
        self._command = [*wrapper, sys.executable, "-m", "agent"]
        self._wrapped = bool(wrapper)
        self.records: list[Record] = []
        self.noise: list[str] = []
        self._said = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            "run",
            "--config",
            str(self.home.config),
            cwd=self.home.path,
            env=self.home.variables(),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self.signal(signal.SIGKILL)
        await self._process.wait()
        await self._reading
        if (self.home.state / "instance-id").exists():
            for process in self.home.processes():
                with suppress(psutil.Error):
                    process.kill()

    @property
    def pid(self) -> int:
        """The daemon's process id."""
        if self._wrapped:
            return psutil.Process(self._process.pid).children()[0].pid
        return self._process.pid

    async def started(self, within: float = _WITHIN) -> None:
        """Wait until it serves and its schedule turns."""
        await self.wait_for("agent.started", timeout=within)

    async def wait_for(
        self,
        event: str,
        predicate: Callable[[Record], object] = lambda _: True,
        timeout: float = _WITHIN,  # noqa: ASYNC109 - the caller's word for it
        after: int = 0,
    ) -> Record:
        """Wait for a log record, among those from number ``after`` on, and return the first.

        Raises:
            AssertionError: it didn't come in time, or the daemon ended; says what it logged.

        """

        def found() -> Record | None:
            return next(
                (r for r in self.records[after:] if r["event"] == event and predicate(r)), None
            )

        try:
            async with asyncio.timeout(timeout), self._said:
                await self._said.wait_for(lambda: found() or self._reading.done())
        except TimeoutError:
            pass
        record = found()
        assert record is not None, f"no {event} within {timeout} s:\n{self.story()}"
        return record

    async def finished(
        self,
        journey: str,
        result: str = "",
        timeout: float = _WITHIN,  # noqa: ASYNC109 - as above
        after: int = 0,
    ) -> Record:
        """Wait for a run of a journey that ended, with a result where one is named."""
        return await self.wait_for(
            "run.finished",
            lambda r: r["journey"] == journey and result in {"", r["result"]},
            timeout,
            after,
        )

    def events(self, event: str) -> list[Record]:
        """The records of one kind so far."""
        return [record for record in self.records if record["event"] == event]

    async def get(self, path: str, token: str = "") -> tuple[int, Record]:
        """Ask a health route; return status and body."""
        address = f"http://127.0.0.1:{self.home.port}"
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        asking = aiohttp.ClientSession(address, headers=shown)
        async with asking as session, session.get(path) as response:
            return response.status, await response.json()

    def signal(self, number: signal.Signals) -> None:
        """Send the daemon, and nobody else, a signal."""
        os.kill(self.pid, number)

    async def terminate(self) -> int:
        """Ask it to drain; return its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """Kill it, as a kernel short of memory would."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def ended(self, within: float = _WITHIN) -> int:
        """Wait for its end; return the exit code."""
        try:
            async with asyncio.timeout(within):
                code = await self._process.wait()
        except TimeoutError:
            raise AssertionError(f"still there after {within} s:\n{self.story()}") from None
        await self._reading
        return code

    def story(self) -> str:
        """Everything it logged."""
        return "\n".join([*map(str, self.records), *self.noise])

    async def _read(self) -> None:
        output = self._process.stderr
        assert output is not None
        while line := await output.readline():
            try:
                self.records.append(json.loads(line))
            except ValueError:
                self.noise.append(line.decode().rstrip())
            async with self._said:
                self._said.notify_all()
        # So that whoever waits hears that nothing more will come.
        asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self._over()))

    async def _over(self) -> None:
        async with self._said:
            self._said.notify_all()


async def until(
    condition: Callable[[], HeldT],
    within: float = _WITHIN,
    otherwise: Callable[[], str] = lambda: "the condition never held",
) -> HeldT:
    """Ask for something that another process does until it is so; return what it came to.

    Raises:
        AssertionError: it wasn't within so many seconds.

    """
    try:
        async with asyncio.timeout(within):
            while not (held := condition()):  # noqa: ASYNC110 - another process sets no event
                await asyncio.sleep(0.05)
            return held
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {otherwise()}") from None
