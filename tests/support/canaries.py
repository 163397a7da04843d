"""Secrets planted for a test, and the search for whatever is left of them."""

from __future__ import annotations

import asyncio
import base64
import html
import io
import json
import os
import re
import secrets
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, quote_plus

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TELLING = 12
"""Characters in a row, of a value or of a spelling of it, that are a hit."""
_CLUE = 6
_LOOK = 0.2
_RECORDING = re.compile(r"/worker-\d+-\w+/(playwright-artifacts|trace)-\w+/")
"""Where a trace lies while it is recorded and until it is cleaned, in the worker's own folder."""


def canary(*, header: bool = False) -> str:
    """Make a secret of which no part occurs by chance; one for a header is plain ASCII."""
    marks = "+/!" if header else "&ä' \"<#%/ß"
    return "".join(secrets.token_hex(6) + mark for mark in marks) + secrets.token_hex(6)


def spellings(value: str) -> set[str]:
    """The forms in which texts of all kinds carry a value."""
    forms = {
        value,
        quote(value, safe=""),
        quote(value, safe="!'()*~"),
        quote_plus(value),
        quote(quote(value, safe=""), safe=""),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        html.escape(value),
    }
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value.encode()).decode()
        forms.add(encoded[(0, 2, 3)[before] : -4])
    return forms


@dataclass
class Scan:
    """Looks for planted values, by name; ``hits`` tells what is where, and amid what."""

    planted: dict[str, str]
    hits: dict[str, str] = field(default_factory=dict)
    looked_at: int = 0
    """Bytes that were searched."""

    def __post_init__(self) -> None:
        self._names = {
            part: name
            for name, value in self.planted.items()
            for form in spellings(value)
            for part in _parts(form.encode(), TELLING)
        }
        self._clues = {clue for part in self._names for clue in _parts(part, _CLUE)}

    def data(self, where: str, data: bytes) -> None:
        """Search bytes of any kind; an archive's entries one by one."""
        self.looked_at += len(data)
        clues = self._clues
        # A telling part has a clue at one of so many places in a row.
        for at in range(0, len(data) - _CLUE + 1, TELLING - _CLUE + 1):
            if data[at : at + _CLUE] in clues:
                self._look(where, data, range(max(0, at - TELLING + _CLUE), at + 1))
        if data.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for entry in archive.namelist():
                    self.data(f"{where}!{entry}", archive.read(entry))

    def _look(self, where: str, data: bytes, places: range) -> None:
        for at in places:
            name = self._names.get(data[at : at + TELLING])
            if name is not None:
                around = data[max(0, at - 60) : at + 40]
                self.hits.setdefault(f"{name} in {where}", repr(around))

    def text(self, where: str, text: str) -> None:
        """Search a text."""
        self.data(where, text.encode(errors="replace"))

    def folder(self, folder: Path) -> None:
        """Search each file below a folder, a database and its journal as they lie there."""
        for path in _files(folder):
            self.data(str(path.relative_to(folder)), path.read_bytes())


@dataclass
class Watch:
    """Searches all that runs below this process, and a scratch folder, while ``async with``."""

    scan: Scan
    scratch: Path
    commands: set[str] = field(default_factory=set)
    """The programs that were seen with their arguments."""
    files: int = 0
    recordings: int = 0
    _seen: set[tuple[str, ...]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _look_on(self) -> None:
        while True:
            await asyncio.to_thread(self._look)
            await asyncio.sleep(_LOOK)

    def _look(self) -> None:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                command = process.cmdline()
                self.commands.add(process.name())
                self._once(f"arguments of {process.name()}", "\0".join(command).encode())
                # The agent's own environment is where secrets come from, and for a moment that
                # of what it starts: until that has begun its own program.
                if command and command[1:3] != ["-m", "agent"]:
                    variables = "\0".join(process.environ().values())
                    self._once(f"environment of {process.name()}", variables.encode())
        for path in _files(self.scratch):
            if recording := _RECORDING.search(str(path)):
                self._private(Path(str(path)[: recording.start(1)]))
                continue
            # Files come and go under a walk.
            with suppress(OSError):
                self._once(str(path), path.read_bytes())
                self.files += 1

    def _private(self, folder: Path) -> None:
        """Nobody else may enter the folder in which a trace is recorded."""
        with suppress(OSError):
            mode = folder.stat().st_mode
            if mode & 0o077:
                self.scan.hits[f"a recording in {folder}"] = f"mode {mode:o}"
            self.recordings += 1

    def _once(self, where: str, data: bytes) -> None:
        key = where, str(hash(data))
        if key not in self._seen:
            self._seen.add(key)
            self.scan.data(where, data)


def _parts(data: bytes, length: int) -> Iterator[bytes]:
    for at in range(len(data) - length + 1):
        yield data[at : at + length]


def _files(folder: Path) -> Iterator[Path]:
    """Files below a folder, in which others come and go."""
    for home, _, names in os.walk(folder):
        for name in names:
            path = Path(home, name)
            # Chromium's locks are links to what isn't there, and sockets can't be read.
            if path.is_file():
                yield path


def named(planted: Iterable[str]) -> dict[str, str]:
    """Make a canary for each name; those that end in ``HEADER`` fit into one."""
    return {name: canary(header=name.endswith("HEADER")) for name in planted}
