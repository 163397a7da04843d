"""``footfall status``: asking a running agent how its journeys stand."""

from __future__ import annotations

import json as jsonlib
import sys
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from rich.console import Console

from agent.cli.status_page import Page
from agent.core.errors import ConfigError, Problem
from agent.core.standing import State, by_urgency, is_well, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.cli.running_agent import Agent
    from agent.core.standing import Journey

_UNMEASURED = {State.NOT_MEASURED, State.SILENT, State.WAITS}


@dataclass(frozen=True, slots=True)
class Status:
    """What an agent answered: its journeys, the worst first, and how it is itself."""

    agent: Agent
    at: str
    location: str
    ready: str
    """``ok``, ``degraded`` or ``failing``."""
    checks: Mapping[str, Mapping[str, Any]]
    journeys: Sequence[Journey]
    by_name: bool
    """Whether journeys were asked for by their names."""
    pauses: Sequence[Mapping[str, Any]]
    maintenance: Sequence[Mapping[str, Any]]
    certificates: Sequence[Mapping[str, Any]]
    replicas: Sequence[Mapping[str, Any]]
    """None where the agent is alone at its location."""

    @property
    def exit_code(self) -> int:
        """0 all well; 1 a journey fails; 3 one is not measured, or the agent is not ready."""
        states = {state_of(journey) for journey in self.journeys}
        if State.FAILS in states:
            return 1
        return 3 if states & _UNMEASURED or self.ready == "failing" else 0

    def document(self) -> dict[str, Any]:
        """Return it as one object, with links that lead somewhere by themselves."""
        return {
            "url": self.agent.url,
            "at": self.at,
            "location": self.location,
            "ready": self.ready != "failing",
            "degraded": self.ready == "degraded",
            "checks": self.checks,
            "pauses": self.pauses,
            "maintenance": self.maintenance,
            "certificates": self.certificates,
            "replicas": self.replicas,
            "journeys": [_absolute(journey, self.agent.url) for journey in self.journeys],
        }

    def print(self, console: Console) -> None:
        """Print it for a person."""
        page = Page(self.agent, datetime.fromisoformat(self.at), console)
        page.summary(self.location, self.journeys, self.checks)
        # Who asks for a journey by name wants to know all of it.
        explained = {one["journey"] for one in self.journeys if self.by_name or not is_well(one)}
        page.journeys(self.journeys, explained)
        page.suspensions(self.pauses, self.maintenance)
        page.certificates([one for one in self.certificates if one["near"]])
        page.replicas(self.replicas)
        page.agent(self.checks)


async def ask(agent: Agent, names: Sequence[str]) -> Status:
    """Ask how things stand.

    Raises:
        AgentUnreachable: no agent answers.
        ConfigError: a journey is unknown, or the agent wants another token.

    """
    listed, ready, healthy = await agent.get("/api/v1/journeys", "/readyz", "/healthz")
    return Status(
        agent=agent,
        at=listed["at"],
        location=listed["location"],
        ready=ready["status"],
        checks={**ready["checks"], **healthy["checks"]},
        journeys=sorted(_chosen(listed["journeys"], names), key=by_urgency),
        by_name=bool(names),
        pauses=listed.get("pauses", ()),
        maintenance=listed.get("maintenance", ()),
        certificates=listed.get("certificates", ()),
        replicas=listed.get("replicas", ()),
    )


async def status(agent: Agent, names: Sequence[str], *, json: bool) -> int:
    """Ask how things stand, and print it; return what ``--exit-code`` exits with.

    Raises:
        AgentUnreachable: no agent answers.
        ConfigError: a journey is unknown, or the agent wants another token.

    """
    told = await ask(agent, names)
    if json:
        print(jsonlib.dumps(told.document()))  # noqa: T201 - the command's own output
    else:
        told.print(terminal())
    return told.exit_code


def terminal() -> Console:
    """Return what is printed on."""
    if isinstance(sys.stdout, TextIOWrapper):
        # What a page says may have characters that this terminal doesn't.
        sys.stdout.reconfigure(errors="replace")
    return Console(highlight=False)


def _chosen(journeys: list[Journey], names: Sequence[str]) -> list[Journey]:
    known = {journey["journey"] for journey in journeys}
    listed = ", ".join(sorted(known)) or "none"
    unknown = [
        Problem(name, f"the agent has no such journey; known: {listed}")
        for name in names
        if name not in known
    ]
    if unknown:
        raise ConfigError(unknown)
    return [journey for journey in journeys if not names or journey["journey"] in names]


def _absolute(journey: Journey, url: str) -> Journey:
    """Return a journey with links that lead somewhere by themselves."""
    changed = {
        key: {
            **run,
            "screenshot": run["screenshot"] and url + run["screenshot"],
            "links": {path: url + link for path, link in run["links"].items()},
        }
        for key in ("last_run", "last_failure")
        if (run := journey[key])
    }
    return {**journey, **changed}
