"""The token that lies in the state folder, for who is on this machine and may read the folder."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from agent.core.errors import StateError
from agent.storage.private import replace_file

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "token"

_SHORTEST: Final = 32
_LONGEST: Final = 1024
"""Bytes that are read of it."""
_TOKEN: Final = re.compile(rf"[A-Za-z0-9_-]{{{_SHORTEST},}}")
_FOR_OTHERS: Final = 0o077
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def keep(folder: Path) -> str:
    """Return the folder's token; one that is missing, unfit or seen by others is made anew.

    Raises:
        StateError: none can be written.

    """
    path = folder / FILE
    try:
        token, trouble = _look(path)
        if trouble:
            # Not for who only reads it: a command that stops walks waits for what is imported.
            import structlog

            log = structlog.get_logger("footfall.storage")
            log.warning("token.renewed", action="start", file=str(path), why=trouble)
            token = ""
        return token or _make(path)
    except OSError as error:
        raise StateError(
            f"{path}: {error.strerror}. Give the agent a folder that it may write to (key `state`)."
        ) from error


def drop(folder: Path) -> None:
    """Remove the token of an agent that has another one by its configuration."""
    with suppress(OSError):
        (folder / FILE).unlink()


def read(folder: Path) -> str:
    """Return the token that an agent keeps in its folder; empty where there is none.

    Raises:
        OSError: it is there and can't be read by this user.

    """
    try:
        file = os.open(folder / FILE, _READ)
    except FileNotFoundError:
        return ""
    with open(file, "rb") as opened:  # noqa: PTH123 - of a descriptor
        text = opened.read(_LONGEST).decode("ascii", "replace").strip()
    return text if _TOKEN.fullmatch(text) else ""


def _look(path: Path) -> tuple[str, str]:
    """Return the token that is there, or why what is there is none."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return "", ""
    if not stat.S_ISREG(found.st_mode):
        return "", "it was no plain file"
    if found.st_uid != os.geteuid():
        return "", "it was another user's"
    if found.st_mode & _FOR_OTHERS:
        return "", "other users could read or write it"
    token = read(path.parent)
    return token, "" if token else f"it held no token of {_SHORTEST} characters or more"


def _make(path: Path) -> str:
    token = secrets.token_urlsafe(_SHORTEST)
    replace_file(path, f"{token}\n")
    return token
