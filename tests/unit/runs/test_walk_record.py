"""What is kept of a run for its page: when each step and request began, and who else was met."""

from __future__ import annotations

from dataclasses import replace

from agent.core import names
from agent.core.beacon_report import Audit, BeaconAction, Contact
from agent.core.client_spans import Exchange, client_span
from agent.core.results import Result, SpanData, Step, StepOutcome, Tag
from agent.runs.walk_record import walk_record
from tests.support.build import TRACE, a_run, an_attempt

START = 1_800_000_010
PASS, FAIL, SKIPPED = StepOutcome.PASS, StepOutcome.FAIL, StepOutcome.SKIPPED


def step_span(name, span_id, start, end, parent="a" * 16):
    return SpanData(
        names.STEP_SPAN.format(name=name),
        TRACE,
        span_id,
        parent,
        int((START + start) * 1e9),
        int((START + end) * 1e9),
        attributes={names.STEP_NAME: name},
    )


def request(number, start, parent, status=200):
    url = f"https://shop.example.com/{number}"
    at = int((START + start) * 1e9)
    exchange = Exchange("GET", url, at, at + 50_000_000, status, kind="fetch")
    return client_span(exchange, Tag(f"{number:016x}", parent), TRACE)


def recorded(**changes):
    attempt = an_attempt(Result.FAIL, started_at=float(START), **changes)
    return walk_record(a_run(attempt))["attempts"][0]


def test_steps_stand_in_the_order_in_which_they_began():
    """Nested ones under theirs, of one name each by itself, those never reached last; requests
    belong to the step that they were made in."""
    steps = (
        Step("Open", PASS, 1.0),
        Step("Again", PASS, 0.2, slow=0.1),
        Step("Again", FAIL, 0.4),
        Step("Pay", FAIL, 1.0),
        Step("Leave", SKIPPED),
    )
    spans = (
        step_span("Open", "1" * 16, 0.0, 1.0),
        step_span("Again", "3" * 16, 1.1, 1.3, parent="2" * 16),
        request(1, 1.2, "3" * 16),
        step_span("Again", "4" * 16, 1.4, 1.8, parent="2" * 16),
        step_span("Pay", "2" * 16, 1.0, 2.0),
        request(0, 0.1, "1" * 16, status=500),
        request(2, 2.5, "a" * 16),
    )
    told = recorded(steps=steps, spans=spans)
    assert [(one["name"], one["start"], one["depth"], one["result"]) for one in told["steps"]] == [
        ("Open", 0.0, 0, "pass"),
        ("Pay", 1.0, 0, "fail"),
        ("Again", 1.1, 1, "pass"),
        ("Again", 1.4, 1, "fail"),
        ("Leave", None, 0, "skipped"),
    ]
    assert [(one["start"], one["step"], one["status"]) for one in told["requests"]] == [
        (0.1, 0, 500),
        (1.2, 2, 200),
        (2.5, None, 200),
    ]
    assert told["steps"][2]["slow"] == 0.1


def test_a_step_without_a_span_is_told_without_its_time():
    """A worker died, or there were too many; and a span that is its own parent ends nothing."""
    spans = (step_span("Pay", "1" * 16, 0.0, 1.0, parent="1" * 16),)
    steps = (Step("Pay", PASS, 1.0), Step("Leave", PASS, 0.5))
    told = recorded(steps=steps, spans=spans)["steps"]
    assert [(one["name"], one["start"], one["depth"]) for one in told] == [
        ("Pay", 0.0, 1),
        ("Leave", None, 0),
    ]


def test_third_parties_are_folded_by_vendor():
    """With all of its origins and what became of its beacons; first parties are no third ones,
    and who is unknown stands by the origin."""
    acme = {"Acme": "analytics"}
    blocked = {BeaconAction.BLOCKED: 2}
    contacts = (
        Contact("https://shop.example.com", "first", {}, 9, 9, 0),
        Contact("https://cdn.example.net", "third", {}, 3, 0, 0),
        Contact("https://a.acme.example", "third", acme, 2, 0, 0, blocked),
        Contact("https://b.acme.example", "third", acme, 2, 0, 0, blocked),
    )
    told = recorded(audit=Audit(contacts=contacts))["third_parties"]
    assert told == [
        {
            "vendor": "Acme",
            "category": "analytics",
            "origins": ["https://a.acme.example", "https://b.acme.example"],
            "requests": 4,
            "actions": {"blocked": 4},
        },
        {
            "vendor": "https://cdn.example.net",
            "category": "",
            "origins": ["https://cdn.example.net"],
            "requests": 3,
            "actions": {},
        },
    ]


def test_a_walk_with_very_many_requests_is_cut():
    """The first are told, and that there were more."""
    spans = tuple(request(number, number / 1000, "a" * 16) for number in range(250))
    told = recorded(spans=spans[::-1])
    assert (len(told["requests"]), told["requests_cut"]) == (200, True)
    assert told["requests"][0]["url"] == "https://shop.example.com/0"


def test_a_run_without_an_attempt():
    """The agent died under it."""
    assert walk_record(replace(a_run(), attempts=())) == {"attempts": []}
