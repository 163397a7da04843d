"""One worker process, seen from the supervisor."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import structlog
from pydantic import ValidationError

from agent.core.limits import MESSAGE_LENGTH
from agent.core.redact import Redactor
from agent.pool.environment import worker_environment
from agent.pool.process_tree import Tree, Workers
from agent.protocol.framing import (
    LONGEST_ORDER,
    LONGEST_REPORT,
    ProtocolError,
    frame,
    receive_frame,
)
from agent.protocol.messages import (
    FROM_WORKER,
    TO_WORKER,
    Configure,
    FromWorker,
    SecretReply,
    ToWorker,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.clock import Clock

_log = structlog.get_logger("footfall.workers")

_OUTPUT_LIMIT = 64 * 1024
"""Bytes of a journey's own printing that are passed on in one run."""
_MOST_HEARD = 16 * 1024 * 1024
"""Bytes that a worker may say in one run."""
_MOST_UNREAD = 1024 * 1024
"""Bytes that may wait for a worker to read them."""


@dataclass(frozen=True, slots=True)
class Spawn:
    """How worker processes are started."""

    agent_id: str
    configure: Configure
    on_output: Callable[[str], None]
    """Takes each line that is printed while no walk goes on: where modules are imported."""
    clock: Clock
    scratch: Path
    """Folder in which each worker gets one of its own for temporary files."""


class WorkerProcess:
    """A running worker. ``listener`` gets each message; ``gone`` is set when the pipe closes.

    ``output`` gets each line that is printed, without the secrets that the worker was told.
    """

    all: ClassVar[Workers] = Workers()
    """Those of this process."""

    def __init__(
        self,
        number: int,
        spawn: Spawn,
        process: asyncio.subprocess.Process,
        sock: socket.socket,
        temporary: Path,
    ) -> None:
        self.number = number
        self._temporary = temporary
        self.started_at = spawn.clock.monotonic()
        self.runs = 0
        self.gone = asyncio.Event()
        self.protocol_error = ""
        """Why it is not listened to any more, where it still lives."""
        self.listener: Callable[[FromWorker], None] = lambda _: None
        self.output = spawn.on_output
        self.tree = Tree(process.pid)
        self.spawn = spawn
        self._process = process
        self._sock = sock
        self._writer: asyncio.StreamWriter | None = None
        self._printed = 0
        self._heard = 0
        self._redactor = Redactor()
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def start(cls, number: int, spawn: Spawn) -> WorkerProcess:
        """Start a worker from the calling thread, which must be the main one.

        Death-with-parent is bound to the thread that spawned.
        """
        temporary = Path(tempfile.mkdtemp(prefix=f"worker-{number}-", dir=spawn.scratch))
        ours, theirs = socket.socketpair()
        cls.all.starting += 1
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "agent.worker",
                str(theirs.fileno()),
                str(os.getpid()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=worker_environment(os.environ, spawn.agent_id, temporary),
            )
        except BaseException:
            ours.close()
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        else:
            cls.all.pids.add(process.pid)
        finally:
            cls.all.starting -= 1
            theirs.close()
        worker = cls(number, spawn, process, ours, temporary)
        try:
            await worker._begin()
        except BaseException:
            # Nobody else knows of it yet.
            await worker.kill()
            raise
        return worker

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return self.spawn.clock.monotonic() - self.started_at

    def send(self, message: ToWorker) -> None:
        """Send a message; a worker that is gone is noticed by ``gone``, not here."""
        if isinstance(message, SecretReply) and message.value is not None:
            self._redactor.add(message.value)
        if self._writer is None or self.gone.is_set():
            return
        if self._writer.transport.get_write_buffer_size() > _MOST_UNREAD:
            self._break_off("it does not read what it asked for")
            return
        self._writer.write(frame(TO_WORKER.dump_json(message), LONGEST_ORDER))

    def begin_run(self) -> None:
        """Count a run and give it a fresh allowance of output and of messages."""
        self.runs += 1
        self._printed = self._heard = 0

    def halt(self) -> None:
        """Have the worker do nothing more, at once; it must be killed then.

        Before its tree is looked for, which takes its time.
        """
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGSTOP)

    async def kill(self) -> None:
        """Kill and reap the whole tree, and close the pipe."""
        self.tree.look()
        left = await self.tree.kill(self.spawn.clock)
        if left:
            _log.error("processes.left", action="kill", worker=self.number, pids=sorted(left))
        await self._process.wait()
        self.all.pids.discard(self.pid)
        self.gone.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._writer is not None:
            # Not closed: what was not written yet would be waited for, and nobody reads it.
            self._writer.transport.abort()
            with suppress(ConnectionError):
                await self._writer.wait_closed()
        self._sock.close()
        # Reading on would wait for a process that inherited the other end of the output.
        self._process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
        await asyncio.to_thread(shutil.rmtree, self._temporary, ignore_errors=True)

    async def _begin(self) -> None:
        reader, self._writer = await asyncio.open_connection(sock=self._sock)
        self._tasks = [
            asyncio.create_task(self._read(reader), name=f"worker {self.number} reader"),
            asyncio.create_task(self._pass_on(), name=f"worker {self.number} output"),
        ]
        self.send(self.spawn.configure)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while (body := await receive_frame(reader, LONGEST_REPORT)) is not None:
                self._heard += len(body)
                if self._heard > _MOST_HEARD:
                    # A journey that logs or opens steps without end, say.
                    why = f"more than {_MOST_HEARD >> 20} MiB in one run"
                    raise ProtocolError(why)  # noqa: TRY301
                self.listener(FROM_WORKER.validate_json(body))
                if self.gone.is_set():
                    return
        except ProtocolError as error:
            self._break_off(str(error))
        except ValidationError as error:
            # Only journey code that found the descriptor can break the protocol.
            # The error repeats what it was given; its kind says enough.
            self._break_off(type(error).__name__)
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            # A listener's fault would look like a dead worker; at least it is told as it is.
            _log.exception("listener.failed", action="kill", worker=self.number)
        finally:
            self.gone.set()

    def _break_off(self, why: str) -> None:
        """Listen no more to a worker that broke the protocol; its walk ends with that."""
        self.protocol_error = self.protocol_error or why
        _log.warning("worker.protocol_error", action="kill", worker=self.number, error=why)
        self.gone.set()

    async def _pass_on(self) -> None:
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it was asked for as a pipe
        rest = b""
        while chunk := await output.read(8192):
            room = max(0, _OUTPUT_LIMIT - self._printed)
            self._printed += len(chunk)
            *lines, rest = (rest + chunk[:room]).split(b"\n")
            if len(chunk) > room:
                rest = b""  # half a line, which would begin the next run's first one
            for line in lines:
                self._print(line)
        if rest:
            self._print(rest)

    def _print(self, line: bytes) -> None:
        self.output(self._redactor.fit(line.decode(errors="replace"), MESSAGE_LENGTH))
