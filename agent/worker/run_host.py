"""What an author's ``Run`` asks of the worker that walks it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from agent.core.units import parse_limit
from agent.protocol.messages import Logged

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from playwright.async_api import BrowserContext, Locator
    from structlog.typing import FilteringBoundLogger

    from agent.worker.follow_up import FollowUp
    from agent.worker.forgotten import Forgotten
    from agent.worker.journey_files import JourneyFiles
    from agent.worker.optional_steps import OptionalSteps
    from agent.worker.page_setup import PageSetup
    from agent.worker.pipe import Pipe
    from agent.worker.steps import Steps


@dataclass(frozen=True, slots=True)
class RunHost:
    """Passes each wish on to the part of the attempt that it belongs to."""

    _pipe: Pipe
    _steps: Steps
    _forgotten: Forgotten
    _setup: PageSetup
    _follow_up: FollowUp
    _optional: OptionalSteps
    _files: JourneyFiles

    @property
    def log(self) -> FilteringBoundLogger:
        """A log whose lines the supervisor writes."""
        log: FilteringBoundLogger = structlog.wrap_logger(None, processors=[self._write_log])
        return log

    def step(self, name: str, slow: str, *, optional: bool) -> AbstractAsyncContextManager[None]:
        """Open a step, with a limit above which it is slow, and whether the walk outlives it."""
        try:
            limit = parse_limit(slow)
        except ValueError as error:
            raise ValueError(f"run.step({name!r}, slow=…): {error}") from None
        step = self._steps.step(name, limit, optional=optional)
        return self._forgotten.step(self._optional.around(name, step) if optional else step)

    def secret(self, name: str) -> str:
        """Fetch a secret."""
        return self._pipe.secret(name)

    def file(self, name: str) -> Path:
        """Find a file beside the journey's."""
        return self._files.path(name)

    def mask(self, locator: Locator) -> None:
        """Mask an element in screenshots."""
        self._follow_up.masks.append(locator)

    def allow_status(self, *statuses: int) -> None:
        """Expect these statuses."""
        self._setup.end.allowed |= set(statuses)

    def new_context(self, options: dict[str, Any]) -> AbstractAsyncContextManager[BrowserContext]:
        """Open another context."""
        return self._setup.new_context(options)

    def _write_log(self, _: object, level: str, fields: MutableMapping[str, Any]) -> str:
        event = str(fields.pop("event", ""))
        plain = json.loads(json.dumps(dict(fields), default=repr))
        self._pipe.send(Logged(level, event, plain))
        raise structlog.DropEvent
