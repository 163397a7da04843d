"""`footfall once --watch`: a walk at once and after each save, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.daemon import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HELPER = "WANTED = 'no such text'\n"
USES_IT = """
from words import WANTED
async with run.step("Look"):
    await run.page.goto("/")
    await expect(run.page.get_by_text(WANTED).first).to_be_visible(timeout=1000)
"""
CLEARED = "\x1b[2J"


class Terminal:
    """A command on a terminal, and what it has said since it was last asked."""

    def __init__(self, process: asyncio.subprocess.Process, own: int) -> None:
        self.process = process
        self._own = own
        self._said = bytearray()
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(own, self._read)

    def _read(self) -> None:
        with suppress(OSError):
            self._said.extend(os.read(self._own, 65536))
            self._more.set()

    async def until(self, pattern: str, within: float = 60.0) -> str:
        """What was said up to where the pattern is, and forget it."""
        try:
            async with asyncio.timeout(within):
                while not (found := re.search(pattern.encode(), self._said)):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"no {pattern}: {self._said.decode(errors='replace')}") from None
        said = bytes(self._said[: found.end()]).decode(errors="replace")
        del self._said[: found.end()]
        return said


@asynccontextmanager
async def watching(home, *arguments: str) -> AsyncIterator[Terminal]:
    own, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "once", "--watch", *arguments,
        cwd=home.path, env={**home.variables(), "TERM": "xterm"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(process, own)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(own)
        os.close(own)


@pytest.fixture
def home(home):
    home.schedule |= PATIENT
    home.configure()
    return home


async def test_each_save_is_walked(home):
    """A helper that is mended, a file that Python can't read, a save under a walk: each begins a
    round on a cleared screen, and Ctrl-C leaves with what the last came to, and no process."""
    helper = home.file("words.py", HELPER)
    journey = home.journey("look", USES_IT)
    async with watching(home, "look") as terminal:
        said = await terminal.until(r"Ctrl-C leaves")
        assert "FAIL" in said
        assert re.search(r"at .*look\.py:\d+: await expect", said)
        assert CLEARED not in said

        helper.write_text("WANTED = 'Mug'\n")
        said = await terminal.until(r"Ctrl-C leaves")
        assert CLEARED in said
        assert "words.py: saved" in said
        assert "PASS" in said

        text = journey.read_text()
        journey.write_text(f"{text}\ndef broken(:\n")
        said = await terminal.until(r"Ctrl-C leaves")
        line = text.count("\n") + 2
        assert f"look.py:{line}: SyntaxError" in said

        slow = text.replace("timeout=1000", "timeout=30000").replace("WANTED)", "'nowhere')")
        journey.write_text(slow)
        await terminal.until(r"http://")
        await asyncio.sleep(1)
        journey.write_text(text)
        assert "PASS" in await terminal.until(r"Ctrl-C leaves")

        below = psutil.Process(terminal.process.pid).children(recursive=True)
        assert below
        terminal.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(terminal.process.wait(), 40) == 0
        assert psutil.wait_procs(below, timeout=30)[1] == []


async def test_what_it_exits_with(home):
    """As once does: here with 1, in the middle of a second round; a wrong start is refused."""
    home.file("words.py", HELPER)
    journey = home.journey("look", USES_IT)
    async with watching(home, "look") as terminal:
        await terminal.until(r"Ctrl-C leaves")
        journey.write_text(journey.read_text() + "\n")
        await terminal.until(r"http://")
        terminal.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(terminal.process.wait(), 40) == 1
    refused = await home.footfall("once", "--watch", "--site", "shop=nonsense")
    assert refused.code == 2


async def test_an_inspector_without_a_screen(home):
    """Is refused, with what to do instead, before anything is walked."""
    home.journey("look", USES_IT)
    refused = await home.footfall("once", "look", "--debug")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: --debug: opens a window, and there is no screen")
