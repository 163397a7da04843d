"""The state folder: one agent's lock, its lasting identity, and where its files lie.

What lies in it is its user's alone, and so is the folder itself, unless it holds other things
besides: then it keeps its rights.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import uuid
from typing import IO, TYPE_CHECKING

from agent.core.errors import StateError, StateLocked
from agent.storage.private import make_file, make_folder, restrict_file

if TYPE_CHECKING:
    from pathlib import Path

_OWN = re.compile(
    r"artifacts|scratch|lock|(instance-id|token)(\.partial)?|\.journeys|footfall\.db(-.*|\..*)?"
    r"|pauses\.json(\..*)?|lost\+found"
)
"""What an agent's folder holds."""


class StateFolder:
    """The folder of one agent. Held by a lock from ``acquire`` until ``release``."""

    def __init__(self, path: Path, artifacts: Path | None = None) -> None:
        self.path = path
        self.artifacts = artifacts or path / "artifacts"
        """Evidence that was kept."""
        self._lock: IO[str] | None = None

    @property
    def database(self) -> Path:
        """The one SQLite file."""
        return self.path / "footfall.db"

    @property
    def pauses(self) -> Path:
        """What people have paused."""
        return self.path / "pauses.json"

    @property
    def scratch(self) -> Path:
        """Where runs record before anybody knows whether it is wanted."""
        return self.path / "scratch"

    def acquire(self) -> str:
        """Lock the folder, create what is missing, and return the agent's lasting id.

        Raises:
            StateLocked: another agent holds it.
            StateError: it can't be created or written.

        """
        try:
            for home in (self.path, self.artifacts.parent):
                if _holds_nothing_else(home):
                    make_folder(home)
            for folder in (self.artifacts, self.scratch):
                make_folder(folder)
            make_file(self.path / "lock")
            self._lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise StateError(
                f"state folder {self.path}: {error.strerror}. Give the agent a folder "
                "that it may write to (key `state`)."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self.release()
            raise StateLocked(
                f"state folder {self.path} is held by another agent (process {holder}). "
                "Stop that one, or give this one a folder of its own (key `state`)."
            ) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        return self._instance_id()

    def release(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _instance_id(self) -> str:
        path = self.path / "instance-id"
        with contextlib.suppress(FileNotFoundError, ValueError):
            found = str(uuid.UUID(path.read_text().strip()))
            restrict_file(path)
            return found
        fresh = str(uuid.uuid4())
        partial = path.with_suffix(".partial")
        make_file(partial)
        partial.write_text(fresh + "\n")
        partial.replace(path)
        return fresh


def _holds_nothing_else(home: Path) -> bool:
    """Whether a folder is missing, or holds only what an agent put there."""
    return not home.exists() or all(_OWN.fullmatch(path.name) for path in home.iterdir())
