"""The artifacts folder: ``<journey>/<time>-<run>/attempt-<n>/<file>``."""

from __future__ import annotations

import json
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import structlog

from agent.core.results import EVIDENCE
from agent.storage.private import make_folder, restrict_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.core.difference import Comparison
    from agent.core.results import Attempt

Kept = Literal["all", "failed", "none"]

_NEXT = 1_000_000
"""Nanoseconds between two runs whose order the clock doesn't tell."""

_log = structlog.get_logger("footfall.artifacts")


@dataclass(frozen=True, slots=True)
class Retention:
    """What evidence is recorded and kept, and for how long."""

    keep: Kept
    """Of which attempts anything is kept."""
    trace: Kept
    """Of which a trace is."""
    max_bytes: int
    max_age: float
    """Seconds."""

    def records(self, number: int, *, confirmed: bool) -> bool:
        """Whether an attempt is to record a trace; ``confirmed`` if a failed one is walked again.

        Recording costs every run, so what fails is recorded when it is walked again.
        """
        again = number > 1 or not confirmed
        return self.trace == "all" or (self.trace == "failed" and again)

    def wants(self, name: str, attempt: Attempt) -> bool:
        """Whether a piece of an attempt's evidence is kept."""
        if name not in EVIDENCE or not _fits(self.keep, attempt):
            return False
        return name != "trace.zip" or _fits(self.trace, attempt)


def _fits(kept: Kept, attempt: Attempt) -> bool:
    return kept == "all" or (kept == "failed" and attempt.error_type is not None)


class ArtifactStore:
    """Moves wanted evidence out of scratch and drops what is too old or too much."""

    def __init__(self, folder: Path, scratch: Path, retention: Retention) -> None:
        self.folder = folder
        """Where kept evidence lies."""
        self._scratch = scratch
        self.retention = retention
        self._newest = 0
        """When the newest run was kept, in Unix nanoseconds; none that comes later is older."""

    def open_scratch(self, run_id: str, number: int) -> Path:
        """Make the folder into which one attempt records."""
        path = self._scratch / f"{run_id}-{number}"
        make_folder(path)
        return path

    def clear_scratch(self) -> None:
        """Drop whatever a killed predecessor was recording."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        make_folder(self._scratch)

    def drop_scratch(self, run_id: str) -> None:
        """Drop what is left of a run's recording: of an attempt that was broken off."""
        # Not ``glob``: it compiles a pattern for each run, and hundreds of them are kept.
        with suppress(FileNotFoundError):
            for path in self._scratch.iterdir():
                if path.name.startswith(f"{run_id}-"):
                    shutil.rmtree(path, ignore_errors=True)

    def keep(
        self, journey: str, run_id: str, at: float, attempt: Attempt, names: Sequence[str]
    ) -> tuple[str, ...]:
        """Keep or drop one attempt's evidence; ``at`` is when its run started, Unix seconds.

        Evidence that can't be kept is told to the log and changes nothing of the run.

        Returns:
            The kept files' paths, relative to the artifacts folder.

        """
        scratch = self._scratch / f"{run_id}-{attempt.number}"
        kept: list[str] = []
        try:
            time = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
            home = self.folder / journey / f"{time}-{run_id}" / f"attempt-{attempt.number}"
            for name in names:
                source = scratch / name
                # A worker runs other people's code: what it names may lead anywhere.
                if self.retention.wants(name, attempt) and _is_plain(source):
                    for folder in (home.parent.parent, home.parent, home):
                        make_folder(folder)
                    if name == "failure.json":
                        _add_comparison(source, attempt.comparison)
                    shutil.move(source, home / name)
                    restrict_file(home / name)
                    kept.append((home / name).relative_to(self.folder).as_posix())
            if kept:
                self._date(home.parent)
        except OSError as error:
            _log.error("artifacts.not_kept", action="keep", journey=journey, error=str(error))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return tuple(kept)

    def sweep(self, now: float) -> int:
        """Drop the oldest runs beyond the caps at Unix time ``now``; return how many went."""
        runs = sorted(self._runs(), key=lambda run: run.modified)
        total = sum(run.size for run in runs)
        dropped = 0
        for run in runs:
            if (
                total <= self.retention.max_bytes
                and now - run.modified / 1e9 <= self.retention.max_age
            ):
                break
            shutil.rmtree(run.path, ignore_errors=True)
            if not run.path.exists():
                total -= run.size
                dropped += 1
        return dropped

    def _date(self, run: Path) -> None:
        """Have a run count as the newest, also after the clock was set back."""
        modified = run.stat().st_mtime_ns
        if modified < self._newest:
            modified = self._newest + _NEXT
            os.utime(run, ns=(modified, modified))
        self._newest = modified

    def _runs(self) -> list[_Kept]:
        runs = []
        for run in self.folder.glob("*/*"):
            # Somebody may be clearing up by hand at the same time.
            with suppress(OSError):
                size = sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
                runs.append(_Kept(run, size, run.stat().st_mtime_ns))
        self._newest = max([self._newest, *(run.modified for run in runs)])
        return runs


def _add_comparison(file: Path, comparison: Comparison) -> None:
    """Write into the notes of a failure what is different from the last passes."""
    with suppress(ValueError):
        facts = json.loads(file.read_bytes())
        if isinstance(facts, dict):
            facts["changes"] = [change.document() for change in comparison.changes]
            facts["compared_with"] = comparison.passes
            text = json.dumps(facts, indent=2, ensure_ascii=False)
            file.write_text(text + "\n", encoding="utf-8", errors="replace")


def _is_plain(file: Path) -> bool:
    """Whether there is such a file, which is no link."""
    with suppress(FileNotFoundError):
        return stat.S_ISREG(file.lstat().st_mode)
    return False


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    size: int
    modified: int
    """Unix nanoseconds."""
