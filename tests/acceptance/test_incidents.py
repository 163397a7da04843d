"""An outage as people find it afterwards: over a kill of the agent, with what they noted."""

from __future__ import annotations

from tests.acceptance.test_control import post
from tests.support.daemon import Daemon

BUYS = """
async with run.step("Ask the shop"):
    await run.api.get("/api/products")
    assert not os.path.exists(os.environ["HOME"] + "/broken"), "the shop is broken"
"""


async def test_an_outage_is_one_incident_over_a_kill_of_the_agent(home):
    """It has its first fail and its true beginning, takes a person's note, and ends with the first
    pass; the journey's page and the run's lead to it, with figures that say what they stand on."""
    home.environment["HOME"] = str(home.path)
    home.journey("buys", BUYS)
    home.configure(
        journey__buys={"every": "3s", "confirm": False, "timeout": "1s", "grace": "1s"},
    )
    (home.path / "broken").touch()
    async with Daemon(home) as daemon:
        await daemon.started()
        first = await daemon.finished("buys", "fail")
        await daemon.wait_for("journey.down")
        await daemon.kill()
    async with Daemon(home) as daemon:
        await daemon.started()
        token, note = (home.state / "token").read_text().strip(), {"text": "seen", "who": "ada"}
        status, noted = await post(home, "/api/v1/incidents/1/notes", token, note)
        assert (status, noted["who"]) == (201, "ada"), noted
        assert (await post(home, "/api/v1/incidents/2/notes", token, note))[0] == 404
        (incident,) = (await daemon.get("/api/v1/incidents"))[1]["incidents"]
        assert (incident["open"], incident["run_id"]) == (True, first["run_id"])
        _, run = await daemon.get(f"/api/v1/runs/{first['run_id']}")
        assert (run["incident"], run["failed_step"]) == (1, "Ask the shop")
        (step,) = run["walks"][-1]["steps"]
        assert step["start"] >= 0
        _, journey = await daemon.get("/api/v1/journeys/buys")
        day = journey["uptime"][0]
        assert (journey["journey"]["incident"], day["uptime"]) == (1, 0.0)
        assert 0 < day["measured"] <= 100
        (home.path / "broken").unlink()
        await daemon.wait_for("journey.up")
        assert daemon.events("incident.noted")
        _, incident = await daemon.get("/api/v1/incidents/1")
        kinds = [moment["kind"] for moment in incident["timeline"]]
        assert (incident["open"], kinds) == (False, ["fail", "down", "note", "pass"])
        assert incident["began_at"] < incident["opened_at"] < incident["ended_at"]
