"""A real program run beside the tests: started, waited for until it is ready, and gone after."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"

_GIVEN_BY_THE_SYSTEM = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CLAIMS: list[socket.socket] = []  # held until the process ends, so that no other claims the same
_READY_WITHIN = 60.0
_POLL = 0.02


class Service:
    """Base of the programs. Use ``with`` or ``async with``; a subclass says what to run.

    Standard output and error go to ``log`` in the service's own ``folder``, which is
    temporary. A service depends on no event loop, so a fixture of any scope may hold it.
    """

    needs: Path | None = None
    """What `python -m tests.support.install` must have put there first."""

    def __enter__(self) -> Self:
        self._start()
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    async def __aenter__(self) -> Self:
        # Started here and not in the thread: it dies with the thread that started it.
        self._start()
        try:
            await asyncio.to_thread(self._wait)
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._stop)

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    @property
    def log(self) -> Path:
        """All that the program has printed."""
        return self.folder / "output.log"

    def prepare(self) -> None:
        """Put into ``folder`` what the program needs."""

    def command(self) -> Sequence[str]:
        """What to run, in ``folder``."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str] | None:
        """The program's whole environment; None: that of the tests."""
        return None

    def ready(self) -> bool:
        """Whether the program serves; asked until it does."""
        raise NotImplementedError

    def announced(self) -> dict[str, Any] | None:
        """The first line of JSON that the program has printed."""
        for line in self.log.read_text().splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):
                return json.loads(line)
        return None

    def _start(self) -> None:
        if self.needs is not None and not self.needs.exists():
            raise RuntimeError(
                f"{self.needs.relative_to(ROOT)} is missing; run `python -m tests.support.install`"
            )
        self._temporary = tempfile.TemporaryDirectory(prefix="footfall-test-")
        self.folder = Path(self._temporary.name)
        self._output: IO[bytes] = self.log.open("wb")
        try:
            self.prepare()
            self._spawn()
        except BaseException:
            self._output.close()
            self._temporary.cleanup()
            raise

    def _spawn(self) -> None:
        self._process = subprocess.Popen(
            [*_dying_with_parent(), *self.command()],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while not self.ready():
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                fate = "is not ready" if code is None else f"ended with code {code}"
                raise RuntimeError(f"{type(self).__name__} {fate}:\n{self.log.read_text()[-4000:]}")
            time.sleep(_POLL)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._temporary.cleanup()


def free_port() -> int:
    """A loopback port that nobody else takes while this process lives.

    For programs that can't choose their own, for addresses where nothing is to listen, and for
    an agent that comes back to its port. It lies outside the range from which the system gives
    ports to whoever asks for any, connections among them: a port of that range that was free a
    moment ago is a stranger's soon, on a machine with thousands of short connections.
    """
    low, high = map(int, _GIVEN_BY_THE_SYSTEM.read_text().split())
    for port in random.SystemRandom().sample([*range(10_000, low), *range(high + 1, 65_536)], 500):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0footfall-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _CLAIMS.append(claim)
        return port
    raise RuntimeError("no port is free outside the range that the system gives from")


def listens(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _dying_with_parent() -> list[str]:
    # So that a suite that is killed leaves nothing behind.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
