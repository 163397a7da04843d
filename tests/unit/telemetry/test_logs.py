from __future__ import annotations

from dataclasses import replace

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from agent.core.deploy import Deploy
from agent.core.difference import Change, Comparison
from agent.core.results import Result
from agent.storage.run_end import Turn
from agent.telemetry import logs
from agent.telemetry.resource import describe


@pytest.fixture
def encode(identity):
    def encode(run):
        payload = logs.encode_run(run, describe(identity, {}), identity.version)
        request = ExportLogsServiceRequest.FromString(payload)
        (record,) = request.resource_logs[0].scope_logs[0].log_records
        return record

    return encode


@pytest.mark.parametrize(
    ("result", "severity"),
    [
        (Result.PASS, "INFO"),
        (Result.FLAKY, "WARN"),
        (Result.NOT_MEASURED, "WARN"),
        (Result.FAIL, "ERROR"),
    ],
)
def test_severity_follows_the_result(encode, make_run, result, severity):
    """Only a fail of the target is an error."""
    assert encode(make_run(result)).severity_text == severity


def test_the_record_leads_to_its_trace(encode, make_run):
    """A record carries the ids of the run's root span, as sampled."""
    run = make_run(Result.FAIL)
    record = encode(run)
    assert record.event_name == "footfall.run.finished"
    assert (record.trace_id.hex(), record.span_id.hex()) == (run.trace_id, run.span_id)
    assert record.flags == 1


def test_the_body_is_one_line_that_says_it_all(encode, make_run):
    """Somebody who sees only the body knows what, where, and why."""
    assert encode(make_run(Result.FAIL)).body.string_value == (
        'buy_a_mug on shop from eu-west-1: fail in 1.50 s, assertion at step "Pay": Pay is disabled'
    )


def test_what_is_not_known_is_left_out(encode, make_run):
    """A passed run has no error attributes, not empty ones."""
    keys = {pair.key for pair in encode(make_run()).attributes}
    assert keys == {
        "user_agent.synthetic.type",
        "footfall.journey",
        "footfall.site",
        "footfall.location",
        "footfall.result",
        "footfall.owner",
        "footfall.runbook",
        "footfall.severity",
        "footfall.run.id",
        "footfall.run.trigger",
        "footfall.artifacts",
        "footfall.screenshot",
        "footfall.duration",
    }


def test_a_failure_names_all_that_a_page_needs(encode, make_run):
    """Journey, step, error, picture, owner, runbook and severity stand on the failure's record."""
    found = {pair.key: pair.value.string_value for pair in encode(make_run(Result.FAIL)).attributes}
    assert (
        found.items()
        >= {
            "footfall.journey": "buy_a_mug",
            "footfall.site": "shop",
            "footfall.result": "fail",
            "error.type": "assertion",
            "footfall.error": "Pay is\n  disabled",
            "footfall.failed_step": "Pay",
            "footfall.screenshot": "run/2/screenshot.png",
            "footfall.owner": "checkout",
            "footfall.runbook": "https://runbooks.example.com/mug",
            "footfall.severity": "page",
        }.items()
    )


def test_what_is_different_stands_on_the_record(encode, make_run):
    """The first line of what is different from the last passes: the likeliest cause."""
    run = make_run(Result.FAIL)
    cause = Change("release", "another release answered: 2, before 1")
    other = Change("slow", "GET /a took 3.0 s, before 0.1 s at most")
    told = Comparison(5, (cause, other))
    run = replace(run, attempts=tuple(replace(one, comparison=told) for one in run.attempts))
    found = {pair.key: pair.value.string_value for pair in encode(run).attributes}
    assert found["footfall.change"] == cause.line


def test_without_a_picture_none_is_named(encode, make_run):
    """Other evidence is not taken for it."""
    run = make_run(Result.FAIL)
    last = replace(run.attempts[-1], artifacts=("run/2/failure.json",))
    record = encode(replace(run, attempts=(run.attempts[0], last)))
    assert "footfall.screenshot" not in {pair.key for pair in record.attributes}


def test_broken_text_from_a_page_loses_no_record(encode, make_run):
    """A lone surrogate in a page's text is replaced, in the body and in the error."""
    record = encode(make_run(Result.FAIL, error="caf\udce9"))
    assert record.body.string_value.endswith("caf?")
    assert {"footfall.error": "caf?"}.items() <= {
        pair.key: pair.value.string_value for pair in record.attributes
    }.items()


TURN = Turn(
    down=True,
    since=1_800_000_001.0,
    seconds=61.4,
    fails=2,
    error_type="assertion",
    step="Pay",
    error="Pay is disabled",
)


@pytest.mark.parametrize(
    ("down", "name", "severity", "body"),
    [
        (
            True,
            "journey.down",
            "ERROR",
            'is down, 2 fails in a row at step "Pay": Pay is disabled',
        ),
        (False, "journey.up", "INFO", "is up again after 1m1s"),
    ],
)
def test_a_turn_names_whose_it_is_and_why(identity, make_run, down, name, severity, body):
    """Going down and coming back carry owner, runbook, the first fail's step and error, and since
    when; coming back also for how long; in the trace of the run that turned it."""
    run = make_run(Result.FAIL if down else Result.PASS)
    turn = replace(TURN, down=down)
    payload = logs.encode_turn(run, turn, describe(identity, {}), identity.version)
    (record,) = (
        ExportLogsServiceRequest.FromString(payload).resource_logs[0].scope_logs[0].log_records
    )
    assert (record.event_name, record.severity_text) == (name, severity)
    assert record.trace_id.hex() == run.trace_id
    assert record.body.string_value == f"buy_a_mug on shop from eu-west-1 {body}"
    found = {pair.key: pair.value for pair in record.attributes}
    told = {key: value.string_value for key, value in found.items() if value.string_value}
    assert told["footfall.failed_step"] == "Pay"
    assert told["footfall.owner"] == "checkout"
    assert told["footfall.runbook"] == "https://runbooks.example.com/mug"
    assert told["footfall.down.since"].startswith("2027-01-15T08:00:01")
    assert found["footfall.failures"].int_value == 2
    assert ("footfall.down.seconds" in found) is not down


def test_a_failure_near_a_deploy_says_so(identity, make_run):
    """In words and as attributes, of the run and of the turn: each by its own beginning."""
    run = make_run(Result.FAIL)
    deploy = Deploy("shop", "1.4.3", run.started_at - 12)
    resource, version = describe(identity, {}), identity.version
    turn = replace(TURN, since=run.started_at - 8)
    for payload, body, seconds in (
        (logs.encode_run(run, resource, version, deploy), "; began 12 s after release 1.4.3", 12),
        (logs.encode_turn(run, turn, resource, version, deploy), "; began 4 s after release", 4),
    ):
        (record,) = (
            ExportLogsServiceRequest.FromString(payload).resource_logs[0].scope_logs[0].log_records
        )
        assert body in record.body.string_value
        found = {pair.key: pair.value for pair in record.attributes}
        assert found["footfall.deploy.release"].string_value == "1.4.3"
        assert found["footfall.deploy.seconds"].double_value == seconds


def test_the_release_that_answered(encode, make_run):
    """Is told where the site says one."""
    run = make_run(Result.PASS)
    told = replace(run, attempts=(replace(run.attempts[0], releases=("1.4.2", "1.4.3")),))
    for one, expected in ((run, None), (told, "1.4.2, 1.4.3")):
        found = {pair.key: pair.value.string_value for pair in encode(one).attributes}
        assert found.get("footfall.release") == expected
