"""The course of a gate, from the request to its verdict."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from agent.core.errors import ErrorType
from agent.core.model import SkipReason
from agent.core.results import Result
from agent.core.suspension import Mode
from agent.runs.places import Place
from agent.schedule.pauses import Pause
from agent.server.control import Refused
from agent.storage import gates as table
from agent.storage import runs
from tests.unit.gates.conftest import shop_settings


async def test_five_straight_passes_promote(stage):
    """As many at once as there are workers; nothing of the schedule moves, and it is kept."""
    told = await stage.ask(journeys=("a",))
    assert told["verdict"] == "pending"
    assert stage.walking == ["a", "a"]
    await stage.walked("pass", "pass")
    await stage.walked("pass", "pass")
    assert stage.walking == ["a"]
    await stage.walked("pass")
    done = await stage.gates.wait(told["id"])
    assert (done["verdict"], done["seconds"]) == ("pass", 3.0)
    assert done["reasons"][0] == "a passed in 5 of 5 walks"
    assert [run["counts"] for run in done["runs"]] == [True] * 5
    assert stage.walking == []
    assert await stage.database.transaction(lambda c: runs.newest(c, 10)) == []
    kept = await stage.reader.read(lambda c: table.find_runs(c, done["runs"][0]["run_id"]))
    assert json.loads(kept[0])["trigger"] == "gate"


async def test_two_failures_roll_back_once_the_second_could_be_confirmed(stage):
    """Those of the moment of the first count neither way; the verdict comes with the second."""
    told = await stage.ask(journeys=("a",))
    await stage.walked("fail")
    assert stage.walking == ["a"]
    await stage.walked("fail", after=0.5)
    assert stage.walking == []
    await stage.pass_(2.4)
    assert stage.walking == []
    await stage.pass_(0.1)
    assert stage.walking == ["a", "a"]
    await stage.walked("fail")
    done = await stage.gates.wait(told["id"])
    assert (done["verdict"], done["seconds"]) == ("fail", 5.0)
    assert done["reasons"][0] == "a failed in 2 of 2 walks: broken"
    assert [run["counts"] for run in done["runs"]] == [True, False, True]
    assert done["runs"][1]["why"] == "of the moment of a walk that failed"
    # What is still walked may end; it changes nothing.
    await stage.walked("pass")
    done = await stage.gates.wait(told["id"])
    assert done["runs"][3]["why"] == "the verdict had been given"
    assert done["verdict"] == "fail"


async def test_too_little_time_is_told_with_how_much_would_do(stage):
    """In walks, and never as a pass or a fail; what goes on ends by itself."""
    told = await stage.ask(journeys=("a",), within=3.0)
    await stage.walked("pass", "pass", after=1.5)
    await stage.walked("pass", after=1.4)
    await stage.pass_(0.1)
    done = await stage.gates.wait(told["id"])
    assert done["verdict"] == "error"
    assert done["reasons"][:2] == ["3 of 5 walks in 3 s", "within 10s it could be told"]
    assert done["would_do"] == "10s"
    assert len(stage.walking) == 2


async def test_journeys_are_walked_in_turn_and_vote_together(stage):
    """None is left out, and one that fails for sure is enough."""
    told = await stage.ask()
    assert sorted(stage.walking) == ["a", "b"]
    while (done := await stage.gates.wait(told["id"]))["verdict"] == "pending":
        if not stage.walking:
            await stage.pass_(0.5)
        results = ["fail" if name == "b" else "pass" for name in stage.walking]
        await stage.walked(*results, after=0.5)
    assert done["verdict"] == "fail"
    assert done["reasons"][0] == "b failed in 2 of 2 walks: broken"


async def test_what_is_not_measured_is_no_verdict(stage):
    """Twice in a row, and it is given up, with why; once is nothing."""
    told = await stage.ask(journeys=("a",))
    await stage.walked("not_measured")
    await stage.walked("pass")
    await stage.walked("not_measured")
    await stage.walked("not_measured")
    done = await stage.gates.wait(told["id"])
    assert done["verdict"] == "error"
    assert done["reasons"][0] == "a could not be measured: canary: broken"


async def test_another_release_does_not_count_and_is_looked_for_one_by_one(stage):
    """Until the one that is judged answers; never seen is an error, in the words."""
    told = await stage.ask(journeys=("a",), release="1.4.3", within=9.0)
    await stage.walked("pass", "pass", releases=("1.4.2",))
    assert stage.walking == ["a"]
    await stage.walked("fail", releases=("1.4.2", "1.4.3"))
    await stage.walked("pass", releases=("1.4.2",))
    await stage.pass_(6.0)
    done = await stage.gates.wait(told["id"])
    assert (done["verdict"], done["reasons"][0]) == ("error", "still 1.4.2 after 9 s")
    assert [run["why"] for run in done["runs"]][:3] == [
        "1.4.2 answered",
        "1.4.2 answered",
        "1.4.2 and 1.4.3 answered",
    ]


async def test_the_release_that_is_judged_counts_once_it_answers(stage):
    """Then as many are walked at once as may be."""
    told = await stage.ask(journeys=("a",), release="1.4.3")
    await stage.walked("pass", "pass", releases=("1.4.2",))
    for count in (1, 2, 2):
        assert len(stage.walking) == count
        await stage.walked(*["pass"] * count, releases=("1.4.3",))
    assert (await stage.gates.wait(told["id"]))["verdict"] == "pass"


async def test_walks_go_ahead_of_what_the_schedule_has_waiting(stage):
    """A slot that waits for them is neither late nor an overrun once they are through."""
    lane = stage.middle.dispatcher.lanes.browsers
    places = [Place(lane.places) for _ in range(2)]
    for place in places:
        place.take_if_free()
    await stage.middle.offer("b")
    await stage.settle()
    told = await stage.ask(journeys=("a",), within=60.0)
    for place in places:
        place.give()
    await stage.settle()
    assert stage.walking == ["a", "a"]
    journey = stage.middle.dispatcher.journeys["b"]
    assert stage.middle.dispatcher.obstacle(journey) is SkipReason.OVERRUN
    await stage.walked("pass", "pass", after=20.0)
    assert stage.middle.dispatcher.obstacle(journey) is SkipReason.CAPACITY
    await stage.walked("pass", "pass", after=20.0)
    await stage.walked("pass", after=1.0)
    assert (await stage.gates.wait(told["id"]))["verdict"] == "pass"
    # 41 s after it was due, and half its interval is 30 s.
    assert [r.journey.name for r, _ in stage.middle.walks.under_way.values()] == ["b"]


@pytest.mark.parametrize("asked", ["before", "meanwhile"])
async def test_a_pause_by_a_person_leaves_no_verdict(stage, asked):
    """Whoever paused it is named; one that pages nobody stops no gate."""
    for mode in (Mode.SILENCE, Mode.STOP):
        pause = Pause("1", ("a",), mode, "stock-taking", "ann", stage.clock.wall(), None)
        if asked == "before":
            stage.suspensions.pauses.set(pause)
        told = await stage.ask(journeys=("a",))
        stage.suspensions.pauses.set(pause)
        await stage.walked("pass")
        done = await stage.gates.wait(told["id"])
        if mode is Mode.SILENCE:
            assert done["verdict"] == "pending"
    assert (done["verdict"], done["reasons"]) == (
        "error",
        ["a is paused by ann: stock-taking", *done["reasons"][1:]],
    )


async def test_a_walk_that_a_person_stops_leaves_no_verdict(stage):
    """Whatever the others say."""
    told = await stage.ask(journeys=("a",))
    await stage.walked("not_measured", error_type=ErrorType.STOPPED, error="stopped by ann")
    done = await stage.gates.wait(told["id"])
    assert (done["verdict"], done["reasons"][0]) == (
        "error",
        "a was stopped by a person: stopped by ann",
    )


async def remembered(stage, results, release="1.4.2"):
    """Let journey ``a`` have walked on schedule, with these results."""
    for number, result in enumerate(results):
        attempts = [{"result": result, "releases": [release]}]
        document = {"run_id": f"{release}-{number}", "journey": "a", "result": result}
        document |= {"duration": 1.0, "attempts": attempts}
        at = stage.clock.wall() - 60 + number
        await stage.database.transaction(lambda c, a=at, d=document: runs.add(c, a, d))


async def test_a_journey_that_fails_too_often_has_no_vote(stage):
    """It isn't walked; where none is left the verdict is an error."""
    await remembered(stage, ["flaky"] * 12 + ["pass"] * 28)
    told = await stage.ask()
    assert stage.walking == ["b", "b"]
    alone = await stage.ask(journeys=("a",))
    done = await stage.gates.wait(alone["id"])
    assert done["verdict"] == "error"
    assert done["reasons"][0] == "no journey is left to vote"
    assert done["reasons"][1].startswith("a has no vote: 12 of its 40 first attempts failed")
    for _ in range(3):
        await stage.walked("pass", "pass")
    done = await stage.gates.wait(told["id"])
    assert done["verdict"] == "pass"
    assert any(reason.startswith("a has no vote") for reason in done["reasons"])


async def test_a_release_does_not_excuse_itself(stage):
    """What the judged release broke on schedule takes no vote from its journey."""
    await remembered(stage, ["pass"] * 20)
    await remembered(stage, ["fail"] * 20, release="1.4.3")
    await stage.ask(release="1.4.3", journeys=("a",))
    assert stage.walking == ["a", "a"]
    other = await stage.ask(release="1.4.4", journeys=("a",))
    done = await stage.gates.wait(other["id"])
    assert done["reasons"][1].startswith("a has no vote: 20 of its 40")


async def test_one_failure_of_few_walks_is_no_habit(stage):
    """A young journey votes though a quarter of its walks failed."""
    await remembered(stage, ["pass", "fail", "pass", "pass"])
    await stage.ask(journeys=("a",))
    assert stage.walking == ["a", "a"]


async def test_the_same_key_is_the_same_gate(stage):
    """While it goes on and after it; asked otherwise under it, it is refused."""
    told = await stage.ask("deploy-7", journeys=("a",))
    again = await stage.ask("deploy-7", journeys=("a",))
    assert again["id"] == told["id"]
    other = await stage.ask("deploy-8", journeys=("b",), within=1.0)
    assert other["id"] != told["id"]
    with pytest.raises(Refused, match="stands for gate") as refused:
        await stage.ask("deploy-7", journeys=("a",), headers={"X-Canary": "1"})
    assert refused.value.status == 422
    await stage.pass_(1.0)
    ended = await stage.ask("deploy-8", journeys=("b",), within=1.0)
    assert (ended["id"], ended["verdict"]) == (other["id"], "error")


async def test_two_at_once_with_one_key_are_one_gate(stage):
    """Whichever comes first."""
    first, second = await asyncio.gather(*(stage.ask("k", journeys=("a",)) for _ in range(2)))
    assert first["id"] == second["id"]
    rows = await stage.database.transaction(lambda c: c.execute("SELECT id FROM gates").fetchall())
    assert len(rows) == 1


async def test_waiting_ends_with_the_verdict_or_with_patience(stage):
    """Each who waits is told at once."""
    told = await stage.ask(journeys=("a",), within=2.0)
    patient = [asyncio.create_task(stage.gates.wait(told["id"], 9.0)) for _ in range(2)]
    hasty = asyncio.create_task(stage.gates.wait(told["id"], 1.0))
    await stage.settle()
    await stage.pass_(1.0)
    assert hasty.done()
    assert hasty.result()["verdict"] == "pending"
    assert not any(one.done() for one in patient)
    await stage.pass_(1.0)
    assert [(await one)["verdict"] for one in patient] == ["error", "error"]
    assert await stage.gates.wait("nonesuch", 9.0) is None


async def test_the_end_of_the_agent_is_told_to_who_waits(stage):
    """The gate ends as an error, its walks are broken off, and none is begun any more."""
    told = await stage.ask(journeys=("a",))
    waiting = asyncio.create_task(stage.gates.wait(told["id"], 60.0))
    await stage.settle()
    await stage.gates.end()
    assert (await waiting)["id"] == told["id"]
    await stage.settle()
    kept = await stage.reader.read(lambda c: table.find(c, told["id"]))
    assert kept["verdict"] == "error"
    assert kept["reasons"][0] == "the agent was stopped before there was a verdict"
    assert stage.walking == []
    with pytest.raises(Refused) as refused:
        await stage.ask(journeys=("a",))
    assert refused.value.status == 503


async def test_a_gate_of_an_agent_that_died_ends_as_an_error(stage):
    """At the next start; a second start changes nothing."""
    told = await stage.ask("k", journeys=("a",), release="1.4.3")
    rows = await stage.database.transaction(table.pending)
    assert [row["id"] for row in rows] == [told["id"]]
    gates = stage.gates
    successor = type(gates)(
        gates._road, lambda: stage.settings, stage.reader, gates._timeline, gates._tellings
    )
    await successor.end_unfinished()
    await successor.end_unfinished()
    done = await successor.wait(told["id"])
    assert done["verdict"] == "error"
    assert done["reasons"] == ["the agent died, or was restarted, before there was a verdict"]
    assert done["ended_at"] is not None
    assert (await successor.ask(replace(stage.gates._under_way[told["id"]].order), "x"))["id"]


async def test_another_address_is_walked_without_secrets(stage):
    """It is first party for that walk, beside the site's own, and the headers go with it."""
    stage.settings = shop_settings(urls=("https://*.preview.example.com",), headers=("x-canary",))
    await stage.ask(
        journeys=("a",), url="https://pr-7.preview.example.com", headers={"X-Canary": "7"}
    )
    request, _ = stage.engine.under_way[0]
    assert request.journey.site.url == "https://pr-7.preview.example.com"
    assert request.journey.site.first_party == (
        "http://127.0.0.1:1",
        "https://pr-7.preview.example.com",
    )
    assert request.headers == {"X-Canary": "7"}
    assert "secrets = true" in request.withheld
    stage.settings = shop_settings(urls=("https://*.preview.example.com",), secrets=True)
    await stage.ask(journeys=("b",), url="https://pr-8.preview.example.com")
    assert all(r.withheld == "" for r, _ in stage.engine.under_way if r.journey.name == "b")


async def test_walks_are_children_of_the_gate(stage):
    """In one trace, whose root tells of the verdict."""
    told = await stage.ask(journeys=("a",))
    for request, _ in stage.engine.under_way:
        assert request.trace_id == told["trace_id"]
        assert request.parent_id == told["trace_id"][16:]
        assert not request.again


async def test_one_that_takes_long_lets_the_schedule_in_between(stage):
    """After half a minute slots have their turn, and the gate goes on."""
    told = await stage.ask(journeys=("a",), within=120.0)
    await stage.middle.offer("b")
    await stage.settle()
    await stage.walked("pass", after=20.0)
    assert stage.walking == ["a", "a"]
    await stage.walked("pass", after=11.0)
    assert stage.walking == ["a"]
    assert [r.journey.name for r, _ in stage.middle.walks.under_way.values()] == ["b"]
    await stage.middle.tell(Result.PASS)
    await stage.settle()
    for _ in range(3):
        await stage.walked("pass", "pass")
    assert (await stage.gates.wait(told["id"]))["verdict"] == "pass"
