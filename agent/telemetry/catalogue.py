"""The published table of metrics: what each is, in which unit, with which attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from agent.core import names
from agent.core.beacon_report import BeaconAction
from agent.core.errors import ErrorType
from agent.core.gate import GateVerdict
from agent.core.model import RestartReason, SkipReason
from agent.core.results import Result, StepOutcome
from agent.core.suspension import Cause, Mode
from agent.telemetry.delivery.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """How a metric behaves over time."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table.

    ``attributes`` maps each key a data point may have to its allowed values; None means
    that the set is open but small. ``optional`` names those that may be left out.
    """

    name: str
    kind: Kind
    unit: str
    description: str
    attributes: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    boundaries: tuple[float, ...] = ()


_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0)
_STEP_SECONDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0)
# Around the thresholds that the web calls good and poor for each vital.
_VITAL_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 0.8, 1.0, 1.8, 2.5, 3.0, 4.0, 6.0, 10.0)
_SHIFTS: Final = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0)
_LATE_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_OF_JOURNEY: Final[dict[str, frozenset[str] | None]] = {
    names.JOURNEY: None,
    names.SITE: None,
    names.LOCATION: None,
}
_PARTIES: Final = frozenset({"first", "third"})
_MEASURED: Final = frozenset({Result.PASS.value, Result.FAIL.value, Result.NOT_MEASURED.value})
_ERRORS: Final = {names.ERROR_TYPE: frozenset(error.value for error in ErrorType)}
_WITH_ERROR: Final = frozenset({names.ERROR_TYPE})
_OF_SIGNAL: Final = {names.SIGNAL: frozenset(signal.value for signal in Signal)}

_JOURNEY_METRICS: Final = (
    Metric(
        names.RUNS,
        Kind.COUNTER,
        "{run}",
        "Finished runs of the schedule, by result.",
        {**_OF_JOURNEY, names.RESULT: frozenset(r.value for r in Result), **_ERRORS},
        _WITH_ERROR,
    ),
    Metric(
        names.ATTEMPTS,
        Kind.COUNTER,
        "{attempt}",
        "Attempts of those runs, by their own result.",
        {**_OF_JOURNEY, names.RESULT: _MEASURED, **_ERRORS},
        _WITH_ERROR,
    ),
    Metric(
        names.DURATION,
        Kind.HISTOGRAM,
        "s",
        "Duration of the attempt that decided a run, by that attempt's result.",
        {**_OF_JOURNEY, names.RESULT: _MEASURED},
        boundaries=_SECONDS,
    ),
    Metric(
        names.UP,
        Kind.GAUGE,
        "",
        "1 after a pass or flaky, 0 after a fail; absent without a fresh verdict.",
        _OF_JOURNEY,
    ),
    Metric(
        names.CONSECUTIVE_FAILURES,
        Kind.GAUGE,
        "{run}",
        "Fails in a row; runs that were not measured leave it. Absent without a fresh verdict.",
        _OF_JOURNEY,
    ),
    Metric(
        names.SLOW,
        Kind.COUNTER,
        "{run}",
        "Passes that took longer than the limit of the journey or of one of its steps.",
        _OF_JOURNEY,
    ),
    Metric(
        names.CONSECUTIVE_SLOW,
        Kind.GAUGE,
        "{run}",
        "Slow passes in a row; runs that did not pass leave it. Absent without a fresh verdict.",
        _OF_JOURNEY,
    ),
    Metric(
        names.LAST_RUN,
        Kind.GAUGE,
        "s",
        "Unix time of the last result of any kind.",
        _OF_JOURNEY,
    ),
    Metric(
        names.LAST_SUCCESS,
        Kind.GAUGE,
        "s",
        "Unix time of the last pass or flaky.",
        _OF_JOURNEY,
    ),
    Metric(
        names.INTERVAL,
        Kind.GAUGE,
        "s",
        "Gap to the next slot.",
        _OF_JOURNEY,
    ),
    Metric(
        names.SUSPENDED,
        Kind.GAUGE,
        "",
        "1 under a pause or in a maintenance window, up to the first verdict after it; then 0.",
        {
            **_OF_JOURNEY,
            names.REASON: frozenset(cause.value for cause in Cause),
            names.MODE: frozenset(mode.value for mode in Mode),
            names.END: frozenset({"open", "set"}),
        },
    ),
    Metric(
        names.STEP_DURATION,
        Kind.HISTOGRAM,
        "s",
        "Duration of the steps of a deciding attempt that measured the target.",
        {
            **_OF_JOURNEY,
            names.STEP: None,
            names.RESULT: frozenset({StepOutcome.PASS.value, StepOutcome.FAIL.value}),
        },
        boundaries=_STEP_SECONDS,
    ),
    Metric(
        names.WEB_VITAL,
        Kind.HISTOGRAM,
        "s",
        "Web vitals of the pages of a deciding attempt that measured the target.",
        {**_OF_JOURNEY, names.VITAL: frozenset({"lcp", "fcp", "ttfb", "inp"})},
        boundaries=_VITAL_SECONDS,
    ),
    Metric(
        names.WEB_VITAL_CLS,
        Kind.HISTOGRAM,
        "",
        "Cumulative layout shift of those pages.",
        _OF_JOURNEY,
        boundaries=_SHIFTS,
    ),
    Metric(
        names.REQUESTS,
        Kind.COUNTER,
        "{request}",
        "Requests of all attempts.",
        {
            **_OF_JOURNEY,
            names.PARTY: _PARTIES,
            names.OUTCOME: frozenset({"ok", "http_error", "failed"}),
        },
    ),
    Metric(
        names.PAGE_ERRORS,
        Kind.COUNTER,
        "{error}",
        "Uncaught errors of pages' scripts, of all attempts, by whose script it was.",
        {**_OF_JOURNEY, names.PARTY: _PARTIES},
    ),
    Metric(
        names.BEACONS,
        Kind.COUNTER,
        "{beacon}",
        "Hits for vendors of analytics, of all attempts; any that escaped is worth an alert.",
        {
            **_OF_JOURNEY,
            names.VENDOR: None,
            names.ACTION: frozenset(action.value for action in BeaconAction),
        },
    ),
)

_SCHEDULE_METRICS: Final = (
    Metric(
        names.SCHEDULE_EXPECTED,
        Kind.COUNTER,
        "{run}",
        "Slots that came due: those run, skipped and in flight.",
        _OF_JOURNEY,
    ),
    Metric(
        names.SCHEDULE_SKIPPED,
        Kind.COUNTER,
        "{run}",
        "Slots that were not run.",
        {**_OF_JOURNEY, names.REASON: frozenset(reason.value for reason in SkipReason)},
    ),
    Metric(
        names.SCHEDULE_LATENESS,
        Kind.HISTOGRAM,
        "s",
        "From a slot's time to the start of its run.",
        _OF_JOURNEY,
        boundaries=_LATE_SECONDS,
    ),
)

_OF_GATE: Final = {
    names.SITE: None,
    names.LOCATION: None,
    names.VERDICT: frozenset(one.value for one in GateVerdict if one is not GateVerdict.PENDING),
}
_GATE_METRICS: Final = (
    Metric(
        names.GATE_VERDICTS,
        Kind.COUNTER,
        "{verdict}",
        "Verdicts of release gates.",
        _OF_GATE,
    ),
    Metric(
        names.GATE_DURATION,
        Kind.HISTOGRAM,
        "s",
        "From the request for a verdict to the verdict.",
        _OF_GATE,
        boundaries=_SECONDS,
    ),
)

_AGENT_METRICS: Final = (
    Metric(
        names.TLS_EXPIRY,
        Kind.GAUGE,
        "s",
        "Unix time at which the certificate of a first party ends.",
        {names.HOST: None},
    ),
    Metric(
        names.TLS_LIFETIME,
        Kind.GAUGE,
        "s",
        "How long that certificate holds in all.",
        {names.HOST: None},
    ),
    Metric(
        names.AGENT_WORKERS,
        Kind.GAUGE,
        "{worker}",
        "Worker processes, by what they are doing.",
        {names.STATE: frozenset({"idle", "busy", "starting"})},
    ),
    Metric(
        names.AGENT_WORKER_RESTARTS,
        Kind.COUNTER,
        "{restart}",
        "Workers that were replaced.",
        {names.REASON: frozenset(reason.value for reason in RestartReason)},
    ),
    Metric(
        names.REPLICAS,
        Kind.GAUGE,
        "{replica}",
        "Replicas of this location that are heard, this one among them; 0 for one that is cut off.",
    ),
    Metric(names.AGENT_QUEUE_DEPTH, Kind.GAUGE, "{run}", "Runs that wait for a worker."),
    Metric(names.AGENT_MEMORY, Kind.GAUGE, "By", "Proportional set size of the agent's processes."),
    Metric(names.AGENT_PROCESSES, Kind.GAUGE, "{process}", "Processes of the agent."),
    Metric(
        names.AGENT_DRAINING,
        Kind.GAUGE,
        "",
        "1 once the agent was told to leave and lets its runs end; else 0.",
    ),
    Metric(
        names.RELOAD_SUCCESS,
        Kind.GAUGE,
        "",
        "1 where the last reload was taken up, or there was none; 0 where it was refused.",
    ),
    Metric(
        names.RELOAD_TIME,
        Kind.GAUGE,
        "s",
        "Unix time at which what is in force was taken up: by the start, or a reload since.",
    ),
    Metric(
        names.SPOOL_ITEMS,
        Kind.GAUGE,
        "{item}",
        "Spans, log records and data points that wait for the collector.",
        _OF_SIGNAL,
    ),
    Metric(names.SPOOL_BYTES, Kind.GAUGE, "By", "Size of what waits.", _OF_SIGNAL),
    Metric(
        names.SPOOL_OLDEST_AGE,
        Kind.GAUGE,
        "s",
        "Age of the oldest that waits; 0 where nothing does.",
        _OF_SIGNAL,
    ),
    Metric(names.SPOOL_SENT, Kind.COUNTER, "{item}", "Items that were accepted.", _OF_SIGNAL),
    Metric(
        names.SPOOL_DROPPED,
        Kind.COUNTER,
        "{item}",
        "Items lost: over the spool's bounds, or refused by the collector.",
        _OF_SIGNAL,
    ),
)

CATALOGUE: Final[Mapping[str, Metric]] = {
    metric.name: metric
    for metric in (*_JOURNEY_METRICS, *_SCHEDULE_METRICS, *_GATE_METRICS, *_AGENT_METRICS)
}
