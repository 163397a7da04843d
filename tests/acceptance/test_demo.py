"""`footfall demo` tells its whole story, and leaves nothing."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys

import psutil
import pytest

from tests.support.daemon import until
from tests.support.service import ROOT


@pytest.mark.timeout(120)
async def test_the_demo_shows_a_breakage_detected_confirmed_and_recovered(tmp_path):
    """It prints the addresses, breaks the shop, tells fail with its evidence and the recovery;
    Ctrl-C ends it with 0, and no process or folder of it is left."""
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent",
        "demo",
        cwd=ROOT,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    lines: list[str] = []
    family: set[psutil.Process] = set()

    async def told(pattern: str, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                while not any(re.search(pattern, line) for line in lines):
                    line = await process.stdout.readline()
                    assert line, "".join(lines)
                    lines.append(line.decode())
                    family.update(psutil.Process(process.pid).children(recursive=True))
        except TimeoutError:
            raise AssertionError(f"no {pattern} within {within} s:\n{''.join(lines)}") from None

    try:
        await told(r"shop +http://127\.0\.0\.1:\d+", 20)
        await told(r"health +http://127\.0\.0\.1:\d+/readyz", 5)
        await told(r"buy_a_mug +pass", 40)
        await told(r"revenue of people 0\.00 € \(0 orders\), beside 1 synthetic order", 10)
        await told("Now checkout is broken", 5)
        await told(r"buy_a_mug +fail.*\(2 attempts\).*http_status", 30)
        await told("Detected, and confirmed in a fresh worker", 5)
        await told(r"screenshot\.png", 5)
        await told("Recovered", 30)
        process.send_signal(signal.SIGINT)
        rest, _ = await asyncio.wait_for(process.communicate(), 40)
        assert process.returncode == 0, "".join(lines) + rest.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert len(family) > 5
    await until(lambda: not any(one.is_running() for one in family), 5, lambda: str(family))
    assert not list(tmp_path.iterdir()), "every folder of the demo is gone"
    kept = "".join(lines)
    assert "Traceback" not in kept
    assert {"not_measured"} & set(re.findall(r"not_measured", kept)) == set(), kept
