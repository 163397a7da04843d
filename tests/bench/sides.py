"""The two sides as programs under a meter: bare loops, and the daemon."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.service import ROOT, Service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.meter import Meter

WORKERS = 2
"""Workers of the daemon, and bare loops side by side: both see the same contention."""

_STALL = 60.0
"""Seconds without a single run after which nothing more is waited for."""
_DRAIN = 40.0
"""Seconds that the daemon may take to end once it is told to."""
_POLL = 0.02

_CONFIG = """\
journeys = "journeys"
state = "var"
location = "bench"
secrets_dir = "secrets"

[sites.bench]
url = "{url}"
first_party = ["{url}"]

[schedule]
every = "{every:.3f}s"
timeout = "{timeout:.3f}s"
grace = "1s"
confirm_after = "0s"

[workers]
count = {workers}

[telemetry]
endpoint = "{endpoint}"
interval = "5s"

[server]
port = 0
"""

_JOURNEY = '''
@journey(site="bench", owner="bench")
async def walk_{number}(run: Run) -> None:
    """Two pages."""
    page = run.page
    async with run.step("Open the first page"):
        await page.goto("/")
    async with run.step("Go to the second"):
        await page.get_by_role("link", name="two").click()
        await page.get_by_role("button", name="go").click()
        await expect(page.get_by_text("done")).to_be_visible()
'''


class Program(Service):
    """A measured program that prints one line for each run it has made."""

    mark = ""
    """What such a line holds."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._read = 0
        self._made = 0

    def command(self) -> Sequence[str]:
        return self._meter.command(self.program())

    def program(self) -> Sequence[str]:
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        # Only the configuration written here is to hold.
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "FOOTFALL_"))}
        return kept | {"PYTHONPATH": str(ROOT)}

    def ready(self) -> bool:
        self._meter.watch(self.pid)
        return True

    @property
    def made(self) -> int:
        """Runs made so far."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            fresh = log.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        self._made += sum(self.mark.encode() in line for line in whole.splitlines())
        return self._made

    async def until(self, count: int) -> None:
        """Wait until so many runs have been made.

        Raises:
            RuntimeError: it ended, or none was made for a minute; shows what the program printed.

        """
        last, since = self.made, time.monotonic()
        while last < count:
            await asyncio.sleep(_POLL)
            now = self.made
            if now != last:
                last, since = now, time.monotonic()
            ended = self._process.poll() is not None
            if ended or time.monotonic() - since > _STALL:
                fate = "ended" if ended else f"made no run for {_STALL:.0f} s"
                raise RuntimeError(
                    f"{type(self).__name__} {fate}, {last} of {count} runs made:\n"
                    f"{self.log.read_text()[-4000:]}"
                )


class BareLoop(Program):
    """One bare Playwright loop, with a driver of its own as a worker has."""

    mark = "walked"

    def __init__(self, meter: Meter, url: str, executable: Path) -> None:
        super().__init__(meter)
        self._arguments = [url, str(executable)]

    def program(self) -> Sequence[str]:
        return [sys.executable, str(Path(__file__).with_name("raw.py")), *self._arguments]


@dataclass(frozen=True, slots=True)
class Load:
    """How many journeys there are, and how often each is due, in seconds."""

    journeys: int
    every: float

    @property
    def rate(self) -> float:
        """Slots a second."""
        return self.journeys / self.every


class Agent(Program):
    """The daemon, walking the same pages as its operator would have it, defaults included."""

    mark = '"result": "pass"'

    def __init__(self, meter: Meter, url: str, endpoint: str, load: Load) -> None:
        super().__init__(meter)
        self._url = url
        self._endpoint = endpoint
        self._load = load

    def prepare(self) -> None:
        every = self._load.every
        config = _CONFIG.format(
            url=self._url,
            every=every,
            timeout=every - 1,
            workers=WORKERS,
            endpoint=self._endpoint,
        )
        (self.folder / "config.toml").write_text(config)
        (self.folder / "secrets").mkdir()
        journeys = self.folder / "journeys"
        journeys.mkdir()
        head = '"""Walks of the benchmark."""\n\nfrom agent import Run, expect, journey\n\n'
        walks = "\n".join(_JOURNEY.format(number=n) for n in range(self._load.journeys))
        (journeys / "walks.py").write_text(head + walks)

    def program(self) -> Sequence[str]:
        return [sys.executable, "-m", "agent", "run", "--config", "config.toml"]

    @property
    def database(self) -> Path:
        """The state folder's one file."""
        return self.folder / "var" / "footfall.db"

    @property
    def replaced(self) -> int:
        """Workers replaced so far."""
        return self.log.read_text().count('"worker.replaced"')

    def bad(self) -> list[str]:
        """The log's lines of runs that did not pass."""
        lines = self.log.read_text().splitlines()
        finished = [line for line in lines if '"run.finished"' in line]
        return [line for line in finished if self.mark not in line]

    async def drain(self) -> None:
        """Ask it to end, and wait until it has."""
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, _DRAIN)
