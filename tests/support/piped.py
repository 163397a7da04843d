"""The supervisor's side of a walk over a real pipe, with a script for a worker."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from agent.core.clock import SystemClock
from agent.pool.dialogue import Dialogue
from agent.pool.process import Spawn, WorkerProcess
from agent.pool.stops import Stop
from agent.pool.walk_listener import Answers
from agent.protocol.framing import frame
from agent.protocol.messages import (
    FROM_WORKER,
    TO_WORKER,
    Configure,
    FromWorker,
    SecretReply,
    SecretWanted,
    ToWorker,
    Walk,
)
from agent.runs.run_log import RunLog
from tests.support.build import a_journey, a_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agent.core.results import AttemptRecord

JOURNEY = a_journey("buy")
ORDER = Walk("run-1", JOURNEY, 1, "0a" * 16, "0b" * 8, "", "", record_trace=False)
REQUEST = a_request(JOURNEY, trace_id="0a" * 16, span_id="0b" * 8)
CONFIGURE = Configure("/nowhere", "/nowhere", [], True, "http://127.0.0.1/", "X", "1")


def no_secret(name: str) -> str:
    raise LookupError(f"{name}: not found")


@dataclass
class Pipe:
    """A walk under way, and the worker's end of its pipe."""

    sock: socket.socket
    worker: WorkerProcess
    dialogue: Dialogue
    stop: Stop
    walk: asyncio.Task[AttemptRecord]
    faults: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, data: bytes) -> None:
        """Write what the supervisor takes of it."""
        with suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def hear(self) -> ToWorker:
        """Return the next message to the worker."""
        loop = asyncio.get_running_loop()
        data = b""
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
            want = 4 if len(data) < 4 else 4 + int.from_bytes(data[:4], "big")
            data += await loop.sock_recv(self.sock, want - len(data))
        return TO_WORKER.validate_json(data[4:])

    async def heard(self) -> None:
        """Return once all that was said has been heard: what is asked last is answered then."""
        await self.say(said(SecretWanted("LAST")))
        while not isinstance(await self.hear(), SecretReply):
            pass

    async def end(self) -> AttemptRecord:
        """Close the pipe and return what became of the walk."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(10):
            await self.worker.gone.wait()
            return await self.walk


@asynccontextmanager
async def piped(
    folder: Path, secret: Callable[[str], str] = no_secret, order: Walk = ORDER
) -> AsyncIterator[Pipe]:
    """The real supervisor's side over a real pipe, with somebody harmless for a worker."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    process = await asyncio.create_subprocess_exec("sleep", "60", stdout=asyncio.subprocess.PIPE)
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    spawn = Spawn("agent-1", CONFIGURE, lambda _: None, SystemClock(), folder)
    worker = WorkerProcess(1, spawn, process, ours, temporary)
    await worker._begin()
    worker.begin_run()
    stop = Stop(order.journey.name)
    answers, clock = Answers(secret), SystemClock()
    dialogue = Dialogue(worker, order, RunLog(REQUEST), answers, stop, clock)
    pipe = Pipe(theirs, worker, dialogue, stop, asyncio.create_task(dialogue.run()))
    asyncio.get_running_loop().set_exception_handler(lambda _, what: pipe.faults.append(what))
    try:
        with structlog.testing.capture_logs() as logs:
            yield pipe
    finally:
        pipe.walk.cancel()
        await worker.kill()
        theirs.close()
    assert pipe.faults == []
    assert [log for log in logs if log["event"] == "listener.failed"] == []


def framed(body: bytes) -> bytes:
    """A body as a worker sends it, whatever it is."""
    return frame(body, 1 << 31)


def said(message: FromWorker) -> bytes:
    return framed(FROM_WORKER.dump_json(message))
