"""What a worker, its driver and its browsers may know of this process's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.pool.process_tree import MARK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KEPT_VARIABLES = (
    "DISPLAY",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "NODE_EXTRA_CA_CERTS",
    "PATH",
    "PLAYWRIGHT_BROWSERS_PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TZ",
    "VIRTUAL_ENV",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
)


def worker_environment(
    environ: Mapping[str, str], agent_id: str, temporary: Path
) -> dict[str, str]:
    """Return what a worker, its driver and its browsers may know: no secret, and the mark.

    Browsers keep their profiles in ``temporary``, which goes when the worker goes.
    """
    kept = {name: environ[name] for name in _KEPT_VARIABLES if name in environ}
    own = {MARK: agent_id, "PYTHONUNBUFFERED": "1", "TMPDIR": str(temporary)}
    return {**kept, **own}
