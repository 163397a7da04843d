"""Journeys that do everything a journey must not do, all at once, beside one that is well."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.books import ALL, Outcome, Row, Rows, lateness, row_of, together, until_tried
from tests.faults.watch import LEFT_AT_MOST, STRAY, Watch
from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence
    from random import Random

_PAUSE, _EACH = 6, 2
"""Seconds between two slots of a journey: so much, and so much for each fault beside it."""
_CROWD = 3.0
"""Who waits for a processor, for each there is, from where time-outs tell nothing."""
_OPEN = 'await run.page.goto("/")\n'
_PASS: Outcome = ("pass", None)
_SCRIPT: Outcome = ("not_measured", "script_error")
_MEMORY: Outcome = ("not_measured", "out_of_memory")
_TIMEOUT: Outcome = ("fail", "timeout")
_BUSY: Outcome = ("not_measured", "agent_overload")
"""What a time-out is where so much goes on at once that nobody can be blamed for it."""
_CANARY: Outcome = ("not_measured", "canary")
"""The same, where the agent's own page was not answered in that time either."""


@dataclass(frozen=True)
class Fault:
    """A journey's misdeed, and what may come of it."""

    name: str
    body: str
    intended: tuple[Outcome, ...]


FAULTS = [
    Fault("raises", f'{_OPEN}raise KeyError("x")', (_SCRIPT,)),
    Fault("hangs", f"{_OPEN}await asyncio.sleep(600)", (_TIMEOUT,)),
    Fault("blocks_the_loop", f"{_OPEN}time.sleep(600)", (_SCRIPT,)),
    Fault("spins", f"{_OPEN}while True: pass", (_SCRIPT,)),
    Fault("spins_in_the_page", f'{_OPEN}await run.page.evaluate("for (;;);")', (_TIMEOUT,)),
    Fault(
        "eats_memory",
        f"{_OPEN}held = []\n"
        "while True:\n    held.append(b'x' * 2**26)\n    await asyncio.sleep(0.01)",
        # On a busy machine the deadline may come before that much is eaten.
        (_MEMORY, _BUSY, _CANARY),
    ),
    Fault(
        "eats_memory_in_the_page",
        f'{_OPEN}await run.page.evaluate("""async () => {{ const held = []; for (;;) {{'
        " held.push(new Uint8Array(2 ** 26).fill(1));"
        ' await new Promise(r => setTimeout(r, 10)); }} }}""")'.replace("{{", "{").replace(
            "}}", "}"
        ),
        (_MEMORY, _BUSY, _CANARY),
    ),
    Fault(
        "forks",
        f"{_OPEN}import subprocess, sys\n"
        f"code = 'import time; time.sleep(60) # {STRAY}'\n"
        "again = 'import os, sys; os.setsid(); os.fork() or "
        'os.execl(sys.executable, "p", "-c", sys.argv[1])\'\n'
        "subprocess.Popen([sys.executable, '-c', code])\n"
        "subprocess.Popen([sys.executable, '-c', again, code], env={}).wait()",
        (_PASS,),
    ),
    Fault("closes_its_browser", f"{_OPEN}await run.context.browser.close()", (_SCRIPT,)),
    Fault(
        "closes_its_context",
        f'{_OPEN}await run.context.close()\nawait run.page.goto("/")',
        (_SCRIPT,),
    ),
    Fault("calls_sys_exit", f"import sys\n{_OPEN}sys.exit(3)", (_SCRIPT,)),
    Fault("calls_os_exit", f"{_OPEN}os._exit(0)", (("not_measured", "worker_lost"),)),
    Fault("prints_megabytes", f"{_OPEN}for _ in range(50): print('x' * 10**5)", (_PASS,)),
    Fault(
        "opens_200_pages",
        f"{_OPEN}for _ in range(200): await run.context.new_page()",
        (_MEMORY, _TIMEOUT, _PASS),
    ),
    Fault(
        "never_ends_its_cleanup",
        f"{_OPEN}while True:\n    try:\n        await asyncio.sleep(600)\n"
        "    except asyncio.CancelledError:\n        pass",
        (_TIMEOUT,),
    ),
    Fault(
        "leaves_tasks_and_threads",
        f"import threading\n{_OPEN}asyncio.create_task(asyncio.sleep(600))\n"
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
        (_PASS,),
    ),
    Fault(
        "closes_descriptors",
        f"{_OPEN}os.closerange(3, 256)",
        (("not_measured", "worker_lost"), ("not_measured", "worker_killed")),
    ),
]


async def run(
    folder: Path,
    tries: int,
    _: Random,
    only: re.Pattern[str] = ALL,
    wrapper: Sequence[str] = (),
    where: str = "",
) -> Rows:
    """Let every fault's journey have ``tries`` slots in one agent, with one that is well beside.

    ``wrapper`` is what the agent is started by, and ``where`` says so in the table.
    """
    faults = [fault for fault in FAULTS if only.search(fault.name)]
    if faults:
        walked = _walk(folder, tries, faults, wrapper, where)
        async for row in together(walked):
            yield row


async def _walk(
    folder: Path, tries: int, faults: Sequence[Fault], wrapper: Sequence[str], where: str
) -> list[Row]:
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(Origin(pages={"/": "<title>Home</title>"}))
        # Short, for browsers make sockets in it.
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="f-")))
        home = Home(folder, {"shop": origin.url})
        home.environment["TMPDIR"] = str(temporary)
        home.journey("well", _OPEN)
        for fault in faults:
            home.journey(fault.name, fault.body)
        every = _PAUSE + len(faults) * _EACH
        home.configure(
            schedule={"every": f"{every}s", "timeout": "3s", "grace": "2s"},
            journey__well={"every": "3s", "timeout": "1s", "grace": "1s"},
            workers={"count": 4, "max_memory": "800MiB"},
        )
        async with Daemon(home, wrapper=wrapper) as daemon:
            await daemon.started()
            async with Watch(home, daemon.pid) as watch:
                names = [fault.name for fault in faults]
                await until_tried(home, names, tries, 2 * every * (tries + 1))
                await asyncio.sleep(LEFT_AT_MOST)
            code = await daemon.terminate()
        left = await asyncio.to_thread(lambda: sorted(temporary.iterdir()))
    rows = [
        row_of(home, where + one.name, one.name, tries, _intended(one, len(faults)))
        for one in faults
    ]
    well = row_of(home, f"{where}(a journey beside them)", "well", tries, [_PASS])
    well.hold_on_time(lateness(home, "well"))
    well.hold(code == 0, f"the agent ended with {code}")
    well.hold_none_left(watch.broken())
    well.hold_none_left(home.processes())
    well.hold_none_left(home.scratch())
    well.hold_none_left(left)
    return [*rows, well]


def _intended(fault: Fault, beside: int) -> tuple[Outcome, ...]:
    crowd = beside > 4 or os.getloadavg()[0] > _CROWD * (os.cpu_count() or 1)
    busy = crowd and _TIMEOUT in fault.intended
    return (*fault.intended, _BUSY, _CANARY) if busy else fault.intended
