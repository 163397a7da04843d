"""A soak for a terminal."""

from __future__ import annotations

from io import StringIO
from statistics import quantiles
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from rich.console import RenderableType

    from tests.soak.samples import Sample
    from tests.soak.soak import Soak

MIB = 1 << 20


def line(sample: Sample) -> str:
    """One sample in a line."""
    return (
        f"{sample.at:7.0f} s {sample.runs:6} runs  rss {sample.rss / MIB:6.1f}  "
        f"uss {sample.uss / MIB:6.1f} MiB  fds {sample.fds:3}  threads {sample.threads:2}  "
        f"processes {sample.processes:3}  scratch {sample.scratch / MIB:5.1f}  "
        f"artifacts {sample.artifacts / MIB:5.1f}  state {sample.state / MIB:5.1f} MiB"
    )


def table(soak: Soak) -> RenderableType:
    """What grew, and the books."""
    out = Table(box=None, pad_edge=False, title="Soak", title_justify="left")
    for heading in ("after the warm-up", "first quarter", "last quarter", "growth", "most"):
        out.add_column(heading, justify="left" if heading.startswith("after") else "right")
    out.add_column("per 1,000 runs", justify="right")
    out.add_column("allowed", justify="right")
    for one in soak.growths:
        out.add_row(
            one.name,
            one.show(one.first),
            one.show(one.last),
            one.show(one.last - one.first),
            one.show(one.most),
            one.show(one.slope),
            "" if one.bound is None else f"< {one.show(one.bound)}",
        )
    rate = soak.results.total() / soak.seconds
    return Group(
        out,
        f"{soak.offered} slots offered = {soak.results.total()} results ({_words(soak.results)}) "
        f"+ {soak.skips.total()} skips ({_words(soak.skips)})",
        f"{rate:.2f} runs/s for {soak.seconds:.0f} s; workers replaced: {_words(soak.restarts)}",
        f"started after their slots: first quarter {_late(soak.late[: len(soak.late) // 4])}, "
        f"last quarter {_late(soak.late[-len(soak.late) // 4 :])}",
        *(f"[red]{sentence}[/red]" for sentence in soak.broken or ()),
        "" if soak.broken else "[green]held[/green]",
    )


def text(soak: Soak) -> str:
    """The same as plain text."""
    console = Console(width=200, record=True, file=StringIO())
    console.print(table(soak))
    return console.export_text()


def _late(seconds: Sequence[float]) -> str:
    hundredths = quantiles(seconds, n=100, method="inclusive")
    return f"p50 {hundredths[49]:.2f} s, p99 {hundredths[98]:.2f} s"


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.most_common())
