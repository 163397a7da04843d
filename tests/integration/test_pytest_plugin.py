"""``pytest journeys/`` walks the same files by the same engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]

JOURNEYS = """
    from agent import Run, expect, journey

    @journey(site="shop", owner="tests", timeout="30s")
    async def opens(run: Run) -> None:
        async with run.step("Open"):
            await run.page.goto("/")

    @journey(site="shop", owner="tests", timeout="30s", confirm=False)
    async def misses(run: Run) -> None:
        async with run.step("Open"):
            await run.page.goto("/")
        async with run.step("Miss"):
            await expect(run.page.get_by_text("no such text")).to_be_visible(timeout=300)
        async with run.step("Never"):
            pass
"""


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
        timeout=180,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "fail: assertion" in done.stdout
    assert re.search(r"at journeys/both\.py:\d+: await expect\(run\.page\.get_by", done.stdout)
    assert "fail     Miss" in done.stdout
    assert "skipped  Never" in done.stdout
    *_, evidence = re.findall(r"\S+/screenshot\.png", done.stdout)
    assert evidence.startswith("var/artifacts/misses/"), "as it is typed from here"
    assert (tmp_path / evidence).is_file()


WRAPPED = """
    import sys

    import shared_by_journeys
    from agent import Run, journey

    def mine(number):
        return journey(site="shop", owner="tests", timeout="30s", params={"number": number})

    @mine(3)
    async def wrapped(run: Run) -> None:
        assert run.params["number"] == 3
        assert "_pytest" not in sys.modules
        await run.page.goto("/")

    @journey(site="shop", owner="tests")
    async def not_chosen(run: Run) -> None: ...
"""
OWN = """
    import sys

    def test_nothing_of_the_agent_is_here():
        assert not {"playwright", "pydantic", "typer"} & set(sys.modules)
        assert not any(name.startswith("agent.") and name not in
                       {"agent.cli", "agent.cli.pytest_plugin", "agent.authoring"}
                       for name in sys.modules)
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    quiet = ("-p", "no:cacheprovider", "-p", "no:randomly", "-q", "--rootdir", str(folder))
    plugins = ("-p", "no:asyncio", "-p", "no:hypothesispytest", "-p", "no:timeout")
    return subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", *quiet, *plugins, *arguments),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_one_journey_by_its_name(tmp_path: Path, shop) -> None:
    """As once finds it: whatever decorates it, in a worker of its own, and no other one."""
    folder = tmp_path / "journeys" / "deep"
    folder.mkdir(parents=True)
    (folder.parent / "shared_by_journeys.py").write_text("")
    (folder / "both.py").write_text(dedent(WRAPPED))
    site = f"shop={shop.url}"
    done = run_pytest(tmp_path, "--footfall-site", site, "journeys/deep/both.py::wrapped")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_what_is_wrong_with_a_file_is_told(tmp_path: Path) -> None:
    """With its line, while the others are collected; without a configuration too."""
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "fine.py").write_text(dedent(JOURNEYS))
    (folder / "odd.py").write_text(dedent(JOURNEYS).replace('"30s"', '"30s", context={"a": 1}'))
    done = run_pytest(tmp_path, "--collect-only", "journeys")
    assert "journeys/fine.py::opens\njourneys/fine.py::misses" in done.stdout
    assert "journeys/odd.py:4: journey opens: context 'a': unknown option" in done.stdout


def test_nothing_is_active_without_journeys(tmp_path: Path) -> None:
    """A person's own tests, with a file beside them that looks like a journey."""
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_own.py").write_text(dedent(OWN))
    (tests / "helper.py").write_text("import x\n\n@x.y\nasync def journey(): ...\n")
    done = run_pytest(tmp_path, "tests")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
