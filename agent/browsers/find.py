"""Which browser to start: the configured one, else Playwright's own, else the system's.

Free of Playwright, so that set-up, ``check`` and the daemon can ask without loading it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.errors import BrowserMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "browser.executable"

_SHELL = "headless"
"""What every browser that can't open a window has in its name."""

_DOWNLOADED = (
    ("chromium_headless_shell-*", "chrome-headless-shell-*/chrome-headless-shell"),
    ("chromium-*", "chrome-linux*/chrome"),
    ("chromium-*", "chrome-mac*/*.app/Contents/MacOS/*"),
)
"""Playwright's folders, lightest browser first, and the executable in each."""

_SYSTEM = ("chromium-headless-shell", "chromium", "google-chrome")


def find_browser(configured: str = "", *, headed: bool = False) -> Path | None:
    """Return the executable to start, or None where there is none.

    ``configured`` is a path or a command's name and the only one looked at where given.
    ``headed`` leaves out browsers that can't open a window.

    Raises:
        BrowserMissing: the configured one is not there, or can't open a window.

    """
    if configured:
        return _configured(configured, headed=headed)
    for candidate in _candidates():
        if not (headed and _SHELL in candidate.name):
            return candidate
    return None


def require_browser(configured: str = "", *, headed: bool = False) -> Path:
    """Return the executable to start, as ``find_browser`` does.

    Raises:
        BrowserMissing: there is none; the message says what to do.

    """
    found = find_browser(configured, headed=headed)
    if found is None:
        package, only = ("chromium", " that can open a window") if headed else (_SYSTEM[0], "")
        raise BrowserMissing(
            f"no browser{only} was found, neither Playwright's own in {registry()} nor one of "
            f"{', '.join(_SYSTEM)} on the PATH. Run `python -m playwright install {package}` "
            f"or install the distribution's package {package}, or name an executable in the "
            f"key `{KEY}`."
        )
    return found


def registry() -> Path:
    """Return the folder in which Playwright keeps the browsers that it downloads."""
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")
    if given == "0":
        # Playwright's own word for "inside the package".
        return driver_folder() / "package" / ".local-browsers"
    if given:
        return Path(given).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ms-playwright"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ms-playwright"


def driver_folder() -> Path:
    """Return the folder of Playwright's driver, without loading Playwright."""
    spec = importlib.util.find_spec("playwright")
    package = Path(spec.origin).parent if spec and spec.origin else Path()
    return package / "driver"


def _configured(configured: str, *, headed: bool) -> Path:
    found = shutil.which(Path(configured).expanduser())
    if found is None:
        raise BrowserMissing(
            f"key `{KEY}`: {configured} is not an executable file. Correct the path, or leave "
            "the key empty to have a browser found."
        )
    real = _unwrapped(Path(found).absolute())
    if headed and _SHELL in real.name:
        raise BrowserMissing(
            f"key `{KEY}`: {configured} can't open a window. Name a full Chromium, or leave "
            "the key empty to have one found."
        )
    return real


def _candidates() -> Iterator[Path]:
    for folder, inside in _DOWNLOADED:
        for download in sorted(registry().glob(folder), key=_revision, reverse=True):
            # Playwright writes the mark last: without it the download was cut short.
            if (download / "INSTALLATION_COMPLETE").exists():
                yield from (path for path in download.glob(inside) if os.access(path, os.X_OK))
    for name in _SYSTEM:
        found = shutil.which(name)
        if found is not None:
            yield _unwrapped(Path(found).absolute())


def _revision(download: Path) -> int:
    number = re.search(r"\d+$", download.name)
    return int(number[0]) if number else 0


def _unwrapped(executable: Path) -> Path:
    """Return the binary behind a distribution's start script, or the script itself.

    Death with the parent is asked for by the process that is started. Debian's script for
    the headless shell starts the browser as a child, which would not inherit the wish.
    """
    with executable.open("rb") as file:
        if file.read(2) != b"#!":
            return executable
    script = executable.resolve()
    for real in (
        script.parent.parent / "lib" / "chromium" / script.name,  # Debian's two packages
        script.with_name("chrome"),  # Google's
    ):
        if os.access(real, os.X_OK):
            return real
    return executable
