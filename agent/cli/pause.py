"""``footfall pause`` and ``footfall resume``: the switch of a running agent."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from agent.core.errors import ConfigError, Problem
from agent.core.printable import printable
from agent.core.standing import moment
from agent.core.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.cli.running_agent import Agent

_WITHIN = 15.0
"""Seconds for an answer, which waits for the disk."""


@dataclass(frozen=True, slots=True)
class PauseOptions:
    """What is asked for. ``lasts`` is a duration as people write it; empty: without an end."""

    names: tuple[str, ...]
    everything: bool
    reason: str
    lasts: str
    now: bool
    silence: bool


async def pause(agent: Agent, options: PauseOptions) -> None:
    """Pause journeys, and print what holds from now on.

    Raises:
        AgentUnreachable: no agent answers.
        ConfigError: bad usage, or no journey is of such a name.

    """
    problems = _which(options.names, everything=options.everything)
    if not options.reason.strip():
        problems.append(Problem("--reason", 'say why, for who looks at night: "db migration"'))
    if options.now and options.silence:
        problems.append(Problem("--now", "ends what runs, and --silence walks on: give one"))
    if options.lasts:
        try:
            parse_duration(options.lasts)
        except ValueError as error:
            problems.append(Problem("--for", str(error)))
    if problems:
        raise ConfigError(problems)
    body: dict[str, Any] = {
        **_chosen(options.names),
        "reason": options.reason,
        "mode": "silence" if options.silence else "stop",
        "now": options.now,
        "who": user(),
    }
    if options.lasts:
        body["for"] = options.lasts
    told = await _ask(agent, "/api/v1/pause", body)
    _show_pause(told)


async def resume(agent: Agent, names: Sequence[str], *, everything: bool) -> None:
    """Have paused journeys walk again, and print which do.

    Raises:
        AgentUnreachable: no agent answers.
        ConfigError: bad usage, or no journey is of such a name.

    """
    if problems := _which(names, everything=everything):
        raise ConfigError(problems)
    body = {**_chosen(names), "who": user()}
    told = await _ask(agent, "/api/v1/resume", body)
    _show_resume(told)


def user() -> str:
    """Return who gives the command, for whoever reads of it later."""
    # Not by the variables that a log-in sets: anybody may set those.
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"user {os.getuid()}"  # of a container, say, that has no list of users
    by_sudo = os.environ.get("SUDO_USER", "")
    return f"{by_sudo} as {name}" if by_sudo.isprintable() and by_sudo else name


def _which(names: Sequence[str], *, everything: bool) -> list[Problem]:
    if bool(names) is not everything:
        return []
    why = "give names or --all, not both" if names else "name journeys, or give --all"
    return [Problem("JOURNEY", why)]


def _chosen(names: Sequence[str]) -> dict[str, Any]:
    return {"journeys": list(names)} if names else {"all": True}


async def _ask(agent: Agent, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await agent.post(path, body, _WITHIN)
    if answer.error:
        raise ConfigError([*answer.problems, Problem(agent.url, answer.error)])
    return answer.body


def _show_pause(told: dict[str, Any]) -> None:
    held = told["pause"]
    names = "every journey" if held["journeys"] is None else ", ".join(held["journeys"])
    end = f"until {moment(held['until'])}" if held["until"] else "until somebody resumes it"
    verb = "Paused" if held["mode"] == "stop" else "Silenced (they are walked on)"
    _say(f"{verb}: {names}, {end}.")
    if told["stopped"]:
        _say(f"Ended under way: {', '.join(told['stopped'])}.")
    if told["stopping"]:
        _say(f"Ended at other replicas as soon as they hear of it: {', '.join(told['stopping'])}.")
    if told["running"]:
        running = ", ".join(told["running"])
        _say(f"Under way still, and counted: {running}. --now ends them too.")
    _warn(told)


def _show_resume(told: dict[str, Any]) -> None:
    names = ", ".join(told["resumed"])
    _say(f"Resumed: {names}." if names else "Nothing of that was paused.")
    for one in told["held"]:
        until = f" until {moment(one['until'])}" if one["until"] else ""
        _say(f"  {one['journey']} is in a maintenance window{until}: {one['reason'] or '-'}")
    _warn(told)


def _warn(told: dict[str, Any]) -> None:
    if told["warning"]:
        _say(f"warning: {told['warning']}")


def _say(text: str) -> None:
    typer.echo(printable(text))
