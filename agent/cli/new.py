"""``footfall new``: a commented skeleton of a journey."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.console import Console

from agent import config
from agent.core.errors import ConfigError, Problem
from agent.core.naming import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.config import Settings

_SKELETON = '''\
"""{title}."""

from agent import Run, expect, journey


@journey(site="{site}", every="1m", timeout="30s", owner="team-name")
async def {name}(run: Run) -> None:
    """Say in one line what the customer does."""
    page = run.page
    async with run.step("Open the front page"):
        await page.goto("{path}")  # relative to the site's address
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
    if not NAME.fullmatch(name):
        message = "use lower-case letters, digits and underscores, a letter first"
        raise ConfigError([Problem(f"journey name {name!r}", message)])
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError([Problem(f"--url {url}", "write a whole address: https://...")])
    settings = None
    if path is not None or Path("config.toml").exists():
        settings = config.load(path, environ)
    folder = settings.journeys if settings else Path("journeys")
    file = folder / f"{name}.py"
    if file.exists():
        raise ConfigError([Problem(str(file), "is there already; choose another name")])
    origin = f"{parts.scheme}://{parts.netloc}"
    site, known = _site(origin, settings)
    text = _SKELETON.format(
        title=name.replace("_", " ").capitalize(), site=site, name=name, path=parts.path or "/"
    )
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text.replace("from agent", "import re\n\nfrom agent", 1), encoding="utf-8")
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"Wrote {file}. Walk it now:")
    out.print(f"  footfall once {name}" + ("" if known else f" --site {site}={origin}"))
    if not known:
        out.print("To have it run on schedule, add the site to config.toml:")
        out.print(
            f'  [sites.{site}]\n  url = "{origin}"\n  first_party = ["{origin}"]', markup=False
        )


def _site(origin: str, settings: Settings | None) -> tuple[str, bool]:
    """Return the site's name, and whether the configuration knows it."""
    for name, site in (settings.sites if settings else {}).items():
        if site.url == origin:
            return name, True
    host = urlsplit(origin).hostname or ""
    label = host.removeprefix("www.").partition(".")[0]
    name = re.sub(r"[^a-z0-9_]", "_", label.lower())
    return (name if name[:1].isalpha() else "site"), False
