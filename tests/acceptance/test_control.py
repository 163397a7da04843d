"""What people have a running agent do, with the command and over HTTP."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.acceptance.conftest import LOOK
from tests.support.daemon import Daemon, Home

if TYPE_CHECKING:
    from collections.abc import Mapping


async def post(
    home: Home, path: str, token: str = "", body: Mapping[str, Any] | None = None
) -> tuple[int, Any]:
    """Ask the agent to do something; return status and body."""
    shown = {"Authorization": f"Bearer {token}"} if token else {}
    address = f"http://127.0.0.1:{home.port}{path}"
    asking = aiohttp.ClientSession(headers=shown)
    async with asking as session, session.post(address, json=body or {}) as response:
        return response.status, await response.json()


async def test_a_reload_says_what_changed_or_what_is_wrong(home):
    """The command needs no token of its own beside the agent. A bad state is told whole, with file
    and line, changes nothing, and shows in status and /readyz until a good one is taken up; while
    the agent is away the command exits 4."""
    home.journey("look", LOOK)
    home.journey("rests", LOOK)
    async with Daemon(home) as daemon:
        await daemon.started()
        token = (home.state / "token").read_text().strip()
        assert stat.S_IMODE((home.state / "token").stat().st_mode) == 0o600
        assert await post(home, "/api/v1/reload") == (401, {"error": ANY_STATE_TOKEN})

        again = await home.footfall("reload")
        assert (again.code, again.out) == (0, "Reloaded; nothing has changed.\n"), again
        home.journey("more", LOOK)
        (home.journeys / "rests.py").unlink()
        home.configure(schedule={"every": "4s"})
        done = await home.footfall("reload")
        assert done.code == 0, done
        assert done.out.splitlines() == [
            "Reloaded.",
            "  added     more",
            "  removed   rests",
            "  changed   look",
            "  settings  schedule.every",
            "  files     more.py, rests.py",
        ]

        (home.journeys / "more.py").write_text("def broken(:\n")
        home.configure(schedule={"every": "often"}, top={"location": "elsewhere"})
        refused = await home.footfall("reload")
        assert refused.code == 2, refused
        lines = refused.err.splitlines()
        for told in ("schedule.every", "journeys/more.py:1"):
            assert any(told in line for line in lines), refused.err
        assert "goes on as before" in lines[-1]
        status, refusal = await post(home, "/api/v1/reload", token)
        assert status == 422
        assert {"where", "message"} == set(refusal["problems"][0])
        status, body = await daemon.get("/readyz")
        assert (status, body["status"]) == (200, "degraded")
        told = await home.footfall("status")
        assert "agent  degraded: reload" in told.out
        assert "journeys/more.py:1" in told.out, told.out
        asked = await home.footfall("reload", "--json")
        assert asked.code == 2
        assert json.loads(asked.out) == refusal

        home.journey("more", LOOK)
        home.configure(schedule={"every": "4s"}, workers={"count": 1}, telemetry={"interval": "1s"})
        refused = await home.footfall("reload")
        assert refused.code == 2
        for key in ("workers.count", "telemetry.interval"):
            assert f"{key}: can't be changed while the agent runs: restart it" in refused.err

        home.configure(schedule={"every": "4s"})
        assert (await home.footfall("reload")).code == 0
        assert "none was refused" in (await home.footfall("status")).out
        assert await daemon.terminate() == 0
    assert token not in daemon.story()
    away = await home.footfall("reload")
    assert away.code == 4
    assert "no agent answers" in away.err


ANY_STATE_TOKEN = (
    "token missing: send the token that lies in the agent's state folder, in the file `token`, as "
    "`Authorization: Bearer …`; `footfall` on the same machine, as the same user, does"
)


async def test_the_token_outlives_restarts_and_another_takes_its_place(home):
    """Kept by the next start; gone where `server.token` is set, which the command then shows."""
    home.journey("look", LOOK)
    tokens = []
    for _ in range(2):
        async with Daemon(home) as daemon:
            await daemon.started()
            tokens.append((home.state / "token").read_text())
            await daemon.kill()
    assert tokens[0] == tokens[1]
    configured = "0123456789abcdef-token"
    home.configure(server={"token": configured})
    async with Daemon(home) as daemon:
        await daemon.started()
        assert not (home.state / "token").exists()
        assert (await post(home, "/api/v1/reload", tokens[0].strip()))[0] == 401
        assert (await home.footfall("reload")).code == 0
        home.configure()
        refused = await home.footfall("reload")
        assert refused.code == 2
        assert f"a token is needed (there is none in {home.state}/token)" in refused.err
        assert await daemon.terminate() == 0
