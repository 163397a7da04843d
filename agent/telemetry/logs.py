"""One log record a run: what happened, in a line, with the trace it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from agent.core import names
from agent.core.results import Result, StepOutcome
from agent.telemetry import spans
from agent.telemetry.text import clean, clean_all

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from agent.core.results import Attribute, RunResult

_SEVERITIES: Final = {
    Result.PASS: ("INFO", SeverityNumber.INFO),
    Result.FLAKY: ("WARN", SeverityNumber.WARN),
    Result.NOT_MEASURED: ("WARN", SeverityNumber.WARN),
    Result.FAIL: ("ERROR", SeverityNumber.ERROR),
}
_BODY_LIMIT: Final = 300
_ERROR_LIMIT: Final = 4000


def encode_run(run: RunResult, resource: Resource, version: str) -> bytes:
    """Return a serialised ``ExportLogsServiceRequest`` with the run's one record."""
    text, number = _SEVERITIES[run.result]
    moment = int(run.ended_at * 1e9)
    record = LogRecord(
        timestamp=moment,
        observed_timestamp=moment,
        context=set_span_in_context(NonRecordingSpan(spans.context(run.trace_id, run.span_id))),
        severity_text=text,
        severity_number=number,
        body=_body(run),
        attributes=_attributes(run),
        event_name=names.RUN_FINISHED,
    )
    scope = InstrumentationScope(names.SCOPE, version)
    payload: bytes = encode_logs([ReadableLogRecord(record, resource, scope)]).SerializeToString()
    return payload


def _body(run: RunResult) -> str:
    where = f"{run.journey.name} on {run.journey.site.name}"
    if run.location:
        where += f" from {run.location}"
    body = f"{where}: {run.result.value} in {run.duration:.2f} s"
    if run.error_type is not None:
        body += f", {run.error_type.value}"
    if step := _failed_step(run):
        body += f' at step "{step}"'
    if run.error:
        body += f": {' '.join(run.error.split())}"
    if run.escaped:
        body += f"; {run.escaped} beacons escaped"
    return clean(body[:_BODY_LIMIT])


def _attributes(run: RunResult) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {
        names.SYNTHETIC_TYPE: names.SYNTHETIC_TEST,
        names.LOG_JOURNEY: run.journey.name,
        names.LOG_SITE: run.journey.site.name,
        names.RUN_LOCATION: run.location,
        names.RUN_RESULT: run.result.value,
        names.ERROR_TYPE: run.error_type.value if run.error_type is not None else "",
        names.LOG_ERROR: run.error[:_ERROR_LIMIT],
        names.LOG_FAILED_STEP: _failed_step(run),
        names.LOG_SCREENSHOT: _screenshot(run),
        names.RUN_OWNER: run.journey.owner,
        names.LOG_RUNBOOK: run.journey.runbook,
        names.LOG_SEVERITY: run.journey.severity,
        names.RUN_ID: run.run_id,
        names.RUN_TRIGGER: run.trigger.value,
        names.RUN_ARTIFACTS: list(run.artifacts),
        names.LOG_DURATION: run.duration,
    }
    if run.place:
        attributes |= {names.LOG_FILE: run.place.file, names.LOG_LINE: run.place.line}
    if run.escaped:
        attributes[names.LOG_ESCAPED] = run.escaped
    return clean_all(attributes)


def _failed_step(run: RunResult) -> str:
    """Return the step that the run's error happened in; "" where it was in none."""
    for attempt in run.attempts:
        if run.error_type is not None and attempt.error_type is run.error_type:
            return next((s.name for s in attempt.steps if s.result is StepOutcome.FAIL), "")
    return ""


def _screenshot(run: RunResult) -> str:
    """Return the picture among the deciding attempt's evidence; "" where there is none."""
    return next((path for path in run.artifacts if path.endswith(".png")), "")
