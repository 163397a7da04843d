"""How a journey stands, in words: from its object in the API to what a person is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from agent.core.results import Result
from agent.core.slowness import SHOWN_FROM, TooSlow
from agent.core.suspension import Cause, Mode
from agent.core.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERROR_LINES = 6
_NO_SLOTS = {"slots": 0}
"""The day of a journey, as an agent tells it that is older than this."""
_ENOUGH = 90
"""Per cent of slots that must have been measured for an uptime to mean much."""
_CLOCKS_APART = 2
"""Seconds by which a replica's clock may differ before that is said."""
_BELOW = {86_400: 3600, 3600: 60, 60: 1}
"""Seconds of a unit, and of the next one that is still told."""

Journey = Mapping[str, Any]
Line = tuple[str, str]
"""A label and a text."""


class State(IntEnum):
    """How a journey stands, the worst first."""

    FAILS = 0
    NOT_MEASURED = 1
    SILENT = 2
    """It has no verdict, or none that is young enough to speak for the target."""
    SLOW = 3
    """It passes, but has been above a limit for some runs in a row."""
    WAITS = 4
    FLAKY = 5
    PASSES = 6
    PAUSED = 7
    """A person has paused it."""
    MAINTENANCE = 8
    """A maintenance window holds it."""
    DISABLED = 9


def is_well(journey: Journey) -> bool:
    """Whether nothing need be said about a journey."""
    state = state_of(journey)
    if state in _SUSPENDED.values():
        return journey["suspended"]["mode"] == Mode.STOP or _measured(journey) in _WELL
    return state in _WELL


_WELL = frozenset({State.WAITS, State.PASSES, State.DISABLED})
_SUSPENDED = {Cause.PAUSE: State.PAUSED, Cause.MAINTENANCE: State.MAINTENANCE}


def state_of(journey: Journey) -> State:
    """Tell how a journey stands."""
    if not journey["enabled"]:
        return State.DISABLED
    # An older agent tells of none.
    suspended = journey.get("suspended")
    if suspended and not suspended["over"]:
        return _SUSPENDED[Cause(suspended["cause"])]
    state = _measured(journey)
    doubtful = state in {State.FAILS, State.NOT_MEASURED, State.SILENT}
    if suspended and doubtful:
        # A verdict of before says nothing any more, and one of after would have ended the wait.
        return State.NOT_MEASURED if _ran_after(journey, suspended) else State.WAITS
    return state


def _ran_after(journey: Journey, suspended: dict[str, Any]) -> bool:
    """Whether a run began after the end of what suspended its journey."""
    last = journey["last_run"]
    if last is None or suspended["until"] is None:
        return False
    return datetime.fromisoformat(last["started_at"]) >= datetime.fromisoformat(suspended["until"])


def _measured(journey: Journey) -> State:
    """Tell how a journey stands by what its runs came to."""
    last = journey["last_run"]
    if journey["up"] is False:
        return State.FAILS
    if last is None:
        return State.SILENT if journey["skipped"] else State.WAITS
    if last["result"] == Result.NOT_MEASURED:
        return State.NOT_MEASURED
    if journey["up"] is None:
        return State.SILENT
    return _passing(journey, last)


def _passing(journey: Journey, last: dict[str, Any]) -> State:
    if journey.get("consecutive_slow", 0) >= SHOWN_FROM:
        return State.SLOW
    return State.FLAKY if last["result"] == Result.FLAKY else State.PASSES


def by_urgency(journey: Journey) -> tuple[Any, ...]:
    """Return a key to sort journeys by: the worst first, those that page before others."""
    is_page = journey["severity"] == "page"
    return state_of(journey), not is_page, journey["failing_since"] or "", journey["journey"]


def shown_run(journey: Journey) -> dict[str, Any] | None:
    """Return the run that explains how the journey stands, if there is one."""
    key = "last_failure" if journey["up"] is False else "last_run"
    run: dict[str, Any] | None = journey[key]
    return run


def details(journey: Journey, now: datetime, url: str) -> Iterator[Line]:
    """Yield what leads to the cause; ``url`` is what links are relative to."""
    yield from _suspended(journey, now)
    yield from _since(journey, now)
    run = shown_run(journey)
    if run is not None:
        yield from _slow(journey, run)
        yield from _error(run)
    severity = f" ({journey['severity']})" if journey["severity"] else ""
    yield "owner", journey["owner"] + severity
    if journey["runbook"]:
        yield "runbook", journey["runbook"]
    if run is not None:
        # What can be looked at comes first.
        for path in sorted(run["artifacts"], key=lambda path: not path.endswith(".png")):
            yield path.rpartition("/")[2].rpartition(".")[0], url + run["links"][path]
        if made_by := run.get("made_by"):
            yield "evidence", _kept_by(made_by)
        yield "trace id", run["trace_id"]
    yield from _others(journey, run, now, url)
    yield from _day(journey.get("day", _NO_SLOTS))
    for skipped in journey["skipped"]:
        when = ago(skipped["last_at"], now)
        yield "skipped", f"{skipped['count']} {skipped['reason']}, the last {when} ago"


def held_by(told: Mapping[str, Any], now: datetime) -> str:
    """Say of a pause or a window how it holds, who set it, why, from when and until when."""
    mode = "" if told["mode"] == Mode.STOP else "walked on, nobody is paged; "
    who = f"by {told['who']}, " if told["who"] else ""
    begin = datetime.fromisoformat(told["since"])
    away = until(told["since"], now) if begin > now else f"{ago(told['since'], now)} ago"
    end = "until somebody resumes it"
    if told["until"] is not None:
        over = datetime.fromisoformat(told["until"]) <= now
        end = f"until {moment(told['until'])}" + ("" if over else f", {until(told['until'], now)}")
    reason = f": {told['reason']}" if told["reason"] else ""
    return f"{mode}{who}from {moment(told['since'])}, {away}, {end}{reason}"


def ends(told: Mapping[str, Any], now: datetime) -> str:
    """Say when a certificate ends, or ended, and how long it holds in all."""
    at = datetime.fromisoformat(told["ends_at"])
    text = told["ends_at"]
    how = f"ended {ago(text, now)} ago" if at <= now else f"ends {until(text, now)}"
    lifetime = roughly(told["lifetime"])
    return f"{told['host']} {how}, at {moment(text)}; it holds {lifetime} in all"


def of_replica(told: Mapping[str, Any], now: datetime) -> str:
    """Say how a replica of the location is, and what of it is known where it is gone."""
    gone = f"{ago(told['heard_at'], now)} ago, at {moment(told['heard_at'])}"
    if told["state"] == "left":
        return f"left in order {gone}"
    if told["state"] == "lost":
        return (
            f"LOST, heard last {gone}; what it measured until then is counted, and its evidence "
            "is with it"
        )
    if told["state"] == "unknown":
        return f"not known now, since the server of queue.url is away; heard last {gone}"
    words = "draining" if told["state"] == "draining" else "heard"
    if told["behind"]:
        words = f"BEHIND: others' journeys are walked, its own ({told['journeys'][:8]}) are not"
    apart = told["clock_ahead"]
    clock = ""
    if abs(apart) >= _CLOCKS_APART:
        clock = f"; its clock is {abs(apart):g} s {'ahead' if apart > 0 else 'behind'}"
    free = f"{told['free']} of {told['workers']} workers free"
    return f"{words}, {free}, {told['address']}, version {told['version']}{clock}"


def _suspended(journey: Journey, now: datetime) -> Iterator[Line]:
    told = journey.get("suspended")
    if told is None:
        return
    label = "paused" if told["cause"] == Cause.PAUSE else "maintenance"
    yield label, held_by(told, now)
    if told["over"]:
        yield "", "it is over; alerts wait for the first verdict after it"


def _since(journey: Journey, now: datetime) -> Iterator[Line]:
    if journey["up"] is False and journey["enabled"]:
        since, count = journey["failing_since"], journey["consecutive_failures"]
        runs = "1 run" if count == 1 else f"{count} runs in a row"
        yield "since", f"{moment(since)}, {ago(since, now)} ago; {runs}"
    elif journey["last_success_at"] is not None:
        success = journey["last_success_at"]
        yield "last pass", f"{moment(success)}, {ago(success, now)} ago"


def _slow(journey: Journey, run: dict[str, Any]) -> Iterator[Line]:
    if state_of(journey) is not State.SLOW:
        return
    yield "slow", f"{journey['consecutive_slow']} passes in a row"
    for one in run.get("slow", ()):
        yield "", TooSlow(one["step"], one["limit"], one["seconds"]).shown


def _kept_by(told: Mapping[str, Any]) -> str:
    """Say where the evidence of a run is that another replica made."""
    if told["state"] == "unknown":
        return f"with the replica {told['name']}; whether that is there is not known now"
    return told["run"] or f"went with the replica {told['name']}, which is gone"


def _error(run: dict[str, Any]) -> Iterator[Line]:
    if not run["error_type"]:
        return
    yield "error", f'{run["error_type"]} in "{run["step"]}"' if run["step"] else run["error_type"]
    lines = [line for line in (run["error"] or "").splitlines() if line.strip()]
    for line in lines[:_ERROR_LINES]:
        yield "", line
    if len(lines) > _ERROR_LINES:
        yield "", "..."
    if place := run.get("place"):
        source = f": {place['source']}" if place["source"] else ""
        yield "at", f"{place['file']}:{place['line']}{source}"


def _others(
    journey: Journey, shown: dict[str, Any] | None, now: datetime, url: str
) -> Iterator[Line]:
    """Yield what else happened: a later run that measured nothing, an earlier one that failed."""
    for label, key in (("last run", "last_run"), ("last fail", "last_failure")):
        run = journey[key]
        if run is None or run["run_id"] == (shown or run)["run_id"]:
            continue
        error = (run["error"] or "").partition("\n")[0]
        what = (
            f"{run['result']}, {run['error_type']}: {error}" if run["error_type"] else run["result"]
        )
        yield label, f"{ago(run['started_at'], now)} ago: {what}"
        if run["screenshot"]:
            yield "", url + run["screenshot"]


def _day(day: dict[str, Any]) -> Iterator[Line]:
    """Yield the day's uptime, never without how much of it was measured."""
    if not day["slots"]:
        return
    share = f"{day['measured']:g} % of {day['slots']} slots"
    if day["uptime"] is None:
        yield "24 h", f"nothing was measured, {share}"
        return
    few = "; that is too little to go by" if day["measured"] < _ENOUGH else ""
    yield "24 h", f"up {day['uptime']:g} % of what was measured, {share}{few}"


def ago(text: str, now: datetime) -> str:
    """Say how long a moment has passed: by the largest unit, and the next one."""
    return roughly((now - datetime.fromisoformat(text)).total_seconds())


def until(text: str | None, now: datetime) -> str:
    """Say in how long a moment comes."""
    if text is None:
        return "-"
    return f"in {roughly((datetime.fromisoformat(text) - now).total_seconds())}"


def roughly(seconds: float) -> str:
    """Write a duration by its largest unit, and the next one."""
    whole = max(0, round(seconds))
    below = next((below for unit, below in _BELOW.items() if whole >= unit), 1)
    return format_duration(float(whole - whole % below))


def moment(text: str) -> str:
    """Write a moment for people, to the second."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"
