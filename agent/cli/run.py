"""``footfall run``: the daemon, and the signals that it heeds."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from agent.daemon.serve import Daemon

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.core.clock import Clock


async def run(path: Path | None, environ: Mapping[str, str], clock: Clock) -> bool:
    """Serve until SIGTERM or SIGINT; return whether all went to its end by itself."""
    daemon = Daemon(path, environ, clock)
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(daemon.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, daemon.stop)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return await daemon.run()
