"""What pages render and the API answers: each figure with what it stands on, nothing made up."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from agent.core.model import SkipReason
from agent.core.suspension import Cause, Mode, Suspension
from agent.server.health import Check
from tests.support.api import PLACE, STATE_TOKEN, Served, journey

DAY = 86_400.0
SHOWN = {"Authorization": f"Bearer {STATE_TOKEN}"}


async def get(served, path):
    status, body = await served.get(path)
    assert status == 200, body
    return body


async def test_a_journey_and_what_it_came_to(served):
    """Uptime counts what was measured, never without its share of the slots; skips by reason and
    what silence held stand in the bars, with the passes' times within 5 %."""
    for days in (60, 20, 3):
        served.slot("buy", "pass", days * DAY)
    for number in range(20):
        served.slot("buy", "pass", 140.0 - number, seconds=1.0 + number / 10, slow=number == 0)
    served.slot("buy", "flaky", 110.0, seconds=1.5, silenced=True)
    served.slot("buy", "fail", 100.0, step="Pay")
    served.slot("buy", "not_measured", 90.0)
    served.skipped("buy", SkipReason.PAUSED, ago=20.0, count=2)
    body = await get(served, "/api/v1/journeys/buy")
    assert [
        (one["days"], one["slots"], one["uptime"], one["measured"]) for one in body["uptime"]
    ] == [
        (1, 25, 95.454, 88.0),
        (7, 26, 95.652, 88.461),
        (30, 27, 95.833, 88.888),
        (90, 28, 96.0, 89.285),
    ]
    assert (len(body["hours"]), len(body["days"])) == (24, 90)
    today = [one for one in body["days"] if one["slots"] and one["failed"]]
    assert sum(one["silenced"] for one in today) <= 1
    whole = [one for one in body["hours"] if one["slots"]]
    assert sum(one["skipped"].get("paused", 0) for one in whole) == 2
    assert sum(one["slow"] for one in whole) == 1
    assert {one["bar"] for one in whole} >= {"fail"}
    medians = [one["median"] for one in whole if one["passed"] > 10]
    assert all(median == pytest.approx(2.0, rel=0.3) for median in medians)
    assert body["steps"][0] == {
        "step": "Pay",
        "failures": 1,
        "last_failed_at": None,
        "median": None,
        "p95": None,
    }


async def test_a_journey_that_is_gone_has_its_past(served):
    """It is known by its runs; one that never was is not."""
    served.ran("gone", "pass", ago=30)
    body = await get(served, "/api/v1/journeys/gone")
    assert (body["loaded"], body["journey"], len(body["runs"])) == (False, None, 1)
    status, body = await served.get("/api/v1/journeys/never")
    assert (status, body["error"]) == (404, "no journey is called 'never'; known: buy, search")


async def test_incidents_from_first_fail_to_first_pass(tmp_path):
    """Opened at the second fail in a row, joined with others of its site, closed by the pass of
    the last of them; the true beginning, first error and each run stand in it."""
    async with Served(tmp_path, journeys=[journey("buy"), journey("search")]) as served:
        first = served.ran("buy", "fail", ago=600)
        assert (await get(served, "/api/v1/incidents"))["incidents"] == []
        second = served.ran("buy", "fail", ago=540)
        served.ran("search", "fail", ago=530)
        served.ran("search", "fail", ago=470, error="GET / answered 503")
        (one,) = (await get(served, "/api/v1/incidents"))["incidents"]
        overview = await get(served, "/api/v1/journeys")
        served.ran("buy", "pass", ago=400)
        assert (await get(served, "/api/v1/incidents/1"))["open"]
        passed = served.ran("search", "pass", ago=300)
        over = await get(served, "/api/v1/incidents/1")
        run = await get(served, f"/api/v1/runs/{second['run_id']}")
        page = await get(served, "/api/v1/journeys/search")
    assert (one["open"], one["began_at"], one["run_id"]) == (
        True,
        first["started_at"],
        first["run_id"],
    )
    assert (one["error_type"], one["step"]) == ("http_status", "Pay")
    assert one["error"] == "POST /checkout answered 500"
    assert [outage["journey"] for outage in one["outages"]] == ["buy", "search"]
    assert overview["incidents"] == [{**one, "seconds": overview["incidents"][0]["seconds"]}]
    assert {one["incident"] for one in overview["journeys"]} == {1}
    assert (over["open"], over["seconds"]) == (False, pytest.approx(301.0, abs=2))
    assert [outage["ended_by"] for outage in over["outages"]] == ["pass", "pass"]
    kinds = [(moment["kind"], moment["journey"]) for moment in over["timeline"]]
    assert kinds == [
        ("fail", "buy"),
        ("down", "buy"),
        ("fail", "search"),
        ("down", "search"),
        ("pass", "buy"),
        ("pass", "search"),
    ]
    assert over["timeline"][-1]["run_id"] == passed["run_id"]
    assert run["incident"] == 1
    assert [one["id"] for one in page["incidents"]] == [1]


async def test_a_run_with_all_that_was_seen_in_it(served):
    """Its attempts on their time line, their evidence, its neighbours and where its trace is."""
    passed = served.ran("buy", "pass", ago=60)
    run = served.ran("buy", "fail", ago=30, changes=[{"kind": "release", "line": "1.2 answered"}])
    later = served.ran("buy", "pass", ago=10)
    step = {"name": "Pay", "result": "fail", "start": 0.1, "duration": 0.9, "depth": 0}
    request = {"method": "POST", "url": "https://shop.example.com/checkout", "start": 0.2}
    served.walked(run, {"number": 1, "steps": [step], "requests": [request], "requests_cut": False})
    notes = {
        "title": "Oops",
        "console": ["error: no", 7],
        "page_errors": [{"error": "Error: x", "at": "", "party": "first", "times": 2}, "?"],
        "failed_requests": ["500 POST https://shop.example.com/checkout"],
        "missing": [],
    }
    served.keep(run["artifacts"][1], json.dumps(notes).encode())
    body = await get(served, f"/api/v1/runs/{run['run_id']}")
    (walk,) = body["walks"]
    assert (walk["steps"], walk["requests"], walk["title"]) == ([step], [request], "Oops")
    assert walk["console"] == ["error: no"]
    assert [error["times"] for error in walk["page_errors"]] == [2]
    assert walk["failed_requests"] == notes["failed_requests"]
    assert walk["screenshot"] == f"/artifacts/{run['artifacts'][0]}"
    assert body["changes"] == run["changes"]
    assert (body["previous"], body["next"]) == (passed["run_id"], later["run_id"])
    assert body["last_pass"]["run_id"] == passed["run_id"]
    assert body["trace_link"] == f"https://traces.example.com/trace/{run['trace_id']}"


@pytest.mark.parametrize("notes", [b"", b"[]", b"{", b"\xff", b"[" * 10_000, b'{"console": {}}'])
async def test_evidence_that_can_not_be_read_costs_nothing_else(served, notes):
    """It was written where other people's code runs: it may be anything, or be gone."""
    run = served.ran("buy", "fail", ago=30)
    served.keep(run["artifacts"][1], notes)
    body = await get(served, f"/api/v1/runs/{run['run_id']}")
    assert (body["walks"][0]["console"], body["walks"][0]["title"]) == ([], None)
    assert [step["name"] for step in body["walks"][0]["steps"]] == ["Find it", "Pay"]


async def test_what_suspends_stands_on_the_time_line(served):
    """While silence holds nothing is opened; after it the next fail does, with its beginning."""
    now = served.clock.wall()
    held = Suspension(Cause.PAUSE, Mode.SILENCE, "release", "ada", now - 700, None, is_open=True)
    served.suspended = [held]
    first = served.ran("buy", "fail", ago=600)
    for ago in (540, 480):
        served.ran("buy", "fail", ago=ago)
    assert (await get(served, "/api/v1/incidents"))["incidents"] == []
    over = Suspension(Cause.PAUSE, Mode.SILENCE, "release", "ada", now - 700, now - 470, True)
    served.suspended = [over]
    served.ran("buy", "fail", ago=420)
    (one,) = (await get(served, "/api/v1/incidents"))["incidents"]
    assert one["began_at"] == first["started_at"]
    told = [(moment["kind"], moment["text"]) for moment in one["timeline"]]
    words = "paused, walked on in silence: release"
    assert told == [
        ("suspended", words),
        ("fail", "POST /checkout answered 500"),
        ("resumed", words),
        ("down", "4 fails in a row"),
    ]


async def test_incidents_are_told_in_pages(served):
    """The open ones first, then the newest; a number and a limit that make sense, or 400."""
    for number in range(4):
        ago = 40_000.0 - number * 10_000
        served.ran("buy", "fail", ago=ago)
        served.ran("buy", "fail", ago=ago - 60)
        if number < 3:
            served.ran("buy", "pass", ago=ago - 120)
    body = await get(served, "/api/v1/incidents?limit=2")
    assert ([one["id"] for one in body["incidents"]], body["more"]) == ([4, 3], True)
    body = await get(served, "/api/v1/incidents?limit=2&before=3")
    assert ([one["id"] for one in body["incidents"]], body["more"]) == ([2, 1], False)
    for query in ("limit=0", "before=x", "before=", "more=1"):
        assert (await served.get(f"/api/v1/incidents?{query}"))[0] == 400, query
    for path in ("9", "0", "9" * 30):
        status, body = await served.get(f"/api/v1/incidents/{path}")
        assert status == 404, body


async def test_a_note_is_one_of_text_and_of_somebody(served):
    """What is asked for reaches the agent as it was said; what is no note is refused."""
    path = "/api/v1/incidents/1/notes"

    async def post(body):
        async with served.session.post(path, json=body, headers=SHOWN) as response:
            return response.status, await response.json()

    assert (await post({"text": " seen\nin two places ", "who": "ada"}))[0] == 201
    assert served.control.verbs == [("note", 1, {"text": "seen\nin two places", "who": "ada"})]
    for wrong in ({}, {"text": " "}, {"text": "\x1b[2J"}, {"text": "x" * 2001}, {"text": 1}):
        assert (await post(wrong))[0] == 400, wrong
    async with served.session.post(path, json={"text": "x"}) as response:
        assert response.status == 401


async def test_the_agent_says_how_it_is(served):
    """What is in trouble comes first, in the words that anybody may hear."""
    served.checks["canary"] = Check(False, "with a path /home", "does not answer")
    body = (await get(served, "/api/v1/journeys"))["agent"]
    assert (body["status"], body["version"], body["environment"]) == ("failing", "1.2.3", "test")
    assert body["checks"][0] == {
        "name": "canary",
        "ok": False,
        "degraded": False,
        "detail": "does not answer",
    }
    assert (await get(served, "/api/v1/incidents"))["location"] == PLACE


async def test_the_overview_has_as_many_days_as_are_asked_for(served):
    """Thirty where nothing is said, ninety at most; it says when the first of them begins."""
    for query, days in (("", 30), ("?days=90", 90), ("?days=1", 1)):
        async with served.session.get(f"/api/v1/journeys{query}") as answer:
            told = await answer.json()
        first = datetime.fromisoformat(told["bars"]["days"])
        now = datetime.fromisoformat(told["at"])
        assert [len(one["bars"]["days"]) for one in told["journeys"]] == [days, days]
        assert first.date() == now.date() - timedelta(days=days - 1)
    async with served.session.get("/api/v1/journeys?days=91") as answer:
        assert answer.status == 400
