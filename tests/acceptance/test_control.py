"""What people have a running agent do, with the command and over HTTP."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.acceptance.conftest import LOOK
from tests.support.daemon import NEVER, Daemon, Home

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
        await daemon.finished("look", "pass")
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
        # Its workers are all replaced now: no reason to take the page out of its service.
        assert (await daemon.get("/readyz"))[0] == 200
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


SLOW = """
async with run.step("Wait"):
    await asyncio.sleep(0.5)
async with run.step("Look"):
    await run.page.goto("/")
"""
FAILS = """
async with run.step("Look"):
    await run.page.goto("/")
async with run.step("Find what isn't there"):
    await expect(run.page.get_by_text("nowhere to be found")).to_be_visible(timeout=300)
"""


async def test_a_run_by_hand_counts_for_nothing_but_itself(home):
    """It walks beside the schedule, shows its steps, exits by what it came to, and is found under
    its address with its evidence; neither history, state nor totals of the journey know of it. A
    slot that is due meanwhile waits: no overrun, no walk that overlaps another."""
    home.journey("slow", SLOW)
    home.journey("broken", FAILS)
    home.journey("rests", LOOK)
    home.configure(
        journey__slow={"every": "9s", "timeout": "6s"},
        journey__broken={"every": NEVER, "timeout": "20s"},
        journey__rests={"enabled": False},
    )
    async with Daemon(home) as daemon:
        await daemon.started()
        token = (home.state / "token").read_text().strip()
        for _ in range(2):
            passed = await home.footfall("trigger", "slow", "--wait")
            assert passed.code == 0, passed
        head, address, counts, wait, look, result, *_ = passed.out.splitlines()
        assert head.split()[0] == "slow"
        assert address.strip().startswith(f"http://127.0.0.1:{home.port}/runs/")
        assert "counts for itself alone" in counts
        assert (wait.split()[:2], look.split()[:2]) == (["✓", "Wait"], ["✓", "Look"])
        assert result.split()[0] == "PASS"

        failed = await home.footfall("trigger", "broken", "--wait", "--json")
        assert failed.code == 1, failed
        run = json.loads(failed.out)
        assert (run["trigger"], run["scheduled_at"], len(run["attempts"])) == ("api", None, 2)
        status, told = await daemon.get(f"/api/v1/runs/{run['run_id']}")
        assert (status, told["state"], told["run"]) == (200, "ended", run)
        assert any(link.endswith("screenshot.png") for link in told["links"].values())
        assert (await daemon.get("/api/v1/runs?journey=broken"))[1]["runs"] == []
        _, body = await daemon.get("/api/v1/journeys")
        (broken,) = (one for one in body["journeys"] if one["journey"] == "broken")
        assert (broken["up"], broken["consecutive_failures"], broken["last_run"]) == (None, 0, None)

        for name, code, said in (
            ("slwo", 2, "no journey is called 'slwo'; known: broken, rests, slow"),
            ("rests", 2, "journey rests is disabled: set journey.rests.enabled"),
        ):
            refused = await home.footfall("trigger", name, "--wait")
            assert refused.code == code
            assert said in refused.err
        status, asked = await post(home, "/api/v1/journeys/slow/runs", token)
        assert status == 202
        again = await post(home, "/api/v1/journeys/slow/runs", token)
        assert (again[0], asked["run_id"] in again[1]["error"]) == (409, True)
        await daemon.wait_for("run.finished", lambda r: r["run_id"] == asked["run_id"])
        assert (await daemon.get("/api/v1/runs/nothing"))[0] == 404

        # Under a pause it is walked all the same, and says so.
        assert (await home.footfall("pause", "broken", "--reason", "migration")).code == 0
        anyway = await home.footfall("trigger", "broken", "--wait")
        assert anyway.code == 1, anyway
        assert "walked although it is suspended: by " in anyway.out
        assert ": migration" in anyway.out

        # The drain lets the last one come to its end.
        _, last = await post(home, "/api/v1/journeys/slow/runs", token)
        await daemon.wait_for("run.finished", lambda r: r.get("trigger") != "api", after=0)
        assert await daemon.terminate() == 0
        ended = await daemon.wait_for("run.finished", lambda r: r["run_id"] == last["run_id"])
        assert ended["result"] in {"pass", "not_measured"}
    slots = [slot for slot in home.slots() if slot["journey"] == "slow"]
    assert not [slot for slot in slots if slot["reason"] in {"overrun", "capacity"}]
    assert home.balance()["slow"] == 0
    assert {run["trigger"] for run in home.runs()} == {"schedule"}


async def test_a_run_by_hand_that_a_kill_cuts_is_told(home):
    """After the restart it is `worker_lost`, under the address that was given."""
    home.journey("slow", SLOW.replace("0.5", "50"))
    home.configure(journey__slow={"every": NEVER, "timeout": "1m"})
    async with Daemon(home) as daemon:
        await daemon.started()
        token = (home.state / "token").read_text().strip()
        _, asked = await post(home, "/api/v1/journeys/slow/runs", token)

        async def state() -> str:
            return (await daemon.get(asked["address"]))[1]["state"]

        async with asyncio.timeout(30):
            while await state() != "running":  # noqa: ASYNC110 - another process runs it
                await asyncio.sleep(0.1)
        await daemon.kill()
    async with Daemon(home) as daemon:
        await daemon.started()
        _, told = await daemon.get(asked["address"])
        assert (told["state"], told["run"]["error_type"]) == ("ended", "worker_lost")
        assert told["run"]["error"] == "the agent died under the run"
        # What waits when the agent ends is told too, and holds up no end.
        assert await daemon.terminate() == 0
