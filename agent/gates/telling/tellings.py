"""Telling of verdicts, beside the gates: what rolls back, and a sink of events."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog

from agent.gates.telling import verdict_events
from agent.gates.telling.poster import Posted
from agent.gates.telling.rollback_hook import RollbackHook, Sender
from agent.runs.document import time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.gates.telling.poster import Poster
    from agent.server.documents.gates import GateDocument, GateHook

    Keep = Callable[[str, GateHook], Awaitable[None]]

_log = structlog.get_logger("footfall.gates")

_TOO_LATE: Final = 600.0
"""Seconds after a verdict, from which on nothing is rolled back by it any more."""
_WAITS: Final = 5.0
"""Seconds for which the agent's end waits for those who are being told."""


class Tellings:
    """Tells whoever the configuration names; what became of the roll-back hook is kept."""

    def __init__(self, settings: Callable[[], Settings], poster: Poster, clock: Clock) -> None:
        self._settings = settings
        self._poster = poster
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def hook(self, verdict: str) -> GateHook | None:
        """Return what is to be kept of the hook before it is called; None: it isn't."""
        url = self._settings().gate.hook.url
        if verdict != "fail" or not url:
            return None
        return {
            "host": urlsplit(url).hostname or "",
            "state": "calling",
            "tries": 0,
            "error": None,
            "at": time(self._clock.wall()),
        }

    def tell(self, gate: GateDocument, keep: Keep) -> None:
        """Tell of a verdict; ``keep`` is told what became of the hook."""
        self.call(gate, keep)
        section = self._settings().gate.cdevents
        if section.sink:
            token = section.sink_token.get_secret_value()
            self._begin(self._send(gate, section.sink, token))

    def call(self, gate: GateDocument, keep: Keep) -> None:
        """Call the hook of a gate that has one: also again, where its call was cut."""
        section, hook = self._settings().gate.hook, gate["hook"]
        if hook is not None:
            calling = RollbackHook(section.url, section.secret.get_secret_value())
            self._begin(self._call(gate, hook, calling, keep))

    async def end(self) -> None:
        """Give those who are being told a moment, and break off the rest.

        A call of the hook that is broken off is made again by the next start.
        """
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_WAITS)
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name="telling")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _sender(self) -> Sender:
        settings = self._settings()
        return Sender(settings.environment, settings.location, settings.server.url)

    async def _call(
        self, gate: GateDocument, hook: GateHook, calling: RollbackHook, keep: Keep
    ) -> None:
        age = (
            self._clock.wall() - datetime.fromisoformat(gate["ended_at"] or hook["at"]).timestamp()
        )
        if not calling.url:
            posted = Posted(0, "it is no longer configured")
        elif age > _TOO_LATE:
            posted = Posted(0, "the agent was stopped while it was called, and is back too late")
        else:
            posted = await calling.call(gate, self._sender(), self._poster)
        _log_posted("rollback_hook", gate, posted)
        kept: GateHook = {
            **hook,
            "state": "failed" if posted.error else "called",
            "tries": posted.tries,
            "error": posted.error or None,
            "at": time(self._clock.wall()),
        }
        try:
            await keep(gate["id"], kept)
        except Exception:  # noqa: BLE001 - it was called all the same, and the log has it
            _log.exception("rollback_hook.unwritten", action="gate", gate=gate["id"])

    async def _send(self, gate: GateDocument, sink: str, token: str) -> None:
        posted = await verdict_events.send(gate, self._sender(), sink, token, self._poster)
        _log_posted("verdict_event", gate, posted)


def _log_posted(what: str, gate: GateDocument, posted: Posted) -> None:
    log = _log.error if posted.error else _log.info
    log(
        f"{what}.failed" if posted.error else f"{what}.sent",
        action="gate",
        gate=gate["id"],
        site=gate["site"],
        tries=posted.tries,
        error=posted.error or None,
    )
