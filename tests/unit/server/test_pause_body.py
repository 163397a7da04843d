"""What is taken by the routes of the switch, and what is refused, with why."""

from __future__ import annotations

import json

import pytest

from tests.unit.server.test_control import post

JSON = "application/json"
ALL = {"all": True, "reason": "db migration"}


async def ask(served, verb: str, **body):
    raw = json.dumps(body).encode()
    return await post(served, raw, f"/api/v1/{verb}", Content_Type=JSON)


async def test_what_is_left_out_is_the_harmless_choice(served):
    """Nothing but which and why need be said: it stops, without an end, and ends no walk."""
    status, body = await ask(served, "pause", **ALL)
    assert status == 200
    assert body["did"] == [
        "pause",
        {
            "journeys": None,
            "all": True,
            "who": "somebody, by the API",
            "reason": "db migration",
            "mode": "stop",
            "for": None,
            "until": None,
            "now": False,
        },
    ]


async def test_resuming_needs_no_reason(served):
    """Only which."""
    status, body = await ask(served, "resume", journeys=["buy"], who="anna")
    assert status == 200
    assert body["did"][1] == {"journeys": ["buy"], "all": False, "who": "anna"}


@pytest.mark.parametrize("verb", ["pause", "resume"])
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "say which"),
        ({"all": False}, "say which"),
        ({"all": True, "journeys": ["buy"]}, "say which"),
        ({"journeys": []}, "'journeys' list should have at least 1 item"),
        ({"journeys": "buy"}, "'journeys' input should be a valid list"),
        ({"journeys": [""]}, "'journeys.0' string should have at least 1 character"),
        ({"all": "yes"}, "'all' input should be a valid boolean"),
        ({"all": True, "who": "a\nb"}, "'who' must be one line of text"),
    ],
)
async def test_it_must_be_said_which(served, verb, body, why):
    """All, or a list of some, and not both: nothing is done else."""
    more = {"reason": "so"} if verb == "pause" else {}
    status, told = await ask(served, verb, **body, **more)
    assert status == 400
    assert why in told["error"]
    assert not served.control.verbs


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"reason": " "}, "'reason' string should have at least 1 character"),
        ({"reason": "x" * 501}, "'reason' string should have at most 500 characters"),
        ({"reason": "a\x1b[2Jb"}, "'reason' must be one line of text"),
        ({"mode": "doze"}, "'mode' input should be 'stop' or 'silence'"),
        ({"for": "soon"}, "'for' 'soon' is not a duration"),
        ({"for": "0s"}, "'for' must be longer than 0s"),
        ({"for": 60}, "'for' input should be a valid string"),
        ({"until": "2026-12-01T03:00:00"}, "'until' must be a time with its zone"),
        ({"until": "tomorrow"}, "'until' must be a time with its zone"),
        ({"for": "1h", "until": "2026-12-01T03:00:00Z"}, "give one of them"),
        ({"now": True, "mode": "silence"}, "give one of them"),
        ({"lasts": "1h"}, "'lasts' unknown; known: journeys, all, who, reason, mode, for, until"),
    ],
)
async def test_a_pause_that_makes_no_sense_is_refused(served, body, why):
    """With what is wrong; nothing is paused."""
    status, told = await ask(served, "pause", **(ALL | body))
    assert status == 400
    assert why in told["error"]
    assert not served.control.verbs


async def test_a_reason_is_needed(served):
    """Whoever looks at night wants to know why."""
    status, told = await ask(served, "pause", all=True)
    assert (status, told["error"]) == (400, "'reason' is missing")
