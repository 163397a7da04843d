"""What an agent leaves to a process 1 that reaps nothing: nothing."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.acceptance.conftest import LOOK
from tests.support import idle_init
from tests.support.namespace import NAMESPACE, can_unshare


@pytest.mark.skipif(not can_unshare(), reason="process namespaces can't be made here: takes root")
async def test_an_ending_agent_reaps_all_of_its_own(home):
    """When the agent has ended, no process and no zombie of its browsers is left for others to
    reap: not those that were just closed, not those that were killed under their run."""
    home.journey("look", LOOK)
    home.journey("stay", f"{LOOK}\nawait asyncio.sleep(60)")
    home.configure(schedule={"every": "3s", "timeout": "1s", "grace": "1s"})
    # Once it has walked for a while: when nothing is under way, and in the middle of a walk.
    for seconds in ("2", "3.3"):
        process = await asyncio.create_subprocess_exec(
            *NAMESPACE,
            sys.executable,
            idle_init.__file__,
            *(seconds, "run.finished"),
            *(sys.executable, "-m", "agent", "run", "--config", str(home.config)),
            cwd=home.path,
            env=home.variables(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 90)
        assert (process.returncode, out.decode().strip()) == (0, ""), err.decode()
