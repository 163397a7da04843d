"""``python -m agent.demo.pipeline``: a deploy of the shop as a pipeline does it, gated.

It puts the release out, tells the agent, and asks it for a verdict with ``footfall gate``. Unless
that is `pass`, the release before is put back. Exits as the gate does: 0 promoted, 1 rolled back,
3 no verdict.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError

_TIMEOUT: Final = 10.0
_PAST: Final = "1s"
"""In the demo things are broken on purpose: that is no past to hold a release to."""


def deploy(given: argparse.Namespace) -> int:
    """Deploy, have it judged, and roll back what doesn't pass; return the exit code."""
    release, shop = given.release, given.shop
    start = time.monotonic()
    before = _running(shop)
    if given.stuck:
        _say(f"deploying {release} over {before}; it hangs, and nothing arrives")
    else:
        _say(f"deploying {release} over {before}")
        _release(given, release)
    ask = ("-m", "agent", "gate", "--site", "shop", "--release", release, *given.journeys)
    config = ("--config", str(given.config))
    judged = subprocess.run(  # noqa: S603 - the agent's own command
        [sys.executable, *ask, "--within", given.within, "--baseline", _PAST, *config],
        check=False,
    )
    took = time.monotonic() - start
    if judged.returncode == 0:
        _say(f"{release} is promoted, {took:.1f} s after its deploy began")
    elif given.stuck:
        _say(f"{before} goes on: {release} never arrived")
    else:
        _release(given, before)
        took = time.monotonic() - start
        _say(f"rolled back to {before}, {took:.1f} s after the deploy of {release} began")
    return judged.returncode


def _release(given: argparse.Namespace, release: str) -> None:
    """Put a release out, and tell the agent."""
    _post(f"{given.shop}/demo/deploy/{release}")
    token = given.token_file.read_text().strip()
    _post(f"{given.agent}/api/v1/deploys", {"site": "shop", "release": release}, token)


def _running(shop: str) -> str:
    with urllib.request.urlopen(shop, timeout=_TIMEOUT) as answer:  # noqa: S310 - the demo's own
        return str(answer.headers["x-version"])


def _post(url: str, body: dict[str, Any] | None = None, token: str = "") -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(  # noqa: S310 - as above
        url,
        json.dumps(body).encode() if body else b"",
        headers if body else {},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT):  # noqa: S310 - as above
        pass


def _say(line: str) -> None:
    # What the gate prints comes after it.
    print(line, flush=True)  # noqa: T201 - the program's own output


def main() -> None:
    """Parse the command line and deploy."""
    parser = argparse.ArgumentParser(prog="deploy", description="Deploys the demo shop, gated.")
    parser.add_argument("release", help="1.4.3, or 1.5.0, which is bad")
    parser.add_argument("journeys", nargs="*", help="those that vote; default: all")
    parser.add_argument("--shop", required=True, help="address of the shop")
    parser.add_argument("--agent", required=True, help="address of the agent")
    parser.add_argument("--config", type=Path, required=True, help="the agent's configuration")
    parser.add_argument("--token-file", type=Path, required=True, help="where its token lies")
    parser.add_argument("--within", default="60s", help="in which the verdict is wanted")
    parser.add_argument("--stuck", action="store_true", help="have the release never arrive")
    given = parser.parse_intermixed_args()
    try:
        sys.exit(deploy(given))
    except HTTPError as error:
        parser.exit(4, f"deploy: {error.url} answered {error.code}: {error.read().decode()}\n")
    except (OSError, URLError) as error:
        parser.exit(4, f"deploy: {error}\n")


if __name__ == "__main__":
    main()
