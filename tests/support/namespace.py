"""A process namespace of one's own, in which a command is process 1."""

from __future__ import annotations

import shutil
import subprocess

NAMESPACE = ("unshare", "--fork", "--pid", "--mount-proc", "--kill-child")
"""What a command is started by; takes root, or user namespaces."""


def can_unshare() -> bool:
    """Whether one can be made here."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
