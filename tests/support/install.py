"""`python -m tests.support.install`: what the suite needs beside its own environment.

Everything goes into `.cache/` and is left alone while it is still what would be installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import venv
from functools import partial
from typing import TYPE_CHECKING

from tests.support import (
    alerting,
    axe,
    backend,
    debian,
    deploying,
    nats_server,
    nginx,
    oscar,
    stories,
    victoria,
)
from tests.support.commands import InstallError, run
from tests.support.service import CACHE, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LOCK = oscar.SOURCE / "requirements.lock"
_BACKEND = backend.SOURCE / "requirements.lock"


def main() -> int:
    """Install what is missing; 0, or 1 after saying why not."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "install.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            for what, key, folder, install in (
                ("VictoriaMetrics", "trixie", CACHE / "victoria-metrics", _victoria),
                (
                    "Alertmanager",
                    f"{_codename()}, relocated",
                    CACHE / "alertmanager",
                    _alertmanager,
                ),
                ("promtool", "bookworm", stories.PROMETHEUS, _prometheus),
                ("nginx", _codename(), nginx.FOLDER, _nginx),
                *(
                    (name, deploying.RELEASE, CACHE / name, partial(_deploying, name))
                    for name in deploying.PROGRAMS
                ),
                ("an old NATS server", "bookworm", nats_server.OLD, _old_nats),
                ("axe-core", axe.VERSION, axe.FOLDER, axe.install),
                ("the instrumented back end", _key(_BACKEND), backend.VENV, _backend),
                ("the django-oscar environment", _key(_LOCK), oscar.VENV, _oscar),
                ("the django-oscar shop", _shop_key(), oscar.PREPARED, _shop),
            ):
                _once(what, key, folder, install)
        except InstallError as error:
            sys.stderr.write(f"the suite's real parts could not be installed: {error}\n")
            return 1
    return 0


def _once(what: str, key: str, folder: Path, install: Callable[[], None]) -> None:
    stamp = CACHE / f"{folder.name}.stamp"
    if folder.exists() and stamp.exists() and stamp.read_text() == key:
        return
    sys.stdout.write(f"installing {what} into {folder.relative_to(ROOT)}\n")
    sys.stdout.flush()
    stamp.unlink(missing_ok=True)
    install()
    stamp.write_text(key)


def _codename() -> str:
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def _nginx() -> None:
    debian.unpack("nginx", _codename(), nginx.FOLDER)


def _alertmanager() -> None:
    debian.unpack("prometheus-alertmanager", _codename(), CACHE / "alertmanager")
    alerting.relocate()
    _starts(alerting.ALERTMANAGER, "--version")


def _prometheus() -> None:
    # Later releases leave promtool out.
    debian.unpack("prometheus", "bookworm", stories.PROMETHEUS)
    _starts(stories.PROMTOOL, "--version")


def _deploying(name: str) -> None:
    debian.unpack(name, deploying.RELEASE, CACHE / name)
    _starts(deploying.PROGRAMS[name], "--help")


def _victoria() -> None:
    debian.unpack("victoria-metrics", "trixie", CACHE / "victoria-metrics")
    _starts(victoria.BINARY, "-version")


def _old_nats() -> None:
    debian.unpack("nats-server", "bookworm", nats_server.OLD)
    _starts(nats_server.OldNatsServer.binary, "--version")


def _starts(binary: Path, version: str) -> None:
    started = subprocess.run([binary, version], check=False, capture_output=True, text=True)
    if started.returncode != 0:
        raise InstallError(f"{binary.name} does not start here: {started.stderr}")


def _backend() -> None:
    _environment(backend.VENV, _BACKEND)


def _oscar() -> None:
    _environment(oscar.VENV, _LOCK)


def _environment(folder: Path, lock: Path) -> None:
    # Without a pip of its own: that of the running environment installs into it.
    venv.create(folder, clear=True, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    run([*pip, "--require-hashes", "-r", str(lock)], os.environ, ROOT)


def _shop() -> None:
    unfinished = oscar.PREPARED.with_suffix(".partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    command = [str(oscar.VENV / "bin" / "python"), str(oscar.SOURCE / "prepare.py")]
    run(command, os.environ | {"OSCAR_DATA": str(unfinished)}, ROOT, pauses=())
    shutil.rmtree(oscar.PREPARED, ignore_errors=True)
    unfinished.rename(oscar.PREPARED)


def _key(lock: Path) -> str:
    return _digest(lock) + sys.version


def _shop_key() -> str:
    return _key(_LOCK) + "".join(
        _digest(oscar.SOURCE / name) for name in ("settings.py", "prepare.py")
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
