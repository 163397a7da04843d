"""``footfall reload``: have a running agent take up its configuration and journeys again."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING, Any

from rich.console import Console

from agent.cli.shown import escape
from agent.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.cli.running_agent import Agent

_WITHIN = 120.0
"""Seconds for an answer: each journey file is imported, and may take ten."""
_LABEL = 10


async def reload(agent: Agent, *, json: bool) -> None:
    """Have it done, and print what changed.

    Raises:
        AgentUnreachable: no agent answers.
        ConfigError: what the agent would have to take up is wrong; it goes on as before.

    """
    answer = await agent.post("/api/v1/reload", {}, _WITHIN)
    if json:
        print(jsonlib.dumps(answer.body))  # noqa: T201 - the command's own output
    if answer.error:
        raise ConfigError([*answer.problems, Problem(agent.url, answer.error)])
    if not json:
        _show(Console(highlight=False, soft_wrap=True), answer.body)


def _show(console: Console, told: Mapping[str, Any]) -> None:
    parts = {**told["journeys"], "settings": told["settings"], "files": told["files"]}
    changed = {label: names for label, names in parts.items() if names}
    console.print("Reloaded." if changed else "Reloaded; nothing has changed.")
    for label, names in changed.items():
        console.print(f"  {label:<{_LABEL}}{escape(', '.join(names))}")
    for one in told["warnings"]:
        console.print(escape(f"  warning   {one['where']}: {one['message']}"))
