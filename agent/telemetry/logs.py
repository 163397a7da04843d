"""One log record a run: what happened, in a line, with the trace it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as EncodedResource

from agent.core import names
from agent.core.results import Result, StepOutcome
from agent.telemetry.attributes import encode, fit, fit_text

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from agent.core.results import Attribute, RunResult

_SEVERITIES: Final = {
    Result.PASS: ("INFO", SeverityNumber.SEVERITY_NUMBER_INFO),
    Result.FLAKY: ("WARN", SeverityNumber.SEVERITY_NUMBER_WARN),
    Result.NOT_MEASURED: ("WARN", SeverityNumber.SEVERITY_NUMBER_WARN),
    Result.FAIL: ("ERROR", SeverityNumber.SEVERITY_NUMBER_ERROR),
}
_SAMPLED: Final = 1
_BODY_LIMIT: Final = 300
_ERROR_LIMIT: Final = 4000


def encode_run(run: RunResult, resource: Resource, version: str) -> bytes:
    """Return a serialised ``ExportLogsServiceRequest`` with the run's one record."""
    text, number = _SEVERITIES[run.result]
    moment = int(run.ended_at * 1e9)
    record = LogRecord(
        time_unix_nano=moment,
        observed_time_unix_nano=moment,
        severity_text=text,
        severity_number=number,
        body=AnyValue(string_value=_body(run)),
        attributes=encode(_attributes(run)),
        trace_id=bytes.fromhex(run.trace_id),
        span_id=bytes.fromhex(run.span_id),
        flags=_SAMPLED,
        event_name=names.RUN_FINISHED,
    )
    # By hand: the library's own encoder of logs is none of its public parts.
    scope = ScopeLogs(
        scope=InstrumentationScope(name=names.SCOPE, version=version), log_records=[record]
    )
    whole = ResourceLogs(
        resource=EncodedResource(
            attributes=encode({key: str(value) for key, value in resource.attributes.items()})
        ),
        scope_logs=[scope],
    )
    payload: bytes = ExportLogsServiceRequest(resource_logs=[whole]).SerializeToString()
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
    return fit_text(body, _BODY_LIMIT)


def _attributes(run: RunResult) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {
        names.SYNTHETIC_TYPE: names.SYNTHETIC_TEST,
        names.LOG_JOURNEY: run.journey.name,
        names.LOG_SITE: run.journey.site.name,
        names.RUN_LOCATION: run.location,
        names.RUN_RESULT: run.result.value,
        names.ERROR_TYPE: run.error_type.value if run.error_type is not None else "",
        names.LOG_ERROR: run.error,
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
    return fit(attributes, _ERROR_LIMIT)


def _failed_step(run: RunResult) -> str:
    """Return the step that the run's error happened in; "" where it was in none."""
    for attempt in run.attempts:
        if run.error_type is not None and attempt.error_type is run.error_type:
            return next((s.name for s in attempt.steps if s.result is StepOutcome.FAIL), "")
    return ""


def _screenshot(run: RunResult) -> str:
    """Return the picture among the deciding attempt's evidence; "" where there is none."""
    return next((path for path in run.artifacts if path.endswith(".png")), "")
