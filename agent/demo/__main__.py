"""``python -m agent.demo``: the shop as a process, until SIGTERM or Ctrl-C.

Prints one JSON line, ``{"shop": url, "analytics": url}``, as soon as both answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from agent.demo.serve import serve
from agent.verify import DirectoryError


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(
        host=arguments.host,
        port=arguments.port,
        analytics_port=arguments.analytics_port,
        inventory=arguments.inventory,
        keys=arguments.keys,
    ) as addresses:
        sys.stdout.write(json.dumps(asdict(addresses)) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m agent.demo", description="A small shop to watch, with its analytics."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port of the shop; 0: any free one")
    parser.add_argument(
        "--analytics-port", type=int, default=0, help="port of the analytics; 0: any free one"
    )
    parser.add_argument(
        "--inventory",
        default="",
        metavar="URL",
        help="service to ask GET URL/stock/SLUG instead of counting; it gets the trace context",
    )
    parser.add_argument(
        "--keys",
        type=Path,
        help="key directory of the agent whose orders are left out of /demo/books",
    )
    arguments = parser.parse_args()
    try:
        asyncio.run(_run(arguments))
    except DirectoryError as error:
        parser.exit(1, f"demo: --keys: {error}\n")
    except OSError as error:
        parser.exit(1, f"demo: {error}. Give other ports with --port and --analytics-port.\n")


if __name__ == "__main__":
    main()
