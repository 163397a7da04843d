"""``footfall page``: the public page as static files, for a web server that outlives the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.console import Console

from agent.cli.shown import escape
from agent.core.errors import ConfigError, Problem
from agent.server.public.public_document import public_document
from agent.server.public.public_files import INDEX, PublicFiles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.cli.running_agent import Agent
    from agent.server.documents.incident_pages import IncidentsDocument
    from agent.server.documents.overview import OverviewDocument
    from agent.server.public.public_files import PublicFile

_OURS = b"data-stale"
"""What stands in an index of this page's."""


async def page(agent: Agent, folder: Path) -> None:
    """Write the page into a folder, each file whole or not at all.

    Raises:
        AgentUnreachable: no agent answers; what was written before stays as it is.
        ConfigError: the folder can't be written, or is somebody else's.

    """
    _refuse_foreign(folder)
    document = await public_document(_Remote(agent))
    try:
        _write(folder, PublicFiles().rendered(document))
    except OSError as error:
        raise ConfigError([Problem(str(folder), f"can't be written: {error.strerror}")]) from error
    console = Console(highlight=False, soft_wrap=True)
    shown = len(document["journeys"])
    console.print(f"{escape(str(folder / INDEX))} shows {_several(shown)}")


class _Remote:
    """A running agent, asked by its API."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def journeys(self, days: int) -> OverviewDocument:
        (found,) = await self._agent.get(f"/api/v1/journeys?days={days}")
        if "bars" not in found:
            message = "the agent is too old for this: update it"
            raise ConfigError([Problem(self._agent.url, message)])
        return cast("OverviewDocument", found)

    async def incidents(self, limit: int, before: int | None = None) -> IncidentsDocument:
        older = "" if before is None else f"&before={before}"
        (found,) = await self._agent.get(f"/api/v1/incidents?limit={limit}{older}")
        return cast("IncidentsDocument", found)


def _several(shown: int) -> str:
    if not shown:
        return 'nothing yet: no journey has public = "Title"'
    return "1 journey" if shown == 1 else f"{shown} journeys"


def _refuse_foreign(folder: Path) -> None:
    """Keep off what is there already and is no page of ours."""
    try:
        there = (folder / INDEX).read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError([Problem(str(folder), f"can't be used: {error.strerror}")]) from error
    if _OURS not in there:
        message = f"holds another {INDEX}: give a folder of the page's own"
        raise ConfigError([Problem(str(folder), message)])


def _write(folder: Path, files: Mapping[str, PublicFile]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # What the index leads to is there before it.
    for name in sorted(files, key=lambda one: one == INDEX):
        partial = folder / f".{name}.partial"
        partial.write_bytes(files[name].content)
        partial.replace(folder / name)
