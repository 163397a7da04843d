"""What an agent would have sent, told as a line of runs, and the tools that test rules on it.

One character a slot:

=====  =======================================================
``.``  a pass
``s``  a pass that was slow
``e``  a pass from which a beacon escaped
``~``  flaky
``x``  a confirmed failure
``?``  not measured
``!``  not measured, since a challenge for bots answered
``-``  skipped, since the last run still went on
space  the agent was not there, and sent nothing
``^``  no slot: from here on it is another version, and what is not kept on disk starts anew
=====  =======================================================

And what suspends the journey, in a line of its own:

=====  =======================================================
``.``  nothing
``P``  a pause without an end that stops it
``p``  one with an end
``Q``  a pause without an end that silences it
``W``  a window that stops it
``w``  a window that silences it
=====  =======================================================

And where several replicas share a location, who of them is there to walk it:

=====  =======================================================
``.``  takes its turn
``_``  is there and gets none
``d``  drains
``c``  is there, cut off from the others
space  not there
=====  =======================================================
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from fcntl import LOCK_EX, flock
from itertools import groupby
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import yaml

from agent.core import names
from agent.rules.prometheus import write_rules
from agent.rules.subject import PAGE, TICKET, Watch
from agent.telemetry.catalogue import CATALOGUE
from tests.support import victoria
from tests.support.build import a_journey, a_site
from tests.support.service import CACHE

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence

    from agent.core.model import Journey

PROMETHEUS = CACHE / "prometheus"
PROMTOOL = PROMETHEUS / "usr" / "bin" / "promtool"
_ALONE = Path(gettempdir()) / "footfall-vmalert-tool.lock"
VMALERT_TOOL = victoria.BINARY.with_name("vmalert-tool")

_WORDS = {
    ".": "pass",
    "s": "pass",
    "e": "pass",
    "~": "flaky",
    "x": "fail",
    "?": "not_measured",
    "!": "not_measured",
}
_ERRORS = {"flaky": "timeout", "fail": "assertion", "not_measured": "browser_launch"}
_PAGES = {"JourneyDown", "ErrorBudgetBurnFast", "MassFailure", "AgentDown"}
_OF_AGENT = {
    "AgentDown", "MassFailure", "SpoolBacklog", "SpoolDropped", "ConfigReloadFailed",
    "CertificateExpiring", "ReplicaDown",
}  # fmt: skip
_QUICK, _SLOW = 1.0, 25.0
_SUSPENSIONS = {
    "P": {"reason": "pause", "mode": "stop", "end": "open"},
    "p": {"reason": "pause", "mode": "stop", "end": "set"},
    "Q": {"reason": "pause", "mode": "silence", "end": "open"},
    "W": {"reason": "maintenance", "mode": "stop", "end": "set"},
    "w": {"reason": "maintenance", "mode": "silence", "end": "set"},
}
_WALKED = 12
"""Seconds after its slot that a run ends."""
_EVER = (
    "count by (alertname, severity, journey, location, signal, host) (count_over_time("
    'ALERTS{alertstate="firing", alertname!="Watchdog"}[30d]))'
)


def journey(name: str = "buy_a_mug", every: float = 60.0, **changes: Any) -> Journey:
    """A journey of a shop; 20 s is where it becomes slow."""
    given = {"site": a_site("https://shop.example.com"), "timeout": 30.0}
    return a_journey(name, every, **(given | changes))


def watch(location: str = "eu", objective: float = 99.5, environment: str = "production") -> Watch:
    """What rules are made for."""
    return Watch(environment, location, objective, CATALOGUE[names.DURATION].boundaries)


def rules(*journeys: Journey, location: str = "eu", environment: str = "production") -> str:
    """The rule file for these journeys."""
    return write_rules(journeys, watch(location, environment=environment))


@dataclass
class Samples:
    """Series by selector, one value a tick; None: no sample."""

    tick: int
    ticks: int
    values: dict[str, list[float | None]] = field(default_factory=dict)

    def put(self, at: int, metric: str, value: float, **labels: str) -> None:
        """Give a series its value at a tick."""
        matchers = ", ".join(f'{key}="{text}"' for key, text in sorted(labels.items()))
        row = self.values.setdefault(f"{metric}{{{matchers}}}", [None] * self.ticks)
        row[at] = value

    def forget(self, before: int) -> None:
        """Take out what came before a tick."""
        for row in self.values.values():
            row[:before] = [None] * before

    def documents(self) -> list[dict[str, str]]:
        """The input series of a unit test."""
        return [
            {"series": selector, "values": " ".join(_notation(row))}
            for selector, row in self.values.items()
        ]


def _notation(row: Sequence[float | None]) -> list[str]:
    found = []
    for value, run in groupby(row):
        length = len(list(run))
        if value is None:
            found.append(f"_x{length}")
        else:
            found.append(f"{value:g}+0x{length - 1}" if length > 1 else f"{value:g}")
    return found


@dataclass(frozen=True)
class _Standing:
    """How a journey stands."""

    in_a_row: int = 0
    slow: int = 0
    verdict: float | None = None

    def after(self, sign: str, word: str, at: float) -> _Standing:
        """How it stands after one more run."""
        slow = self.slow
        if word in {"pass", "flaky"}:
            slow = slow + 1 if sign == "s" else 0
        if word == "not_measured":
            return _Standing(self.in_a_row, slow, self.verdict)
        return _Standing(self.in_a_row + 1 if word == "fail" else 0, slow, at)


class _Told:
    """One journey's metrics at a location, as they go on from slot to slot."""

    def __init__(self, one: Journey, location: str, before: Mapping[str, int]) -> None:
        self._of = {"journey": one.name, "site": one.site.name, "location": location}
        self._interval = one.interval
        self._totals = Counter({(word, _ERRORS.get(word, "")): n for word, n in before.items()})
        self._seconds: Counter[float] = Counter()
        self._escaped = 0
        self._expected = sum(before.values())
        self._last: float | None = None
        self._shared = _Standing()
        self._standing = self._shared
        """What the location knew when it was walked last by this agent."""
        self._ended: dict[str, float | None] = {}
        """What suspended it, and when that ended; None: it goes on."""

    def suspend(self, sign: str, now: float) -> None:
        """Go by what suspends it now."""
        for old, end in self._ended.items():
            if old != sign and end is None:
                self._ended[old] = now
        if sign in _SUSPENSIONS:
            self._ended[sign] = None

    def slot(self) -> None:
        """A slot comes due."""
        self._expected += 1

    def restart(self) -> None:
        """Lose what is in memory only."""
        self._seconds.clear()

    def end(self, sign: str, at: float, *, own: bool) -> None:
        """Take in how a slot ended whose run took ``_WALKED`` seconds, and whether it was walked
        by this agent or by another at the location."""
        word = _WORDS.get(sign)
        if word is None:
            return
        self._shared = self._shared.after(sign, word, at)
        if not own:
            return
        self._standing = self._shared
        self._totals[word, "challenged" if sign == "!" else _ERRORS.get(word, "")] += 1
        self._escaped += sign == "e"
        self._last = at
        if word == "pass":
            self._seconds[_SLOW if sign == "s" else _QUICK] += 1

    def put(self, samples: Samples, tick: int, **who: str) -> None:
        """Send everything."""
        now = tick * samples.tick
        of = self._of | who
        samples.put(tick, "footfall_journey_interval_seconds", self._interval, **of)
        if self._expected:
            samples.put(tick, "footfall_schedule_expected_total", self._expected, **of)
        for (word, error), total in self._totals.items():
            errors = {"error_type": error} if error else {}
            samples.put(tick, "footfall_journey_runs_total", total, result=word, **errors, **of)
        if self._escaped:
            hits = {"vendor": "Matomo", "action": "escaped"}
            samples.put(tick, "footfall_beacons_total", self._escaped, **hits, **of)
        for bound in ("1", "20", "30", "+Inf") if self._seconds else ():
            below = sum(n for seconds, n in self._seconds.items() if seconds <= float(bound))
            name = "footfall_journey_duration_seconds_bucket"
            samples.put(tick, name, below, le=bound, result="pass", **of)
        if self._seconds:
            count = sum(self._seconds.values())
            name = "footfall_journey_duration_seconds_count"
            samples.put(tick, name, count, result="pass", **of)
        if self._last is not None:
            samples.put(tick, "footfall_journey_last_run_seconds", self._last, **of)
        fresh = max(3 * self._interval, 300)
        verdict = self._standing.verdict
        if verdict is not None and now - verdict < fresh:
            name = "footfall_journey_consecutive_failures"
            samples.put(tick, name, self._standing.in_a_row, **of)
            samples.put(tick, "footfall_journey_consecutive_slow", self._standing.slow, **of)
        for sign, end in self._ended.items():
            if end is not None and now >= end + fresh + 3600:
                continue
            told = verdict is not None and end is not None and verdict - _WALKED >= end
            held = end is None or (not told and now < end + fresh)
            labels = _SUSPENSIONS[sign]
            samples.put(tick, "footfall_journey_suspended", int(held), **labels, **of)


def walk(
    samples: Samples,
    one: Journey,
    line: str,
    location: str,
    before: Mapping[str, int],
    *,
    suspended: str = "",
    takes: str = "",
    **who: str,
) -> None:
    """Put into ``samples`` what an agent sends while a journey's slots end as ``line`` says.

    ``suspended`` says what suspends the journey, from slot to slot; ``takes`` which slots are
    this agent's own, by ``.``, and when it is not there, by a space; empty: all are. ``who`` are
    labels of all that it sends, besides its id, which is that of the location.
    """
    told = _Told(one, location, before)
    version = 1
    signs: list[tuple[str, int]] = []
    for sign in line:
        version += sign == "^"
        if sign != "^":
            signs.append((sign, version))
    begun = ended = 0
    for tick in range(samples.ticks):
        now = tick * samples.tick
        while begun < len(signs) and begun * one.interval <= now:
            if _own(takes, begun):
                told.slot()
            if begun and signs[begun][1] != signs[begun - 1][1]:
                told.restart()
            told.suspend(suspended[begun : begun + 1], now)
            begun += 1
        while ended < begun and ended * one.interval + _WALKED <= now:
            at = ended * one.interval + _WALKED
            told.end(signs[ended][0], at, own=_own(takes, ended))
            ended += 1
        sign, number = signs[begun - 1]
        if sign != " " and takes[begun - 1 : begun] != " ":
            agent = {"service_instance_id": f"of-{location}", "service_version": f"{number}"}
            told.put(samples, tick, **{**agent, **who})


def _own(takes: str, slot: int) -> bool:
    return not takes or takes[slot : slot + 1] == "."


def turns(replicas: Mapping[str, str], replica: str, first: int = 0) -> str:
    """Which slots a replica takes, where those that are there take turns; ``first`` has the first
    one."""
    taken = ""
    for slot, sign in enumerate(replicas[replica]):
        there = [name for name, line in replicas.items() if line[slot : slot + 1] == "."]
        own = sign == "." and there[(slot + first) % len(there)] == replica
        taken += "." if own else " " if sign == " " else "_"
    return taken


def share(samples: Samples, replicas: Mapping[str, str], interval: float, **who: str) -> None:
    """Put into ``samples`` what the replicas of a location send of each other."""
    for tick in range(samples.ticks):
        slot = int(tick * samples.tick // interval)
        signs = {name: line[slot : slot + 1].strip() for name, line in replicas.items()}
        heard = sum(sign in {".", "_"} for sign in signs.values())
        for name, sign in signs.items():
            of = {"service_instance_id": name, "service_version": "1", **who}
            if sign:
                told = 0 if sign == "c" else heard
                samples.put(tick, "footfall_queue_replicas", told, **of)
                samples.put(tick, "footfall_agent_draining", sign == "d", **of)


@dataclass(frozen=True)
class Case:
    """A story, and which alerts have fired by when.

    They are written ``Alert``, ``Alert@location`` or ``Alert@location/journey``, and
    ``:severity`` after it where it is another than the alert has as a rule.

    ``lines`` are the runs of one journey by location; ``more`` are other journeys with lines
    of their own; ``staging`` are those of the journey in another environment, in a store that
    keeps the name of each. ``by`` maps a time, such as ``1h``, to all alerts until then.
    """

    name: str
    lines: dict[str, str]
    by: dict[str, set[str]]
    of: Journey = field(default_factory=journey)
    more: dict[str, dict[str, str]] = field(default_factory=dict)
    staging: dict[str, str] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    """The agent's id by location, where it is not one of its own."""
    from_tick: int = 0
    """The tick of the first sample in the store."""
    before: dict[str, int] = field(default_factory=dict)
    """Runs by result that stand in the agents' books when the story begins."""
    tick: int = 60
    suspended: dict[str, str] = field(default_factory=dict)
    """What suspends the journey, by location: ``eu``; in the other environment: ``eu, staging``;
    and another journey: ``eu/search``."""
    replicas: dict[str, str] = field(default_factory=dict)
    """Who is there to walk the slots of ``eu``, by replica; empty: one agent."""
    extra: dict[str, str] = field(default_factory=dict)
    """Further series as the tools write them."""
    only: re.Pattern[str] | None = None
    """The rules that are looked at, where a story is too long for all of them."""
    still: set[str] | None = None
    """What fires at the last of these times; None: whatever."""

    def write(self, folder: Path) -> Path:
        """Write rule file and test file; return the latter."""
        folder.mkdir()
        others = {name: journey(name) for name in self.more}
        (folder / "rules.yaml").write_text(self._rules(*others.values()))
        ticks = max(map(_seconds, self.by)) // self.tick + 1
        samples = Samples(self.tick, ticks)
        here = {"deployment_environment_name": "production"} if self.staging else {}
        for location, line in self.lines.items():
            held = self.suspended.get(location, "")
            for agent, takes in self._agents_at(location):
                who = {"service_instance_id": agent, **here}
                walk(
                    samples,
                    self.of,
                    line,
                    location,
                    self.before,
                    suspended=held,
                    takes=takes,
                    **who,
                )
        share(samples, self.replicas, self.of.interval, **here)
        for location, line in self.staging.items():
            staging = {"deployment_environment_name": "staging", "service_instance_id": "staging"}
            held = self.suspended.get(f"{location}, staging", "")
            walk(samples, self.of, line, location, {}, suspended=held, **staging)
        for first, (name, line) in enumerate(self.more.items(), start=1):
            for location in self.lines:
                held = self.suspended.get(f"{location}/{name}", "")
                told = line.get(location, "")
                for agent, takes in self._agents_at(location, first):
                    who = {"service_instance_id": agent, **here}
                    one = others[name]
                    walk(samples, one, told, location, {}, suspended=held, takes=takes, **who)
        samples.forget(self.from_tick)
        series = samples.documents()
        series += [{"series": name, "values": values} for name, values in self.extra.items()]
        interval = f"{self.tick}s"
        checks = [_check(_EVER, at, alerts) for at, alerts in self.by.items()]
        if self.still is not None:
            last = max(self.by, key=_seconds)
            now = _EVER.replace("count_over_time(", "(").replace("[30d]", "")
            checks.append(_check(now, last, self.still))
        test = {"name": self.name, "interval": interval, "input_series": series}
        for tool, key in (("prom", "promql_expr_test"), ("vm", "metricsql_expr_test")):
            document = {
                "rule_files": ["rules.yaml"],
                "evaluation_interval": interval,
                "tests": [{**test, key: checks}],
            }
            (folder / f"{tool}.yaml").write_text(yaml.safe_dump(document, width=1_000_000))
        return folder

    def _agents_at(self, location: str, first: int = 0) -> list[tuple[str, str]]:
        """Who is there, and which slots are theirs."""
        if self.replicas and location == "eu":
            return [(name, turns(self.replicas, name, first)) for name in self.replicas]
        return [(self.agents.get(location, f"of-{location}"), "")]

    def _rules(self, *others: Journey) -> str:
        text = rules(self.of, *others)
        if self.only is None:
            return text
        groups = yaml.safe_load(text)["groups"]
        for group in groups:
            names = [rule.get("alert") or rule["record"] for rule in group["rules"]]
            pairs = zip(names, group["rules"], strict=True)
            group["rules"] = [rule for name, rule in pairs if self.only.fullmatch(name)]
        kept = [group for group in groups if group["rules"]]
        return yaml.safe_dump({"groups": kept}, width=1_000_000)


def _check(expr: str, at: str, alerts: set[str]) -> dict[str, Any]:
    return {
        "expr": expr,
        "eval_time": at,
        "exp_samples": [{"labels": _labels(alert), "value": 1} for alert in sorted(alerts)],
    }


def _labels(alert: str) -> str:
    alert, _, severity = alert.partition(":")
    name, _, place = alert.partition("@")
    place, _, journey_ = place.partition("/")
    labels = {"alertname": name, "severity": severity or (PAGE if name in _PAGES else TICKET)}
    if name not in _OF_AGENT:
        labels["journey"] = journey_ or "buy_a_mug"
    if place:
        of = {"SpoolBacklog": "signal", "SpoolDropped": "signal", "CertificateExpiring": "host"}
        labels[of.get(name, "location")] = place
    return "{" + ", ".join(f'{key}="{text}"' for key, text in sorted(labels.items())) + "}"


def _seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[text[-1]]


def run(*command: str | Path) -> str:
    """Run a tool; return what it printed.

    Raises:
        AssertionError: it failed; says what it printed.

    """
    # Short-lived and small: collecting garbage would be a third of the work.
    environment = os.environ | {"GOGC": "800"}
    # vmalert-tool has one folder and one port for its store, whoever runs it.
    with _ALONE.open("w") as alone:
        if command[0] == VMALERT_TOOL:
            flock(alone, LOCK_EX)
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=120, env=environment
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
