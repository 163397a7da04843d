from __future__ import annotations

from dataclasses import replace

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from agent.core.results import Result
from agent.telemetry import spans
from agent.telemetry.resource import describe


@pytest.fixture
def encode(identity):
    def encode(run):
        payload, items = spans.encode_run(run, describe(identity, {}), identity.version)
        request = ExportTraceServiceRequest.FromString(payload)
        (resource,) = request.resource_spans
        (scope,) = resource.scope_spans
        assert items == len(scope.spans)
        return resource, {span.name: span for span in scope.spans}

    return encode


def attributes(message):
    found = {}
    for pair in message.attributes:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind)
        found[pair.key] = [v.string_value for v in value.values] if kind == "array_value" else value
    return found


def test_the_tree_is_journey_attempt_step_request(encode, make_run):
    """Each span hangs under the one that caused it, with the ids it was given."""
    run = make_run()
    _, found = encode(run)
    root, attempt = found["journey buy_a_mug"], found["attempt 1"]
    step, request = found["step Pay"], found["GET"]

    assert root.span_id.hex() == run.span_id
    assert root.parent_span_id == b""
    assert attempt.parent_span_id == root.span_id
    assert attempt.span_id.hex() == run.attempts[0].span_id
    assert step.parent_span_id == attempt.span_id
    assert request.parent_span_id == step.span_id
    assert {span.trace_id.hex() for span in found.values()} == {run.trace_id}
    assert request.kind == Span.SPAN_KIND_CLIENT
    assert [link.span_id.hex() for link in request.links] == ["d000000000000001"]
    assert (root.start_time_unix_nano, root.end_time_unix_nano) == (
        int(run.started_at * 1e9),
        int(run.ended_at * 1e9),
    )


def test_every_span_is_marked_synthetic(encode, make_run):
    """A back end can leave each span out of its figures without looking at its parents."""
    _, found = encode(make_run(Result.FAIL))
    assert {attributes(s)["user_agent.synthetic.type"] for s in found.values()} == {"test"}


def test_the_root_says_what_the_run_came_to(encode, make_run):
    """Owner, verdict, trigger and evidence stand on the root span."""
    resource, found = encode(make_run(Result.FAIL))
    root = found["journey buy_a_mug"]
    assert attributes(root) == {
        "user_agent.synthetic.type": "test",
        "test.suite.name": "shop",
        "test.case.name": "buy_a_mug",
        "test.case.result.status": "fail",
        "footfall.run.id": "run-1",
        "footfall.result": "fail",
        "footfall.run.trigger": "schedule",
        "footfall.location": "eu-west-1",
        "footfall.owner": "checkout",
        "footfall.artifacts": ["run/2/screenshot.png"],
        "error.type": "assertion",
    }
    assert root.status.code == Status.STATUS_CODE_ERROR
    assert root.status.message.startswith("Pay is")
    assert attributes(resource.resource)["service.instance.id"] == "agent-7"


@pytest.mark.parametrize(
    ("result", "status"),
    [(Result.PASS, "pass"), (Result.FLAKY, "pass"), (Result.NOT_MEASURED, None)],
)
def test_only_a_fail_is_an_error_of_the_target(encode, make_run, result, status):
    """Flaky is a passed case; a run that was not measured says nothing about the target."""
    _, found = encode(make_run(result))
    root = found["journey buy_a_mug"]
    assert attributes(root).get("test.case.result.status") == status
    assert root.status.code == Status.STATUS_CODE_UNSET


def test_the_failed_attempt_of_a_flaky_run_is_seen(encode, make_run):
    """The attempt that failed carries its error although the run passed."""
    _, found = encode(make_run(Result.FLAKY))
    assert found["attempt 1"].status.code == Status.STATUS_CODE_ERROR
    assert attributes(found["attempt 1"])["error.type"] == "assertion"
    assert found["attempt 2"].status.code == Status.STATUS_CODE_UNSET
    assert attributes(found["attempt 2"])["footfall.attempt.number"] == 2


def test_no_sampler_comes_between(encode, make_run, monkeypatch):
    """``OTEL_TRACES_SAMPLER`` has no say over a run's trace."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    _, found = encode(make_run())
    assert set(found) == {"journey buy_a_mug", "attempt 1", "step Pay", "GET"}


def test_a_request_of_an_unfinished_step_hangs_under_its_attempt(encode, make_run):
    """What a killed worker had finished stays in the tree, although its step never ended."""
    run = make_run()
    (attempt,) = run.attempts
    killed = replace(attempt, spans=attempt.spans[:1])
    _, found = encode(replace(run, attempts=(killed,)))
    assert found["GET"].parent_span_id == found["attempt 1"].span_id


def test_a_run_without_attempts_still_has_its_root(encode, make_run):
    """A run whose worker never answered has a trace all the same."""
    run = make_run(Result.NOT_MEASURED)
    _, found = encode(replace(run, attempts=()))
    assert list(found) == ["journey buy_a_mug"]


def test_broken_text_from_a_page_loses_no_run(encode, make_run):
    """A lone surrogate in a page's text is replaced; the run is told all the same."""
    run = make_run(Result.FAIL, error="caf\udce9 é")
    _, found = encode(run)
    assert found["journey buy_a_mug"].status.message == "caf? é"
