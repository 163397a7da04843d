"""``footfall gate``: ask a running agent for a verdict on a release, and wait for it."""

from __future__ import annotations

import json as jsonlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from agent.cli.shown import escape
from agent.core.errors import ConfigError, Problem
from agent.core.gate import GateVerdict
from agent.core.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from agent.cli.running_agent import Agent

_ROUTE: Final = "/api/v1/gates"
_WAIT: Final = "500ms"
"""For how long one request waits for the verdict: walks are shown as they end."""
_CODES: Final = {GateVerdict.PASS: 0, GateVerdict.FAIL: 1, GateVerdict.ERROR: 3}
_HEADLINES: Final = {
    GateVerdict.PASS: "[bold green]pass[/bold green]: promote",
    GateVerdict.FAIL: "[bold red]fail[/bold red]: roll back",
    GateVerdict.ERROR: "[bold magenta]error[/bold magenta]: no verdict",
}
_MARKS: Final = {
    Result.PASS: "[green]✓[/green]",
    Result.FAIL: "[red]✗[/red]",
    Result.NOT_MEASURED: "[magenta]?[/magenta]",
}


@dataclass(frozen=True, slots=True)
class GateRequest:
    """What is asked for, as it was typed; empty: as the agent has it."""

    site: str
    journeys: Sequence[str]
    release: str
    at: str
    headers: Sequence[str]
    within: str
    baseline: str

    def body(self) -> dict[str, Any]:
        """Return what the API takes.

        Raises:
            ConfigError: a header is not of the form ``NAME=VALUE``.

        """
        headers = dict(_header(text) for text in self.headers)
        told = {
            "site": self.site,
            "journeys": list(self.journeys),
            "release": self.release,
            "url": self.at,
            "headers": headers,
            "within": self.within,
            "baseline": self.baseline,
        }
        return {name: value for name, value in told.items() if value}


async def gate(agent: Agent, asked: GateRequest, *, json: bool) -> int:
    """Have a release judged; return what the command exits with.

    Raises:
        AgentUnreachable: no agent answers, or no longer.
        ConfigError: the agent refuses it as it is asked for.

    """
    answer = await agent.post(_ROUTE, asked.body())
    if answer.error:
        raise ConfigError([Problem(agent.url, answer.error)])
    console = Console(highlight=False, soft_wrap=True, quiet=json)
    told = answer.body
    release = f"  release {escape(told['release'])}" if told["release"] else ""
    at = f"  at {escape(told['url'])}" if told["url"] else ""
    console.print(f"[bold]{escape(told['site'])}[/bold]{release}{at}  {told['id']}")
    console.print(f"  [dim]{escape(', '.join(told['journeys']))}, in {told['within']:g} s[/dim]")
    shown = 0
    with console.status("walking"):
        while True:
            (told,) = await agent.get(f"{told['address']}?wait={_WAIT}")
            for run in told["runs"][shown:]:
                console.print(_walk(run))
            shown = len(told["runs"])
            if told["verdict"] != GateVerdict.PENDING:
                break
    _verdict(console, agent, told)
    if json:
        print(jsonlib.dumps(told))  # noqa: T201 - the command's own output
    return _CODES[GateVerdict(told["verdict"])]


def _walk(run: Mapping[str, Any]) -> RenderableType:
    result = Result(run["result"])
    met = f"  {escape(', '.join(run['releases']))}" if run["releases"] else ""
    why = "" if run["counts"] else f"  [dim]doesn't count: {escape(run['why'])}[/dim]"
    error = f"\n    {escape(run['error'])}" if run["error"] else ""
    took = f"{run['duration']:.2f} s"
    return f"  {_MARKS[result]} {escape(run['journey'])}  {took}{met}{why}{error}"


def _verdict(console: Console, agent: Agent, told: Mapping[str, Any]) -> None:
    verdict = GateVerdict(told["verdict"])
    console.print(f"{_HEADLINES[verdict]}, after {told['seconds']:.1f} s")
    for reason in told["reasons"]:
        console.print(f"  {escape(reason)}")
    console.print(f"  [dim]{escape(agent.url)}/gates/{told['id']}  trace {told['trace_id']}[/dim]")


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        # Its value may be secret.
        raise ConfigError([Problem("--header", "write it as NAME=VALUE")])
    return name, value
