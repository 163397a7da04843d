"""One soak, from the start of the agent to its drain."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.soak.growth import Growth, growths
from tests.soak.load import ARTIFACTS, PAGES, home_of
from tests.soak.samples import Sample, bytes_in, take
from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin
from tests.support.otlp import OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

_EVERY = 0.5
"""Seconds between two samples."""
_STALL = 60.0
"""Seconds without a result after which nothing more is waited for."""
_WARM_UP = 0.2
_WARM_UP_RUNS = 50
"""Runs at the least: by then each worker has been replaced, and every thread was needed."""


@dataclass
class Soak:
    """What came of it."""

    samples: list[Sample] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)
    """Of all samples after the warm-up."""
    offered: int = 0
    results: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    """Workers that were replaced, by the reason."""
    late: list[float] = field(default_factory=list)
    """Seconds by which each run started after its slot, in the order of the slots."""
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)
    """The rules that were broken, each in a sentence."""

    def hold(self, rule: bool, sentence: str) -> None:
        """Note a rule that doesn't hold."""
        if not rule:
            self.broken.append(sentence)

    def plain(self) -> dict[str, Any]:
        """All of it as JSON-like data."""
        words = {"results": self.results, "skips": self.skips, "restarts": self.restarts}
        return {
            "samples": [asdict(sample) for sample in self.samples],
            "growths": [asdict(growth) for growth in self.growths],
            "offered": self.offered,
            **{name: dict(counts) for name, counts in words.items()},
            "late": self.late,
            "seconds": self.seconds,
            "broken": self.broken,
        }


async def soak(folder: Path, runs: int, tell: Callable[[Sample], None] = lambda _: None) -> Soak:
    """Let an agent come to so many results, and hold what must hold; each sample is told.

    Raises:
        AssertionError: it stands still, or its books don't balance.

    """
    done = Soak()
    async with Origin(pages=dict(PAGES)) as origin, OtlpReceiver() as otlp:
        home = home_of(folder / "home", origin.url, otlp.http_endpoint)
        async with Daemon(home) as daemon:
            await daemon.started()
            began = time.monotonic()
            async for sample in _watch(home, daemon, runs):
                done.samples.append(sample)
                tell(sample)
                # Else these programs of the tests would grow and slow down with the runs.
                for remembered in (origin.seen, otlp.requests, otlp.spans, otlp.metrics, otlp.logs):
                    remembered.clear()
            done.seconds = time.monotonic() - began
            done.hold(await daemon.terminate() == 0, "the agent did not end by itself")
    done.restarts.update(record["reason"] for record in daemon.events("worker.replaced"))
    bad = [one for one in daemon.records if one["level"] in {"error", "critical"}]
    done.hold(not bad, f"the agent's own trouble: {bad[:3]}")
    done.hold(not daemon.noise, f"not logged, but printed: {daemon.noise[:3]}")
    _read_books(home, done)
    done.hold(not home.processes(), f"left at the end: {home.processes()}")
    done.hold(not home.scratch(), f"scratch at the end: {home.scratch()}")
    done.hold(not bytes_in(home.path / "tmp"), "temporary files at the end")
    # It clears up once a minute, and meanwhile more comes.
    most = max(sample.artifacts for sample in done.samples)
    done.hold(most < 4 * ARTIFACTS, f"{most} bytes of evidence were kept, {ARTIFACTS} allowed")
    warm = max(_WARM_UP_RUNS, _WARM_UP * runs)
    done.growths = growths([sample for sample in done.samples if sample.runs >= warm])
    done.broken += [growth.broken for growth in done.growths if growth.broken]
    return done


async def _watch(home: Home, daemon: Daemon, runs: int) -> AsyncIterator[Sample]:
    began = moved = time.monotonic()
    last = 0
    while last < runs:
        await asyncio.sleep(_EVERY)
        now = time.monotonic()
        sample = await asyncio.to_thread(take, home, daemon.pid, now - began)
        if sample.runs > last:
            last, moved = sample.runs, now
            home.balance()
        stands = f"no result for {_STALL:.0f} s:\n{daemon.story()[-4000:]}"
        assert now - moved < _STALL, stands
        yield sample


def _read_books(home: Home, done: Soak) -> None:
    """Every slot that was offered ended in one word."""
    for row in home.rows("SELECT kind, word, sum(total) AS total FROM slot_totals GROUP BY 1, 2"):
        if row["kind"] == "expected":
            done.offered = row["total"]
        else:
            words = done.results if row["kind"] == "result" else done.skips
            words[row["word"]] += row["total"]
    done.late = [late for _, late in sorted(_starts(home))]
    flying = sum(home.balance().values())
    done.hold(flying == 0, f"{flying} slots have no word")
    done.hold(
        done.offered == done.results.total() + done.skips.total(),
        "offered is not results + skips",
    )


def _starts(home: Home) -> Iterator[tuple[float, float]]:
    for run in home.runs():
        slot = datetime.fromisoformat(run["scheduled_at"]).timestamp()
        yield slot, datetime.fromisoformat(run["started_at"]).timestamp() - slot
