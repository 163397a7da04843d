"""A finished run as OTLP spans: journey, its attempts, and what the workers sent.

The spans are built by hand, so that no sampler, limit or processor of the SDK comes
between a run and its trace.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from agent.core import names
from agent.core.gate import GateVerdict
from agent.core.results import Result, SpanData
from agent.core.slowness import too_slow
from agent.telemetry.attributes import NAME, fit, fit_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.resources import Resource

    from agent.core.gate import GateEnd
    from agent.core.results import Attempt, Attribute, RunResult

_KINDS: Final = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT}
_STATUSES: Final = {
    "unset": StatusCode.UNSET,
    "ok": StatusCode.OK,
    "error": StatusCode.ERROR,
}
_CASE_STATUS: Final = {Result.PASS: "pass", Result.FLAKY: "pass", Result.FAIL: "fail"}
_MESSAGE_LIMIT: Final = 1000
_LINKS: Final = 32


def encode_run(run: RunResult, resource: Resource, version: str) -> tuple[bytes, int]:
    """Return a serialised ``ExportTraceServiceRequest`` of the run, and how many spans it has."""
    attempts = (span for attempt in run.attempts for span in _attempt(run, attempt))
    return _encode((_journey(run), *attempts), resource, version)


def encode_gate(end: GateEnd, resource: Resource, version: str) -> tuple[bytes, int]:
    """Return the same of a gate's span, which those of its walks are children of."""
    return _encode((_gate(end),), resource, version)


def encode_root(run: RunResult, resource: Resource, version: str) -> tuple[bytes, int]:
    """Return the same of the run's root span alone."""
    return _encode((_journey(run),), resource, version)


def _encode(spans: Sequence[SpanData], resource: Resource, version: str) -> tuple[bytes, int]:
    scope = InstrumentationScope(names.SCOPE, version)
    readable = [_readable(span, resource, scope) for span in spans]
    return encode_spans(readable).SerializeToString(), len(spans)


def context(trace_id: str, span_id: str) -> SpanContext:
    """Return the context of a span, always as sampled; ids are hex."""
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(0x01)
    )


def _journey(run: RunResult) -> SpanData:
    attributes: dict[str, Attribute] = {
        names.SUITE_NAME: run.journey.site.name,
        names.CASE_NAME: run.journey.name,
        names.RUN_ID: run.run_id,
        names.RUN_RESULT: run.result.value,
        names.RUN_TRIGGER: run.trigger.value,
        names.RUN_LOCATION: run.location,
        names.RUN_OWNER: run.journey.owner,
        names.RUN_ARTIFACTS: list(run.artifacts),
    }
    if run.result in _CASE_STATUS:
        attributes[names.CASE_STATUS] = _CASE_STATUS[run.result]
    if run.closer:
        attributes[names.RUN_CLOSER] = True
    if slow := too_slow(run):
        attributes[names.RUN_SLOW] = [one.shown for one in slow]
    if run.release:
        attributes[names.RELEASE] = run.release
    if run.error_type is not None:
        attributes[names.ERROR_TYPE] = run.error_type.value
    failed = run.result is Result.FAIL
    return SpanData(
        name=names.JOURNEY_SPAN.format(name=run.journey.name),
        trace_id=run.trace_id,
        span_id=run.span_id,
        parent_id=run.parent_id,
        start_ns=_nanoseconds(run.started_at),
        end_ns=_nanoseconds(run.ended_at),
        status="error" if failed else "unset",
        message=run.error if failed else "",
        attributes=attributes,
    )


def _gate(end: GateEnd) -> SpanData:
    order, failed = end.order, end.verdict is GateVerdict.FAIL
    return SpanData(
        name=names.GATE_SPAN.format(site=order.site),
        trace_id=end.trace_id,
        span_id=end.span_id,
        parent_id=None,
        start_ns=_nanoseconds(end.asked_at),
        end_ns=_nanoseconds(end.asked_at + end.seconds),
        status="error" if failed else "unset",
        message=end.reasons[0] if failed and end.reasons else "",
        attributes={
            names.SUITE_NAME: order.site,
            names.GATE_ID: end.gate_id,
            names.GATE_VERDICT: end.verdict.value,
            names.GATE_REASONS: list(end.reasons),
            names.GATE_RELEASE: order.release,
            names.GATE_SOURCE: order.source,
            names.RUN_LOCATION: end.location,
        },
    )


def _attempt(run: RunResult, attempt: Attempt) -> Iterator[SpanData]:
    attributes: dict[str, Attribute] = {
        names.ATTEMPT_NUMBER: attempt.number,
        names.RUN_RESULT: attempt.result.value,
    }
    if attempt.releases:
        attributes[names.RELEASE] = ", ".join(attempt.releases)
    if attempt.error_type is not None:
        attributes[names.ERROR_TYPE] = attempt.error_type.value
    failed = attempt.result is Result.FAIL
    yield SpanData(
        name=names.ATTEMPT_SPAN.format(number=attempt.number),
        trace_id=run.trace_id,
        span_id=attempt.span_id,
        parent_id=run.span_id,
        start_ns=_nanoseconds(attempt.started_at),
        end_ns=_nanoseconds(attempt.started_at + attempt.duration),
        status="error" if failed else "unset",
        message=attempt.error if failed else "",
        attributes=attributes,
    )
    # A killed worker leaves finished requests under a step that never ended.
    known = {attempt.span_id, *(span.span_id for span in attempt.spans)}
    for span in attempt.spans:
        yield span if span.parent_id in known else replace(span, parent_id=attempt.span_id)


def _readable(span: SpanData, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    code = _STATUSES[span.status]
    return ReadableSpan(
        name=fit_text(span.name, NAME),
        context=context(span.trace_id, span.span_id),
        parent=context(span.trace_id, span.parent_id) if span.parent_id else None,
        resource=resource,
        attributes=fit({names.SYNTHETIC_TYPE: names.SYNTHETIC_TEST, **span.attributes}),
        links=tuple(Link(context(*link)) for link in span.links[:_LINKS]),
        kind=_KINDS[span.kind],
        status=Status(
            code,
            fit_text(span.message, _MESSAGE_LIMIT)
            if code is StatusCode.ERROR and span.message
            else None,
        ),
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=scope,
    )


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
