"""The artifacts folder: ``<journey>/<time>-<run>/attempt-<n>/<file>``."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.core.results import Attempt

Kept = Literal["all", "failed", "none"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept: of which attempts, up to how many bytes and how many seconds."""

    keep: Kept
    max_bytes: int
    max_age: float


class ArtifactStore:
    """Moves wanted evidence out of scratch and drops what is too old or too much."""

    def __init__(self, folder: Path, scratch: Path, policy: Policy) -> None:
        self.folder = folder
        """Where kept evidence lies."""
        self._scratch = scratch
        self._policy = policy

    def open_scratch(self, run_id: str, number: int) -> Path:
        """Make the folder into which one attempt records."""
        path = self._scratch / f"{run_id}-{number}"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def clear_scratch(self) -> None:
        """Drop whatever a killed predecessor was recording."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True, exist_ok=True)

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
        """Keep or drop one attempt's evidence.

        Returns:
            The kept files' paths, relative to the artifacts folder.

        """
        scratch = self._scratch / f"{run_id}-{attempt.number}"
        try:
            if not self._wanted(attempt):
                return ()
            time = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
            home = self.folder / journey / f"{time}-{run_id}" / f"attempt-{attempt.number}"
            kept = []
            for name in names:
                home.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):
                    shutil.move(scratch / name, home / name)
                    kept.append((home / name).relative_to(self.folder).as_posix())
            return tuple(kept)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def sweep(self, now: float) -> int:
        """Drop the oldest runs beyond the caps; return how many went."""
        runs = sorted(self._runs(), key=lambda run: run.modified)
        total = sum(run.size for run in runs)
        dropped = 0
        for run in runs:
            if total <= self._policy.max_bytes and now - run.modified <= self._policy.max_age:
                break
            shutil.rmtree(run.path, ignore_errors=True)
            if not run.path.exists():
                total -= run.size
                dropped += 1
        return dropped

    def _wanted(self, attempt: Attempt) -> bool:
        if self._policy.keep == "failed":
            return attempt.error_type is not None
        return self._policy.keep == "all"

    def _runs(self) -> list[_Kept]:
        runs = []
        for run in self.folder.glob("*/*"):
            # Somebody may be clearing up by hand at the same time.
            with suppress(OSError):
                size = sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
                runs.append(_Kept(run, size, run.stat().st_mtime))
        return runs


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    size: int
    modified: float
