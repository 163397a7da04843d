"""Looking at processes that may end while one looks."""

from __future__ import annotations

from contextlib import suppress

import psutil


def command_line(process: psutil.Process) -> str:
    """Return the words it was started with; "" where it is gone."""
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
