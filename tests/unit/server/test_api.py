"""The API: what is asked for is answered, what makes no sense is refused with the reason."""

from __future__ import annotations

import json

from agent.core.model import Cadence, SkipReason
from tests.support.api import PLACE, Served, journey


async def test_runs_are_the_objects_of_once_newest_first(served):
    """Word for word, with a link for each artifact of each attempt; an empty list at first."""
    assert await served.get("/api/v1/runs") == (200, {"runs": [], "links": {}})
    older = served.ran("buy", "fail", ago=60)
    newer = served.ran("search", "pass", ago=5, error="ü")
    status, body = await served.get("/api/v1/runs")
    assert status == 200
    assert body["runs"] == [newer, older]
    assert body["links"] == {path: f"/artifacts/{path}" for path in older["artifacts"]}


async def test_runs_are_chosen_by_journey_and_result(served):
    """Each alone and both; a journey that is no longer loaded still has its runs."""
    bought = served.ran("buy", "pass", ago=30)
    failed = served.ran("buy", "fail", ago=20)
    gone = served.ran("gone", "fail", ago=10)
    for wanted, expected in {
        "journey=buy": [failed, bought],
        "result=fail": [gone, failed],
        "journey=buy&result=fail": [failed],
        "journey=gone": [gone],
        "journey=search": [],
    }.items():
        status, body = await served.get(f"/api/v1/runs?{wanted}")
        assert (status, body["runs"]) == (200, expected), wanted


async def test_fifty_runs_unless_asked_otherwise(served):
    """The limit is 50, and what is given up to 500."""
    for number in range(51):
        served.ran("buy", "pass", ago=10.0 + number)
    for query, number in {"": 50, "?limit=51": 51, "?limit=500": 51, "?limit=1": 1}.items():
        _, body = await served.get(f"/api/v1/runs{query}")
        assert len(body["runs"]) == number, query


REFUSED = {
    "/api/v1/runs?limit=0": (400, "limit must be a whole number from 1 to 500, not '0'"),
    "/api/v1/runs?limit=501": (400, "from 1 to 500"),
    "/api/v1/runs?limit=-1": (400, "from 1 to 500"),
    "/api/v1/runs?limit=ten": (400, "not 'ten'"),
    "/api/v1/runs?limit=%D9%A1": (400, "limit must be a whole number"),
    "/api/v1/runs?limit=": (400, "limit must be a whole number"),
    "/api/v1/runs?limit=" + "9" * 5000: (400, "from 1 to 500"),
    "/api/v1/runs?result=failed": (400, "pass, flaky, fail, not_measured, not 'failed'"),
    "/api/v1/runs?limit=1&limit=2": (400, "limit is given twice"),
    "/api/v1/runs?jurney=buy": (400, "unknown parameter 'jurney'; known: journey, result, limit"),
    "/api/v1/runs?journey=by": (404, "no journey is called 'by'; known: buy, search"),
    "/api/v1/journeys?journey=buy": (400, "unknown parameter 'journey'; known: days"),
    "/api/v1/nothing": (404, "Not Found"),
    "/nothing": (404, "Not Found"),
}


async def test_what_makes_no_sense_is_refused(served):
    """With the status and a sentence that says what would make sense."""
    for path, (status, told) in REFUSED.items():
        answered, body = await served.get(path)
        assert answered == status, path
        assert told in body["error"], path
        assert len(body["error"]) < 300


async def test_one_run_is_found_by_its_id_or_the_beginning_of_it(served):
    """With its links; fewer than eight characters, or those of several, name none."""
    run = served.ran("buy", "fail", ago=20)
    others = [served.ran("buy", "pass", ago=9, run_id=f"12345678-{n}") for n in range(2)]
    links = {path: f"/artifacts/{path}" for path in run["artifacts"]}
    told = {"run_id": run["run_id"], "journey": "buy", "trigger": "schedule", "state": "ended"}
    for given in (run["run_id"], run["run_id"][:8]):
        status, body = await served.get(f"/api/v1/runs/{given}")
        assert status == 200
        assert {key: body[key] for key in (*told, "run", "links")} == {
            **told,
            "run": run,
            "links": links,
        }
    assert (await served.get(f"/api/v1/runs/{others[0]['run_id']}"))[1]["run"] == others[0]
    for given in (run["run_id"][:7], "12345678", "%25", "a/b", "x" * 3000):
        status, body = await served.get(f"/api/v1/runs/{given}")
        assert status == 404, given
        assert "no run has the id" in body["error"]
        assert len(body["error"]) < 300


async def test_a_slot_without_a_result_has_a_state(served):
    """What was skipped says why."""
    served.skipped("buy", SkipReason.OVERRUN, ago=600)
    (slot_id,) = served._books.execute("SELECT run_id FROM slots").fetchone()
    status, body = await served.get(f"/api/v1/runs/{slot_id}")
    assert (status, body["state"], body["reason"]) == (200, "skipped", "overrun")


async def test_a_history_that_can_not_be_read_is_told(served):
    """503 and the reason; health goes on."""
    (served.folder / "footfall.db").rename(served.folder / "away.db")
    status, body = await served.get("/api/v1/runs")
    assert status == 503
    assert "can't be read" in body["error"]
    assert (await served.get("/healthz"))[0] == 200


async def test_a_journey_that_fails(tmp_path):
    """What its author declared, how it stands, and what leads to the cause."""
    async with Served(tmp_path, journeys=[journey("buy")]) as served:
        passed = served.ran("buy", "pass", ago=100)
        first = served.ran("buy", "fail", ago=40)
        last = served.ran("buy", "fail", ago=10)
        served.skipped("buy", SkipReason.OVERRUN, ago=600, count=3)
        status, body = await served.get("/api/v1/journeys")
        one = body["journeys"][0]
    assert (status, body["location"]) == (200, PLACE)
    assert body["at"] > last["started_at"]
    links = {path: f"/artifacts/{path}" for path in last["artifacts"]}
    brief = {
        "run_id": last["run_id"],
        "result": "fail",
        "scheduled_at": last["scheduled_at"],
        "started_at": last["started_at"],
        "duration": 1.0,
        "error_type": "http_status",
        "error": "POST /checkout answered 500",
        "step": "Pay",
        "place": {"file": "journeys/buy.py", "line": 17, "source": "await pay(page)"},
        "slow": [],
        "trace_id": "0a" * 16,
        "screenshot": links[last["artifacts"][0]],
        "artifacts": last["artifacts"],
        "links": links,
    }
    (skipped,) = one.pop("skipped")
    assert (skipped["reason"], skipped["count"]) == ("overrun", 3)
    assert one.pop("skipped_since") < skipped["last_at"] < body["at"] < one.pop("next_at")
    assert one.pop("last_success_at") > passed["started_at"]
    assert {bar for bars in one.pop("bars").values() for bar in bars} == {"unknown", "not_measured"}
    assert [(over["days"], over["slots"]) for over in one.pop("uptime")] == [
        (days, 3) for days in (1, 7, 30, 90)
    ]
    assert one == {
        "journey": "buy",
        "summary": "A guest buys a mug.",
        "site": "shop",
        "url": "https://shop.example.com",
        "location": PLACE,
        "owner": "checkout",
        "severity": "page",
        "runbook": "https://runbooks.example.com/mug",
        "file": "buy.py:7",
        "every": "1m",
        "timezone": "UTC",
        "timeout": 20.0,
        "slow": None,
        "every_failing": None,
        "public": "",
        "enabled": True,
        "running": False,
        "under_way": None,
        "suspended": None,
        "up": False,
        "consecutive_failures": 2,
        "consecutive_slow": 0,
        "failing_since": first["started_at"],
        "last_run": brief,
        "last_failure": brief,
        "history": ["pass", "fail", "fail"],
        "day": {"slots": 3, "uptime": None, "measured": 0.0},
        "incident": 1,
    }


async def test_up_is_what_the_gauge_is(tmp_path):
    """True, false, and neither where no verdict is fresh: never ran, long ago, or disabled."""
    names = ("passes", "flakes", "fails", "lost", "stale", "never")
    journeys = [*map(journey, names), journey("off", enabled=False)]
    async with Served(tmp_path, journeys=journeys) as served:
        served.ran("passes", "pass")
        served.ran("flakes", "flaky")
        served.ran("fails", "fail", ago=20)
        served.ran("fails", "not_measured", ago=10)
        served.ran("lost", "not_measured")
        served.ran("stale", "fail", ago=400)
        served.ran("off", "pass")
        _, body = await served.get("/api/v1/journeys")
    assert {one["journey"]: one["up"] for one in body["journeys"]} == {
        "passes": True,
        "flakes": True,
        "fails": False,
        "lost": None,
        "stale": None,
        "never": None,
        "off": None,
    }
    off = next(one for one in body["journeys"] if one["journey"] == "off")
    assert (off["enabled"], off["next_at"]) == (False, None)


async def test_a_flaky_run_leads_to_the_attempt_that_failed(served):
    """Its deciding attempt passed and kept nothing."""
    failed = {
        "result": "fail",
        "error_type": "assertion",
        "error": "no",
        "duration": 1.0,
        "steps": [
            {"name": "Pay › by card", "result": "fail", "duration": 0.1},
            {"name": "Pay", "result": "fail", "duration": 0.1},
            {"name": "Read", "result": "skipped", "duration": None},
        ],
        "artifacts": ["buy/x/attempt-1/screenshot.png"],
    }
    passed = {**failed, "result": "pass", "error_type": None, "error": None, "artifacts": []}
    attempts = [failed, passed]
    served.ran("buy", "flaky", attempts=attempts, error_type="assertion", error="no")
    run = (await served.journey("buy"))["last_run"]
    assert (run["step"], run["artifacts"]) == ("Pay › by card", failed["artifacts"])
    assert run["screenshot"] == "/artifacts/buy/x/attempt-1/screenshot.png"


async def test_a_journey_is_told_with_its_cron_line_and_while_it_runs(tmp_path):
    """The line as it was written, with its time zone; and that it is under way."""
    cadence = Cadence(cron="0 3 * * 0", timezone="Europe/Berlin")
    async with Served(tmp_path, journeys=[journey("weekly", cadence=cadence)]) as served:
        served.dispatcher._busy.begin("run-weekly", "weekly", 0.0)
        one = await served.journey("weekly")
    assert (one["every"], one["timezone"], one["running"]) == ("0 3 * * 0", "Europe/Berlin", True)


async def test_many_runs_come_in_pieces(served):
    """A large answer is valid JSON, and is not gathered for a client that doesn't take it."""
    error = "x" * 2000
    for number in range(300):
        served.ran("buy", "pass", ago=1.0 + number, error=error)
    async with served.session.get("/api/v1/runs?limit=300") as response:
        assert response.headers["transfer-encoding"] == "chunked"
        body = json.loads(await response.text())
    assert len(body["runs"]) == 300
