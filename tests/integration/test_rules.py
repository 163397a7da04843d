"""The rules that ``footfall rules`` prints: each alert fires when it should, and else not."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
import yaml

from tests.support.alerting import VMALERT, Alertmanager, Vmalert
from tests.support.deploying import DEPLOY
from tests.support.stories import (
    PROMTOOL,
    VMALERT_TOOL,
    Case,
    Samples,
    journey,
    rules,
    run,
    walk,
)
from tests.support.victoria import VictoriaMetrics

WATCHDOG = {
    "summary": "The way of alerts works",
    "description": "This one always fires. Have somebody else notice when it stops coming, such "
    "as a dead man's switch.",
}

PRODUCTION = {"deployment_environment_name": "production"}
QUARTERLY = journey(every=900.0)
HOURLY = journey(every=3600.0)
MUG = '{journey="buy_a_mug", site="shop", location="eu"}'
PAST = {"pass": 900, "fail": 40, "not_measured": 100, "flaky": 50}
THREE = ("buy_a_mug", "search", "sign_in")
PAUSES = re.compile("PausedLong|footfall:journey_suspended:.*")
"""What is looked at over days."""
BURNS = {"ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"}
"""What else fires in a story that is too short for a few failures to be few."""


def _spool(signal: str) -> str:
    """The labels of a signal's spool, as the agent of the stories has it."""
    return f'{{signal="{signal}", service_instance_id="of-eu"}}'


def _certificate(
    host: str, ends: list[tuple[int, int]], lifetime: int, agent: str = "of-eu", version: int = 1
) -> dict[str, str]:
    """What is seen of a host's certificate: from these minutes on, when it ends."""
    labels = f'{{host="{host}", service_instance_id="{agent}", service_version="{version}"}}'
    values = []
    for (begin, end), after in zip(ends, [*ends[1:], (121, 0)], strict=True):
        values.append(f"{end}+0x{after[0] - begin - 1}")
    return {
        f"footfall_tls_expiry_seconds{labels}": " ".join(values),
        f"footfall_tls_lifetime_seconds{labels}": f"{lifetime}+0x120",
    }


ENDS_LATER = "it breaks in a window that silences it, and stays broken"
"""Where replicas share it, a window has ended once each of them has a verdict after it."""
PAIR = dict.fromkeys("ab", "." * 130)
"""Two replicas that take turns."""


SILENT = [
    Case(
        "staging fails, in the same store",
        {"eu": "." * 60},
        {"1h": set()},
        staging={"eu": "." * 20 + "x" * 40, "us": "x" * 20 + "?" * 40},
    ),
    Case(
        "the agent of staging is gone, in the same store",
        {"eu": "." * 60},
        {"1h": set()},
        staging={"us": "." * 20 + " " * 40},
    ),
    Case(
        "an agent has moved to another location",
        {"us": ".." + " " * 78, "eu": "  " + "." * 78},
        {"80m": set()},
        agents={"us": "of-eu"},
    ),
    Case("all is well", {"eu": "." * 60}, {"1h": set()}),
    Case("one flake", {"eu": "." * 30 + "~" + "." * 30}, {"1h": set()}),
    Case("one failed run", {"eu": "." * 30 + "x" + "." * 30}, {"1h": set()}),
    Case("the first run can't be measured", {"eu": "?" + "." * 20}, {"20m": set()}),
    Case("the first run fails", {"eu": "x" + "." * 60}, {"1h": set()}),
    Case(
        "one failed run at low volume",
        {"eu": "." * 8 + "x" + "." * 16},
        {"6h": set()},
        QUARTERLY,
        tick=240,
    ),
    Case(
        "one failed run at lower volume",
        {"eu": "." * 4 + "x" + "." * 8},
        {"12h": set()},
        HOURLY,
        tick=240,
    ),
    Case("a restart", {"eu": "." * 30 + "  " + "." * 30}, {"1h": set()}),
    Case(
        "an upgrade of an agent with a past",
        {"eu": "." * 20 + "^" + "." * 20 + "   ^" + "." * 20},
        {"1h": set()},
        before=PAST,
    ),
    Case(
        "the rules are new and the agent is not",
        {"eu": "." * 20},
        {"20m": set()},
        before={"pass": 90, "fail": 5, "not_measured": 5, "flaky": 5},
    ),
    Case(
        "the weekend of a cron line, and Monday's first run",
        {},
        {"5h": set()},
        HOURLY,
        tick=240,
        extra={
            f"footfall_journey_interval_seconds{MUG}": "230400+0x59 3600+0x15",
            f"footfall_schedule_expected_total{MUG}": "7+0x59 8+0x15",
            f"footfall_journey_last_run_seconds{MUG}": "0+0x60 14520+0x14",
        },
    ),
    Case(
        "one run that could not be measured",
        {"eu": "." * 30 + "?" + "." * 30},
        {"1h": set()},
    ),
    Case("runs that took too long", {"eu": "." * 30 + "~--.--~--" + "." * 21}, {"1h": set()}),
    Case(
        "two failures without a confirming attempt",
        {"eu": "." * 30 + "xx" + "." * 28},
        {"1h": set()},
        journey(confirm=False),
    ),
    Case(
        "a failed run of each journey at once",
        {"eu": "." * 30 + "x" + "." * 29},
        {"1h": set()},
        more={key: {"eu": "." * 30 + "x" + "." * 29} for key in ("search", "sign_in")},
    ),
]
FIRING = [
    Case(
        "an agent moves, and back",
        {"eu": "." * 20 + " " * 20 + "." * 20, "us": " " * 20 + "." * 20 + " " * 20},
        {"1h": {"JourneyNotRunning@eu"}},
        agents={"us": "of-eu"},
    ),
    Case(
        "it fails in the one environment of two that is asked for",
        {"eu": "." * 30 + "x" * 6},
        {"36m": {"JourneyDown@eu"} | BURNS},
        staging={"eu": "." * 36, "us": "." * 36, "ap": "." * 36},
    ),
    Case(
        "the agent dies, and that of staging at the same place does not",
        {"eu": "." * 10 + " " * 10},
        {"16m": {"AgentDown@eu"}},
        staging={"eu": "." * 20},
    ),
    Case(
        "a beacon escapes before the first sample",
        {"eu": "e" + "." * 20},
        {"1m": set(), "3m": {"EscapedBeacon@eu"}, "20m": {"EscapedBeacon@eu"}},
        from_tick=1,
    ),
    Case(
        "a beacon has escaped long before the first sample",
        {"eu": "e" + "." * 40},
        {"40m": {"AgentDown@eu", "JourneyNotRunning@eu"}},
        from_tick=20,
    ),
    Case(
        "an agent moves, and dies there",
        {"us": ".." + " " * 58, "eu": "  " + "." * 38 + " " * 20},
        {"40m": set(), "50m": {"AgentDown@eu", "JourneyNotRunning@eu"}},
        agents={"us": "of-eu"},
    ),
    Case(
        "of two agents that can't be told apart, one dies",
        {"eu": "." * 60, "us": "." * 30 + " " * 30},
        {"33m": set(), "1h": {"AgentDown@us:ticket"}},
        agents={"us": "same", "eu": "same"},
    ),
    Case(
        "of two agents without a name, one dies soon",
        {"eu": "." * 20, "us": "." * 3 + " " * 17},
        {"20m": {"AgentDown@us:ticket"}},
        agents={"us": "", "eu": ""},
    ),
    Case(
        "the edge takes the agent for a bot",
        {"eu": "." * 30 + "!" * 30},
        {"31m": set(), "1h": {"Challenged@eu"}},
    ),
    Case(
        "challenged, and sick besides",
        {"eu": "." * 30 + "!?" * 10 + "?" * 10},
        {"1h": {"Challenged@eu", "NotMeasured@eu"}},
    ),
    Case(
        "an outage, mended",
        {"eu": "." * 30 + "x" * 10 + "." * 35},
        {"31m": set(), "32m": {"JourneyDown@eu"}, "75m": {"JourneyDown@eu"} | BURNS},
        still={"ErrorBudgetBurnSlow"},
    ),
    Case(
        "three failures without a confirming attempt",
        {"eu": "." * 30 + "xxx" + "." * 28},
        {"32m": set(), "38m": {"JourneyDown@eu"} | BURNS},
        journey(confirm=False),
    ),
    Case(
        "an hourly journey fails twice",
        {"eu": "...xx."},
        {"4h": set(), "5h": {"JourneyDown@eu"}},
        HOURLY,
        tick=240,
    ),
    Case(
        "every other run fails, for the first time",
        {"eu": "." * 20 + ".x.x.x" + "." * 8},
        {"25m": set(), "30m": BURNS},
    ),
    Case(
        "three failed runs in eight hours",
        {"eu": ("x" + "." * 15) * 2 + "x" + "." * 6},
        {"8h": set(), "9h": {"ErrorBudgetBurnSlow"}},
        QUARTERLY,
        tick=240,
    ),
    Case("a sick runner", {"eu": "." * 30 + "?" * 30}, {"31m": set(), "1h": {"NotMeasured@eu"}}),
    Case(
        "a failure, then a sick runner",
        {"eu": "." * 29 + "x" + "?" * 30},
        {"1h": {"NotMeasured@eu"}},
    ),
    Case(
        "one location of three, mended",
        {"eu": "." * 80, "us": "." * 30 + "x" * 20 + "." * 30, "ap": "." * 80},
        {"80m": {"RegionalFailure@us", "ErrorBudgetBurnSlow"}},
        still={"ErrorBudgetBurnSlow"},
    ),
    Case(
        "one location of two",
        {"eu": "." * 35, "us": "." * 30 + "x" * 2 + "." * 3},
        {"34m": {"RegionalFailure@us"}},
    ),
    Case(
        "two locations of three",
        {"eu": "." * 60, "us": "." * 30 + "x" * 4 + "." * 26, "ap": "." * 30 + "x" * 4 + "." * 26},
        {"38m": {"JourneyDown@us", "JourneyDown@ap"} | BURNS},
    ),
    Case(
        "the one location that measures, of three",
        {"eu": "." * 30 + "x" * 6, "us": "?" * 40, "ap": "-" * 40},
        {"36m": {"JourneyDown@eu", "NotMeasured@us", "JourneyNotRunning@ap"} | BURNS},
    ),
    Case("slow passes", {"eu": "." * 60 + "s" * 60}, {"1h": set(), "2h": {"JourneySlow@eu"}}),
    Case("one slow pass in twenty-five", {"eu": ("." * 24 + "s") * 5}, {"2h": set()}),
    Case(
        "no slot is run",
        {"eu": "." * 30 + "-" * 30},
        {"35m": set(), "40m": {"JourneyNotRunning@eu"}},
    ),
    Case("no slot is ever run", {"eu": "-" * 30}, {"2m": set(), "5m": {"JourneyNotRunning@eu"}}),
    Case("no agent at all", {}, {"1m": set(), "5m": {"AgentDown@eu", "JourneyNotRunning@eu"}}),
    Case(
        "the agent dies, and comes back",
        {"eu": "." * 30 + " " * 75 + "." * 15},
        {
            "33m": set(),
            "36m": {"AgentDown@eu"},
            "39m": {"AgentDown@eu", "JourneyNotRunning@eu"},
            "119m": {"AgentDown@eu", "JourneyNotRunning@eu"},
        },
        before=PAST,
        still=set(),
    ),
    Case(
        "another agent dies",
        {"eu": "." * 60, "us": "." * 30 + " " * 30},
        {"1h": {"AgentDown@us:ticket"}},
        still={"AgentDown@us:ticket"},
    ),
    Case(
        "flakes, and few failures among them",
        {"eu": "...~" * 25 + "x..x..x.." + "." * 6},
        {"8m": set(), "1h": {"Flaky"}, "114m": {"Flaky", "ErrorBudgetBurnSlow"}},
    ),
    Case(
        "a beacon escapes",
        {"eu": "." * 30 + "e" + "." * 100},
        {"30m": set(), "32m": {"EscapedBeacon@eu"}, "2h": {"EscapedBeacon@eu"}},
        still=set(),
    ),
    Case(
        "many journeys fail at once",
        {"eu": "." * 30 + "x" * 3},
        {"31m": set(), "32m": {"MassFailure@eu", "JourneyDown@eu", "JourneyDown@eu/search"}},
        more={
            "search": {"eu": "." * 30 + "x" * 3},
            "sign_in": {"eu": "." * 31 + "x" * 3},
            "stock": {"eu": "." * 34},
        },
    ),
    Case(
        "all journeys fail at one location of two",
        {"eu": "." * 33, "us": "." * 30 + "x" * 3},
        {
            "32m": {"MassFailure@us:ticket", "RegionalFailure@us"}
            | {"RegionalFailure@us/search", "RegionalFailure@us/sign_in"}
        },
        more={key: {"eu": "." * 33, "us": "." * 30 + "x" * 3} for key in ("search", "sign_in")},
    ),
    Case(
        "half of the journeys fail at once",
        {"eu": "." * 30 + "x" * 3},
        {"32m": {"JourneyDown@eu", "JourneyDown@eu/search", "JourneyDown@eu/sign_in"}},
        more={key: {"eu": "." * 30 + "x" * 3} for key in ("search", "sign_in")}
        | {key: {"eu": "." * 34} for key in ("stock", "news", "blog")},
    ),
    Case(
        "the spool fills",
        {"eu": "." * 60},
        {"15m": set(), "25m": {"SpoolBacklog@traces"}},
        extra={
            'footfall_spool_oldest_age_seconds{signal="traces"}': "0+60x60",
            'footfall_spool_oldest_age_seconds{signal="logs"}': "600+0x60",
        },
    ),
    Case(
        "telemetry is lost",
        {"eu": "." * 60},
        {"29m": set(), "32m": {"SpoolDropped@logs"}, "1h": {"SpoolDropped@logs"}},
        before=PAST,
        extra={
            f"footfall_spool_items{_spool('traces')}": "9+0x60",
            f"footfall_spool_items{_spool('logs')}": "9+0x60",
            f"footfall_spool_dropped_total{_spool('traces')}": "70+0x60",
            f"footfall_spool_dropped_total{_spool('logs')}": "_x30 5+0x30",
        },
    ),
    Case(
        "telemetry is lost before the first sample",
        {"eu": "." * 20},
        {"1m": set(), "3m": {"SpoolDropped@metrics"}, "20m": {"SpoolDropped@metrics"}},
        from_tick=1,
        extra={
            f"footfall_spool_items{_spool('logs')}": "_ 0+0x19",
            f"footfall_spool_items{_spool('metrics')}": "_ 9+0x19",
            f"footfall_spool_dropped_total{_spool('metrics')}": "_ 5+0x19",
        },
    ),
    Case(
        "telemetry is lost while the collector is away for hours",
        {"eu": "." * 20 + " " * 180 + "." * 80},
        {
            "199m": {"AgentDown@eu", "JourneyNotRunning@eu"},
            "201m": {"AgentDown@eu", "JourneyNotRunning@eu", "SpoolDropped@logs"},
            "280m": {"AgentDown@eu", "JourneyNotRunning@eu", "SpoolDropped@logs"},
        },
        extra={
            f"footfall_spool_items{_spool('logs')}": "9+0x20 _x179 9+0x80",
            f"footfall_spool_items{_spool('traces')}": "9+0x20 _x179 9+0x80",
            f"footfall_spool_dropped_total{_spool('logs')}": "_x200 5+0x80",
        },
        still=set(),
    ),
]


KEPT_BACK = [
    Case(
        "it breaks in a window and is mended in it, and much later one run fails",
        {"eu": "." * 20 + "x" * 10 + "." * 20 + "x" + "." * 69},
        {"2h": set()},
        suspended={"eu": "." * 18 + "w" * 17},
    ),
    Case(
        "it fails from its first run on, in a window, until that ends",
        {"eu": "x" * 20 + "." * 40},
        {"1h": set()},
        suspended={"eu": "w" * 20},
    ),
    Case(
        "it fails in a window, of an agent with a past and in a store without one",
        {"eu": "x" * 20 + "." * 40},
        {"1h": set()},
        suspended={"eu": "w" * 20},
        before=PAST,
        from_tick=1,
    ),
    Case(
        "two pauses in a row, of other kinds",
        {"eu": "." * 20 + "x" * 10 + "-" * 20 + "x" * 10 + "." * 20},
        {"80m": set()},
        suspended={"eu": "." * 20 + "Q" * 10 + "p" * 20 + "w" * 11},
    ),
    Case(
        "it is flaky in a window",
        {"eu": "." * 20 + "~." * 10 + "." * 20},
        {"1h": set()},
        suspended={"eu": "." * 20 + "w" * 20},
    ),
    Case(
        "it can't be measured, or is challenged, in a window",
        {"eu": "." * 20 + "?!" * 10 + "." * 20},
        {"1h": set()},
        suspended={"eu": "." * 20 + "w" * 20},
    ),
    Case(
        "it is slow in a window, by its time-out",
        {"eu": "." * 40 + "s" * 40 + "." * 60},
        {"140m": set()},
        suspended={"eu": "." * 40 + "w" * 40},
    ),
    Case(
        "it is slow in a window, by its limit",
        {"eu": "." * 10 + "s" * 20 + "." * 20},
        {"50m": set()},
        journey(slow=4.0),
        suspended={"eu": "." * 10 + "w" * 20},
    ),
    Case(
        "slow once, by its limit",
        {"eu": "." * 10 + "s" + "." * 10 + "s?" + "." * 10},
        {"35m": set()},
        journey(slow=4.0),
    ),
    Case(
        "a new agent is paused",
        {"eu": "-" * 30 + "." * 10},
        {"40m": set()},
        suspended={"eu": "P" * 30},
    ),
    Case(
        "a pause becomes one with an end",
        {"eu": "." * 2 + "-" * 30},
        {"32h": set()},
        HOURLY,
        tick=240,
        suspended={"eu": "." * 2 + "P" * 12 + "p" * 18},
        only=PAUSES,
    ),
    Case(
        "two pauses with a day between them",
        {"eu": "." + "-" * 2 + "." * 22 + "-" * 5},
        {"30h": set()},
        HOURLY,
        tick=240,
        suspended={"eu": "." + "P" * 2 + "." * 22 + "P" * 5},
        only=PAUSES,
    ),
    Case(
        "all journeys fail in a window",
        {"eu": "." * 20 + "x" * 10 + "." * 10},
        {"40m": set()},
        more={key: {"eu": "." * 20 + "x" * 10 + "." * 10} for key in ("search", "sign_in")},
        suspended=dict.fromkeys(("eu", "eu/search", "eu/sign_in"), "." * 20 + "w" * 11),
    ),
    Case(
        "certificates are renewed in time",
        {"eu": "." * 100},
        {"100m": set()},
        extra={
            **_certificate("days", [(0, 131_400), (20, 518_400)], 518_400),
            **_certificate("upgraded", [(0, 1_000)], 518_400),
            **_certificate("upgraded", [(0, 500_000)], 518_400, version=2),
            **_certificate("months", [(0, 1_900_000)], 7_776_000),
            **_certificate("now of days", [(0, 1_000)], 7_776_000),
            **_certificate("now of days", [(0, 500_000)], 518_400, version=2),
        },
    ),
]
TOLD = [
    Case(
        ENDS_LATER,
        {"eu": "." * 20 + "x" * 40},
        {
            "35m": set(),
            "36m": {"JourneyDown@eu"},
            "39m": {"JourneyDown@eu"},
            "1h": {"JourneyDown@eu", "ErrorBudgetBurnFast"},
        },
        suspended={"eu": "." * 20 + "w" * 15},
    ),
    Case(
        "it breaks in a window that stops it",
        {"eu": "." * 20 + "-" * 30 + "x" * 5},
        {"51m": set(), "52m": {"JourneyDown@eu"}},
        suspended={"eu": "." * 20 + "W" * 30},
    ),
    Case(
        "it fails, and is paused",
        {"eu": "." * 20 + "x" * 3 + "-" * 30 + "." * 30},
        {"22m": {"JourneyDown@eu"}, "82m": {"JourneyDown@eu"}},
        suspended={"eu": "." * 23 + "P" * 30},
        still=set(),
    ),
    Case(
        "it fails in a window, and after that can't be measured",
        {"eu": "." * 20 + "x" * 15 + "?" * 30},
        {"48m": set(), "65m": {"NotMeasured@eu"}},
        suspended={"eu": "." * 20 + "w" * 15},
    ),
    Case(
        "no slot is run any more after a window that stopped it",
        {"eu": "." * 20 + "-" * 40},
        {"41m": set(), "46m": {"JourneyNotRunning@eu"}},
        suspended={"eu": "." * 20 + "W" * 15},
    ),
    Case(
        "no slot is run in a window that only silences it",
        {"eu": "." * 20 + "-" * 20},
        {"30m": {"JourneyNotRunning@eu"}},
        suspended={"eu": "." * 20 + "w" * 20},
    ),
    Case(
        "a beacon escapes in a window",
        {"eu": "." * 20 + "e" + "." * 10},
        {"20m": set(), "22m": {"EscapedBeacon@eu"}},
        suspended={"eu": "." * 15 + "w" * 15},
    ),
    Case(
        "it is paused, and its agent is away for a while",
        {"eu": "." * 20 + "-" * 10 + " " * 7 + "-" * 20 + "." * 20},
        {"33m": set(), "77m": {"AgentDown@eu"}},
        suspended={"eu": "." * 20 + "P" * 37},
        still=set(),
    ),
    Case(
        "the agent dies under a pause",
        {"eu": "." * 20 + "-" * 10 + " " * 20},
        {"33m": set(), "40m": {"AgentDown@eu", "JourneyNotRunning@eu"}},
        suspended={"eu": "." * 20 + "P" * 30},
    ),
    Case(
        "one location of two is paused, and it fails at the other",
        {"eu": "." * 30 + "x" * 5, "us": "." * 40},
        {"31m": set(), "32m": {"JourneyDown@eu"}},
        suspended={"us": "." * 20 + "Q" * 20},
    ),
    Case(
        "it fails at the one location of two that is paused",
        {"eu": "." * 60, "us": "." * 30 + "x" * 15 + "." * 15},
        {"1h": set()},
        suspended={"us": "." * 20 + "Q" * 30},
    ),
    Case(
        "staging is paused, and production fails, in one store",
        {"eu": "." * 30 + "x" * 6},
        {"36m": {"JourneyDown@eu"} | BURNS},
        staging={"eu": "." * 20 + "-" * 20},
        suspended={"eu, staging": "." * 20 + "P" * 20},
    ),
    Case(
        "production is in a window, in a store with staging",
        {"eu": "." * 30 + "x" * 10 + "." * 20},
        {"1h": set()},
        staging={"eu": "." * 60},
        suspended={"eu": "." * 30 + "w" * 11},
    ),
    Case(
        "of those that are not in a window, all fail",
        {"eu": "." * 30 + "x" * 3},
        {"32m": {"MassFailure@eu"} | {f"JourneyDown@eu/{key}" for key in THREE}},
        more={
            **{key: {"eu": "." * 30 + "x" * 3} for key in ("search", "sign_in")},
            **{key: {"eu": "." * 34} for key in ("stock", "news", "blog")},
        },
        suspended={f"eu/{key}": "." * 20 + "w" * 15 for key in ("stock", "news", "blog")},
    ),
    Case(
        "slow in a row, by its limit",
        {"eu": "." * 10 + "s.s?s" + "." * 10},
        {"14m": set(), "16m": {"JourneySlow@eu"}},
        journey(slow=4.0),
    ),
    Case(
        "slow passes, in a store that keeps environments",
        {"eu": "." * 60 + "s" * 60},
        {"1h": set(), "2h": {"JourneySlow@eu"}},
        staging={"eu": "." * 120},
    ),
    Case(
        "a pause without an end, through a restart of the agent",
        {"eu": ".." + "-" * 12 + " " + "-" * 20},
        {"25h": set(), "27h": {"PausedLong@eu"}},
        HOURLY,
        tick=240,
        suspended={"eu": ".." + "P" * 31},
        only=PAUSES,
    ),
    Case(
        "a window that never ends",
        {"eu": "." + "-" * 172},
        {"168h": set(), "172h": {"PausedLong@eu"}},
        HOURLY,
        tick=240,
        suspended={"eu": "." + "W" * 172},
        only=PAUSES,
    ),
    Case(
        "a reload is refused, and then taken up",
        {"eu": "." * 60},
        {"23m": set(), "30m": {"ConfigReloadFailed"}, "1h": {"ConfigReloadFailed"}},
        extra={'footfall_config_reload_success{service_instance_id="of-eu"}': "1+0x19 0+0x19 1x20"},
        still=set(),
    ),
    Case(
        "certificates are not renewed",
        {"eu": "." * 120},
        {
            "10m": {"CertificateExpiring@soon:page"},
            "85m": {"CertificateExpiring@soon:page", "CertificateExpiring@months"},
            "2h": {
                "CertificateExpiring@soon:page",
                "CertificateExpiring@months",
                "CertificateExpiring@days",
            },
        },
        extra={
            **_certificate("days", [(0, 131_400)], 518_400),
            **_certificate("soon", [(0, 51_900)], 518_400),
            **_certificate("soon", [(0, 500_000)], 518_400, agent="of-us"),
            **_certificate("months", [(0, 1_815_000)], 7_776_000),
            **_certificate("years", [(0, 2_000_000)], 31_536_000),
        },
        suspended={"eu": "P" * 120},
    ),
]

GONE_AT_30 = {"a": "." * 60, "b": "." * 30 + " " * 30}
REPLICAS = [
    Case("two replicas, and all is well", {"eu": "." * 60}, {"1h": set()}, replicas=PAIR),
    Case(
        "of two replicas one dies, and the other walks on",
        {"eu": "." * 60},
        {"33m": set(), "36m": {"ReplicaDown@eu"}, "1h": {"ReplicaDown@eu"}},
        replicas=GONE_AT_30,
        still={"ReplicaDown@eu"},
    ),
    Case(
        "of two replicas one dies, and comes back",
        {"eu": "." * 80},
        {"33m": set(), "40m": {"ReplicaDown@eu"}, "80m": {"ReplicaDown@eu"}},
        replicas={"a": "." * 80, "b": "." * 30 + " " * 20 + "." * 30},
        still=set(),
    ),
    Case(
        "of two replicas one dies, and a new one takes its place",
        {"eu": "." * 80},
        {"33m": set(), "80m": {"ReplicaDown@eu"}},
        replicas={
            "a": "." * 80,
            "b": "." * 30 + " " * 50,
            "c": " " * 50 + "." * 30,
        },
        still=set(),
    ),
    Case(
        "of two replicas one restarts",
        {"eu": "." * 60},
        {"1h": set()},
        replicas={"a": "." * 60, "b": "." * 30 + "  " + "." * 28},
    ),
    Case(
        "of two replicas one drains and leaves",
        {"eu": "." * 60},
        {"1h": set()},
        replicas={"a": "." * 60, "b": "." * 30 + "d" + " " * 29},
    ),
    Case(
        "of two replicas one drains, comes back, and dies",
        {"eu": "." * 60},
        {"33m": set(), "1h": {"ReplicaDown@eu"}},
        replicas={"a": "." * 60, "b": "." * 20 + "d" + " " * 3 + "." * 6 + " " * 30},
    ),
    Case(
        "replicas are replaced one by one, each by a new one",
        {"eu": "." * 60},
        {"1h": set()},
        replicas={
            "a": "." * 20 + "d" + " " * 39,
            "b": "." * 30 + "d" + " " * 29,
            "c": " " * 21 + "." * 39,
            "d": " " * 31 + "." * 29,
        },
    ),
    Case(
        "both replicas die",
        {"eu": "." * 30 + " " * 30},
        {"33m": set(), "45m": {"AgentDown@eu", "JourneyNotRunning@eu"}},
        replicas=dict.fromkeys("ab", "." * 30 + " " * 30),
    ),
    Case(
        "one replica dies, and then the other",
        {"eu": "." * 40 + " " * 30},
        {
            "36m": {"ReplicaDown@eu"},
            "55m": {"ReplicaDown@eu", "AgentDown@eu", "JourneyNotRunning@eu"},
        },
        replicas={"a": "." * 40 + " " * 30, "b": "." * 30 + " " * 40},
        still={"AgentDown@eu", "JourneyNotRunning@eu"},
    ),
    Case(
        "both replicas drain and leave",
        {"eu": "." * 30 + " " * 30},
        {"45m": {"AgentDown@eu", "JourneyNotRunning@eu"}},
        replicas=dict.fromkeys("ab", "." * 30 + "d" + " " * 29),
    ),
    Case(
        "of two replicas one is cut off from the others",
        {"eu": "." * 60},
        {"32m": set(), "35m": {"ReplicaDown@eu"}},
        replicas={"a": "." * 60, "b": "." * 30 + "c" * 10 + "." * 20},
    ),
    Case(
        "the queue's server is away for all replicas",
        {"eu": "." * 30 + "-" * 15},
        {"34m": set(), "44m": {"JourneyNotRunning@eu"}},
        replicas=dict.fromkeys("ab", "." * 30 + "c" * 15),
    ),
    Case(
        "two failures in a row, each seen by another replica",
        {"eu": "." * 30 + "xx" + "." * 18},
        {"31m": set(), "32m": {"JourneyDown@eu"}, "50m": {"JourneyDown@eu"}},
        replicas=dict.fromkeys("ab", "." * 50),
        still=set(),
    ),
    Case(
        "two replicas, and it breaks in a window and stays broken",
        {"eu": "." * 20 + "x" * 40},
        {"36m": set(), "37m": {"JourneyDown@eu"}, "39m": {"JourneyDown@eu"}},
        replicas=PAIR,
        suspended={"eu": "." * 20 + "w" * 15},
    ),
    Case(
        "the replica dies that saw the failures, and the other finds it mended",
        {"eu": "." * 30 + "xx" + "." * 18},
        {"31m": set(), "32m": {"JourneyDown@eu"}, "33m": {"JourneyDown@eu"}},
        replicas={"a": "." * 32 + "_" + " " * 17, "b": "." * 30 + "__" + "." * 18},
        still=set(),
    ),
    Case(
        "a replica that walks nothing for an hour does not hide that it fails",
        {"eu": "." * 80 + "xx" + "x" * 6},
        {"81m": set(), "82m": {"JourneyDown@eu"}},
        replicas={"a": "." * 88, "b": "." * 15 + "_" * 73},
    ),
    Case(
        "a replica that walked the failures goes on and walks nothing more",
        {"eu": "." * 30 + "xx" + "." * 28},
        {"32m": {"JourneyDown@eu"}, "1h": {"JourneyDown@eu"}},
        replicas={"a": "." * 30 + ".." + "_" * 28, "b": "." * 30 + "__" + "." * 28},
        still=set(),
    ),
]
SHARED = [
    replace(
        case,
        replicas=dict.fromkeys("ab", re.sub(r"[^ ]", ".", case.lines["eu"])),
        extra={key.replace('"of-eu"', '"a"'): values for key, values in case.extra.items()},
    )
    for case in (*SILENT, *FIRING, *KEPT_BACK, *TOLD)
    if "eu" in case.lines
    and "^" not in case.lines["eu"]
    and not case.agents
    and case.name != ENDS_LATER
]
"""The stories of one agent, its slots walked in turns by two."""
SHARED_BRIEFLY = {
    "all is well",
    "an outage, mended",
    "a sick runner",
    "slow in a row, by its limit",
    "telemetry is lost before the first sample",
    "it fails in a window, and after that can't be measured",
}
CASES = [*SILENT, *FIRING, *KEPT_BACK, *TOLD, *REPLICAS]
BRIEFLY = {
    "an outage, mended",
    "a sick runner",
    "an upgrade of an agent with a past",
    "the rules are new and the agent is not",
    "staging fails, in the same store",
    "an agent has moved to another location",
    "a beacon escapes before the first sample",
    "it breaks in a window and is mended in it, and much later one run fails",
    "it breaks in a window that silences it, and stays broken",
    "it fails in a window, and after that can't be measured",
    "one location of two is paused, and it fails at the other",
    "telemetry is lost before the first sample",
    "telemetry is lost while the collector is away for hours",
    "of two replicas one dies, and comes back",
    "of two replicas one drains, comes back, and dies",
    "of two replicas one is cut off from the others",
    "the replica dies that saw the failures, and the other finds it mended",
}
"""What is asked of vmalert every time; it takes a second and a half for each story."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_in_prometheus(case: Case, tmp_path) -> None:
    """Until each time, these alerts have fired and no others."""
    folder = case.write(tmp_path / "case")
    run(PROMTOOL, "test", "rules", folder / "prom.yaml")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=() if case.name in BRIEFLY else pytest.mark.slow)
        for case in CASES
    ],
)
def test_in_vmalert(case: Case, tmp_path) -> None:
    """The same holds in VictoriaMetrics' own words for it."""
    folder = case.write(tmp_path / "case")
    run(VMALERT_TOOL, "unittest", f"--files={folder / 'vm.yaml'}")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case, id=case.name, marks=() if case.name in SHARED_BRIEFLY else pytest.mark.slow
        )
        for case in SHARED
    ],
)
def test_where_two_replicas_share_the_slots(case: Case, tmp_path) -> None:
    """The same alerts have fired by the same times as of one agent, to both tools."""
    folder = case.write(tmp_path / "case")
    run(PROMTOOL, "test", "rules", folder / "prom.yaml")
    run(VMALERT_TOOL, "unittest", f"--files={folder / 'vm.yaml'}")


def test_each_alert_has_a_story_of_replicas() -> None:
    """No alert is shipped that no story of two replicas makes fire."""
    fired = {
        alert.partition("@")[0].partition(":")[0]
        for case in (*SHARED, *REPLICAS)
        for now in case.by.values()
        for alert in now
    }
    assert fired | {"Watchdog"} == shipped()


def shipped() -> set[str]:
    """Every alert of the rules."""
    written = yaml.safe_load(rules(journey()))
    return {
        rule["alert"] for group in written["groups"] for rule in group["rules"] if "alert" in rule
    }


def test_each_alert_has_a_story(tmp_path) -> None:
    """No alert is shipped that no story makes fire, and each is silent in another one."""
    fired = {
        alert.partition("@")[0]
        for case in (*FIRING, *TOLD, *REPLICAS)
        for now in case.by.values()
        for alert in now
    }
    assert fired | {"Watchdog"} == shipped()


HARD = {
    "owner": 'the "shop" {{ $labels.x }} team: #1',
    "runbook": "https://example.com/{{page}}?a=1#b",
    "severity": "page",
}


def test_what_a_person_is_told(tmp_path) -> None:
    """Owner, severity and runbook arrive as the author wrote them, with the way to the
    screenshot; nothing that looks like a template is taken for one."""
    one = journey(**HARD)
    (tmp_path / "rules.yaml").write_text(rules(one, location='east "1" \\ {x}'))
    samples = Samples(60, 40)
    walk(samples, one, "." * 30 + "x" * 10, "east", {})
    alert = {
        "exp_labels": {
            **PRODUCTION,
            "journey": "buy_a_mug",
            "site": "shop",
            "location": "east",
            "owner": HARD["owner"],
            "severity": "page",
        },
        "exp_annotations": {
            "summary": "buy_a_mug: 2 confirmed failures in a row at east",
            "description": "It fails at more than half of the locations that measure it. Step, "
            "error and screenshot: `footfall status buy_a_mug`, or "
            "/api/v1/runs?journey=buy_a_mug&result=fail&limit=1 at the agent.",
            "runbook_url": HARD["runbook"],
        },
    }
    watchdog = {"exp_labels": {**PRODUCTION, "severity": "none"}, "exp_annotations": WATCHDOG}
    checks = [
        {"eval_time": "32m", "alertname": "JourneyDown", "exp_alerts": [alert]},
        {"eval_time": "32m", "alertname": "Watchdog", "exp_alerts": [watchdog]},
    ]
    test = {
        "interval": "1m",
        "input_series": samples.documents(),
        "alert_rule_test": checks,
    }
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "prom.yaml").write_text(yaml.safe_dump(document))
    run(PROMTOOL, "test", "rules", tmp_path / "prom.yaml")


def test_the_files_of_two_environments_go_together(tmp_path) -> None:
    """Both are read by one Prometheus over one store: each tells of its own, and says of whom."""
    one, samples = journey(), Samples(60, 40)
    for environment, line in (("production", "." * 40), ("staging", "." * 30 + "x" * 10)):
        (tmp_path / f"{environment}.yaml").write_text(rules(one, environment=environment))
        who = {"deployment_environment_name": environment, "service_instance_id": environment}
        walk(samples, one, line, "eu", {}, **who)
    down = 'ALERTS{alertstate="firing", alertname=~"JourneyDown|AgentDown|MassFailure"}'
    alert = '{alertname="JourneyDown", deployment_environment_name="staging"}'
    test = {
        "interval": "1m",
        "input_series": samples.documents(),
        "promql_expr_test": [
            {
                "expr": f"count by (alertname, deployment_environment_name) ({down})",
                "eval_time": "38m",
                "exp_samples": [{"labels": alert, "value": 1}],
            }
        ],
    }
    files = ["production.yaml", "staging.yaml"]
    document = {"rule_files": files, "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "prom.yaml").write_text(yaml.safe_dump(document))
    run(PROMTOOL, "test", "rules", tmp_path / "prom.yaml")


def test_the_success_ratio(tmp_path) -> None:
    """Over each window it is what passed at last of what was measured, for the journey and, up
    to hours, for each of its locations."""
    samples = Samples(240, 211)
    for location, line in (("eu", ".~x?"), ("us", "...?")):
        walk(samples, QUARTERLY, line * 14, location, {})
    (tmp_path / "rules.yaml").write_text(rules(QUARTERLY))
    checks = []
    for window in ("2h", "6h", "1d", "3d", "30d"):
        expected = {"footfall:journey_success:ratio_": {"": 0.83}}
        if window in {"2h", "6h"}:
            expected["footfall:location_success:ratio_"] = {"eu": 0.67, "us": 1}
        for name, values in expected.items():
            found = [
                {
                    "labels": f'{{journey="buy_a_mug", site="shop"{here}}}',
                    "value": value,
                }
                for location, value in values.items()
                for here in [f', location="{location}"' if location else ""]
            ]
            expr = f"round({name}{window}, 0.01)"
            checks.append({"expr": expr, "eval_time": "14h", "exp_samples": found})
    test = {"interval": "4m", "input_series": samples.documents(), "promql_expr_test": checks}
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "4m", "tests": [test]}
    (tmp_path / "prom.yaml").write_text(yaml.safe_dump(document))
    run(PROMTOOL, "test", "rules", tmp_path / "prom.yaml")


def test_the_tools_take_what_is_printed(tmp_path) -> None:
    """Rules for any interval and any words are sound to both tools."""
    path = tmp_path / "rules.yaml"
    intervals = (1.0, 60.0, 900.0, 3600.0, 86_400.0, 604_800.0)
    journeys = [journey(f"j{at}", every, **HARD) for at, every in enumerate(intervals)]
    path.write_text(rules(*journeys, location='east "1" \\ {x}'))
    run(PROMTOOL, "check", "rules", path)
    run(VMALERT, "-dryRun", f"-rule={path}")


async def test_vmalert_itself_tells_of_a_first_sample() -> None:
    """What the rules read of what they recorded themselves comes back through the store: a beacon
    that escaped before the first sample is told there too."""
    text = rules(journey()).replace("interval: 15s", "interval: 1s")
    of = 'journey="buy_a_mug",site="shop",location="eu",service_instance_id="a"'
    sent = (
        f"footfall_journey_interval_seconds{{{of}}} 60",
        f"footfall_schedule_expected_total{{{of}}} 1",
        f'footfall_beacons_total{{{of},vendor="Matomo",action="escaped"}} 1',
    )
    told: set[str] = set()
    async with (
        VictoriaMetrics() as store,
        Alertmanager((DEPLOY / "alertmanager.yaml").read_text("utf-8")) as manager,
        Vmalert(text, store.url, manager.url),
        asyncio.timeout(90),
    ):
        while "EscapedBeacon" not in told:
            await store.push(*sent)
            await asyncio.sleep(0.2)
            told = {alert["labels"]["alertname"] for alert in await manager.alerts()}
