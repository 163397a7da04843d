"""`agent.server.public.public_document`: what of the agent's documents the public sees."""

from __future__ import annotations

import json

import pytest

from agent.server.documents.briefs import BriefDocument
from agent.server.public.public_document import public_document
from tests.support.overviews import (
    CANARY,
    NUMBER,
    Told,
    a_journey,
    a_window,
    an_incident,
    an_outage,
    an_overview,
    at,
    held,
    incidents,
    made,
)


async def test_nothing_but_titles_states_and_times_gets_out():
    """No text and no number of any private field of any document is in what the public sees."""
    overview = an_overview(
        a_journey("buy", "Buy a mug", up=False, last_run=made(BriefDocument)),
        a_journey("look", "Look around", suspended=held("pause")),
        a_journey("hidden"),
        maintenance=(
            a_window("buy", "hidden", since=at(hours=-1), until=at(hours=-2)),
            a_window("hidden", since=at(hours=-1), until=at(hours=-2)),
        ),
    )
    found = incidents(
        an_incident(3, an_outage("hidden", at(hours=2)), an_outage("buy", at(hours=1))),
        an_incident(2, an_outage("hidden", at(days=2), at(days=1))),
    )
    shown = await public_document(Told(overview, found))
    text = json.dumps(shown)
    assert CANARY in json.dumps(overview), "the test has what it looks for"
    assert CANARY not in text
    assert str(NUMBER) not in text
    assert at(hours=2) not in text, "the outage of a private journey"
    assert [one["journeys"] for one in shown["incidents"]] == [["buy-a-mug"]]
    assert [one["journeys"] for one in shown["maintenance"]] == [["buy-a-mug"]]


async def test_only_journeys_with_a_title_are_shown():
    """What has no public title, or is disabled, is not on the page, and the worst come first."""
    overview = an_overview(
        a_journey("a", "Ask a question"),
        a_journey("z", "Zoom in", up=False),
        a_journey("hidden", up=False),
        a_journey("off", "Gone", enabled=False),
    )
    shown = await public_document(Told(overview))
    assert [one["id"] for one in shown["journeys"]] == ["zoom-in", "ask-a-question"]
    assert shown["state"] == "down"


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, "up"),
        ({"up": False}, "down"),
        ({"up": None}, "unknown"),
        ({"consecutive_slow": 2}, "slow"),
        ({"last_run": made(BriefDocument, result="not_measured")}, "unknown"),
        ({"last_run": None, "up": None}, "unknown"),
        ({"suspended": held("pause")}, "paused"),
        (
            {"suspended": held("maintenance")},
            "maintenance",
        ),
    ],
)
async def test_a_state_says_no_more_than_was_measured(given, state):
    """Down is what fails, up what passes; all that isn't known is neither."""
    overview = an_overview(a_journey("buy", "Buy", **given))
    shown = await public_document(Told(overview))
    assert (shown["journeys"][0]["state"], shown["state"]) == (state, state)


async def test_days_that_were_not_measured_are_not_known():
    """That the agent was in trouble is its owner's business; each bar has its date."""
    bars = {"hours": [], "days": ["pass"] * 87 + ["not_measured", "suspended", "fail"]}
    overview = an_overview(a_journey("buy", "Buy", bars=bars))
    days = (await public_document(Told(overview)))["journeys"][0]["days"]
    assert [one["state"] for one in days[-4:]] == ["pass", "unknown", "suspended", "fail"]
    assert (days[0]["date"], days[-1]["date"]) == ("2026-08-30", "2026-11-27")


async def test_incidents_of_private_journeys_hide_none_of_public_ones():
    """However many others there are between, older ones are asked for until enough are found."""
    overview = an_overview(a_journey("buy", "Buy"))
    first = incidents(an_incident(9, an_outage("hidden", at(hours=2))), more=True)
    second = incidents(an_incident(4, an_outage("buy", at(hours=3), at(hours=1))), more=False)
    ask = Told(overview, first, second)
    (shown,) = (await public_document(ask))["incidents"]
    assert ask.before == [None, 9]
    assert (shown["began_at"], shown["ended_at"]) == (at(hours=3), at(hours=1))
    assert shown["seconds"] == 7200


async def test_an_incident_keeps_its_id_when_others_join():
    """A feed tells of it once, also where a journey joins that began to fail earlier."""
    overview = an_overview(a_journey("buy", "Buy"), a_journey("look", "Look"))
    alone = an_incident(1, an_outage("buy", at(hours=1)))
    joined = an_incident(1, an_outage("buy", at(hours=1)), an_outage("look", at(hours=2)))
    ids = [
        (await public_document(Told(overview, incidents(one))))["incidents"][0]["id"]
        for one in (alone, joined)
    ]
    assert ids[0] == ids[1]


async def test_an_incident_goes_on_while_any_of_its_journeys_is_down():
    """It has no end before the last of its public journeys passes; private ones count for none."""
    overview = an_overview(a_journey("buy", "Buy"), a_journey("look", "Look"))
    goes_on = an_incident(
        1, an_outage("buy", at(hours=2), at(hours=1)), an_outage("look", at(hours=2))
    )
    over = an_incident(
        2, an_outage("buy", at(hours=3), at(hours=1)), an_outage("hidden", at(hours=2))
    )
    shown = (await public_document(Told(overview, incidents(over, goes_on))))["incidents"]
    assert [one["ended_at"] for one in shown] == [None, at(hours=1)]
