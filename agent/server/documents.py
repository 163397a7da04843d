"""The documents that the API answers and the pages render, and who has them.

Each page shows the very document that its address below ``/api/v1`` answers. Times are RFC 3339
in UTC, durations seconds, shares per cent; None stands for what is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, Protocol, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.core.difference import ChangeDocument


Bar = Literal["pass", "flaky", "fail", "not_measured", "suspended", "unknown"]
"""What a stretch of time came to, by the worst of it. ``suspended``: it was mostly paused or in a
window that stops; ``not_measured``: less than half of it was measured; ``unknown``: no slot ended
in it."""


class SourceLineDocument(TypedDict):
    """A line of the author's code."""

    file: str
    line: int
    source: str


class TooSlowDocument(TypedDict):
    """What of a pass was above its limit; ``step`` is None for the walk as a whole."""

    step: str | None
    limit: float
    seconds: float


class SkippedDocument(TypedDict):
    """Slots that were skipped for one reason."""

    reason: str
    count: int
    last_at: str


class ShareDocument(TypedDict):
    """What ended slots came to. Never show ``uptime`` without ``measured``, per cent of slots."""

    slots: int
    uptime: float | None
    """(pass + flaky) / (pass + flaky + fail), rounded down to three decimals."""
    measured: float | None


class UptimeDocument(ShareDocument):
    """The same over so many days, the last of which goes on: ``1`` is 24 hours."""

    days: int
    since: str
    passed: int
    flaky: int
    failed: int
    not_measured: int
    skipped: int
    slow: int
    silenced: int
    """Slots that were walked while ``silence`` held; they count as any."""


class StretchDocument(ShareDocument):
    """One bar: an hour or a day in UTC, that may still go on."""

    at: str
    """When it begins."""
    bar: Bar
    passed: int
    flaky: int
    failed: int
    not_measured: int
    skipped: dict[str, int]
    """By reason."""
    suspended: int
    """Of the skipped: those that a pause or a window stopped."""
    silenced: int
    """Slots that were walked while ``silence`` held: hatch the bar over."""
    slow: int
    median: float | None
    """Of the passes' durations, as ``p95``; both within 5 %."""
    p95: float | None


class SuspensionDocument(TypedDict):
    """What suspends a journey, or did; ``over`` where alerts alone still wait.

    ``cause`` is pause or maintenance, ``mode`` stop or silence.
    """

    cause: str
    mode: str
    reason: str
    who: str
    since: str
    until: str | None
    over: bool


class PauseDocument(TypedDict):
    """A pause; ``journeys`` is None where it is of all."""

    id: str
    journeys: list[str] | None
    resumed: list[str]
    mode: str
    reason: str
    who: str
    since: str
    until: str | None


class WindowDocument(TypedDict):
    """The turn of a maintenance window that ``holds``, or comes next."""

    journeys: list[str]
    mode: str
    reason: str
    who: str
    since: str
    until: str
    holds: bool
    covers: list[str]
    """Names of the journeys that are loaded and that it suspends."""


class CertificateDocument(TypedDict):
    """A first party's certificate; ``near``: its end is."""

    host: str
    ends_at: str
    lifetime: float
    near: bool


ReplicaState = Literal["heard", "draining", "lost", "left", "unknown"]
"""``lost`` was heard and is not, ``left`` drained; ``unknown``: the one that tells of it hears
nobody, since the server of ``queue.url`` is away."""


class ReplicaDocument(TypedDict):
    """One of the replicas that share a location, or one that did."""

    replica: str
    """Its ``service.instance.id``."""
    name: str
    here: bool
    """Whether it is the one that answers."""
    state: ReplicaState
    address: str
    version: str
    workers: int
    free: int
    journeys: str
    """The digest of its journeys."""
    behind: bool
    """Whether others' journeys are walked, so that it walks nothing."""
    since: str
    heard_at: str
    clock_ahead: float
    """Seconds by which its clock is before that of the server of ``queue.url``."""


class MadeByDocument(TypedDict):
    """The replica that made a run and keeps its evidence, where another one tells of it."""

    replica: str
    name: str
    state: ReplicaState
    address: str
    """Empty where it can't be asked, as ``run``, the address of the run's page there."""
    run: str


class BriefDocument(TypedDict):
    """Of a run what leads to its cause."""

    run_id: str
    result: str
    scheduled_at: str | None
    started_at: str
    duration: float
    error_type: str | None
    error: str | None
    step: str | None
    place: SourceLineDocument | None
    slow: list[TooSlowDocument]
    trace_id: str
    screenshot: str | None
    """Its address."""
    artifacts: list[str]
    links: dict[str, str]
    """The address of each artifact."""
    made_by: NotRequired[MadeByDocument]
    """Of a run that another replica made: then there are no artifacts here."""


class DeclaredDocument(TypedDict):
    """What author and configuration say of a journey."""

    journey: str
    summary: str
    site: str
    url: str
    location: str
    owner: str
    severity: str
    runbook: str
    public: str
    """Its title on the public page; empty: it isn't shown there."""
    file: str
    every: str
    timezone: str
    timeout: float
    slow: float | None
    every_failing: float | None
    enabled: bool


class StandingDocument(DeclaredDocument):
    """A journey as it stands: ``agent.core.standing.state_of`` puts it in a word."""

    running: bool
    next_at: str | None
    up: bool | None
    consecutive_failures: int
    consecutive_slow: int
    failing_since: str | None
    last_success_at: str | None
    suspended: SuspensionDocument | None
    last_run: BriefDocument | None
    last_failure: BriefDocument | None
    history: list[str]
    """Results of the last runs, the newest last."""
    day: ShareDocument
    """The last 24 hours."""
    skipped_since: str
    skipped: list[SkippedDocument]
    incident: int | None
    """Number of the incident that it is in now."""


class BarsDocument(TypedDict):
    """What the last hours and days came to, the newest last; see ``BarSpans`` for when."""

    hours: list[Bar]
    days: list[Bar]


class OverviewJourney(StandingDocument):
    """A journey of the overview."""

    uptime: list[UptimeDocument]
    """Over 1, 7, 30 and 90 days."""
    bars: BarsDocument


class BarSpans(TypedDict):
    """When the first of the bars begins."""

    hours: str
    days: str


class CheckDocument(TypedDict):
    """One thing that must be so for the agent to measure and report."""

    name: str
    ok: bool
    degraded: bool
    detail: str


class AgentDocument(TypedDict):
    """The agent itself; the checks are those of ``/readyz``, those in trouble first."""

    version: str
    environment: str
    status: Literal["ok", "degraded", "failing"]
    checks: list[CheckDocument]


class OverviewDocument(TypedDict):
    """``/`` and ``/api/v1/journeys``."""

    at: str
    location: str
    journeys: list[OverviewJourney]
    """By name; ``agent.core.standing.by_urgency`` sorts the worst first."""
    bars: BarSpans
    incidents: list[IncidentDocument]
    """Those that are open, the oldest first."""
    certificates: list[CertificateDocument]
    pauses: list[PauseDocument]
    maintenance: list[WindowDocument]
    agent: AgentDocument
    replicas: NotRequired[list[ReplicaDocument]]
    """Where several share the location."""


class StepRank(TypedDict):
    """How a step has done: ``failures`` in 30 days, times of the last passes that are kept."""

    step: str
    failures: int
    last_failed_at: str | None
    median: float | None
    p95: float | None


class RunLine(TypedDict):
    """A run of a list."""

    run_id: str
    result: str
    closer: bool
    """Whether it was walked between the slots of a journey that fails: it counts for no figure."""
    scheduled_at: str | None
    started_at: str
    duration: float
    error_type: str | None
    error: str | None
    """Its first line."""
    step: str | None
    slow: bool
    made_by: NotRequired[str]
    """The name of the replica that made it, where that is another one."""


class JourneyDocument(TypedDict):
    """``/journeys/{name}`` and ``/api/v1/journeys/{name}``."""

    at: str
    location: str
    loaded: bool
    """False where it is known by its runs alone: then ``journey`` is None."""
    name: str
    journey: StandingDocument | None
    uptime: list[UptimeDocument]
    """Over 1, 7, 30 and 90 days."""
    hours: list[StretchDocument]
    """24 of them, the newest last."""
    days: list[StretchDocument]
    """90 of them, the newest last."""
    steps: list[StepRank]
    """Those that failed most come first, then in the order in which they are walked."""
    runs: list[RunLine]
    """The newest first."""
    failures: list[RunLine]
    """The newest that did not pass, the newest first."""
    incidents: list[IncidentDocument]
    """Those that it was part of, the newest first."""
    deploys: list[DeployDocument]
    gates: list[GateDocument]
    """The newest in which it votes."""
    """Of its site, the newest first."""


class LiveStep(TypedDict):
    """A step of the public run object: ``result`` is pass, fail or skipped."""

    name: str
    result: str
    duration: float | None


class LiveAttempt(TypedDict):
    """What is over of an attempt that goes on."""

    steps: list[LiveStep]


class StepSpan(TypedDict):
    """A step of the waterfall. ``start`` counts from its attempt's start; None: never reached."""

    name: str
    result: str
    start: float | None
    duration: float | None
    depth: int
    """0 for a step that stands in no other."""
    slow: float | None
    """Seconds above which it is slow."""
    optional: bool
    """Whether its failure does not end the walk."""
    span_id: str | None


class RequestSpan(TypedDict):
    """A first-party request of the waterfall; ``step`` is an index into the attempt's steps."""

    method: str
    url: str
    kind: str
    """``document``, ``xhr``, ``fetch``, ``api``."""
    status: int | None
    error: str | None
    start: float
    duration: float
    step: int | None
    span_id: str


class ThirdPartyDocument(TypedDict):
    """What an attempt had to do with one vendor, or with one origin that nobody knows."""

    vendor: str
    category: str
    """Empty where nobody knows it."""
    origins: list[str]
    requests: int
    actions: dict[str, int]
    """Beacons by what became of them."""


class PageErrorDocument(TypedDict):
    """An uncaught error of a page's script, and how many times it came."""

    error: str
    at: str
    party: str
    times: int


class AttemptDocument(TypedDict):
    """One walk with its evidence."""

    number: int
    result: str
    error_type: str | None
    error: str | None
    place: SourceLineDocument | None
    started_at: str | None
    duration: float
    steps: list[StepSpan]
    """In the order in which they began; what was never reached comes last."""
    requests: list[RequestSpan]
    """In the order in which they began."""
    requests_cut: bool
    """Whether there were more than are told."""
    third_parties: list[ThirdPartyDocument]
    """Those with the most requests first."""
    screenshot: str | None
    """Its address."""
    trace: str | None
    title: str | None
    """Of the page that it failed on, as ``url``."""
    url: str | None
    console: list[str]
    page_errors: list[PageErrorDocument]
    failed_requests: list[str]
    missing: list[str]
    """Evidence that could not be had, and why."""


class LastPass(TypedDict):
    """The last run before this one that passed; its picture where one was kept."""

    run_id: str
    started_at: str
    duration: float
    screenshot: str | None


class RunDocument(TypedDict):
    """``/runs/{id}`` and ``/api/v1/runs/{id}``: a run, over or not.

    Of one that is ``skipped`` there is ``reason``; of one by hand that is ``waiting`` or
    ``running`` what has happened so far; all the others only of one that has ``ended``.
    """

    run_id: str
    journey: str
    trigger: str
    state: Literal["waiting", "running", "skipped", "ended"]
    reason: NotRequired[str]
    asked_at: NotRequired[str]
    step: NotRequired[str | None]
    attempts: NotRequired[list[LiveAttempt]]
    run: NotRequired[dict[str, Any]]
    """The public run object, as ``/api/v1/runs`` lists it."""
    links: NotRequired[dict[str, str]]
    """The address of each artifact."""
    walks: NotRequired[list[AttemptDocument]]
    """Each attempt, and what was seen in it."""
    decided_by: NotRequired[int]
    """Index into ``walks`` of the attempt that decided."""
    failed_step: NotRequired[str | None]
    changes: NotRequired[list[ChangeDocument]]
    """What is different from the last passes, the likeliest cause first."""
    compared_with: NotRequired[int]
    """How many passes that were, five at most; 0: none were known."""
    last_pass: NotRequired[LastPass | None]
    previous: NotRequired[str | None]
    """Id of the journey's run before this one, as ``next``."""
    next: NotRequired[str | None]
    incident: NotRequired[int | None]
    """Number of the incident that it was part of."""
    deploy: NotRequired[NearDeploy | None]
    """The release that it began after, if one went out shortly before."""
    trace_link: NotRequired[str | None]
    """Where ``[links] trace`` leads for it."""
    made_by: NotRequired[MadeByDocument]
    """The replica that has its evidence, where that is another one."""


class OutageDocument(TypedDict):
    """The time for which one journey was down, within an incident."""

    journey: str
    severity: str
    owner: str
    runbook: str
    began_at: str
    """When the first of its fails in a row started."""
    opened_at: str
    """When they were enough."""
    ended_at: str | None
    """When the first pass after that was over; None: it goes on."""
    ended_by: Literal["pass", "gone"] | None
    """``gone``: the journey is no longer loaded or enabled."""
    fails: int
    error_type: str
    error: str
    """Of the first fail, as ``error_type``, ``step`` and ``run_id``."""
    step: str
    run_id: str | None


class DeployDocument(TypedDict):
    """A release of a site that went out."""

    site: str
    release: str
    at: str
    """When it did, or first answered a walk where nobody announced it."""
    source: str
    """``api``, the adapter of a deploy tool, or ``walk``: seen by walks and announced by nobody."""
    url: str | None
    seen_at: str | None
    """When it first answered a walk of the schedule; None: not yet, or the site doesn't say."""


class DeploysDocument(TypedDict):
    """``/api/v1/deploys``."""

    at: str
    deploys: list[DeployDocument]
    """The newest first."""


class NearDeploy(DeployDocument):
    """A release that went out within the hour before something began, or as it did."""

    seconds: float
    """From the deploy until it began; below zero where it came just after."""
    told: str
    """``12 s after release 1.4.3``."""


class MomentDocument(TypedDict):
    """One moment of an incident's time line.

    By ``kind``: ``fail`` (the first of an outage, or one with another error), ``down``, ``pass``
    (the one that ended an outage), ``gone``, ``suspended`` (a pause or a window began to hold
    its journeys), ``resumed``, ``note``, ``deploy`` and ``gate`` (from an hour before it on).
    """

    at: str
    kind: Literal["fail", "down", "pass", "gone", "suspended", "resumed", "note", "deploy", "gate"]
    journey: str | None
    run_id: str | None
    text: str
    """The error, the reason of what suspends, or the note."""
    who: str


class IncidentDocument(TypedDict):
    """What was down at one site; outages within 15 minutes of each other are one incident."""

    id: int
    site: str
    location: str
    open: bool
    began_at: str
    opened_at: str
    ended_at: str | None
    seconds: float
    """From its true beginning to its end, or until now."""
    severity: str
    """``page`` if that of any of its journeys is."""
    error_type: str
    error: str
    """First line of the first fail's, as ``error_type``, ``step`` and ``run_id``."""
    step: str
    run_id: str | None
    deploy: NearDeploy | None
    """The release that it began after, if one went out shortly before."""
    outages: list[OutageDocument]
    timeline: list[MomentDocument]
    """The oldest first."""


class IncidentsDocument(TypedDict):
    """``/incidents`` and ``/api/v1/incidents``."""

    at: str
    location: str
    incidents: list[IncidentDocument]
    """The open ones first, then the newest."""
    more: bool
    """Whether there are older ones; ``before`` asks for them."""


class GateRun(TypedDict):
    """One walk of a gate, and how it counts."""

    run_id: str
    journey: str
    started_at: str
    duration: float
    result: str
    """``pass``, ``fail`` or ``not_measured``."""
    error_type: str | None
    error: str | None
    """The first line of it."""
    releases: list[str]
    """Those that answered it, as far as the site says."""
    counts: bool
    why: str | None
    """Why it doesn't count; None where it does."""


class GateHook(TypedDict):
    """What became of the roll-back hook of a gate that failed."""

    host: str
    state: Literal["calling", "called", "failed"]
    tries: int
    error: str | None
    at: str


class GateDocument(TypedDict):
    """A verdict that was asked for on a release. Values of headers are not told."""

    id: str
    address: str
    site: str
    journeys: list[str]
    release: str | None
    url: str | None
    headers: list[str]
    within: float
    baseline: float
    source: str
    asked_at: str
    ended_at: str | None
    seconds: float | None
    """From when it was asked for to its verdict."""
    verdict: Literal["pending", "pass", "fail", "error"]
    reasons: list[str]
    """In words; what decided comes first."""
    would_do: str | None
    """Of an ``error`` for want of time: the ``within`` that is enough, as far as can be told."""
    runs: list[GateRun]
    """In the order in which they ended."""
    hook: GateHook | None
    """None: there is none, or it isn't called for this verdict."""
    trace_id: str


class Source(Protocol):
    """Where answers come from. What is async raises ``StateError`` where it can't be had now."""

    def loaded(self) -> list[str]:
        """Return the names of the journeys that are loaded."""
        ...

    async def knows(self, journey: str) -> bool:
        """Whether there may be runs of a journey."""
        ...

    async def journeys(self, days: int = 30) -> OverviewDocument:
        """Return how all journeys stand, with bars of so many days, and the agent."""
        ...

    async def journey(self, name: str) -> JourneyDocument | None:
        """Return all about a journey; None: it is not known."""
        ...

    async def runs(
        self, journey: str, result: str, limit: int
    ) -> tuple[Sequence[str], Mapping[str, str]]:
        """Return runs as JSON texts, newest first, and links by artifact."""
        ...

    async def run(self, run_id: str) -> RunDocument | None:
        """Return one run, over or not; None: there is none such."""
        ...

    def elsewhere(self) -> Sequence[str]:
        """Return the addresses of the location's other replicas, which may know other runs."""
        ...

    async def incidents(self, limit: int, before: int | None = None) -> IncidentsDocument:
        """Return incidents, the open ones first; of numbers below ``before``, if that is given."""
        ...

    async def incident(self, number: int) -> IncidentDocument | None:
        """Return one incident; None: there is none such."""
        ...
