"""The connection to one target: made when it is first needed, and anew where its files changed."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from agent.telemetry.delivery.connect import connect
from agent.telemetry.delivery.quoting import quoting
from agent.telemetry.delivery.transport import Unavailable

if TYPE_CHECKING:
    from agent.telemetry.delivery.destination import Target
    from agent.telemetry.delivery.signals import Signal
    from agent.telemetry.delivery.transport import Answer, Transport

_log = structlog.get_logger(__name__)


class Link:
    """Sends one signal to its target. ``send`` never raises."""

    def __init__(self, signal: Signal, target: Target) -> None:
        self._signal = signal
        self._target = target
        self._quote = quoting(target)
        self._transport: Transport | None = None
        self._made_from: list[tuple[str, int]] = []

    async def send(self, payload: bytes) -> Answer:
        """Deliver one serialised request.

        Whatever goes wrong on this side, a certificate that is gone or a header that can't be
        sent, is "not now": somebody may mend it, and until then nothing is lost.
        """
        try:
            if self._transport is None:
                self._made_from = await asyncio.to_thread(self._stamps)
                self._transport = await connect(self._target)
            answer = await self._transport.send(self._signal, payload)
            if isinstance(answer, Unavailable) and await self._files_changed():
                await self.close()
        except Exception as error:  # noqa: BLE001 - libraries raise many kinds; the lane lives on
            with contextlib.suppress(Exception):
                await self.close()  # the next try begins afresh
            _log.debug("telemetry.unsent", action="send", signal=self._signal.value, exc_info=True)
            return Unavailable(self._quote(f"can't be sent: {type(error).__name__}: {error}"))
        return answer

    async def close(self) -> None:
        """Close the connections; the next ``send`` makes them anew."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    async def _files_changed(self) -> bool:
        """Whether a certificate was replaced under the same name, as those that end are."""
        if not self._target.files:
            return False
        return await asyncio.to_thread(self._stamps) != self._made_from

    def _stamps(self) -> list[tuple[str, int]]:
        return [
            (file, Path(file).stat().st_mtime_ns if Path(file).exists() else 0)
            for file in self._target.files
        ]
