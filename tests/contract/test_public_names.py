"""The names that journey authors import: listed, loaded late, and typed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from playwright.async_api import Browser

import agent
from agent.cli.type_checkers import write_settings
from agent.core.context_options import ContextOptions
from agent.worker.context_check import _REFUSED

ROOT = Path(__file__).resolve().parents[2]

JOURNEY = '''"""A journey as an author writes it."""

from helper import look

from agent import Run, expect, journey


@journey(site="shop", owner="me", params={"sku": "mug"}, context={"local": "de"})
async def wrong(run: Run) -> None:
    """Misspell an option."""


@journey(
    site="shop",
    owner="me",
    params={"sku": "mug"},
    context={"viewport": {"width": 390, "height": 844}, "device": "Pixel 7"},
    variants={"de": {"locale": "de-DE", "params": {"sku": "Tasse"}}},
)
async def buy(run: Run) -> None:
    """Buy a mug."""
    reveal_type(run.page)
    reveal_type(run.context)
    reveal_type(run.api)
    reveal_type(run.params)
    reveal_type(run.secret("PW"))
    reveal_type(buy)
    reveal_type(run.site.url)
    reveal_type(run.file("photo.png"))
    reveal_type(await look(run))
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
    "str",
    "pathlib.Path",
    "str",
]
HELPER = '''"""What journeys share."""

from agent import Run


async def look(run: Run) -> str:
    """Look around."""
    async with run.new_context(locale="de-DE") as context:
        return await (await context.new_page()).title()
'''


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


def test_types(tmp_path: Path) -> None:
    """A type checker, and so an editor, knows what an author gets from a run, finds helpers by the
    setting that ``footfall new`` writes, and tells a misspelt option."""
    file = tmp_path / "journeys" / "shop" / "buy.py"
    file.parent.mkdir(parents=True)
    file.write_text(JOURNEY)
    (tmp_path / "journeys" / "helper.py").write_text(HELPER)
    list(write_settings(tmp_path / "journeys"))
    command = [sys.executable, "-m", "mypy", "--strict", str(file)]
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
    [error] = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert 'Argument "context" to "journey" has incompatible type' in error


def test_each_option_of_a_context() -> None:
    """Typed are all of Playwright's but those that a journey may not give, with the same words."""
    playwright = get_type_hints(Browser.new_context)
    typed = get_type_hints(ContextOptions, None, NAMES)
    refused = {one for one in playwright if one.startswith("record_")} | set(_REFUSED) | {"return"}
    assert typed.keys() == playwright.keys() - refused | {"device"}
    for name in typed.keys() - {"device"}:
        assert words(typed[name]) == words(playwright[name]), name


NAMES = {"Mapping": Mapping, "Path": Path, "Sequence": Sequence}


def words(hint: Any) -> set[object]:
    """The literals, plain types and keys of tables that a type is made of."""
    if hasattr(hint, "__required_keys__"):
        fields = get_type_hints(hint, None, NAMES)
        return set(fields).union(*(words(one) for one in fields.values()))
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    if get_args(hint):
        return set().union(*(words(one) for one in get_args(hint)))
    return {hint}
