"""A copy of the journeys folder, so that what was checked is what is walked.

A worker that is started later, or a helper module that is imported late, must not read files
that somebody is editing, or that a refused reload has told of.
"""

from __future__ import annotations

import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.model import Journey

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules")


def take(folder: Path, below: Path | None = None) -> tuple[Path, list[Problem]]:
    """Copy ``folder`` into a fresh one below ``below`` (None: the system's temporary folder).

    Return the copy, which has the same name, and what could not be read. Links are followed:
    mounted configuration consists of them.
    """
    copy = Path(tempfile.mkdtemp(prefix="journeys-", dir=below)) / folder.name
    try:
        shutil.copytree(folder, copy, ignore=_LEFT_OUT)
    except shutil.Error as error:
        return copy, [
            Problem(f"{folder.name}/{Path(source).relative_to(folder)}", f"can't be read: {why}")
            for source, _, why in error.args[0]
        ]
    return copy, []


def digest(copy: Path, journeys: Sequence[Journey]) -> str:
    """Return 16 hexadecimal digits that stand for a copy's files and the journeys made of them.

    The configuration is in it as far as it makes journeys what they are: replicas that differ
    in a timeout or an interval would walk other slots.
    """
    whole = sha256()
    for file in sorted(copy.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            content = file.read_bytes()
            whole.update(f"{file.relative_to(copy).as_posix()}\n{len(content)}\n".encode())
            whole.update(content)
    for journey in sorted(journeys, key=lambda one: one.name):
        whole.update(f"{journey!r}\n".encode())
    return whole.hexdigest()[:16]


def drop(copy: Path) -> None:
    """Remove a copy."""
    shutil.rmtree(copy.parent, ignore_errors=True)


def bring_home(copy: Path, home: Path) -> Path:
    """Move a copy below ``home``, which holds nothing else from then on; return where it lies."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    moved = home / copy.parent.name
    shutil.move(copy.parent, moved)
    return moved / copy.name


def keep_only(home: Path, copies: Sequence[Path]) -> None:
    """Remove all other copies below ``home``."""
    for other in set(home.iterdir()) - {copy.parent for copy in copies}:
        shutil.rmtree(other, ignore_errors=True)
