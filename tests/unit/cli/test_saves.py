"""A save of a file is noticed once, and what is no save isn't."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from agent.cli.saves import Saves

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "journeys" / "shop").mkdir(parents=True)
    (tmp_path / "journeys" / "shop" / "buy.py").write_text("one")
    (tmp_path / "config.toml").write_text("")
    return tmp_path


async def noticed(saves: Saves, within: float = 0.7) -> list[Path]:
    with contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(saves.changed(), within)
    return []


async def test_what_is_a_save(folder: Path) -> None:
    """Written, replaced, new and removed files, at any depth, and the file beside: each once."""
    buy, other, config = (
        folder / "journeys" / "shop" / "buy.py",
        folder / "journeys" / "photo.png",
        folder / "config.toml",
    )
    saves = Saves(folder / "journeys", [config])
    buy.write_text("two!")
    other.write_bytes(b"x")
    assert await noticed(saves, 30) == [other, buy]
    (folder / "new.py").write_text("two!")
    (folder / "new.py").rename(buy)
    assert await noticed(saves, 30) == [buy]
    other.unlink()
    config.write_text("environment = 'x'")
    assert await noticed(saves, 30) == [config, other]
    assert await noticed(saves) == []


async def test_what_is_none(folder: Path) -> None:
    """Caches, hidden files, editors' copies and trials, and the agent's own folder."""
    own = folder / "journeys" / "var"
    own.mkdir()
    saves = Saves(folder / "journeys", own=[own])
    trial = folder / "journeys" / "4913"
    trial.write_text("")
    for name in (".buy.py.swp", "buy.py~", "__pycache__/buy.pyc", ".git/index", "var/run.json"):
        file = folder / "journeys" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("x")
    trial.unlink()
    assert await noticed(saves) == []
