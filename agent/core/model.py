"""What is to be walked: sites, journeys, slots, and why a run is made, skipped or restarted.

Everything here is frozen and free of behaviour beyond small derivations, so that a
definition never carries a result. Times are Unix seconds (float, UTC) unless a name
ends in ``_ns``; durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from agent.core.beacon_report import BeaconPolicy
from agent.core.limits import (
    MOST_STEPS,
    Count,
    JourneyName,
    Message,
    Name,
    Problems,
    Seconds,
    first,
)

FailOn = Literal["page_error"]
"""What fails a journey although its code goes on: uncaught errors of the site's own scripts."""

DOWN_CONFIRMED = 2
DOWN_UNCONFIRMED = 3
"""Fails in a row at which a journey is down, with a confirming attempt each and without."""
CONFIRM_AFTER = 3.0
"""Seconds after which a failure is confirmed: a blip of the network must not confirm itself."""

Hold = Literal["all", "calls"]
"""Which requests to first parties are held, so that they get the whole identity."""


class Trigger(StrEnum):
    """Why a run was made. Only ``schedule`` feeds the journey metrics."""

    SCHEDULE = "schedule"
    ONCE = "once"
    TEST = "test"
    API = "api"
    GATE = "gate"


class SkipReason(StrEnum):
    """Why a slot was not run."""

    OVERRUN = "overrun"  # the journey's last run still goes on
    CAPACITY = "capacity"  # no worker or no room in the queue in time
    PAUSED = "paused"  # a person paused the journey
    MAINTENANCE = "maintenance"  # a maintenance window holds it
    QUEUE = "queue"  # the queue that replicas share was away
    LATE = "late"  # its moment had passed: a suspend, a clock set forward
    SHUTDOWN = "shutdown"  # the agent was draining
    DOWN = "down"  # the agent was not running


class RestartReason(StrEnum):
    """Why a worker was replaced."""

    MAX_RUNS = "max_runs"
    MAX_AGE = "max_age"
    MAX_MEMORY = "max_memory"
    SETTINGS = "settings"  # the configuration was read again
    FRESH = "fresh"  # a confirming attempt wants another one
    UNFIT = "unfit"  # what a journey left in it can't be undone
    DIED_IDLE = "died_idle"
    ABANDONED = "abandoned"  # nobody waits for its walk any more
    STOPPED = "stopped"  # its walk was stopped by a person
    BROWSER_LAUNCH = "browser_launch"
    WORKER_LOST = "worker_lost"
    WORKER_KILLED = "worker_killed"
    OUT_OF_MEMORY = "out_of_memory"


@dataclass(frozen=True, slots=True)
class ReleaseSource:
    """Where a site's documents say which release answered; by default in a usual header."""

    header: str = ""
    """Lower case."""
    meta: str = ""
    """The name of a ``<meta>`` of the HTML, in lower case."""
    origins: tuple[str, ...] = ()
    """Whose documents say it; none: those of all first parties."""


@dataclass(frozen=True, slots=True)
class Site:
    """A target: the address journeys start from and the origins that are its own."""

    name: str
    url: str
    first_party: tuple[str, ...]
    beacons: BeaconPolicy = field(default_factory=BeaconPolicy)
    release: ReleaseSource = field(default_factory=ReleaseSource)


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a journey runs: every so many seconds, or a cron line in a time zone."""

    seconds: float | None = None
    cron: str | None = None
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class StepLimit:
    """A step that its author gives a limit, where both stand in the source as they are."""

    name: Name
    line: Count
    slow: Seconds
    """Seconds above which the step is slow."""


@dataclass(frozen=True, slots=True)
class PopupHandlers:
    """A function that says how the popups of a site are closed; ``file`` as of a journey."""

    site: str
    file: str
    line: Count
    name: Name


@dataclass(frozen=True, slots=True)
class Definition:
    """A journey as its author declared it; what discovery brings back as data.

    ``every`` and ``timeout`` are the author's raw strings (None: not given).
    ``file`` is relative to the journeys folder; ``line`` is that of the function.
    """

    name: JourneyName
    site: str
    file: str
    line: Count
    summary: Message = ""
    owner: Name = ""
    runbook: Message = ""
    severity: Name = ""
    every: str | None = None
    timezone: str | None = None
    timeout: str | None = None
    confirm: bool | None = None
    slow: str | None = None
    every_failing: str | None = None
    step_limits: Annotated[tuple[StepLimit, ...], first(MOST_STEPS)] = ()
    params: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    fail_on: tuple[FailOn, ...] = ()
    warnings: Problems = field(default_factory=list)
    """What in its source is probably not meant, with its place."""
    base: Name = ""
    """The declared journey that it is a variant of; "" where it is none."""
    browser: bool = True
    """Whether it is walked in one; else it has ``run.api`` alone."""
    popups: tuple[PopupHandlers, ...] = ()
    """Those of its site."""
    public: Name = ""
    """Its title on the public page; "": it isn't shown there."""


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey as it will run: the author's definition under the configuration."""

    name: str
    site: Site
    file: str
    line: int
    cadence: Cadence
    interval: float
    """The shortest gap between two slots, in seconds."""
    timeout: float
    grace: float
    confirm: bool
    enabled: bool
    summary: str = ""
    owner: str = ""
    runbook: str = ""
    severity: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    fail_on: tuple[FailOn, ...] = ()
    confirm_after: float = CONFIRM_AFTER
    """Seconds from the end of an attempt that failed until it is confirmed, at the soonest."""
    slow: float | None = None
    """Seconds above which a pass is slow; None: it has no limit of its own."""
    slow_steps: tuple[str, ...] = ()
    """Names of the steps whose source gives them a limit; others may get one as they run."""
    every_failing: float | None = None
    """Seconds between the closer runs of a journey that fails; None: there are none."""
    configured_params: tuple[str, ...] = ()
    """Names of the parameters that the configuration gives; the others are as the worker that
    walks has imported them."""
    base: str = ""
    """The declared journey that it is a variant of; "" where it is none."""
    browser: bool = True
    """Whether it is walked in one; else it has ``run.api`` alone."""
    popups: tuple[PopupHandlers, ...] = ()
    """Those of its site."""
    public: str = ""
    """Its title on the public page; "": it isn't shown there."""

    @property
    def down_after(self) -> int:
        """Fails in a row that make it down: where a fail is not confirmed, one more."""
        return DOWN_CONFIRMED if self.confirm else DOWN_UNCONFIRMED

    @property
    def has_limits(self) -> bool:
        """Whether a pass of it may be slow."""
        return self.slow is not None or bool(self.slow_steps)


@dataclass(frozen=True, slots=True)
class Slot:
    """One scheduled moment of a journey at a location."""

    journey: str
    location: str
    scheduled_at: float
