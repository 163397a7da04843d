"""``footfall trigger``: have a running agent walk a journey now."""

from __future__ import annotations

import asyncio
import json as jsonlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rich.console import Console

from agent.cli.progress import result_line, step_line
from agent.cli.shown import escape
from agent.core.errors import ConfigError, Problem
from agent.core.results import Result, Step, StepOutcome
from agent.core.source_line import SourceLine
from agent.core.standing import held_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.cli.running_agent import Agent

_ASKS_EVERY = 0.3
"""Seconds between two looks at a run that is waited for."""
_CODES = {Result.PASS: 0, Result.FLAKY: 0, Result.FAIL: 1, Result.NOT_MEASURED: 3}


async def trigger(agent: Agent, journey: str, *, wait: bool, json: bool) -> int:
    """Ask for the run, follow it where ``wait`` says so, and return what the command exits with.

    Raises:
        AgentUnreachable: no agent answers, or no longer.
        ConfigError: the agent has no such journey, or doesn't walk it now.

    """
    answer = await agent.post(f"/api/v1/journeys/{quote(journey, safe='')}/runs", {})
    if answer.error:
        raise ConfigError([Problem(agent.url, answer.error)])
    asked = {**answer.body, "address": agent.url + answer.body["address"]}
    console = Console(highlight=False, soft_wrap=True, quiet=json)
    console.print(f"[bold]{escape(journey)}[/bold]  {asked['run_id']}")
    console.print(f"  {escape(agent.url)}/runs/{asked['run_id']}")
    console.print(f"  [dim]counts for {escape(asked['counts_for'])}[/dim]")
    if held := asked["suspended"]:
        why = held_by(held, datetime.now(UTC))
        console.print(f"  [yellow]walked although it is suspended[/yellow]: {escape(why)}")
    if not wait:
        if json:
            print(jsonlib.dumps(asked))  # noqa: T201 - the command's own output
        return 0
    ended = await _Follower(agent, console).follow(answer.body["address"])
    run = ended["run"]
    if json:
        print(jsonlib.dumps(run))  # noqa: T201 - as above
    return _CODES[Result(run["result"])]


class _Follower:
    """Prints the steps of a run as they end, and what it came to."""

    def __init__(self, agent: Agent, console: Console) -> None:
        self._agent = agent
        self._console = console
        self._printed: list[int] = []
        """How many steps of each attempt."""

    async def follow(self, address: str) -> dict[str, Any]:
        """Return the run's answer once it is over."""
        with self._console.status("waiting for a worker") as status:
            while True:
                (told,) = await self._agent.get(address)
                if told["state"] == "ended":
                    break
                self._steps(told["attempts"])
                if told["state"] == "running":
                    status.update(escape(told["step"] or "running"))
                await asyncio.sleep(_ASKS_EVERY)
        self._steps(told["run"]["attempts"])
        self._result(told)
        return told

    def _steps(self, attempts: list[Mapping[str, Any]]) -> None:
        for number, attempt in enumerate(attempts):
            if number == len(self._printed):
                self._printed.append(0)
                if number:
                    again = f"attempt {number + 1}, in a fresh worker"
                    self._console.print(f"  [dim]{again}[/dim]")
            for one in attempt["steps"][self._printed[number] :]:
                result = StepOutcome(one["result"])
                step = Step(one["name"], result, one["duration"], optional=one["optional"])
                self._console.print(step_line(step))
            self._printed[number] = max(self._printed[number], len(attempt["steps"]))

    def _result(self, told: Mapping[str, Any]) -> None:
        run = told["run"]
        kind = run["error_type"] or ""
        self._console.print(result_line(Result(run["result"]), kind, run["duration"]))
        for line in (run["error"] or "").splitlines():
            self._console.print(f"    {escape(line)}")
        if place := run["place"]:
            self._console.print(f"    {escape(SourceLine(**place).shown)}")
        for link in told["links"].values():
            self._console.print(f"    [dim]{escape(self._agent.url + link)}[/dim]")
        self._console.print(f"    [dim]trace {run['trace_id']}[/dim]")
