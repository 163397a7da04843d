"""Files and folders that only the agent's own user can read: evidence shows what customers see."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = 0o700
_FILE = 0o600
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def make_folder(path: Path) -> None:
    """Make a folder, or take what an older agent made for its user alone.

    Folders above it that are missing have the rights that are usual here.

    Raises:
        OSError: it can't be made.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=_FOLDER, exist_ok=True)
    _restrict(path, _FOLDER)


def make_file(path: Path) -> None:
    """Make an empty file, or take what is there for its user alone.

    Raises:
        OSError: it can't be made.

    """
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, _FILE))
    _restrict(path, _FILE)


def restrict_file(path: Path) -> None:
    """Take a file for its user alone.

    Raises:
        OSError: there is none.

    """
    _restrict(path, _FILE)


def replace_file(path: Path, text: str) -> None:
    """Put a file in the place of another; a kill or a power cut leaves the old one or the new.

    Raises:
        OSError: the disk refuses; the file is as it was.

    """
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, _MAKE, _FILE), "w", encoding="utf-8") as file:  # noqa: PTH123 - of a descriptor
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _restrict(path: Path, mode: int) -> None:
    if path.stat().st_mode & 0o777 & ~mode:
        # Somebody else's, on a volume that several share, or of a kind that knows no rights:
        # what is put there is still its own.
        with suppress(OSError):
            path.chmod(mode)
