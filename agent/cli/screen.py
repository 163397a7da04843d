"""Whether a window can be opened here: asked before a walk is, since it would fail on it."""

from __future__ import annotations

import re
import socket
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from agent.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCAL = re.compile(r"^(?:unix)?:(\d+)(?:\.\d+)?$")
_WAIT = 1.0
"""Seconds in which a display on this machine answers."""
_WHAT_TO_DO = (
    "Run it on a machine with one (a desktop, a remote desktop, `ssh -X`), or without {option}: "
    "a failed walk then leaves a screenshot, the page as roles and names, and a trace to step "
    "through"
)


def require_screen(option: str, environ: Mapping[str, str]) -> None:
    """Refuse an option that opens a window where there is no screen for it.

    Raises:
        ConfigError: there is none; the message says what to do.

    """
    if sys.platform != "linux" or environ.get("WAYLAND_DISPLAY"):
        return
    display = environ.get("DISPLAY", "")
    if not display:
        why = "opens a window, and there is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set"
    elif not _answers(display):
        why = f"opens a window, and no screen answers at DISPLAY={display}"
    else:
        return
    raise ConfigError([Problem(option, f"{why}. {_WHAT_TO_DO.format(option=option)}")])


def _answers(display: str) -> bool:
    """Whether an X server of this machine listens there; of others nobody can tell as fast."""
    local = _LOCAL.match(display)
    if local is None:
        return True
    path = f"/tmp/.X11-unix/X{local[1]}"  # noqa: S108 - where X servers listen
    return any(_listens(address) for address in (path, f"\0{path}"))


def _listens(address: str) -> bool:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as asked:
        asked.settimeout(_WAIT)
        return asked.connect_ex(address) == 0
