"""``footfall new``: a commented skeleton of a journey."""

from __future__ import annotations

import json
import keyword
import re
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rich.console import Console

from agent import config
from agent.cli.paths import short
from agent.cli.type_checkers import write_settings
from agent.config.addresses import origin
from agent.core.errors import ConfigError, Problem
from agent.core.origins import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.config import Settings

_SKELETON = '''\
"""{title}."""

import re

from agent import Run, expect, journey


@journey(site="{site}", every="1m", timeout="30s", owner="team-name")
async def {name}(run: Run) -> None:
    """Say in one line what the customer does."""
    page = run.page
    async with run.step("Open the front page"):
        await page.goto({path})  # relative to the site's address
        await expect(page).to_have_title(re.compile(".+"))
    # Name steps after what the customer does. Wait by expecting, never by sleeping:
    # async with run.step("Find a mug"):
    #     await page.get_by_role("link", name="Mug").click()
    #     await expect(page.get_by_role("heading", name="Mug")).to_be_visible()
'''


def new(name: str, url: str, path: Path | None, environ: Mapping[str, str]) -> None:
    """Write ``NAME.py`` into the journeys folder; never over a file that is there.

    Raises:
        ConfigError: the name or the address won't do, or the file exists.

    """
    if why := _wrong_name(name):
        raise ConfigError([Problem(f"journey name {name!r}", why)])
    address, start = _address(url)
    settings = config.load(path, environ, required=False)
    file = settings.journeys / f"{name}.py"
    shown = short(file)
    if file.exists():
        raise ConfigError([Problem(shown, "is there already; choose another name")])
    site, known = _site(address, settings)
    text = _SKELETON.format(
        title=name.replace("_", " ").capitalize(), site=site, name=name, path=json.dumps(start)
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError([Problem(shown, f"can't be written: {error.strerror}")]) from None
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"Wrote {shown}.", markup=False)
    for line in write_settings(settings.journeys):
        out.print(line, markup=False)
    out.print("Walk it now, and again on each save:")
    out.print(
        f"  footfall once {name}{'' if known else f' --site {site}={address}'} --watch",
        markup=False,
    )
    if not known:
        out.print("To have it run on schedule, add the site to config.toml:")
        out.print(
            f'  [sites.{site}]\n  url = "{address}"\n  first_party = ["{address}"]', markup=False
        )


def _wrong_name(name: str) -> str:
    """Say why a journey, and the file that holds it, can't have this name; "" where it can."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return "use lower-case letters, digits and underscores, a letter first"
    if name.startswith(("test_", "conftest")):
        return "files of this name are pytest's own; choose another"
    if keyword.iskeyword(name) or name in sys.stdlib_module_names or find_spec(name):
        return "is a word or a module of Python; the file would hide it. Choose another"
    return ""


def _address(url: str) -> tuple[str, str]:
    """Return the site's address, and where on it the journey starts."""
    scheme, mark, rest = url.partition("://")
    end = next((at for at, letter in enumerate(rest) if letter in "/?#"), len(rest))
    start = rest[end:].partition("#")[0]
    try:
        site = origin(f"{scheme}{mark}{rest[:end]}")
    except ValueError as error:
        raise ConfigError([Problem("--url", str(error))]) from None
    return site, start if start.startswith("/") else f"/{start}"


def _site(address: str, settings: Settings) -> tuple[str, bool]:
    """Return the site's name, and whether the configuration knows it."""
    for name, site in settings.sites.items():
        if site.url == address:
            return name, True
    label = parse(address).host.removeprefix("www.").partition(".")[0]
    name = re.sub(r"[^a-z0-9_]", "_", label)
    return (name if name[:1].isalpha() else "site"), False
