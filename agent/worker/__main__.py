"""The worker process: the composition root on the other side of the pipe.

Runs as ``python -m agent.worker FD PARENT``. It keeps one Playwright driver, walks one
journey at a time, each in a fresh browser, and dies with its parent.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.clock import SystemClock
from agent.core.errors import Problem
from agent.protocol.framing import ProtocolError
from agent.protocol.messages import (
    Configure,
    Discover,
    FileLoaded,
    FileStarted,
    Idle,
    Ready,
    Walk,
    Walked,
)
from agent.worker.browser.raised import AuthorCode
from agent.worker.isolation import Isolation
from agent.worker.loader import Loader
from agent.worker.pipe import Pipe
from agent.worker.watchdog import Watchdog

if TYPE_CHECKING:
    from agent.core.results import AttemptReport
    from agent.protocol.messages import ToWorker
    from agent.worker.browser.launch import Launcher, LaunchOptions

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies.

    A parent that died before it was asked can't be noticed, hence the second look.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


class Worker:
    """Serves the supervisor's messages, one after the other."""

    def __init__(self, pipe: Pipe, configure: Configure, watchdog: Watchdog) -> None:
        self._pipe = pipe
        self._configure = configure
        self._loader = Loader(configure.journeys, configure.copy)
        self._watchdog = watchdog
        self._isolation = Isolation(asyncio.get_running_loop())
        self._launcher: Launcher | None = None
        self._trouble = "the driver did not start"
        self._stack = AsyncExitStack()

    async def serve(self, inbox: asyncio.Queue[ToWorker]) -> None:
        """Work until the pipe closes, which ends the process."""
        if self._configure.executable:
            await self._prepare()
        while True:
            message = await inbox.get()
            if isinstance(message, Discover):
                self._discover(message)
            elif isinstance(message, Walk):
                await self._walk(message)

    @property
    def _options(self) -> LaunchOptions:
        from agent.worker.browser.launch import LaunchOptions

        configure = self._configure
        return LaunchOptions(configure.executable, tuple(configure.args), configure.headless)

    async def _prepare(self) -> None:
        import agent.worker.attempt  # noqa: F401 - the first walk doesn't wait for it
        from agent.worker.browser.launch import Launcher, driver, real_user_agent
        from agent.worker.tagging.identity import user_agent

        if self._configure.inspected:
            # The inspector is a browser of the driver's own, started from its environment.
            os.environ["GUARDED_BROWSER"] = self._configure.executable
        try:
            playwright = await self._stack.enter_async_context(driver())
            real = ""
            if self._configure.browser:
                real = await real_user_agent(playwright, self._options)
        except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor must hear it
            self._trouble = str(error)
            self._pipe.send(Ready(self._trouble))
            return
        # Without a browser there is only our own.
        own = user_agent(real, self._configure.version, self._configure.info_url).lstrip()
        self._launcher = Launcher(playwright, self._options, own, SystemClock())
        if self._configure.browser:
            self._launcher.ahead()
        # What stays for good is not looked through each time that a page's requests, objects all
        # of them, have the collector run: that took a fifth of a walk's time here.
        gc.collect()
        gc.freeze()
        self._pipe.send(Ready())

    def _discover(self, message: Discover) -> None:
        for file in message.files:
            self._pipe.send(FileStarted(file))
            self._watchdog.begin()
            definitions, problems = self._loader.load(file)
            self._watchdog.end()
            try:
                self._pipe.send(FileLoaded(file, definitions, problems, self._loader.popups))
            except ProtocolError as error:
                problem = Problem(file, f"what it declares is more than can be taken in: {error}")
                self._pipe.send(FileLoaded(file, [], [problem]))

    async def _walk(self, walk: Walk) -> None:
        from agent.core.errors import ErrorType
        from agent.core.results import AttemptReport
        from agent.worker.attempt import AttemptRunner, Services

        def done(report: AttemptReport) -> None:
            self._pipe.send(Walked(report))

        if self._launcher is None:
            done(AttemptReport(0.0, 0.0, ErrorType.BROWSER_LAUNCH, self._trouble))
            self._pipe.send(Idle(fit=False))
            return
        # Its import may block, and change the process, as well as its function may.
        self._isolation.begin()
        self._watchdog.begin()
        try:
            wanted = walk.journey
            journey = self._loader.journey(wanted.file, wanted.name, wanted.popups)
        except LookupError as error:
            done(AttemptReport(0.0, 0.0, ErrorType.SCRIPT_ERROR, str(error)))
            self._pipe.send(Idle(fit=not await self._isolation.clear()))
            return
        finally:
            self._watchdog.end()
        services = Services(
            self._pipe,
            self._watchdog,
            self._isolation,
            self._launcher,
            AuthorCode(self._loader.folder),
            self._configure.header,
            self._configure.hold,
            self._configure.inspected,
        )
        attempt = AttemptRunner(walk, journey, services)
        await attempt.run(done)
        self._pipe.forget()
        self._pipe.send(Idle(attempt.fit))


def _enter_project(project: Path) -> None:
    """Work in the folder that holds the journeys folder, wherever the agent was started.

    What a journey opens by a relative path, or imports from beside that folder, is then the
    same under the daemon, ``once`` and pytest.
    """
    with suppress(OSError):
        os.chdir(project)
    sys.path.append(str(project))


async def _main(descriptor: int) -> None:
    inbox: asyncio.Queue[ToWorker] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    pipe = Pipe(socket.socket(fileno=descriptor), loop)
    pipe.start(inbox)
    configure = await inbox.get()
    if not isinstance(configure, Configure):
        raise SystemExit("the first message must configure the worker")
    _enter_project(Path(configure.journeys).parent)
    code = AuthorCode(configure.journeys)
    watchdog = Watchdog(loop, code, pipe.send)
    watchdog.start()
    await Worker(pipe, configure, watchdog).serve(inbox)


def main() -> None:
    """Run the worker."""
    die_with_parent(int(sys.argv[2]))
    asyncio.run(_main(int(sys.argv[1])))


if __name__ == "__main__":
    main()
