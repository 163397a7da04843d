"""``run.file``: files beside a journey's own, the ones that were checked with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.worker.journey_files import JourneyFiles


@pytest.fixture
def files(tmp_path: Path) -> JourneyFiles:
    for place in ("own/journeys/shop", "copy/journeys/shop"):
        (tmp_path / place).mkdir(parents=True)
    return JourneyFiles(tmp_path / "own/journeys", tmp_path / "copy/journeys", "shop/buy.py")


def put(home: Path | None, name: str, text: str) -> Path:
    assert home is not None
    (home / name).write_text(text)
    return home / name


def test_beside_the_journey(files: JourneyFiles) -> None:
    """Relative to its own file, as it was checked; what the copy has not is the folder's."""
    put(files.folder, "shop/photo.png", "newer")
    checked = put(files.copy, "shop/photo.png", "checked")
    later = put(files.folder, "letter.txt", "later")
    outside = put(files.folder, "../outside.txt", "outside")
    assert files.path("photo.png") == checked
    assert files.path("../shop/photo.png") == checked
    assert files.path("../letter.txt") == later
    assert files.path("../../outside.txt").samefile(outside)
    assert files.path("photo.png").is_absolute()


def test_without_a_copy(files: JourneyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder's, and an absolute path too where the folder was named by a relative one."""
    photo = put(files.folder, "shop/photo.png", "own")
    monkeypatch.chdir(files.folder.parent)
    assert JourneyFiles(files.folder, None, "shop/buy.py").path("photo.png") == photo
    assert JourneyFiles(Path("journeys"), None, "shop/buy.py").path("photo.png") == photo


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("foto.png", FileNotFoundError, "there is no journeys/shop/foto.png; .*journeys/shop/buy"),
        ("../../../etc/x", FileNotFoundError, r"there is no \.\./etc/x"),
        ("/etc/hostname", ValueError, "relative to the journey's file"),
    ],
)
def test_what_is_not_there(files: JourneyFiles, name: str, kind: type, said: str) -> None:
    """Says what was looked for, and where."""
    with pytest.raises(kind, match=said):
        files.path(name)
