"""Runs the programs that set-up needs, again where a passing fault of the network may be why."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PAUSES = (2.0, 8.0)


class InstallError(Exception):
    """A part couldn't be installed; the message says what was tried and what to do."""


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    pauses: Sequence[float] = _PAUSES,
) -> None:
    """Run ``command`` in ``folder`` until it succeeds, once more after each pause (seconds).

    Raises:
        InstallError: it never did; shows the end of what the last try printed.

    """
    for pause in (*pauses, None):
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode == 0:
            return
        if pause is not None:
            time.sleep(pause)
    tries = len(pauses) + 1
    raise InstallError(
        f"`{' '.join(command)}` failed with code {done.returncode}"
        f"{f', {tries} times' if tries > 1 else ''}:\n{done.stdout[-2000:]}"
    )
