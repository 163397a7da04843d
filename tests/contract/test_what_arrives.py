"""Traces, exemplars and log records of a real daemon: complete, joined up, and as published."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from agent.core import names
from tests.support.docs import DOTTED, Docs, attributes_sent, code
from tests.support.story import RUNBOOK

pytestmark = pytest.mark.timeout(290)

DOCS = Docs()


def labels(attributes):
    """What says of a run's root span which series its count is in."""
    found = {
        names.JOURNEY: attributes[names.CASE_NAME],
        names.SITE: attributes[names.SUITE_NAME],
        names.LOCATION: attributes[names.RUN_LOCATION],
        names.RESULT: attributes[names.RUN_RESULT],
    }
    if names.ERROR_TYPE in attributes:
        found[names.ERROR_TYPE] = attributes[names.ERROR_TYPE]
    return found


def test_each_count_of_runs_leads_to_one_of_them(story):
    """Where a series has risen since the collection before, it names the root span of a run that
    it counts, and one only; where it has not, none. A kill and a restart change nothing."""
    series = defaultdict(list)
    for point in story.metrics:
        if point.name == names.RUNS:
            series[tuple(sorted(point.attributes.items()))].append(point)
    assert len(series) >= 5
    led_to = []
    for points in series.values():
        before = 0
        for point in points:
            assert len(point.exemplars) == (point.value > before), point
            before = point.value
            for exemplar in point.exemplars:
                root = story.spans[exemplar.trace_id, exemplar.span_id]
                assert root.parent_id is None
                assert labels(root.attributes) == point.attributes
                assert exemplar.value == 1
                assert exemplar.time_ns == root.end_ns
                led_to.append(root.trace_id)
    assert len(led_to) == len(set(led_to)), "each run once"


def test_durations_lead_to_their_spans(story):
    """Exemplars of journeys are root spans with that result, those of steps the steps' own, and
    those of vitals the step that brought them, with that value on it."""
    seen = defaultdict(int)
    for point in story.metrics:
        for exemplar in point.exemplars:
            span = story.spans[exemplar.trace_id, exemplar.span_id]
            seen[point.name] += 1
            if point.name == names.DURATION:
                assert span.name == f"journey {point.attributes[names.JOURNEY]}"
            elif point.name == names.STEP_DURATION:
                step = point.attributes[names.STEP]
                assert step in {span.attributes[names.STEP_NAME], names.OTHER_STEP}
                assert span.attributes[names.STEP_RESULT] == point.attributes[names.RESULT]
            elif point.name in {names.WEB_VITAL, names.WEB_VITAL_CLS}:
                vital = names.STEP_VITALS[point.attributes.get(names.VITAL, "cls")]
                assert span.attributes[vital] == exemplar.value
    assert seen.keys() == {
        names.RUNS,
        names.DURATION,
        names.STEP_DURATION,
        names.WEB_VITAL,
        names.WEB_VITAL_CLS,
    }


def test_vitals_stand_on_the_steps_of_their_pages(story):
    """The load of a page is told by the step that loaded it, the reaction by the one that
    clicked."""
    steps = defaultdict(list)
    for span in story.spans.values():
        steps[span.name].append(span.attributes)
    loads = {names.STEP_VITALS[vital] for vital in ("lcp", "fcp", "ttfb", "cls")}
    inp, ttfb = names.STEP_VITALS["inp"], names.STEP_VITALS["ttfb"]
    opened, clicked = steps["step Open the shop"], steps["step Click what answers slowly"]
    assert any(loads <= attributes.keys() for attributes in opened)
    assert not any(inp in attributes for attributes in opened)
    # A page too busy to answer at the end of one step is read at that of the next.
    assert any(ttfb not in attributes and attributes.get(inp, 0) > 0.05 for attributes in clicked)


def of_runs(story):
    """The records of runs, without those of journeys that turned."""
    return [log for log in story.logs if log.event_name == names.RUN_FINISHED]


def test_a_failure_is_told_in_one_record(story):
    """What somebody needs who was woken: what and where, why, the trace, the picture, whose it is
    and what to do."""
    records = [log for log in of_runs(story) if log.severity == "ERROR"]
    assert records
    for log in records:
        root = story.spans[log.trace_id, log.span_id]
        assert root.name == "journey fails"
        assert root.attributes[names.RUN_ID] == log.attributes[names.RUN_ID]
        told = log.attributes
        assert told[names.LOG_JOURNEY] == "fails"
        assert told[names.LOG_FAILED_STEP] == "Wait for what never comes"
        assert told[names.ERROR_TYPE] == "timeout"
        assert "not done after 2.5 s" in told[names.LOG_ERROR]
        assert told[names.RUN_OWNER] == "checkout"
        assert told[names.LOG_RUNBOOK] == RUNBOOK
        assert told[names.LOG_SEVERITY] == "page"
        assert told[names.LOG_SCREENSHOT] in told[names.RUN_ARTIFACTS]
        picture = story.artifacts / told[names.LOG_SCREENSHOT]
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert log.body.startswith("fails on shop from test: fail in ")


def test_records_are_those_of_runs(story):
    """Each run has one record, and only a fail of the target is an error."""
    ids = [log.attributes[names.RUN_ID] for log in of_runs(story)]
    assert len(ids) == len(set(ids))
    severities = {"pass": "INFO", "flaky": "WARN", "not_measured": "WARN", "fail": "ERROR"}
    for log in of_runs(story):
        assert log.severity == severities[log.attributes[names.RUN_RESULT]]
    assert {log.attributes[names.RUN_RESULT] for log in of_runs(story)} == severities.keys()


def test_attributes_of_records(story):
    """The record carries what the docs list for it, each sometimes, and nothing else."""
    line = DOCS.line("One log record a run")
    listed = {word for word in code(line) if DOTTED.fullmatch(word)} - {names.RUN_FINISHED}
    # No journey of this story has closer runs, and the one that fails never passed before.
    listed -= {names.RUN_CLOSER, names.LOG_CHANGE}
    # Nor is there a deploy.
    listed -= {names.LOG_DEPLOY_RELEASE, names.LOG_DEPLOY_SECONDS}
    assert {key for log in of_runs(story) for key in log.attributes} == listed


def test_a_journey_that_goes_down_is_told_once(story):
    """The one that fails each time goes down once, over a kill and a restart, and nobody comes
    back; the record leads to the run that turned it, and carries what the docs list."""
    (down,) = (log for log in story.logs if log.event_name != names.RUN_FINISHED)
    assert (down.event_name, down.severity) == (names.JOURNEY_DOWN, "ERROR")
    told = down.attributes
    assert (told[names.LOG_JOURNEY], told[names.LOG_FAILURES]) == ("fails", 2)
    assert told[names.LOG_FAILED_STEP] == "Wait for what never comes"
    assert "not done after 2.5 s" in told[names.LOG_ERROR]
    assert (told[names.RUN_OWNER], told[names.LOG_RUNBOOK]) == ("checkout", RUNBOOK)
    assert story.spans[down.trace_id, down.span_id].name == "journey fails"
    assert set(told) <= attributes_sent()


def test_attributes_of_spans(story):
    """Each kind of span carries what the published table lists for it, each sometimes, and
    nothing else; the spans of requests are clients', with OpenTelemetry's own names."""
    arrived = defaultdict(set)
    for span in story.spans.values():
        kind = "GET" if span.kind == "client" else span.name.partition(" ")[0]
        assert span.attributes[names.SYNTHETIC_TYPE] == "test"
        arrived[kind] |= span.attributes.keys() - {names.SYNTHETIC_TYPE}
    listed = {
        re.split(r"[ <,]", code(row[0])[0])[0]: {
            word for word in code(row[2]) if DOTTED.fullmatch(word)
        }
        for row in DOCS.table("span", "parent", "carries")
    }
    # A request that failed in the browser, or a page's own `traceparent`, is tested elsewhere.
    listed["GET"].discard("traceparent")
    listed["journey"].discard(names.RUN_CLOSER)  # as above
    assert arrived == listed
