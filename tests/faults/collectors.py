"""What collectors and their gateways answer: no run's telemetry is lost, none ends the agent."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from time import time
from typing import TYPE_CHECKING

from tests.faults.books import ALL, Part, Row, Rows, each, row_of
from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin
from tests.support.otlp import Answer, OtlpReceiver, Page, Request

if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from tests.support.daemon import Record

_EVERY = 3
_WITHIN = 60.0
"""Seconds in which all must have arrived once the collector takes it."""
_HTML = {"content-type": "text/html"}
_SIGN_IN = Page(200, _HTML, b"<!doctype html><title>Sign in</title>")
_PASS = [("pass", None)]


@dataclass(frozen=True)
class _Fault:
    """What is answered meanwhile, and afterwards where that isn't all well."""

    answer: Answer = 200
    choose: Callable[[Request], Answer | None] = lambda _: None
    stays: bool = False
    """Whether it goes on to the end: it costs no more than it must."""
    lost: str = ""
    """The journey whose spans are lost."""
    told: str = ""
    """What ``/readyz`` says of it meanwhile."""


def _dated(_: Request) -> Answer:
    return 503, {"Retry-After": formatdate(time() + 2)}


def _poison(request: Request) -> Answer | None:
    return 400 if request.signal == "traces" and b"journey bad" in request.body else None


def _deadly(request: Request) -> Answer | None:
    return 500 if request.signal == "traces" and b"journey bad" in request.body else None


def _small(request: Request) -> Answer | None:
    return 413 if len(request.body) > 1500 else None


FAULTS = {
    "sign-in page": _Fault(_SIGN_IN, told="HTTP 200 (text/html)"),
    "200 in JSON that is not OTLP's": _Fault(
        Page(200, {"content-type": "application/json"}, b'{"error": "who are you?"}')
    ),
    "redirect": _Fault(Page(302, {"location": "https://sso.example.com/login?t=1"})),
    "moved for good": _Fault(Page(308, {"location": "https://otlp.example.com/"})),
    "gateway's error": _Fault(Page(502, _HTML, b"<h1>502 Bad Gateway</h1>")),
    "not implemented": _Fault(501),
    "throttled until a date without a zone": _Fault(choose=_dated),
    "throttled until nonsense": _Fault((429, {"Retry-After": "nan"})),
    "throttled for less than nothing": _Fault((429, {"Retry-After": "-99999999999"})),
    "all refused": _Fault(400, told="HTTP 400"),
    "all refused, another way": _Fault(422),
    "credential ran out": _Fault(401),
    "route gone": _Fault(404),
    "hangs": _Fault("hang"),
    "cuts off": _Fault("reset"),
    "all too large": _Fault(413),
    "takes small requests only": _Fault(choose=_small, stays=True),
    "refuses one journey's spans": _Fault(choose=_poison, stays=True, lost="bad"),
    "dies of one journey's spans": _Fault(choose=_deadly, stays=True, lost="bad"),
}
"""By name; each is tried over HTTP and, with the codes that are alike, over gRPC."""


async def run(folder: Path, tries: int, _: Random, only: re.Pattern[str] = ALL) -> Rows:
    """Try each answer over both protocols, with an agent of its own."""
    async with Origin(pages={"/": "there"}) as origin:
        parts: dict[str, Part] = {}
        for number, (name, fault) in enumerate(FAULTS.items()):
            for protocol in ("http/protobuf", "grpc"):
                home = partial(Home, folder / f"{number}-{protocol[:4]}", {"shop": origin.url}, {})
                about = {"fault": fault, "protocol": protocol, "tries": tries}
                parts[f"{name}, {protocol.partition('/')[0]}"] = partial(_try, at=home, **about)
        async for row in each(parts, tries, only):
            yield row


async def _try(what: str, at: Callable[[], Home], fault: _Fault, protocol: str, tries: int) -> Row:
    home = at()
    for name in ("good", "bad"):
        home.journey(name, 'await run.page.goto("/")')
    async with OtlpReceiver() as otlp:
        endpoint = otlp.grpc_endpoint if protocol == "grpc" else otlp.http_endpoint
        home.configure(
            schedule={"every": f"{_EVERY}s", "timeout": "1s", "grace": "1s"},
            telemetry={"endpoint": endpoint, "protocol": protocol, "interval": "1s"},
        )
        otlp.answer, otlp.choose = fault.answer, fault.choose
        async with Daemon(home) as daemon:
            await daemon.started()
            await daemon.finished("good")
            await asyncio.sleep(_EVERY * tries)
            status, ready = await daemon.get("/readyz")
            otlp.answer = 200
            if not fault.stays:
                otlp.choose = lambda _: None
            seen = {run["run_id"] for run in home.runs() if run["journey"] != fault.lost}
            arrived = await _arrive(otlp, seen)
            code = await daemon.terminate()
        row = row_of(home, what, "good", tries, _PASS)
        row.hold(code == 0, f"the agent ended with {code}")
        row.hold(status == 200, f"/readyz answered {status}: {ready}")
        told = str(ready["checks"].get("telemetry"))
        expected = fault.told if protocol != "grpc" else ""
        row.hold(expected in told, f"/readyz doesn't say {expected!r}: {told}")
        row.hold(not arrived, f"{len(arrived)} runs never arrived")
        died = daemon.events("telemetry.failed") + daemon.events("task.died")
        row.hold(not died, f"a task died: {died}")
        _hold_once(row, otlp, home.runs(), fault)
    return row


async def _arrive(otlp: OtlpReceiver, ids: set[str]) -> set[str]:
    """Wait for the root spans and records of these runs; return those that don't come."""
    try:
        await otlp.wait_for(lambda o: ids <= _roots(o).keys() & _records(o), _WITHIN)
    except AssertionError:
        return ids - (_roots(otlp).keys() & _records(otlp))
    return set()


def _roots(otlp: OtlpReceiver) -> Counter[str]:
    return Counter(
        span.attributes["footfall.run.id"]
        for span in otlp.spans
        if span.name.startswith("journey ")
    )


def _records(otlp: OtlpReceiver) -> set[str]:
    return {record.attributes["footfall.run.id"] for record in otlp.logs}


def _hold_once(row: Row, otlp: OtlpReceiver, runs: list[Record], fault: _Fault) -> None:
    twice = [run_id for run_id, number in _roots(otlp).items() if number > 1]
    row.hold(not twice, f"arrived more than once: {twice}")
    dropped = [
        metric.value
        for metric in otlp.metrics
        if metric.name == "footfall.spool.dropped" and metric.attributes["signal"] != "traces"
    ]
    row.hold(not any(dropped), "something else was lost")
    bad = {run["run_id"] for run in runs if run["journey"] == "bad"}
    if not fault.lost:
        row.hold(not otlp.latest("footfall.spool.dropped", signal="traces"), "spans were lost")
    else:
        row.hold(not bad & _roots(otlp).keys(), "what was refused arrived")
