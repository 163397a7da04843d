"""The names that journey authors import: listed, loaded late, and typed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import agent

ROOT = Path(__file__).resolve().parents[2]

JOURNEY = '''"""A journey as an author writes it."""

from agent import Run, expect, journey


@journey(site="shop", owner="me", params={"sku": "mug"})
async def buy(run: Run) -> None:
    """Buy a mug."""
    reveal_type(run.page)
    reveal_type(run.context)
    reveal_type(run.api)
    reveal_type(run.params)
    reveal_type(run.secret("PW"))
    reveal_type(buy)
    async with run.step("Open"):
        await run.page.goto("/")
        await expect(run.page.get_by_role("heading")).to_be_visible()
    run.log.info("done", sku=run.params["sku"])
'''
REVEALED = [
    "playwright.async_api._generated.Page",
    "playwright.async_api._generated.BrowserContext",
    "playwright.async_api._generated.APIRequestContext",
    "typing.Mapping[str, Any]",
    "str",
    "def (run: agent.authoring.Run) -> typing.Coroutine[Any, Any, None]",
]


def test_all() -> None:
    """``__all__`` is sorted and is what is loaded on demand."""
    assert agent.__all__ == sorted(agent.__all__)
    assert set(agent.__all__) == set(agent._HOMES)


@pytest.mark.parametrize("name", agent.__all__)
def test_each_name(name: str) -> None:
    """Each public name is there, and is the one of its home."""
    value = getattr(agent, name)
    assert value is getattr(sys.modules[agent._HOMES[name]], name)


def test_no_other_name() -> None:
    """A name that isn't public is an ordinary error of attributes."""
    with pytest.raises(AttributeError, match="module 'agent' has no attribute 'nothing'"):
        agent.nothing  # noqa: B018


def test_typed() -> None:
    """The package says that it is typed."""
    assert files(agent).joinpath("py.typed").is_file()


@pytest.mark.timeout(120)
def test_types(tmp_path: Path) -> None:
    """A type checker, and so an editor, knows what an author gets from a run."""
    file = tmp_path / "buy.py"
    file.write_text(JOURNEY)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, str(file)]
    done = subprocess.run(
        [*command, "--follow-imports=silent", f"--cache-dir={ROOT / '.mypy_cache'}"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    revealed = [line.split('"')[1] for line in done.stdout.splitlines() if "Revealed type" in line]
    assert revealed == REVEALED, done.stdout + done.stderr
    assert ": error:" not in done.stdout
