"""Verdicts as CDEvents: as the specification has them, without a key of ours."""

from __future__ import annotations

import json

import jsonschema
import pytest

from agent.gates.telling import verdict_events
from agent.gates.telling.rollback_hook import Sender
from tests.support.deploy_tools import a_verdict

SENDER = Sender("production", "eu-west-1")
TEXT = {"type": "string", "minLength": 1}


def table(required, **properties):
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


# What schemas/testsuiterunfinished.json of cdevents/spec asks for, at 0.5.
SCHEMA = table(
    ["context", "subject"],
    context=table(
        ["specversion", "id", "source", "type", "timestamp"],
        specversion=TEXT,
        id=TEXT,
        source=TEXT,
        type={"const": "dev.cdevents.testsuiterun.finished.0.3.0"},
        timestamp={"type": "string", "format": "date-time"},
    ),
    subject=table(
        ["id", "content"],
        id=TEXT,
        content=table(
            ["outcome", "environment"],
            environment=table(["id"], id=TEXT),
            testSuite=table(["id"], id=TEXT, name={"type": "string"}, version={"type": "string"}),
            outcome={"enum": ["success", "failure", "cancel", "error"]},
            severity={"enum": ["low", "medium", "high", "critical"]},
            reason={"type": "string"},
        ),
    ),
)


@pytest.mark.parametrize(
    ("verdict", "outcome"), [("pass", "success"), ("fail", "failure"), ("error", "error")]
)
@pytest.mark.parametrize("release", ["1.4.3", None])
def test_every_verdict_is_a_valid_event(verdict, outcome, release):
    """With its outcome; a gate without a release has no version."""
    event = verdict_events.cdevent(a_verdict(verdict, release=release), SENDER)
    jsonschema.validate(event, SCHEMA, format_checker=jsonschema.FormatChecker())
    content = event["subject"]["content"]
    assert content["outcome"] == outcome
    assert content["testSuite"].get("version") == release
    assert ("severity" in content) == (verdict == "fail")


async def test_it_is_sent_as_one_cloudevent(receiver, poster):
    """In structured mode, with the sink's token; the same gate's has the same id."""
    gate = a_verdict("fail")
    for token in ("", "sink-0123456789abcdef"):
        await verdict_events.send(gate, SENDER, f"{receiver.url}/sink", token, poster)
    first, second = receiver.received
    assert first.headers["Content-Type"] == "application/cloudevents+json"
    assert "Authorization" not in first.headers
    assert second.headers["Authorization"] == "Bearer sink-0123456789abcdef"
    told = json.loads(first.body)
    assert first.body == second.body
    assert (told["specversion"], told["id"], told["subject"]) == ("1.0", gate["id"], gate["id"])
    assert told["type"] == told["data"]["context"]["type"]
    jsonschema.validate(told["data"], SCHEMA)
