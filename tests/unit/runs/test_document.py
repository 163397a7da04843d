"""The JSON object of a run, as published."""

from __future__ import annotations

import json
from dataclasses import replace

from agent.core.beacon_report import Audit, Beacon, BeaconAction
from agent.core.difference import Change, Comparison
from agent.core.results import Result, Step, StepOutcome
from agent.core.source_line import SourceLine
from agent.runs.document import document
from tests.support.build import START, a_run, an_attempt

ANSWER = Change(
    "answer",
    "POST /pay answered 500, before it answered 200",
    "POST /pay",
    before="200",
    now="500",
    step="Pay",
)


def test_a_failed_run_word_for_word(request_):
    """Keys, words and formats of every part."""
    steps = (Step("Open", StepOutcome.PASS, 0.25), Step("Pay", StepOutcome.SKIPPED, optional=True))
    first = an_attempt(
        Result.FAIL, started_at=START + 0.5, error="no", steps=steps,
        artifacts=("buy_a_mug/x/attempt-1/screenshot.png",),
        place=SourceLine("journeys/shop.py", 17, "await pay()"),
        audit=Audit(
            (Beacon("Matomo", "https://m.example/matomo.php", BeaconAction.BLOCKED),),
            {BeaconAction.BLOCKED: {"Matomo": 3}},
        ),
        comparison=Comparison(5, (ANSWER,)), releases=("1.4.2",),
    )  # fmt: skip
    second = replace(
        first,
        number=2,
        steps=(),
        artifacts=("buy_a_mug/x/2.png",),
        duration=1 / 3,
        audit=Audit(),
        releases=("1.4.2", "1.4.3"),
    )
    run = a_run(
        first,
        second,
        request=replace(request_, scheduled_at=START),
        started_at=START + 0.25,
    )
    public = document(run)
    assert json.loads(json.dumps(public)) == public
    assert public == {
        "run_id": "run-1",
        "journey": "buy_a_mug",
        "site": "shop",
        "location": "eu-west-1",
        "trigger": "schedule",
        "closer": False,
        "scheduled_at": "2027-01-15T08:00:00.000Z",
        "started_at": "2027-01-15T08:00:00.250Z",
        "duration": 0.333333,
        "result": "fail",
        "slow": [],
        "error_type": "assertion",
        "error": "no",
        "place": {"file": "journeys/shop.py", "line": 17, "source": "await pay()"},
        "changes": [
            {
                "kind": "answer",
                "line": "POST /pay answered 500, before it answered 200",
                "subject": "POST /pay",
                "before": "200",
                "now": "500",
                "step": "Pay",
            }
        ],
        "compared_with": 5,
        "release": "1.4.2, 1.4.3",
        "trace_id": "0a" * 16,
        "attempts": [
            {
                "result": "fail",
                "error_type": "assertion",
                "error": "no",
                "place": {"file": "journeys/shop.py", "line": 17, "source": "await pay()"},
                "duration": 1.5,
                "steps": [
                    {"name": "Open", "result": "pass", "duration": 0.25, "optional": False},
                    {"name": "Pay", "result": "skipped", "duration": None, "optional": True},
                ],
                "releases": ["1.4.2"],
                "artifacts": ["buy_a_mug/x/attempt-1/screenshot.png"],
            },
            {
                "result": "fail",
                "error_type": "assertion",
                "error": "no",
                "place": {"file": "journeys/shop.py", "line": 17, "source": "await pay()"},
                "duration": 0.333333,
                "steps": [],
                "releases": ["1.4.2", "1.4.3"],
                "artifacts": ["buy_a_mug/x/2.png"],
            },
        ],
        "artifacts": ["buy_a_mug/x/2.png"],
        "beacons": [
            {"vendor": "Matomo", "url": "https://m.example/matomo.php", "action": "blocked"}
        ],
        "beacon_counts": {"blocked": 3},
    }


def test_what_is_not_there_is_null(request_):
    """A run without a slot and without an error has null for both."""
    run = a_run(request=replace(request_, scheduled_at=None), attempts=())
    public = document(run)
    assert public["scheduled_at"] is None
    assert public["error_type"] is None
    assert public["error"] is None
    assert public["attempts"] == []
