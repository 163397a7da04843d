"""Which browser is found where several could be, and what is said where none is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.browsers.find import find_browser, registry, require_browser
from agent.core.errors import BrowserMissing

if TYPE_CHECKING:
    from pathlib import Path

BINARY = b"\x7fELF"


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ``bin`` as the whole PATH, and an empty folder of downloads."""
    folder = tmp_path / "usr" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "downloads"))
    return folder


def executable(path: Path, content: bytes = BINARY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def download(folder: str, inside: str, *, complete: bool = True) -> Path:
    path = executable(registry() / folder / inside)
    if complete:
        (registry() / folder / "INSTALLATION_COMPLETE").touch()
    return path


def downloaded_shell(revision: int, *, complete: bool = True) -> Path:
    return download(
        f"chromium_headless_shell-{revision}",
        "chrome-headless-shell-linux64/chrome-headless-shell",
        complete=complete,
    )


def test_the_configured_browser_wins(tmp_path: Path, system: Path) -> None:
    """A configured executable is taken whatever else is installed."""
    executable(system / "chromium")
    downloaded_shell(1255)
    mine = executable(tmp_path / "mine")
    assert find_browser(str(mine)) == mine


def test_a_configured_command_is_looked_up(system: Path) -> None:
    """A name without a folder is a command of the PATH."""
    brave = executable(system / "brave")
    assert find_browser("brave") == brave


@pytest.mark.parametrize("mode", [None, 0o644])
def test_a_wrong_path_is_the_keys_error(tmp_path: Path, system: Path, mode: int | None) -> None:
    """A configured file that is missing or can't run is an error that names the key."""
    executable(system / "chromium")
    wrong = tmp_path / "wrong"
    if mode is not None:
        wrong.touch()
        wrong.chmod(mode)
    with pytest.raises(BrowserMissing, match=r"`browser\.executable`.*wrong is not"):
        find_browser(str(wrong))


def test_playwrights_own_comes_before_the_systems(system: Path) -> None:
    """What Playwright downloaded fits it best."""
    executable(system / "chromium-headless-shell")
    own = downloaded_shell(1255)
    assert find_browser() == own


def test_the_newest_complete_download_is_taken() -> None:
    """Revisions are compared as numbers, and a download cut short is no browser."""
    downloaded_shell(999)
    newest = downloaded_shell(1255)
    downloaded_shell(1300, complete=False)
    assert find_browser() == newest


@pytest.mark.parametrize(
    "inside",
    [
        "chrome-linux64/chrome",
        "chrome-linux-arm64/chrome",
        "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    ],
)
def test_a_full_download_serves_on_every_system(inside: str) -> None:
    """Playwright's full Chromium is found where it keeps it, on Linux and macOS."""
    browser = download("chromium-1255", inside)
    assert find_browser() == browser
    assert find_browser(headed=True) == browser


def test_the_systems_order(system: Path) -> None:
    """The light headless shell, then Chromium, then Chrome."""
    chrome = executable(system / "google-chrome")
    assert find_browser() == chrome
    chromium = executable(system / "chromium")
    assert find_browser() == chromium
    shell = executable(system / "chromium-headless-shell")
    assert find_browser() == shell


def test_a_window_needs_a_full_browser(system: Path) -> None:
    """With ``headed`` no headless shell is offered, wherever it is."""
    downloaded_shell(1255)
    shell = executable(system / "chromium-headless-shell")
    assert find_browser(headed=True) is None
    with pytest.raises(BrowserMissing, match=r"`browser\.executable`.*can't open a window"):
        find_browser(str(shell), headed=True)
    chromium = executable(system / "chromium")
    assert find_browser(headed=True) == chromium


@pytest.mark.parametrize("name", ["chromium", "chromium-headless-shell"])
def test_debians_start_script_is_looked_through(system: Path, name: str) -> None:
    """The binary itself is started: a script's child would outlive a killed worker."""
    script = executable(system / name, b"#!/bin/sh -e\n")
    assert find_browser() == script, "a script with no known binary is better than nothing"
    real = executable(system.parent / "lib" / "chromium" / name)
    assert find_browser() == real
    assert find_browser(str(script)) == real


def test_chromes_start_script_is_looked_through(tmp_path: Path, system: Path) -> None:
    """Google's command is a link to a script that has the binary beside it."""
    script = executable(tmp_path / "opt" / "google" / "chrome" / "google-chrome", b"#!/bin/bash\n")
    real = executable(script.with_name("chrome"))
    (system / "google-chrome").symlink_to(script)
    assert find_browser() == real


def test_none_says_what_to_do() -> None:
    """Where there is no browser the error names every way out."""
    assert find_browser() is None
    with pytest.raises(BrowserMissing) as caught:
        require_browser()
    for way in (
        str(registry()),
        "playwright install chromium-headless-shell",
        "distribution's package chromium-headless-shell",
        "`browser.executable`",
    ):
        assert way in str(caught.value)
    with pytest.raises(BrowserMissing, match="package chromium,"):
        require_browser(headed=True)


def test_playwrights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is where Playwright itself would look."""
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "0")
    assert registry().parts[-4:] == ("playwright", "driver", "package", ".local-browsers")
    assert (registry().parent / "browsers.json").exists()
    monkeypatch.delenv("PLAYWRIGHT_BROWSERS_PATH")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert registry() == tmp_path / "ms-playwright"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert registry() == tmp_path / ".cache" / "ms-playwright"
    monkeypatch.setattr("sys.platform", "darwin")
    assert registry() == tmp_path / "Library" / "Caches" / "ms-playwright"
