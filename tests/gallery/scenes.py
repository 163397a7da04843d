"""Documents of every state that a page can be in: the same figures each time.

One shop is told of, at one moment of one night.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.core.gate import GateOrder
from tests.support.asked_gates import gate_document

NOW = datetime(2026, 11, 27, 3, 12, 40, tzinfo=UTC)
PLACE = "eu-west-1"
PICTURE = "/artifacts/buy_a_mug/20261127T030800Z/attempt-2/screenshot.png"
PASSED_PICTURE = "/artifacts/buy_a_mug/20261127T025600Z/attempt-1/screenshot.png"
ERROR = """\
Locator expected to contain text "Order confirmed", seen "Something went wrong"
Call log:
  - waiting for get_by_role("heading")
  - locator resolved to <h1>Something went wrong</h1>
  - unexpected value "Something went wrong"
"""
PLACE_IN_CODE = {
    "file": "journeys/buy_a_mug.py",
    "line": 31,
    "source": 'await expect(heading).to_contain_text("Order confirmed")',
}

Document = dict[str, Any]


def ago(**lasted: float) -> str:
    """A moment before that of the page."""
    return written(NOW - timedelta(**lasted))


def written(at: datetime) -> str:
    """A moment as the API writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def brief(result: str = "pass", **more: Any) -> Document:
    """What the overview tells of a run."""
    failed = result in {"fail", "not_measured"}
    return {
        "run_id": "019abf3a-5c80-7cc1-9d30-0e5b7a41c2aa",
        "result": result,
        "scheduled_at": ago(seconds=40),
        "started_at": ago(seconds=40),
        "duration": 2.318,
        "error_type": "assertion" if failed else None,
        "error": ERROR if failed else None,
        "step": "Pay" if failed else None,
        "place": PLACE_IN_CODE if failed else None,
        "slow": [],
        "trace_id": "5f1c" * 8,
        "screenshot": PICTURE if failed else None,
        "artifacts": [],
        "links": {},
    } | more


def share(slots: int, uptime: float | None, measured: float | None) -> Document:
    """What slots came to."""
    return {"slots": slots, "uptime": uptime, "measured": measured}


def uptimes(uptime: float | None = 99.964, measured: float | None = 99.8) -> list[Document]:
    """Over the four spans that are told."""
    return [
        share(1440 * days, uptime, measured)
        | {
            "days": days,
            "since": ago(days=days),
            "passed": 1438 * days,
            "flaky": days,
            "failed": days,
            "not_measured": 0,
            "skipped": 0,
            "slow": 0,
            "silenced": 0,
        }
        for days in (1, 7, 30, 90)
    ]


def words(seed: str, number: int, *last: str) -> list[str]:
    """Bars of a journey that mostly passes, and ends with those given."""
    dice = random.Random(seed)
    many = ["pass"] * 60 + ["flaky"] * 3 + ["fail", "not_measured", "suspended"]
    return [dice.choice(many) for _ in range(number - len(last))] + list(last)


def standing(name: str, **more: Any) -> Document:
    """A journey that passes, as the overview tells of it; ``more`` says what else it does."""
    hours, days = more.pop("hours", ()), more.pop("days", ())
    return {
        "journey": name,
        "summary": "A customer buys a mug and pays by card.",
        "site": "shop",
        "url": "https://shop.example.com",
        "location": PLACE,
        "owner": "team-checkout",
        "severity": "page",
        "runbook": "https://runbooks.example.com/checkout",
        "file": f"journeys/{name}.py:12",
        "every": "1m",
        "timezone": "UTC",
        "timeout": 30.0,
        "slow": 4.0,
        "every_failing": None,
        "enabled": True,
        "running": False,
        "under_way": None,
        "next_at": written(NOW + timedelta(seconds=20)),
        "up": True,
        "consecutive_failures": 0,
        "consecutive_slow": 0,
        "failing_since": None,
        "last_success_at": ago(seconds=38),
        "suspended": None,
        "last_run": brief(),
        "last_failure": None,
        "history": ["pass"] * 20,
        "day": share(1440, 99.93, 99.8),
        "skipped_since": ago(days=1),
        "skipped": [],
        "incident": None,
        "uptime": uptimes(),
        "bars": {
            "hours": words(f"{name} hours", 24, *hours),
            "days": words(name, 30, *days),
        },
    } | more


def failing(name: str = "buy_a_mug", minutes: float = 12, **more: Any) -> Document:
    """A journey that fails."""
    run = brief("fail")
    return standing(
        name,
        up=False,
        consecutive_failures=5,
        failing_since=ago(minutes=minutes),
        last_success_at=ago(minutes=minutes + 1),
        last_run=run,
        last_failure=run,
        incident=12,
        hours=("pass", "fail"),
        days=("fail",),
        uptime=uptimes(99.102),
        **more,
    )


def unmeasured(name: str = "search") -> Document:
    """A journey that can't be measured."""
    error = "the browser did not start: executable doesn't exist"
    run = brief(
        "not_measured",
        error_type="browser_launch",
        error=error,
        step=None,
        place=None,
        screenshot=None,
    )
    bars = ("not_measured",) * 3
    return standing(name, up=None, last_run=run, hours=bars, uptime=uptimes(99.9, 81.2))


def slow(name: str = "read_the_news") -> Document:
    """A journey that passes, but slowly."""
    run = brief(slow=[{"step": None, "limit": 4.0, "seconds": 6.21}], duration=6.21)
    return standing(name, consecutive_slow=4, last_run=run, severity="ticket")


def flaky(name: str = "change_address") -> Document:
    """A journey whose last run passed at the second attempt."""
    run = brief("flaky", error_type="timeout", error="timed out after 30 s in “Save”", step="Save")
    return standing(name, last_run=run, hours=("flaky",))


def new(name: str = "register") -> Document:
    """A journey that has not run yet."""
    nothing = share(0, None, None)
    return standing(
        name,
        up=None,
        last_run=None,
        last_success_at=None,
        history=[],
        day=nothing,
        uptime=[one | nothing for one in uptimes()],
        bars={"hours": ["unknown"] * 24, "days": ["unknown"] * 30},
    )


def suspension(cause: str = "pause", **more: Any) -> Document:
    """What suspends a journey."""
    return {
        "cause": cause,
        "mode": "stop",
        "reason": "moving the database",
        "who": "ada",
        "since": ago(hours=2, minutes=4),
        "until": None,
        "over": False,
    } | more


def paused(name: str = "buy_a_mug", cause: str = "pause", **more: Any) -> Document:
    """A journey that is paused, or in a window."""
    bars = ("suspended",) * 3
    return standing(name, suspended=suspension(cause, **more), hours=bars)


AGENT = {
    "version": "0.1.0",
    "environment": "production",
    "status": "ok",
    "checks": [
        {"name": "workers", "ok": True, "degraded": False, "detail": "2 idle"},
        {"name": "canary", "ok": True, "degraded": False, "detail": "answers"},
    ],
}
IN_TROUBLE = AGENT | {
    "status": "failing",
    "checks": [
        {
            "name": "workers",
            "ok": False,
            "degraded": False,
            "detail": "no browser: executable doesn't exist at /usr/bin/chromium",
        },
        {
            "name": "telemetry",
            "ok": True,
            "degraded": True,
            "detail": "nothing was delivered for 14m: connection refused",
        },
        *AGENT["checks"][1:],
    ],
}


def skipped(reason: str, count: int, **since: float) -> Document:
    """Slots that were skipped for a reason, the last so long ago; none given: just now."""
    return {"reason": reason, "count": count, "last_at": ago(**since)}


def overview(*journeys: Document, **more: Any) -> Document:
    """The document of ``/``."""
    return {
        "at": written(NOW),
        "location": PLACE,
        "journeys": sorted(journeys, key=lambda one: one["journey"]),
        "bars": {"hours": ago(hours=23, minutes=12), "days": ago(days=29, hours=3)},
        "incidents": [],
        "certificates": [],
        "pauses": [],
        "maintenance": [],
        "agent": AGENT,
    } | more


def pause(**more: Any) -> Document:
    """A pause by hand."""
    told = suspension()
    kept = ("mode", "reason", "who", "since", "until")
    return {"id": "p1", "journeys": None, "resumed": [], **{key: told[key] for key in kept}} | more


def window(**more: Any) -> Document:
    """A maintenance window."""
    return {
        "journeys": ["*"],
        "mode": "stop",
        "reason": "weekly release",
        "who": "",
        "since": ago(minutes=12, seconds=40),
        "until": written(NOW + timedelta(minutes=47, seconds=20)),
        "holds": True,
    } | more


CERTIFICATE = {
    "host": "shop.example.com",
    "ends_at": written(NOW + timedelta(days=6)),
    "lifetime": 90 * 86_400.0,
    "near": True,
}


def stretch(word: str, at: str, **more: Any) -> Document:
    """One bar of a journey's page."""
    counts = {
        "pass": (60, 0, 0, 0),
        "flaky": (57, 3, 0, 0),
        "fail": (41, 1, 18, 0),
        "not_measured": (20, 0, 0, 40),
        "suspended": (0, 0, 0, 0),
        "unknown": (0, 0, 0, 0),
    }[word]
    passed, flaky_ones, failed, not_measured = counts
    stopped = 60 if word == "suspended" else 0
    return {
        "at": at,
        "bar": word,
        "passed": passed,
        "flaky": flaky_ones,
        "failed": failed,
        "not_measured": not_measured,
        "skipped": {"paused": stopped} if stopped else {},
        "suspended": stopped,
        "silenced": 0,
        "slow": 0,
        "median": 2.1 + int(at[8:10]) % 7 / 9 + 0.4 * (word == "flaky") if passed else None,
        "p95": 3.2 + int(at[8:10]) % 5 / 4 + 0.9 * (word == "flaky") if passed else None,
        **share(60, 99.1, 98.0),
    } | more


def line(result: str, number: int) -> Document:
    """A run of a list."""
    run = brief(result)
    failed = run["error"]
    return {
        "run_id": f"019abf3a-5c80-7cc1-9d30-0e5b7a41c{number:03d}",
        "result": result,
        "closer": False,
        "scheduled_at": ago(minutes=number),
        "started_at": ago(minutes=number),
        "duration": 2.0 + number % 7 / 9,
        "error_type": run["error_type"],
        "error": failed.partition("\n")[0] if failed else None,
        "step": run["step"],
        "slow": False,
    }


STEPS = ("Open the shop", "Find the mug", "Put it into the basket", "Pay")


def journey(told: Document | None, bars: tuple[str, ...] = (), **more: Any) -> Document:
    """The document of ``/journeys/{name}``."""
    name = told["journey"] if told else "bought_by_phone"
    hours = words(f"{name} hours", 24, *bars)
    days = words(name, 90, *bars[-1:])
    results = ["pass"] * 12 + ["flaky"] + ["pass"] * 12
    if told and told["up"] is False:
        results = ["fail"] * 5 + ["pass"] * 20
    return {
        "at": written(NOW),
        "location": PLACE,
        "loaded": told is not None,
        "name": name,
        "journey": told and {key: told[key] for key in told if key not in {"uptime", "bars"}},
        "uptime": told["uptime"] if told else uptimes(),
        "hours": [stretch(word, ago(hours=23 - n, minutes=12)) for n, word in enumerate(hours)],
        "days": [stretch(word, ago(days=89 - n, hours=3)) for n, word in enumerate(days)],
        "steps": [
            {
                "step": step,
                "failures": failures,
                "last_failed_at": ago(minutes=1) if failures else None,
                "median": 0.4 + n / 5,
                "p95": 0.9 + n / 3,
            }
            for n, (step, failures) in enumerate(zip(STEPS[::-1], (41, 3, 0, 0), strict=True))
        ],
        "runs": [line(result, number) for number, result in enumerate(results)],
        "failures": [
            line(result, number) for number, result in enumerate(results) if result != "pass"
        ],
        "incidents": [incident()] if told and told["up"] is False else [],
        "deploys": [deploy(minutes=13), deploy("1.4.2", "walk", days=2)] if told else [],
        "gates": [gate("fail"), gate("pass", hours=26)] if told and told["up"] is False else [],
    } | more


def deploy(release: str = "1.4.3", source: str = "argo-rollouts", **at: float) -> Document:
    """A release that went out."""
    seen = ago(**at)
    url = None if source == "walk" else "https://ci.example.com/deploys/42"
    return {
        "site": "shop",
        "release": release,
        "at": ago(**at),
        "source": source,
        "url": url,
        "seen_at": seen if source == "walk" else None,
    }


def near_deploy() -> Document:
    """The release that an incident began after."""
    return deploy(minutes=12, seconds=12) | {"seconds": 12.0, "told": "12 s after release 1.4.3"}


def gate(verdict: str, **at: float) -> Document:
    """A verdict on a release."""
    began = ago(**({"minutes": 9} | at))
    order = GateOrder("shop", ("buy_a_mug",), "1.4.3", source="argo")
    reasons = {
        "pass": "buy_a_mug passed in 5 of 5 walks",
        "fail": "buy_a_mug failed in 2 of 2 walks: POST /checkout answered 500",
    }
    walked: Document = {
        "run_id": f"0197-{verdict}",
        "journey": "buy_a_mug",
        "started_at": began,
        "duration": 1.2,
        "result": verdict,
        "error_type": None,
        "error": None,
        "releases": ["1.4.3"],
        "counts": True,
        "why": None,
    }
    ended = {"asked_at": began, "ended_at": began, "seconds": 5.4, "verdict": verdict}
    return {**gate_document(order), **ended, "reasons": [reasons[verdict]], "runs": [walked] * 2}


def a_walk(result: str, number: int, **more: Any) -> Document:
    """A walk of a gate."""
    failed = result == "fail"
    return {
        "run_id": f"0197-{result}-{number}",
        "journey": "buy_a_mug",
        "started_at": ago(minutes=9, seconds=-number),
        "duration": 1.2 + number / 10,
        "result": result,
        "error_type": "assertion" if failed else None,
        "error": "POST /checkout answered 500" if failed else None,
        "releases": ["1.4.3"],
        "counts": True,
        "why": None,
    } | more


def gate_pending() -> Document:
    """A gate whose walks go on."""
    began = {"asked_at": ago(seconds=4), "within": 30.0, "source": "github"}
    order = GateOrder("shop", ("buy_a_mug", "search"), "1.4.3")
    return {**gate_document(order), **began, "runs": [a_walk("pass", 1)]}


def gate_failed() -> Document:
    """A gate of which people hear: walks that count and one that doesn't, and its hook."""
    by_the_old = a_walk(
        "pass", 1, releases=["1.4.2"], counts=False, why="release 1.4.2 answered, not 1.4.3"
    )
    hook = {"host": "deploy.example.com", "state": "called", "tries": 1, "error": None}
    return gate("fail") | {
        "url": "https://canary.shop.example.com",
        "headers": ["X-Canary"],
        "within": 30.0,
        "runs": [by_the_old, a_walk("fail", 2), a_walk("fail", 3)],
        "hook": hook | {"at": ago(minutes=9)},
    }


def gate_without_a_verdict() -> Document:
    """A gate for which there was too little time."""
    return gate("pass") | {
        "release": None,
        "source": "api",
        "verdict": "error",
        "within": 10.0,
        "reasons": ["search has passed in 1 of 1 walks, which is too few within 10s"],
        "would_do": "25s",
    }


def gate_of_a_dead_agent() -> Document:
    """A gate that its agent did not live to judge."""
    died = "the agent died, or was restarted, before there was a verdict"
    return gate("pass") | {"verdict": "error", "seconds": None, "reasons": [died], "runs": []}


def moment(
    kind: str, text: str, *, who: str = "", journey: str | None = None, **at: float
) -> Document:
    """A moment of an incident's time line."""
    return {
        "at": ago(**at),
        "kind": kind,
        "journey": journey,
        "run_id": "019abf3a-5c80-7cc1-9d30-0e5b7a41c2aa" if kind == "fail" else None,
        "text": text,
        "who": who,
    }


def incident(**more: Any) -> Document:
    """An incident that is open."""
    error = ERROR.partition("\n")[0]
    outage = {
        "journey": "buy_a_mug",
        "severity": "page",
        "owner": "team-checkout",
        "runbook": "https://runbooks.example.com/checkout",
        "began_at": ago(minutes=12),
        "opened_at": ago(minutes=10),
        "ended_at": None,
        "ended_by": None,
        "fails": 5,
        "error_type": "assertion",
        "error": error,
        "step": "Pay",
        "run_id": "019abf3a-5c80-7cc1-9d30-0e5b7a41c2aa",
    }
    other = outage | {"journey": "pay_by_invoice", "began_at": ago(minutes=9)}
    return {
        "id": 12,
        "site": "shop",
        "location": PLACE,
        "open": True,
        "began_at": ago(minutes=12),
        "opened_at": ago(minutes=10),
        "ended_at": None,
        "seconds": 720.0,
        "severity": "page",
        "error_type": "assertion",
        "error": error,
        "step": "Pay",
        "run_id": outage["run_id"],
        "deploy": near_deploy(),
        "outages": [outage, other],
        "timeline": [
            moment("deploy", "release 1.4.3", who="argo-rollouts", minutes=12, seconds=12),
            moment("fail", error, journey="buy_a_mug", minutes=12),
            moment("down", "3 fails in a row", journey="buy_a_mug", minutes=10),
            moment("fail", error, journey="pay_by_invoice", minutes=9),
            moment("down", "3 fails in a row", journey="pay_by_invoice", minutes=7),
            moment(
                "note",
                "Payment provider reports trouble. Waiting for them.\nOn it: Ada",
                who="ada",
                minutes=4,
            ),
        ],
    } | more


def closed() -> Document:
    """An incident that is over, with a note and a pause."""
    begun = incident()
    return incident(
        id=11,
        open=False,
        began_at=ago(days=2, minutes=52),
        opened_at=ago(days=2, minutes=50),
        ended_at=ago(days=2),
        seconds=3120.0,
        error="https://shop.example.com/cart answered 502",
        error_type="http_status",
        step="Put it into the basket",
        deploy=None,
        outages=[begun["outages"][0] | {"ended_at": ago(days=2), "ended_by": "pass"}],
        timeline=[
            moment(
                "fail",
                "https://shop.example.com/cart answered 502",
                journey="buy_a_mug",
                days=2,
                minutes=52,
            ),
            moment("down", "3 fails in a row", journey="buy_a_mug", days=2, minutes=50),
            moment("suspended", "the cluster is restarted", who="ada", days=2, minutes=30),
            moment("resumed", "", who="ada", days=2, minutes=5),
            moment("pass", "", journey="buy_a_mug", days=2),
            moment("note", "Cause: the cache's memory. Ticket SHOP-411.", who="grace", days=1),
        ],
    )


def incidents(*told: Document, more: bool = False) -> Document:
    """The document of ``/incidents``."""
    return {"at": written(NOW), "location": PLACE, "incidents": list(told), "more": more}


def step(
    name: str, result: str, start: float | None, duration: float | None, **more: Any
) -> Document:
    """A step of the waterfall."""
    own = {"name": name, "result": result, "start": start, "duration": duration}
    return own | {"depth": 0, "slow": None, "optional": False, "span_id": "00f1" * 4} | more


def asked(path: str, start: float, duration: float, step: int | None, **more: Any) -> Document:
    """A request of the waterfall."""
    return {
        "method": "GET",
        "url": f"https://shop.example.com{path}",
        "kind": "document",
        "status": 200,
        "error": None,
        "start": start,
        "duration": duration,
        "step": step,
        "span_id": "00f2" * 4,
    } | more


def attempt(result: str = "fail", number: int = 1, **more: Any) -> Document:
    """One walk with its evidence."""
    failed = result == "fail"
    return {
        "number": number,
        "result": result,
        "error_type": "assertion" if failed else None,
        "error": ERROR if failed else None,
        "place": PLACE_IN_CODE if failed else None,
        "started_at": ago(minutes=4),
        "duration": 7.4 if failed else 2.42,
        "steps": [
            step(STEPS[0], "pass", 0.05, 0.62),
            step(STEPS[1], "pass", 0.68, 0.71),
            step("Type into the search", "pass", 0.7, 0.2, depth=1),
            step(STEPS[2], "pass", 1.4, 0.48, slow=0.4),
            step(STEPS[3], result, 1.9, 5.4 if failed else 0.5),
            *([step("Read the confirmation", "skipped", None, None)] if failed else []),
        ],
        "requests": [
            asked("/", 0.06, 0.31, 0),
            asked("/api/products?limit=20", 0.4, 0.12, 0, kind="fetch"),
            asked("/search?q=mug", 0.95, 0.22, 1),
            asked("/products/mug-classic-white-350ml-with-a-handle", 1.2, 0.15, 1),
            asked("/cart", 1.45, 0.2, 3, method="POST", kind="fetch"),
            asked("/checkout", 1.95, 0.3, 4),
            asked(
                "/api/payments",
                2.3,
                1.8 if failed else 0.3,
                4,
                method="POST",
                kind="fetch",
                status=502 if failed else 201,
            ),
        ],
        "requests_cut": False,
        "third_parties": [
            {
                "vendor": "Google Analytics",
                "category": "analytics",
                "origins": ["https://www.google-analytics.com"],
                "requests": 6,
                "actions": {"blocked": 6},
            },
            {
                "vendor": "cdn.example.net",
                "category": "",
                "origins": ["https://cdn.example.net"],
                "requests": 9,
                "actions": {},
            },
        ],
        "screenshot": PICTURE if failed else None,
        "trace": "/artifacts/buy_a_mug/20261127T030800Z/attempt-2/trace.zip" if failed else None,
        "title": "Something went wrong · Mug shop" if failed else None,
        "url": "https://shop.example.com/checkout" if failed else None,
        "console": ["error: Failed to load resource: 502 (/api/payments)"] if failed else [],
        "page_errors": [
            {
                "error": "TypeError: Cannot read properties of undefined (reading 'id')",
                "at": "https://shop.example.com/static/checkout.js:118:24",
                "party": "first",
                "times": 2,
            }
        ]
        if failed
        else [],
        "failed_requests": ["POST https://shop.example.com/api/payments 502"] if failed else [],
        "missing": [],
    } | more


CHANGES = [
    {
        "kind": "script",
        "line": "checkout.js has another version: 2f1c9d, was 88ab04",
        "step": "Pay",
    },
    {"kind": "answer", "line": "POST /api/payments answers 502, was 201", "step": "Pay"},
    {
        "kind": "page_error",
        "line": "new error: Cannot read properties of undefined (reading 'id')",
        "step": "Pay",
    },
]


def run(result: str = "fail", **more: Any) -> Document:
    """The document of ``/runs/{id}`` for a run that is over."""
    told = brief(result, scheduled_at=ago(minutes=4), started_at=ago(minutes=4))
    walks = {
        "fail": [attempt(), attempt(number=2, duration=7.2)],
        "flaky": [attempt(), attempt("pass", 2)],
        "pass": [attempt("pass")],
    }[result]
    if result == "flaky":
        told |= {"error_type": "assertion", "error": ERROR, "place": PLACE_IN_CODE}
    links = {address.removeprefix("/artifacts/"): address for address in (PICTURE,)}
    return {
        "run_id": told["run_id"],
        "journey": "buy_a_mug",
        "trigger": "schedule",
        "state": "ended",
        "run": told
        | {
            "location": PLACE,
            "trigger": "schedule",
            "closer": False,
            "compared_with": 5,
            "release": "1.4.3",
            "duration": walks[-1]["duration"],
        },
        "links": links if result == "fail" else {},
        "walks": walks,
        "decided_by": len(walks) - 1,
        "failed_step": "Pay" if result != "pass" else None,
        "changes": CHANGES if result == "fail" else [],
        "last_pass": {
            "run_id": "019abf3a-5c80-7cc1-9d30-0e5b7a41c900",
            "started_at": ago(minutes=13),
            "duration": 2.42,
            "screenshot": PASSED_PICTURE,
        },
        "previous": "019abf3a-5c80-7cc1-9d30-0e5b7a41c001",
        "next": None,
        "incident": 12 if result == "fail" else None,
        "deploy": near_deploy() if result == "fail" else None,
        "trace_link": "https://jaeger.example.com/trace/" + "5f1c" * 8,
    } | more


def live(state: str = "running") -> Document:
    """A run by hand that goes on."""
    over = [step(name, "pass", None, 0.5 + n / 4) for n, name in enumerate(STEPS[:2])]
    kept = ("name", "result", "duration")
    steps = [{key: one[key] for key in kept} for one in over]
    return {
        "run_id": "019abf3a-5c80-7cc1-9d30-0e5b7a41c2ff",
        "journey": "buy_a_mug",
        "trigger": "api",
        "state": state,
        "asked_at": ago(seconds=4),
        "step": STEPS[2] if state == "running" else None,
        "attempts": [{"steps": steps}] if state == "running" else [],
    }


@dataclass(frozen=True)
class Scene:
    """A page in one state: its path, and the documents that it and its neighbours show."""

    name: str
    path: str
    overview: Document = field(default_factory=lambda: overview(standing("buy_a_mug")))
    journeys: dict[str, Document] = field(default_factory=dict)
    runs: dict[str, Document] = field(default_factory=dict)
    incidents: list[Document] = field(default_factory=list)
    gates: dict[str, Any] = field(default_factory=dict)


def _of_gate(name: str, told: Document) -> Scene:
    return Scene(name, f"/gates/{told['id']}", gates={told["id"]: told})


def _of_run(name: str, told: Document) -> Scene:
    return Scene(name, f"/runs/{told['run_id']}", runs={told["run_id"]: told})


def _of_journey(name: str, told: Document) -> Scene:
    return Scene(name, f"/journeys/{told['name']}", journeys={told["name"]: told})


def _hundreds() -> list[Document]:
    names = [f"{verb}_{what}" for verb in VERBS for what in THINGS]
    return [failing(), flaky(), slow(), *(standing(name) for name in names)]


_LONG = "x" * 300
_WORDS = "a very long sentence that goes on and on " * 12
_ODD = "\u202eesrever \u0000\u200b \U0001f36a مرحبا &lt;b&gt; <b> {{ 7 * 7 }} %s \n\t second line"
_UGLY_ERROR = f"{_LONG} {_WORDS}\n" + f"{_ODD}\n" * 40


def _ugly_overview() -> Document:
    """Names, errors and reasons as an accident writes them."""
    ugly = brief("fail", error=_UGLY_ERROR, step=_WORDS, place=PLACE_IN_CODE | {"source": _LONG})
    bare = {"owner": "", "severity": "", "runbook": "", "summary": ""}
    told = {"last_run": ugly, "last_failure": ugly}
    return overview(
        failing("buy-" + "a_very_long_name_" * 6) | told | bare,
        failing("other") | told | {"owner": _WORDS, "runbook": f"javascript:{_LONG}"},
        slow(_LONG) | {"last_run": brief(slow=[{"step": _LONG, "limit": 1e-6, "seconds": 1e7}])},
        standing("zero", uptime=uptimes(0.0, 0.001)),
        unmeasured("silent") | {"last_run": None, "skipped": [
            {"reason": "capacity", "count": 10**9, "last_at": ago(seconds=1)}
        ]},
        location=_LONG,
        pauses=[pause(reason=_WORDS, who=_LONG, journeys=[_LONG, "b"], until=written(NOW))],
        maintenance=[window(reason=_ODD, holds=False, journeys=["*"] * 30)],
        agent=IN_TROUBLE | {"checks": [
            {"name": "workers", "ok": False, "degraded": False, "detail": _UGLY_ERROR}
        ]},
        certificates=[CERTIFICATE | {"host": _LONG, "ends_at": ago(days=400)}],
    )  # fmt: skip


def _ugly_run() -> Document:
    """A run of too much of everything."""
    path = f"/{_LONG}?q={_LONG}"
    requests = [asked(path, n / 10, 0.0, n % 3, status=None, error=_LONG) for n in range(60)]
    steps = [
        step(_WORDS, "pass", 0.0, 0.0),
        step(_LONG, "fail", 0.0, 1e-9, depth=9, optional=True),
        step("", "fail", None, None),
    ]
    party = {"vendor": _LONG, "category": _LONG, "origins": [f"https://{_LONG}.example"] * 9}
    ugly = attempt(
        steps=steps,
        requests=requests,
        requests_cut=True,
        third_parties=[party | {"requests": 10**6, "actions": {"blocked": 1, "marked": 2}}],
        console=[_LONG, _ODD, _WORDS] * 9,
        page_errors=[{"error": _ODD, "at": _LONG, "party": "third", "times": 10**6}],
        failed_requests=[f"GET https://{_LONG}"] * 20,
        missing=[_WORDS],
        title=_ODD,
        url=f"https://{_LONG}/",
        duration=0.0,
    )
    told = run(run_id="019abf3a-5c80-7cc1-9d30-0e5b7a41cbad", walks=[ugly], decided_by=0)
    changes = [CHANGES[0] | {"line": _WORDS}, CHANGES[1] | {"line": _LONG, "step": _LONG}]
    return told | {
        "changes": changes,
        "run": told["run"] | {"error": _UGLY_ERROR},
        "failed_step": _WORDS,
        "links": {f"a/attempt-1/{_LONG}.png": PICTURE},
    }


def _ugly_incident() -> Document:
    """An incident that told everybody everything."""
    text = [moment("note", _ODD + _WORDS, who=_LONG, minutes=n) for n in range(20)]
    return incident(error=_LONG, step=_WORDS, timeline=text)


def _ugly_gate() -> Document:
    """A gate of which everything is too long."""
    walks = [
        a_walk("fail", n, error=_UGLY_ERROR, releases=[_LONG] * 9, counts=False, why=_WORDS)
        for n in range(9)
    ]
    hook = {"host": _LONG, "state": "failed", "tries": 5, "error": _ODD, "at": ago(minutes=1)}
    return gate("fail") | {
        "site": _LONG,
        "journeys": [_LONG] * 9,
        "release": _LONG,
        "url": f"https://{_LONG}.example",
        "headers": [_LONG] * 9,
        "source": _LONG,
        "reasons": [_UGLY_ERROR, _ODD, _LONG],
        "would_do": _LONG,
        "runs": walks,
        "hook": hook,
    }


VERBS = ("buy", "find", "return", "rate", "share", "compare", "order", "reserve", "track", "gift")
THINGS = (
    *("a_mug", "a_lamp", "a_chair", "a_desk", "a_rug", "a_book", "a_coat", "a_bike", "a_kettle"),
    *("a_pan", "a_plant", "a_phone", "a_clock", "a_bag", "a_tent", "a_vase", "a_game", "a_ring"),
    *("a_towel_of_organic_cotton", "a_shelf"),
)

_SIX = (
    failing(),
    unmeasured(),
    slow(),
    flaky(),
    standing("read_a_review"),
    standing("sign_in"),
    new(),
)

SCENES = [
    Scene("well", "/", overview(*(standing(name) for name in ("buy_a_mug", "search", "sign_in")))),
    Scene(
        "mixed",
        "/",
        overview(
            *_SIX,
            incidents=[incident()],
            certificates=[CERTIFICATE],
            maintenance=[
                window(
                    holds=False,
                    since=written(NOW + timedelta(days=2)),
                    until=written(NOW + timedelta(days=2, hours=1)),
                )
            ],
        ),
    ),
    Scene("empty", "/", overview()),
    Scene("first-minute", "/", overview(new("buy_a_mug"), new("search"), new("sign_in"))),
    Scene("paused", "/", overview(paused(), paused("search"), pauses=[pause()])),
    Scene(
        "maintenance",
        "/",
        overview(
            paused(cause="maintenance", reason="weekly release", who=""), maintenance=[window()]
        ),
    ),
    Scene("agent", "/", overview(unmeasured("buy_a_mug"), unmeasured(), agent=IN_TROUBLE)),
    Scene(
        "crowded",
        "/",
        overview(
            standing("buy_a_mug", skipped=[skipped("capacity", 31, minutes=2)]),
            standing("search", skipped=[skipped("capacity", 4, hours=7), skipped("overrun", 1)]),
        ),
    ),
    Scene("one", "/"),
    Scene("two-hundred", "/", overview(*_hundreds())),
    Scene("mass-failure", "/", overview(*(failing(f"buy_{thing}") for thing in THINGS))),
    _of_journey("journey-failing", journey(failing(), ("pass", "fail"))),
    _of_journey("journey-passing", journey(standing("sign_in"))),
    _of_journey(
        "journey-new",
        journey(
            new(),
            ("unknown",) * 24,
            runs=[],
            failures=[],
            steps=[],
            days=[stretch("unknown", ago(days=89 - n, hours=3)) for n in range(90)],
        ),
    ),
    _of_journey("journey-gone", journey(None)),
    _of_run("run-fail", run()),
    _of_run("run-flaky", run("flaky")),
    _of_run("run-pass", run("pass")),
    _of_run("run-live", live()),
    _of_run("run-waiting", live("waiting")),
    _of_gate("gate-pending", gate_pending()),
    _of_gate("gate-fail", gate_failed()),
    _of_gate("gate-pass", gate("pass")),
    _of_gate("gate-error", gate_without_a_verdict()),
    _of_gate("gate-lost", gate_of_a_dead_agent()),
    Scene("incidents", "/incidents", incidents=[incident(), closed()]),
    Scene("incidents-none", "/incidents"),
    Scene("incident-closed", "/incidents/11", incidents=[closed()]),
    Scene("not-found", "/journeys/buy_a_mag"),
    Scene("ugly-overview", "/", _ugly_overview()),
    _of_run("ugly-run", _ugly_run()),
    _of_gate("ugly-gate", _ugly_gate()),
    Scene("ugly-incident", "/incidents", incidents=[_ugly_incident()]),
]
"""Every state that is looked at."""
