"""``pytest journeys/`` walks the same files by the same engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[2]

JOURNEYS = """
    from agent import Run, expect, journey

    @journey(site="shop", owner="tests", timeout="5s")
    async def opens(run: Run) -> None:
        async with run.step("Open"):
            await run.page.goto("/")

    @journey(site="shop", owner="tests", timeout="5s", confirm=False)
    async def misses(run: Run) -> None:
        async with run.step("Open"):
            await run.page.goto("/")
        async with run.step("Miss"):
            await expect(run.page.get_by_text("no such text")).to_be_visible(timeout=300)
        async with run.step("Never"):
            pass
"""


@pytest.mark.timeout(90)
def test_journeys_are_tests(tmp_path: Path, shop) -> None:
    """Each journey is one test: a failing one fails it and shows error, steps and evidence."""
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "both.py").write_text(dedent(JOURNEYS))
    (folder / "helper.py").write_text("VALUE = 1\n")
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)),
            *("--footfall-site", f"shop={shop.url}", "-q", str(folder)),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "fail: assertion" in done.stdout
    assert "fail     Miss" in done.stdout
    assert "skipped  Never" in done.stdout
    *_, evidence = re.findall(r"\S+/screenshot\.png", done.stdout)
    assert evidence.startswith("var/artifacts/misses/"), "as it is typed from here"
    assert (tmp_path / evidence).is_file()
