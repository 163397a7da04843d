"""A wall clock that can be set under a running agent, for it and its workers alone."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.daemon import Home

_SITE = """
import time

_FILE = {file!r}
_time, _time_ns = time.time, time.time_ns


def _off():
    with open(_FILE) as file:
        return float(file.read())


time.time = lambda: _time() + _off()
time.time_ns = lambda: _time_ns() + int(_off() * 1e9)
"""


class WallClock:
    """How far the wall clock of a home's agent and its workers is off the machine's.

    Python loads what is put first into its path as it starts; browsers have the machine's clock.
    """

    def __init__(self, home: Home) -> None:
        folder = home.path / "wall-clock"
        folder.mkdir()
        self._file = folder / "off"
        self.set(0.0)
        (folder / "sitecustomize.py").write_text(_SITE.format(file=str(self._file)))
        paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        home.environment["PYTHONPATH"] = os.pathsep.join(paths)

    def now(self) -> float:
        """Return what it shows, in Unix seconds."""
        return time.time() + self.off

    def set(self, off: float) -> None:
        """Set it; the file is replaced as a whole, since it is read at any time."""
        self.off = off
        fresh = self._file.with_suffix(".new")
        fresh.write_text(repr(off))
        fresh.rename(self._file)

    def step(self, seconds: float) -> None:
        """Set it forward, or back by less than nothing."""
        self.set(self.off + seconds)

    def set_to(self, moment: datetime) -> None:
        """Set it to a moment."""
        self.set(moment.timestamp() - time.time())
