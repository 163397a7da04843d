"""What a walk came to: steps, spans, attempts and the run's result.

Frozen, as the definitions in ``model``. Times are Unix seconds (float, UTC) unless a name
ends in ``_ns``; durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import Field

from agent.core.beacon_report import Audit
from agent.core.certificate import Certificate
from agent.core.difference import Comparison
from agent.core.errors import ErrorType
from agent.core.limits import (
    MOST_ATTRIBUTES,
    MOST_HOSTS,
    MOST_NEAR,
    MOST_RELEASES,
    MOST_VITALS,
    Count,
    Integer,
    Message,
    Name,
    Nanoseconds,
    Seconds,
    SpanId,
    Time,
    TraceId,
    first,
)
from agent.core.model import Journey, Trigger
from agent.core.outline import Outline
from agent.core.source_line import SourceLine

Attribute = Message | bool | Integer | float | Annotated[list[Message], first(MOST_ATTRIBUTES)]
"""A value that OpenTelemetry attributes may take."""

EvidenceName = Literal["aria.yml", "failure.json", "screenshot.png", "trace.zip"]
EVIDENCE: frozenset[str] = frozenset(get_args(EvidenceName))
"""The files in which an attempt may leave evidence."""

RequestKind = Annotated[str, Field(pattern=r"^(first|third) (ok|http_error|failed)$")]
"""Whose address a request went to, and what became of it."""
Party = Literal["first", "third"]
"""Whose an address or a script is: the site's own, or somebody else's."""
VitalName = Annotated[str, Field(pattern=r"^(lcp|fcp|ttfb|inp|cls)$")]


class Result(StrEnum):
    """What a run, or one attempt of it, came to. Attempts are never ``flaky``."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FLAKY = "flaky"
    FAIL = "fail"
    NOT_MEASURED = "not_measured"


class StepOutcome(StrEnum):
    """What one step came to; ``skipped`` is a step that was never reached."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class SpanData:
    """A finished span as plain data. Ids are lower-case hex; times are Unix nanoseconds."""

    name: Name
    trace_id: TraceId
    span_id: SpanId
    parent_id: SpanId | None
    start_ns: Nanoseconds
    end_ns: Nanoseconds
    kind: Literal["internal", "client"] = "internal"
    status: Literal["unset", "ok", "error"] = "unset"
    message: Message = ""
    attributes: Annotated[dict[Name, Attribute], first(MOST_ATTRIBUTES)] = field(
        default_factory=dict
    )
    links: Annotated[tuple[tuple[TraceId, SpanId], ...], first(MOST_ATTRIBUTES)] = ()
    """Pairs of (trace id, span id) that this span points at."""


@dataclass(frozen=True, slots=True)
class Tag:
    """What one tagged request was given: its span's id, and under which span it lies.

    ``own_context`` is the (trace id, span id) that the page had set itself, if it had.
    """

    span_id: str
    parent_id: str
    own_context: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an attempt. ``duration`` is None for a step that was never reached."""

    name: Name
    result: StepOutcome
    duration: Seconds | None = None
    slow: Seconds | None = None
    """Seconds above which it is slow; None: it has no limit."""
    optional: bool = False
    """Whether the journey goes on where it fails: it lies in a step of that kind, or is one."""


@dataclass(frozen=True, slots=True)
class Vital:
    """One web vital read on a page: ``lcp``, ``fcp``, ``ttfb``, ``inp`` in seconds, or ``cls``."""

    vital: VitalName
    value: Seconds
    span_id: SpanId | None = None
    """The span of the step at whose end it was read."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One walk of a journey, judged. ``result`` is never ``flaky``."""

    number: int
    result: Result
    span_id: str
    started_at: float
    duration: float
    error_type: ErrorType | None = None
    error: str = ""
    steps: tuple[Step, ...] = ()
    spans: tuple[SpanData, ...] = ()
    requests: dict[str, int] = field(default_factory=dict)
    """Counts of requests, keyed ``"<party> <outcome>"`` (``"first ok"``)."""
    vitals: tuple[Vital, ...] = ()
    artifacts: tuple[str, ...] = ()
    """Paths relative to the artifacts folder."""
    audit: Audit = field(default_factory=Audit)
    page_errors: dict[Party, int] = field(default_factory=dict)
    """Uncaught errors of pages' scripts, by whose script raised them."""
    certificates: tuple[Certificate, ...] = ()
    """Those that first parties showed; of a host that showed several, the one that ends soonest."""
    place: SourceLine | None = None
    """The line of the journey that the error came out of, if it came out of one."""
    held_up: bool = False
    """Whether the agent itself held it up, so that its times say nothing about the target."""
    outline: Outline | None = None
    """What the walk did and met; None where that isn't known."""
    comparison: Comparison = field(default_factory=Comparison)
    """Of one that failed: what is different from its journey's last passes."""
    releases: tuple[str, ...] = ()
    """Those of the site that answered, in the order in which they did; none where none said so."""


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """What a worker saw of one walk, before anybody is blamed.

    ``error_type`` is what ended the walk (None: it passed); the other fields are what the
    judge needs to know whose trouble that was.
    """

    started_at: Time
    duration: Seconds
    error_type: ErrorType | None = None
    error: Message = ""
    unreachable: bool = False
    """Whether it ended on a resolve or connect error."""
    canary: Message | None = None
    """Why the agent's own page could not be loaded; None where it could or wasn't tried."""
    lag: Seconds = 0.0
    """The longest time for which the worker's event loop stood still, in seconds."""
    tagger_wait: Seconds = 0.0
    """The longest time for which a request waited for its tag, in seconds."""
    awaited: Seconds = 0.0
    """For how long the site had owed an answer when the walk ended; 0.0: it owed none."""
    blocked_at: Name = ""
    """``file:line`` of the journey code that blocked the loop for longest, if any did."""
    requests: dict[RequestKind, Count] = field(default_factory=dict)
    vitals: Annotated[tuple[Vital, ...], first(MOST_VITALS)] = ()
    evidence: tuple[EvidenceName, ...] = ()
    """Names of files left in the attempt's scratch folder."""
    audit: Audit = field(default_factory=Audit)
    page_errors: dict[Party, Count] = field(default_factory=dict)
    certificates: Annotated[tuple[Certificate, ...], first(MOST_HOSTS)] = ()
    place: SourceLine | None = None
    """The line of the journey that it ended in."""
    near: Annotated[tuple[Message, ...], first(MOST_NEAR)] = ()
    """What was there instead of that which was looked for and not found; part of the evidence."""
    outline: Outline | None = None
    """What the walk did and met; None where it did not come so far."""
    releases: Annotated[tuple[Name, ...], first(MOST_RELEASES)] = ()
    """Those of the site that answered, in the order in which they did."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """What the supervisor holds of one attempt: the report, and how the worker ended, if it did.

    A worker that ends after it told the outcome leaves both: the report stands, without its
    evidence. Steps and spans crossed the pipe as they finished, so a killed attempt keeps its own.
    """

    worker: int
    started_at: float
    ended_at: float
    report: AttemptReport | None = None
    death: ErrorType | None = None
    """How the worker ended under the attempt; None where it is still there."""
    detail: str = ""
    blocked_at: str = ""
    """``file:line`` of the journey code that blocked the loop when the worker was killed."""
    steps: tuple[Step, ...] = ()
    spans: tuple[SpanData, ...] = ()
    recorded: bool = False
    """Whether a trace was recorded."""
    cpu_wait: float = 0.0
    """For how many seconds one of its processes was ready to run and had no processor."""
    last: bool = False
    """Whether no other worker will walk, since the agent is ending."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: what the slot, or the person who asked for it, gets back."""

    run_id: str
    journey: Journey
    location: str
    trigger: Trigger
    trace_id: str
    span_id: str
    scheduled_at: float | None
    started_at: float
    ended_at: float
    result: Result
    error_type: ErrorType | None
    error: str
    duration: float
    """Seconds of the attempt that decided."""
    attempts: tuple[Attempt, ...]
    decided_by: int = 0
    """Index into ``attempts`` of the one that decided."""
    closer: bool = False
    """Whether it was walked between the slots of a journey that fails: it counts for no figure."""
    parent_id: str | None = None
    """The span that its root span is a child of; None: it is one of its own."""

    @property
    def place(self) -> SourceLine | None:
        """The line of the journey that the run's error came out of, if it came out of one."""
        return self._failed.place if self._failed else None

    @property
    def comparison(self) -> Comparison:
        """What the attempt that the run's error is of had different from the last passes."""
        return self._failed.comparison if self._failed else Comparison()

    @property
    def failed_releases(self) -> tuple[str, ...]:
        """The releases that answered the attempt that the run's error is of."""
        return self._failed.releases if self._failed else ()

    @property
    def _failed(self) -> Attempt | None:
        """The attempt that the run's error is of."""
        error = self.error_type, self.error
        same = (one for one in self.attempts if (one.error_type, one.error) == error)
        return next(same, None) if self.error_type else None

    @property
    def releases(self) -> tuple[str, ...]:
        """The releases of the site that answered any of its attempts, in that order."""
        return tuple(dict.fromkeys(one for attempt in self.attempts for one in attempt.releases))

    @property
    def release(self) -> str:
        """These in a word: "1.4.3", or "1.4.2, 1.4.3" of a mixed fleet; "" where none said so."""
        return ", ".join(self.releases)

    @property
    def failed_step(self) -> str:
        """The step that the run's error happened in, the innermost; "" where it was in none."""
        blamed = (one for one in self.attempts if one.error_type is self.error_type)
        steps = (step for one in blamed if self.error_type for step in one.steps)
        failed = (one for one in steps if one.result is StepOutcome.FAIL and not one.optional)
        return next((step.name for step in failed), "")

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Paths of the deciding attempt's evidence, relative to the artifacts folder."""
        return self.attempts[self.decided_by].artifacts if self.attempts else ()

    @property
    def escaped(self) -> int:
        """How many beacons of all attempts got out untouched, against the policy."""
        return sum(attempt.audit.escaped for attempt in self.attempts)
