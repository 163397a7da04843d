"""A browser that doesn't start says why, in few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.worker.browser.faults import LaunchFailed
from agent.worker.browser.launch import LaunchOptions, launch

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Playwright

_COMPLAINT = "error while loading shared libraries: libnss3.so"


async def _failure(playwright: Playwright, folder: Path, script: str) -> str:
    browser = folder / "browser"
    browser.write_text(f"#!/bin/sh\n{script}\n")
    browser.chmod(0o755)
    with pytest.raises(LaunchFailed) as raised:
        await launch(playwright, LaunchOptions(str(browser)))
    return str(raised.value)


async def test_own_words(playwright: Playwright, tmp_path: Path) -> None:
    """The browser's first own words and its exit code are kept; its flags are not."""
    said = f"echo '{_COMPLAINT}' >&2; for n in 1 2 3 4 5 6 7 8; do echo more $n >&2; done"
    failure = await _failure(playwright, tmp_path, f"{said}; exit 17")
    lines = failure.splitlines()
    assert lines[0].startswith(f"{tmp_path}/browser did not start: BrowserType.launch:")
    assert lines[1:] == [_COMPLAINT, "more 1", "more 2", "it exited with 17"]
    assert "--headless" not in failure


async def test_without_a_word(playwright: Playwright, tmp_path: Path) -> None:
    """A browser that ends in silence leaves its exit code."""
    failure = await _failure(playwright, tmp_path, "exit 3")
    assert failure.splitlines()[1:] == ["it exited with 3"]
