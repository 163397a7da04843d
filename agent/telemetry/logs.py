"""Log records of runs: what happened, in a line, with the trace it belongs to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as EncodedResource

from agent.core import names
from agent.core.results import Result
from agent.core.slowness import too_slow
from agent.core.units import format_duration
from agent.telemetry.attributes import encode, fit, fit_text

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from agent.core.deploy import Deploy
    from agent.core.results import Attribute, RunResult
    from agent.storage.run_end import Turn

_SEVERITIES: Final = {
    Result.PASS: ("INFO", SeverityNumber.SEVERITY_NUMBER_INFO),
    Result.FLAKY: ("WARN", SeverityNumber.SEVERITY_NUMBER_WARN),
    Result.NOT_MEASURED: ("WARN", SeverityNumber.SEVERITY_NUMBER_WARN),
    Result.FAIL: ("ERROR", SeverityNumber.SEVERITY_NUMBER_ERROR),
}
_SAMPLED: Final = 1
_BODY_LIMIT: Final = 300
_ERROR_LIMIT: Final = 4000


def encode_run(
    run: RunResult, resource: Resource, version: str, deploy: Deploy | None = None
) -> bytes:
    """Return a serialised ``ExportLogsServiceRequest`` with the run's one record.

    ``deploy`` is the one near which it began, if there is one.
    """
    severity = _SEVERITIES[run.result]
    body, attributes = _body(run), _attributes(run)
    if deploy is not None:
        body += f"; began {deploy.before(run.started_at)}"
        attributes |= _of_deploy(deploy, run.started_at)
    record = _record(run, names.RUN_FINISHED, severity, body, attributes)
    return _encode(record, resource, version)


def encode_turn(
    run: RunResult, turn: Turn, resource: Resource, version: str, deploy: Deploy | None = None
) -> bytes:
    """Return the same with the record of a journey that went down or came back with a run."""
    name = names.JOURNEY_DOWN if turn.down else names.JOURNEY_UP
    severity = _SEVERITIES[Result.FAIL if turn.down else Result.PASS]
    body, attributes = _body_of_turn(run, turn), _of_turn(run, turn)
    if deploy is not None:
        body += f"; began {deploy.before(turn.since)}"
        attributes |= _of_deploy(deploy, turn.since)
    record = _record(run, name, severity, body, attributes)
    return _encode(record, resource, version)


def _record(
    run: RunResult,
    event: str,
    severity: tuple[str, SeverityNumber.ValueType],
    body: str,
    attributes: dict[str, Attribute],
) -> LogRecord:
    moment = int(run.ended_at * 1e9)
    text, number = severity
    return LogRecord(
        time_unix_nano=moment,
        observed_time_unix_nano=moment,
        severity_text=text,
        severity_number=number,
        body=AnyValue(string_value=fit_text(body, _BODY_LIMIT)),
        attributes=encode(fit(attributes, _ERROR_LIMIT)),
        trace_id=bytes.fromhex(run.trace_id),
        span_id=bytes.fromhex(run.span_id),
        flags=_SAMPLED,
        event_name=event,
    )


def _encode(record: LogRecord, resource: Resource, version: str) -> bytes:
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
    body = f"{_where(run)}: {run.result.value} in {run.duration:.2f} s"
    if run.error_type is not None:
        body += f", {run.error_type.value}"
    if step := run.failed_step:
        body += f' at step "{step}"'
    if run.error:
        body += f": {' '.join(run.error.split())}"
    for one in too_slow(run):
        body += f"; slow: {one.shown}"
    if run.escaped:
        body += f"; {run.escaped} beacons escaped"
    return body


def _body_of_turn(run: RunResult, turn: Turn) -> str:
    if not turn.down:
        return f"{_where(run)} is up again after {format_duration(round(turn.seconds))}"
    step = f' at step "{turn.step}"' if turn.step else ""
    return f"{_where(run)} is down, {turn.fails} fails in a row{step}: {turn.error}"


def _where(run: RunResult) -> str:
    where = f"{run.journey.name} on {run.journey.site.name}"
    return f"{where} from {run.location}" if run.location else where


def _of_turn(run: RunResult, turn: Turn) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {
        **_of_journey(run),
        names.ERROR_TYPE: turn.error_type,
        names.LOG_ERROR: turn.error,
        names.LOG_FAILED_STEP: turn.step,
        names.LOG_FAILURES: turn.fails,
        names.LOG_SINCE: datetime.fromtimestamp(turn.since, UTC).isoformat(timespec="milliseconds"),
    }
    return attributes if turn.down else {**attributes, names.LOG_DOWN_FOR: turn.seconds}


def _of_deploy(deploy: Deploy, began: float) -> dict[str, Attribute]:
    return {
        names.LOG_DEPLOY_RELEASE: deploy.release,
        names.LOG_DEPLOY_SECONDS: round(began - deploy.at, 3),
    }


def _of_journey(run: RunResult) -> dict[str, Attribute]:
    closer: dict[str, Attribute] = {names.RUN_CLOSER: True} if run.closer else {}
    return {
        **closer,
        names.SYNTHETIC_TYPE: names.SYNTHETIC_TEST,
        names.LOG_JOURNEY: run.journey.name,
        names.LOG_SITE: run.journey.site.name,
        names.RUN_LOCATION: run.location,
        names.RUN_OWNER: run.journey.owner,
        names.LOG_RUNBOOK: run.journey.runbook,
        names.LOG_SEVERITY: run.journey.severity,
        names.RUN_ID: run.run_id,
        names.RUN_TRIGGER: run.trigger.value,
    }


def _attributes(run: RunResult) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {
        **_of_journey(run),
        names.RUN_RESULT: run.result.value,
        names.ERROR_TYPE: run.error_type.value if run.error_type is not None else "",
        names.LOG_ERROR: run.error,
        names.LOG_FAILED_STEP: run.failed_step,
        names.LOG_SCREENSHOT: _screenshot(run),
        names.RUN_ARTIFACTS: list(run.artifacts),
        names.LOG_DURATION: run.duration,
    }
    if slow := too_slow(run):
        attributes[names.RUN_SLOW] = [one.shown for one in slow]
    if run.place:
        attributes |= {names.LOG_FILE: run.place.file, names.LOG_LINE: run.place.line}
    if run.release:
        attributes[names.RELEASE] = run.release
    if change := run.comparison.first_line:
        attributes[names.LOG_CHANGE] = change
    if run.escaped:
        attributes[names.LOG_ESCAPED] = run.escaped
    return attributes


def _screenshot(run: RunResult) -> str:
    """Return the picture among the deciding attempt's evidence; "" where there is none."""
    return next((path for path in run.artifacts if path.endswith(".png")), "")
