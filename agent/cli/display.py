"""Whether somebody sees a window that a command opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLES: Final = ("DISPLAY", "WAYLAND_DISPLAY")


def has_display(environ: Mapping[str, str]) -> bool:
    """Whether these variables name a display."""
    return any(environ.get(name) for name in _VARIABLES)
