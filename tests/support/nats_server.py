"""A real NATS server with JetStream, on a port of its own, which can be killed and come back."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.service import CACHE, Service, free_port, listens

if TYPE_CHECKING:
    from collections.abc import Sequence

BINARY = Path(sys.executable).with_name("nats-server")
OLD = CACHE / "nats-server-2.9"
"""Debian's of bookworm, unpacked: one that is too old."""


class NatsServer(Service):
    """One server; what it stores lies in its folder and outlives its stops.

    ``settings`` are lines of its configuration file besides, after address and store.
    """

    binary = BINARY

    def __init__(self, settings: str = "", *, jetstream: bool = True) -> None:
        self.port = free_port()
        self.settings = settings
        self._jetstream = jetstream

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return f"nats://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self.write()

    def write(self) -> None:
        """Write the configuration file; a server that runs reads it at its next start."""
        store = f'jetstream {{ store_dir: "{self.folder}/store" }}' if self._jetstream else ""
        (self.folder / "nats.conf").write_text(
            f'listen: "127.0.0.1:{self.port}"\n{store}\n{self.settings}\n'
        )

    def command(self) -> Sequence[str]:
        return [str(self.binary), "-c", "nats.conf"]

    def ready(self) -> bool:
        return "Server is ready" in self.log.read_text() and listens(self.port)

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it: at once, or in order with ``SIGTERM``. What it stored stays."""
        self._process.send_signal(how)
        await asyncio.to_thread(self._process.wait, 30)

    async def start(self) -> None:
        """Have it back at the same address with what it had stored."""
        self._output.truncate(0)
        self._spawn()
        await asyncio.to_thread(self._wait)

    async def restart(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Stop and start it."""
        await self.stop(how)
        await self.start()

    def freeze(self) -> None:
        """Have it hang: it keeps its connections and answers nobody."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        self._process.send_signal(signal.SIGCONT)

    def _stop(self) -> None:
        self.thaw()
        super()._stop()


class OldNatsServer(NatsServer):
    """A server as Debian 12 has it: too old to let a message expire."""

    needs = binary = OLD / "usr" / "sbin" / "nats-server"


class NatsCluster:
    """Three servers that hold each other's streams."""

    def __init__(self) -> None:
        ports = [free_port() for _ in range(3)]
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
        self.servers = [
            _Member(
                f"server_name: s{number}\n"
                f'cluster {{ name: c, listen: "127.0.0.1:{port}", routes: [{routes}] }}'
            )
            for number, port in enumerate(ports)
        ]
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        """The addresses of all of them."""
        return ",".join(server.url for server in self.servers)

    def named(self, name: str) -> NatsServer:
        """Return the server of this name."""
        return self.servers[int(name.removeprefix("s"))]

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await asyncio.gather(*(stack.enter_async_context(one) for one in self.servers))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


class _Member(NatsServer):
    """One of a cluster, which is ready only once it has others."""

    def ready(self) -> bool:
        return listens(self.port)
