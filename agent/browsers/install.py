"""Set-up's last step, ``python -m agent.browsers.install``: a driver and a browser that start.

For the browser it takes what is there; else Playwright's download; else the package of a
Debian-like system, where that can be installed without asking anybody for a password.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from agent.browsers.find import driver_folder, find_browser
from agent.core.errors import BrowserMissing

if TYPE_CHECKING:
    from pathlib import Path

DOWNLOAD_TIMEOUT = 600.0
"""Seconds that a download, and each call of the package manager, may take."""

_BROWSER = ("chromium-headless-shell", "fonts-liberation")
_LIBRARY = ("libatomic1",)
"""What the driver needs and a bare Debian lacks."""

_DRIVER_ADVICE = """\
Playwright's driver does not start. On Debian, as root: apt-get install libatomic1. Elsewhere,
install the library that its message names; then try again.
"""

_BROWSER_ADVICE = """\
No browser that starts could be found or installed. Do one of these, then try again:
  - where the internet can be reached: .venv/bin/python -m playwright install \
chromium-headless-shell
    (and as root, for its libraries: .venv/bin/python -m playwright install-deps)
  - on Debian, as root: apt-get install chromium-headless-shell fonts-liberation
  - with a Chromium elsewhere: set FOOTFALL_BROWSER__EXECUTABLE to its path
"""


def main() -> int:
    """Make sure of the driver and of a browser, and print which; 1 where one is missing."""
    if not _have_driver():
        _say(_DRIVER_ADVICE.rstrip())
        return 1
    try:
        found = _have_browser(os.environ.get("FOOTFALL_BROWSER__EXECUTABLE", ""))
    except BrowserMissing as error:
        _say(str(error))
        return 1
    if not found:
        _say(_BROWSER_ADVICE.rstrip())
        return 1
    return 0


def _have_driver() -> bool:
    node = driver_folder() / "node"
    trouble = _trouble(node)
    if trouble:
        _say(f"Playwright's driver does not start: {trouble}")
        _install_packages(_LIBRARY)
        trouble = _trouble(node)
    return not trouble


def _have_browser(configured: str) -> bool:
    if _is_ready(configured):
        return True
    _download()
    if _is_ready(configured):
        return True
    _install_packages(_BROWSER)
    return _is_ready(configured)


def _is_ready(configured: str) -> bool:
    browser = find_browser(configured)
    if browser is None:
        return False
    trouble = _trouble(browser)
    _say(f"Browser: {browser}" if not trouble else f"{browser} does not start: {trouble}")
    return not trouble


def _trouble(executable: Path) -> str:
    """Say why it does not even tell its version: most often a missing library."""
    try:
        asked = subprocess.run(  # noqa: S603 - Playwright's own, or the browser just found
            [executable, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if asked.returncode == 0:
        return ""
    said = asked.stderr.strip().splitlines()
    return said[-1] if said else f"exit code {asked.returncode}"


def _download() -> None:
    _say("Downloading Playwright's headless Chromium ...")
    command = [sys.executable, "-m", "playwright", "install", "chromium-headless-shell"]
    trouble = _run(command)
    if trouble:
        _say(f"Playwright's download failed: {trouble}")


def _install_packages(packages: tuple[str, ...]) -> None:
    wanted = ", ".join(packages)
    rights = _rights()
    if shutil.which("apt-get") is None or rights is None:
        _say(f"Can't install {wanted} from here: no apt-get, or not root and no free sudo.")
        return
    _say(f"Installing {wanted} ...")
    apt = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]
    # A source that can't be reached need not be the one that has the packages.
    _run([*apt, "update"])
    trouble = _run([*apt, "install", "--no-install-recommends", *packages])
    if trouble:
        _say(f"The package manager failed: {trouble}")


def _rights() -> list[str] | None:
    """Return the words before a command that make it root's, or None without a way."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is not None and not _run(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    return None


def _run(command: list[str]) -> str:
    """Run quietly; return what went wrong in one line, or nothing."""
    try:
        done = subprocess.run(  # noqa: S603 - commands of this module alone
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DOWNLOAD_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or line.startswith("E:")]
    return (telling or lines or [f"exit code {done.returncode}"])[0]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
