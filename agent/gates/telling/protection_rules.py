"""Deployments that wait at GitHub for a verdict on production, and who tells GitHub of it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import structlog

from agent.core.printable import printable
from agent.server.control import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.clock import Clock
    from agent.core.gate import GateOrder
    from agent.gates.telling.github_app import GitHubApp
    from agent.gates.telling.poster import Poster
    from agent.server.adapters.github import Deployment
    from agent.server.gates import Gates

_log = structlog.get_logger("footfall.gates")

_GATES: Final = 3
"""Gates for one deployment, where those before had no verdict. GitHub takes ten reports."""
_PAUSE: Final = 60.0
"""Seconds between them."""
_LOOKS: Final = 30.0
_REMEMBERED: Final = 1000
_STATES: Final = {"pass": "approved", "fail": "rejected"}
_UNSET: Final = (
    "no protection rule can be answered: set gate.github.app and gate.github.key, then reload"
)


class ProtectionRules:
    """Judges production for each deployment that waits, and approves or rejects it.

    Without a verdict it does neither: the deployment goes on waiting, told why, for a person.
    """

    def __init__(
        self, gates: Gates, app: Callable[[], GitHubApp | None], poster: Poster, clock: Clock
    ) -> None:
        self._gates = gates
        self._app = app
        self._poster = poster
        self._clock = clock
        self._begun: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def trouble(self) -> str:
        """Say why nothing can be reported; "": it can."""
        return "" if self._app() else _UNSET

    def judge(self, deployment: Deployment, order: GateOrder, key: str) -> None:
        """Begin, unless that was done for the same ``key``."""
        if key in self._begun:
            return
        self._begun[key] = None
        if len(self._begun) > _REMEMBERED:
            self._begun.popitem(last=False)
        task = asyncio.create_task(self._see_to(deployment, order, key), name="protection rule")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Break off what is under way: a redelivery begins it anew."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _see_to(self, deployment: Deployment, order: GateOrder, key: str) -> None:
        try:
            for number in range(1, _GATES + 1):
                verdict, why = await self._verdict(order, f"{order.source}-rule:{key}/{number}")
                state = _STATES.get(verdict, "")
                last = number == _GATES
                await self._report(deployment, state, _comment(verdict, why, last=last))
                if state or last:
                    return
                await self._clock.sleep(_PAUSE)
        except Exception:  # noqa: BLE001 - a fault of the agent's own costs this one
            _log.exception("rule.failed", action="gate", repository=deployment.repository)

    async def _verdict(self, order: GateOrder, key: str) -> tuple[str, str]:
        """Return the verdict of a gate, and why."""
        try:
            gate = await self._gates.ask(order, key)
        except Refused as refusal:
            return "error", str(refusal)
        while gate["verdict"] == "pending":
            found = await self._gates.wait(gate["id"], _LOOKS)
            if found is None:
                return "error", "the gate is no longer known"
            gate = found
        return gate["verdict"], "; ".join(gate["reasons"])

    async def _report(self, deployment: Deployment, state: str, comment: str) -> None:
        app = self._app()
        error = _UNSET
        if app is not None:
            now = self._clock.wall()
            error = await app.report(deployment, state, comment, now, self._poster)
        log = _log.warning if error else _log.info
        log(
            "rule.not_answered" if error else "rule.answered",
            action="gate",
            repository=deployment.repository,
            run=deployment.run,
            environment=deployment.environment,
            state=state or "waiting",
            error=error or None,
        )


def _comment(verdict: str, why: str, *, last: bool) -> str:
    told = printable(why)
    if verdict == "error":
        then = "A person has to decide." if last else "Production is walked again in a minute."
        # First what is to be done: GitHub's bound cuts the end.
        return f"Footfall has no verdict on production. {then} {told}"
    return f"Footfall: {verdict}. {told}"
