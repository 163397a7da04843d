"""Playing kinds of requests: in a journey, as the agent walks it, and by bare Playwright."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from pathlib import Path

    from playwright.async_api import BrowserContext, Page

_WITHIN = 10.0
"""Seconds that one kind may take."""


@dataclass(frozen=True, slots=True)
class File:
    """What is found under a path."""

    text: str
    media_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request: the start page ``/NAME/`` runs ``script``, which may return a value.

    ``expects`` names requests that must come, as ``METHOD HOST/FILE``; ``act`` is used where
    a script can't do it. In ``files`` the address of a host stands as ``{shop}``.
    """

    script: str = ""
    expects: str = ""
    gives: Any = None
    files: Mapping[str, File] = field(default_factory=dict)
    act: Callable[[Page, Mapping[str, str], Path], Awaitable[Any]] | None = None
    only: str = ""
    """The HTTP version without which browsers don't do this."""
    unseen: str = ""
    """The file of a request that Chromium shows to no client: it has cookie and user agent."""
    files_asked: str = ""
    """The paths of what a page is made of: not held where calls alone are."""


def page(text: str) -> File:
    return File(f"<!doctype html><link rel=icon href=data:,><body>{text}")


def expected(kinds: Mapping[str, Kind]) -> dict[str, tuple[str, ...]]:
    """The requests that must come, by kind, as the server writes them."""
    found = {}
    for name, kind in kinds.items():
        requests = [one.split() for one in kind.expects.split(",")]
        paths = [(method, *where.partition("/")) for method, where in requests]
        found[name] = tuple(f"{method} {host}/{name}/{file}" for method, host, _, file in paths)
    return found


def files(kinds: Mapping[str, Kind]) -> dict[str, File]:
    """All that is found, by path: each kind has a start page."""
    return {
        f"/{name}/{path}": file
        for name, kind in kinds.items()
        for path, file in {"": page(""), **kind.files}.items()
    }


async def play(
    context: BrowserContext,
    kinds: Mapping[str, Kind],
    names: Iterable[str],
    urls: Mapping[str, str],
    control: int,
    folder: Path,
) -> dict[str, Any]:
    """Make the requests of each kind on a page of its own; return what the kinds gave."""
    given = {}
    for name in names:
        before = set(context.pages)
        page = await context.new_page()
        try:
            async with asyncio.timeout(_WITHIN):
                given[name] = await _one(page, name, kinds[name], urls, folder)
                await _settled(name, control)
        except (Error, TimeoutError) as error:
            given[name] = f"{type(error).__name__}: {error}"
        for opened in set(context.pages) - before:
            await _close(opened)
    return given


async def _one(page: Page, name: str, kind: Kind, urls: Mapping[str, str], folder: Path) -> Any:
    await page.goto(f"{urls['shop']}/{name}/")
    if kind.act is not None:
        return await kind.act(page, urls, folder)
    names = ["shop", "api", "third"]
    function = f"async ([{', '.join(names)}]) => {{ {kind.script} }}"
    return await page.evaluate(function, [urls[one] for one in names])


async def _close(page: Page) -> None:
    # Closing a page whose form's answer is under way can hang for ever, in Playwright too.
    with suppress(Error, TimeoutError):
        await page.wait_for_load_state(timeout=1000)
        await asyncio.wait_for(page.close(), 1)


async def _settled(name: str, control: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", control)
    writer.write(f"{name}\n".encode())
    await reader.readline()
    writer.close()
