"""The copy of the journeys folder holds what can be imported, and tells what can't be read."""

from __future__ import annotations

import os

import pytest

from agent.loading import snapshot


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "journeys"
    (folder / "helpers").mkdir(parents=True)
    (folder / "buy.py").write_text("one = 1\n")
    (folder / "helpers/shop.py").write_text("two = 2\n")
    (folder / "mug.csv").write_text("a,b\n")
    return folder


def files(copy):
    return sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file())


def test_everything_but_what_tools_leave(folder, tmp_path):
    """Modules and data files come along under the same folder name, caches and hidden ones don't;
    what is changed afterwards changes the copy no more."""
    for name in (".git", "__pycache__", "node_modules"):
        (folder / name).mkdir()
        (folder / name / "junk").write_text("")
    copy, unread = snapshot.take(folder, tmp_path)
    assert (copy.name, unread) == ("journeys", [])
    assert files(copy) == ["buy.py", "helpers/shop.py", "mug.csv"]
    (folder / "buy.py").write_text("one = 2\n")
    assert (copy / "buy.py").read_text() == "one = 1\n"
    snapshot.drop(copy)
    assert not copy.parent.exists()


def test_mounted_configuration(folder, tmp_path):
    """Links into a hidden folder, as an orchestrator mounts files, are followed; one that leads
    nowhere is told."""
    hidden = folder / "..data"
    hidden.mkdir()
    (hidden / "pay.py").write_text("three = 3\n")
    (folder / "pay.py").symlink_to("..data/pay.py")
    (folder / "lost.py").symlink_to("nowhere.py")
    copy, unread = snapshot.take(folder, tmp_path)
    assert [problem.where for problem in unread] == ["journeys/lost.py"]
    assert files(copy) == ["buy.py", "helpers/shop.py", "mug.csv", "pay.py"]
    assert (copy / "pay.py").read_text() == "three = 3\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_what_cant_be_read(folder, tmp_path):
    """A file that can't be copied is told by its name; the others are there."""
    os.mkfifo(folder / "pipe.py")
    copy, (problem,) = snapshot.take(folder, tmp_path)
    assert problem.where == "journeys/pipe.py"
    assert files(copy) == ["buy.py", "helpers/shop.py", "mug.csv"]


def test_home_holds_what_is_walked(folder, tmp_path):
    """A copy that is brought home replaces what an earlier life left there; of later ones only
    those named stay."""
    home = tmp_path / "state/.journeys"
    (home / "left").mkdir(parents=True)
    first = snapshot.bring_home(snapshot.take(folder)[0], home)
    assert [path.name for path in home.iterdir()] == [first.parent.name]
    second, third = (snapshot.take(folder, home)[0] for _ in range(2))
    snapshot.keep_only(home, [first, third])
    assert {path.name for path in home.iterdir()} == {first.parent.name, third.parent.name}
    assert not second.exists()
    assert files(first) == files(third) == ["buy.py", "helpers/shop.py", "mug.csv"]
