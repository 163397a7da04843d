"""The way to the server: one session after the other, for as long as the agent runs."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from agent.queue.nats.session import Refused, connect
from agent.queue.shared import Away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.core.clock import Clock
    from agent.queue.nats.endpoint import Endpoint
    from agent.queue.nats.session import Session

_log = structlog.get_logger("footfall.queue")

_REST = (0.2, 3.0)
"""Seconds between two tries, at first and at most: with jitter, since all replicas try."""


class Uplink:
    """Keeps a session, and never stops trying.

    ``prepare`` is called with each before anybody else has it; what it raises ends the session.
    """

    def __init__(
        self, endpoint: Endpoint, prepare: Callable[[Session], Awaitable[None]], clock: Clock
    ) -> None:
        self._endpoint = endpoint
        self._prepare = prepare
        self._clock = clock
        self._session: Session | None = None
        self._times = 0
        self._came = asyncio.Event()
        self._listeners: list[tuple[str, Callable[[bytes], None]]] = []
        self._hearing: set[asyncio.Task[None]] = set()
        self._why = "not connected yet"

    @property
    def connected(self) -> bool:
        """Whether there is a session that answered lately."""
        return self._session is not None and not self._session.broken.is_set()

    @property
    def trouble(self) -> str:
        """Why there is none; "" where there is one."""
        if self.connected:
            return ""
        return self._session.why if self._session is not None else self._why

    @property
    def session(self) -> Session:
        """The session.

        Raises:
            Away: there is none.

        """
        if self._session is None or self._session.broken.is_set():
            raise Away(self.trouble)
        return self._session

    async def until_connected(self, after: int = 0) -> int:
        """Wait for a session that is not one of the first ``after``; return its number."""
        while not self.connected or self._times <= after:
            came = self._came
            await came.wait()
        return self._times

    def listen(self, subject: str, callback: Callable[[bytes], None]) -> Callable[[], None]:
        """Have ``callback`` hear what is told in this session and all that come."""
        heard = subject, callback
        self._listeners.append(heard)
        if self.connected:
            task = asyncio.ensure_future(self._hear(self.session, heard))
            self._hearing.add(task)
            task.add_done_callback(self._hearing.discard)

        def stop() -> None:
            if heard in self._listeners:
                self._listeners.remove(heard)

        return stop

    async def keep(self) -> None:
        """Have a session whenever that is possible, for ever."""
        rest, told = _REST[0], ""
        turn = random.randrange(len(self._endpoint.addresses))  # noqa: S311 - spreads replicas
        while True:
            address = self._endpoint.addresses[turn % len(self._endpoint.addresses)]
            session = None
            try:
                session = await connect(self._endpoint, address)
                await self._prepare(session)
                for heard in list(self._listeners):
                    await self._hear(session, heard)
                await session.caught_up()
                self._take(session)
                _log.info("queue.connected", action="queue", server=address)
                rest, told = _REST[0], ""
                await session.until_broken()
                raise Away(session.why)  # noqa: TRY301 - as one that never stood
            except (Away, Refused) as error:
                self._why = str(error)
            finally:
                self._session = None
                if session is not None:
                    await session.close()
            if self._why != told:
                told = self._why
                _log.warning("queue.away", action="queue", server=address, reason=told)
            await self._clock.sleep(rest * random.uniform(0.5, 1.0))  # noqa: S311
            rest = min(2 * rest, _REST[1])
            turn += 1

    async def _hear(self, session: Session, heard: tuple[str, Callable[[bytes], None]]) -> None:
        """Listen in one session; who has stopped since is not told."""
        subject, callback = heard

        def tell(data: bytes) -> None:
            if heard in self._listeners:
                callback(data)

        with suppress(Away):  # it broke: the next one will be listened in
            await session.listen(subject, tell)

    def _take(self, session: Session) -> None:
        self._session = session
        self._times += 1
        self._came.set()
        self._came = asyncio.Event()
