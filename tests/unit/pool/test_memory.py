"""How much memory is free is read off the machine and every control group above this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from agent.pool import memory

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    2: ("memory.max", "memory.current", "inactive_file"),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def group(folder: Path, version: int, limit: str, used: int, cache: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    of_limit, of_usage, of_cache = NAMES[version]
    (folder / of_limit).write_text(f"{limit}\n")
    (folder / of_usage).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\n{of_cache} {cache}\n")
    return folder


def within(monkeypatch: pytest.MonkeyPatch, *groups: Path) -> None:
    monkeypatch.setattr(memory, "_own_groups", lambda: groups)


@pytest.mark.parametrize("version", [1, 2])
def test_the_smallest_room_counts(monkeypatch, tmp_path, version):
    """A limit above the own group counts as well, cache that can go counts as free, and a group
    that is over its limit has no room."""
    own = group(tmp_path / "pod/agent", version, "1000000", 400000, 50000)
    pod = group(tmp_path / "pod", version, "700000", 600000, 50000)
    within(monkeypatch, own)
    assert memory.free_memory() == 650000
    within(monkeypatch, own, pod)
    assert memory.free_memory() == 150000
    within(monkeypatch, group(tmp_path / "full", version, "1000", 5000, 0))
    assert memory.free_memory() == 0


def test_without_a_limit_the_machine_counts(monkeypatch, tmp_path):
    """No group, one without a limit and one without files leave what the machine has."""
    within(monkeypatch, group(tmp_path / "own", 2, "max", 5, 0), tmp_path)
    assert memory.free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.5)


@pytest.mark.parametrize("name", ["memory.events", "memory.oom_control"])
def test_kills_are_read_off_the_own_group(monkeypatch, tmp_path, name):
    """What the kernel killed for memory is counted of the innermost group that tells it."""
    own = tmp_path / "own"
    own.mkdir()
    (own / name).write_text("oom 3\noom_kill 2\n")
    within(monkeypatch, tmp_path / "gone", own)
    assert memory.oom_kills() == 2


def test_this_process_has_groups_or_none():
    """What is read here is a folder for each group, the own one before those above it."""
    groups = memory._own_groups()
    assert all(folder.is_dir() for folder in groups)
    assert list(groups) == sorted(groups, key=lambda folder: len(folder.parts), reverse=True)
