"""What a real daemon sends of journeys that end in every way, over HTTP and then over gRPC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

import aiohttp

from agent.core import names
from agent.telemetry.catalogue import CATALOGUE
from tests.support.authority import Authority
from tests.support.daemon import Daemon, Home
from tests.support.demo import DemoShop
from tests.support.origin import Origin
from tests.support.otlp import OtlpReceiver
from tests.support.rotel import Rotel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.daemon import Record
    from tests.support.otlp import Request
    from tests.support.signals import Log, Metric, Span

RUNBOOK = "https://runbooks.example.com/never"
PASSES = """
async with run.step("Open the shop", slow="1ms"):
    await run.page.goto("/")
    await run.page.get_by_role("link", name="Mug", exact=True).click()
    await run.page.wait_for_load_state("load")
async with run.step("Click what answers slowly"):
    await run.page.evaluate('''addEventListener("click", () => {
        const end = performance.now() + 60; while (performance.now() < end);
    })''')
    await run.page.get_by_role("heading", name="Mug", exact=True).click()
async with run.step("Close the letter", optional=True):
    pass
async with run.step("Tell everybody"):
    await run.page.evaluate('''Promise.all([
        "/g/collect?v=2&tid=G-ABC123", "/matomo.php?idsite=1&rec=1",
        "/event?n=pageview&u=https%3A%2F%2Fshop.test&d=shop.test",
        "/nothing", "/api/products", "http://127.0.0.1:1/",
    ].map(address => fetch(address, {mode: "no-cors"}).catch(() => 0)))''')
    await run.page.evaluate("fetch('/', {method: 'PURGE'}).then(answer => answer.status)")
    await run.api.get("/g/collect?v=2&tid=G-ABC123")
"""
FAILS = """
await run.api.get("/api/products")
async with run.step("Wait for what never comes"):
    await asyncio.sleep(9)
"""
FLAKY = """
await run.api.get("/api/products")
marker = os.environ["HOME"] + "/walked"
if not os.path.exists(marker):
    open(marker, "w").close()
    assert False, "every other time"
os.remove(marker)
"""
DIES = """
async with run.step("Open the shop"):
    await run.page.goto("/")
os._exit(9)
"""
SECURE = """
async with run.step("Open"):
    await run.page.goto("/")
    await asyncio.sleep(0.1)
"""
THROWS = "<title>Secure</title><script>throw new Error('no cart')</script>"
INVENTS = """
await run.api.get("/api/products")
for _ in range(60):
    async with run.step(f"Order number {time.time_ns()}"):
        pass
"""
EVERY = {
    (names.RUNS, names.RESULT): {"pass", "flaky", "fail", "not_measured"},
    (names.ATTEMPTS, names.RESULT): {"pass", "fail", "not_measured"},
    (names.STEP_DURATION, names.RESULT): {"pass", "fail"},
    (names.REQUESTS, names.PARTY): {"first", "third"},
    (names.REQUESTS, names.OUTCOME): {"ok", "http_error", "failed"},
    (names.BEACONS, names.ACTION): {"blocked", "marked", "allowed", "escaped"},
    (names.WEB_VITAL, names.VITAL): {"lcp", "fcp", "ttfb", "inp"},
    (names.AGENT_WORKERS, names.STATE): {"idle", "busy", "starting"},
    (names.SPOOL_ITEMS, names.SIGNAL): {"traces", "metrics", "logs"},
}
"""The attributes of which the story shows every value that is allowed."""
SOME = {
    (names.RUNS, names.ERROR_TYPE): {"assertion", "timeout", "worker_lost"},
    (names.AGENT_WORKER_RESTARTS, names.REASON): {"max_runs", "worker_lost"},
    (names.SCHEDULE_SKIPPED, names.REASON): {"overrun"},
    (names.STEP_DURATION, names.STEP): {names.OTHER_STEP},
}
"""And those of which it shows some."""


@dataclass(frozen=True)
class Part:
    """One life of the daemon: what arrived of it, and what it logged."""

    road: str
    bodies: list[bytes]
    """The requests with metrics, as they came."""
    metrics: list[Metric]
    spans: list[Span]
    logs: list[Log]
    records: list[Record]


@dataclass(frozen=True)
class Story:
    """Two lives on one state folder, the first of which ended with a kill."""

    parts: tuple[Part, Part]
    artifacts: Path

    @property
    def metrics(self) -> list[Metric]:
        """Every point, as it was dated; what came twice stands here once."""
        points = {
            (p.name, tuple(sorted(p.attributes.items())), p.time_ns): p
            for part in self.parts
            for p in part.metrics
        }
        return sorted(points.values(), key=lambda point: point.time_ns)

    @property
    def spans(self) -> dict[tuple[str, str], Span]:
        """Every span, by trace and id."""
        found = chain.from_iterable(part.spans for part in self.parts)
        return {(span.trace_id, span.span_id): span for span in found}

    @property
    def logs(self) -> list[Log]:
        """Every record."""
        return [log for part in self.parts for log in part.logs]


async def tell(folder: Path) -> Story:
    """Let it happen; some 20 seconds."""
    authority = Authority(folder / "authority.pem")
    tls = authority.context("127.0.0.1", begins=-86_400, ends=5 * 86_400)
    with DemoShop() as shop:
        async with Origin(pages={"/": THROWS}, tls=tls) as secure:
            sites = {"shop": shop.url, "secure": secure.url}
            home = Home(folder, sites, environment={"HOME": str(folder)})
            home.journey("secure", SECURE, 'site="secure", owner="checkout"')
            return await _lives(home, authority)


async def _lives(home: Home, authority: Authority) -> Story:
    for name, body in (
        ("passes", PASSES), ("flaky", FLAKY), ("dies", DIES), ("invents", INVENTS),
    ):  # fmt: skip
        home.journey(name, body)
    paged = f'site="shop", owner="checkout", runbook="{RUNBOOK}", severity="page"'
    home.journey("fails", FAILS, paged)
    async with OtlpReceiver() as http, OtlpReceiver() as behind:
        first = await _first(home, http, authority)
        async with Rotel(behind.http_endpoint) as rotel:
            second = await _second(home, rotel, behind, authority)
    return Story((first, second), home.state / "artifacts")


async def _first(home: Home, otlp: OtlpReceiver, authority: Authority) -> Part:
    _configure(home, authority, endpoint=otlp.http_endpoint)
    otlp.choose = _poison()
    async with Daemon(home) as daemon:
        await daemon.started()
        await _ask_for_a_gate(home)
        for name, result in (
            ("flaky", "flaky"), ("dies", "not_measured"), ("passes", "pass"), ("fails", "fail"),
        ):  # fmt: skip
            await daemon.finished(name, result)
        await otlp.wait_for(lambda o: not list(_missing(o)) and "fails" in _failures(o), 90)
        await daemon.kill()
        return _part("http", otlp, daemon)


async def _ask_for_a_gate(home: Home) -> None:
    """Have a verdict asked for in less time than there can be one."""
    token = (home.state / "token").read_text().strip()
    asked = {"site": "shop", "journeys": ["invents"], "release": "1.4.3", "within": "1s"}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        address = f"http://127.0.0.1:{home.port}/api/v1/gates"
        async with session.post(address, json=asked) as response:
            assert response.status == 202, await response.text()


def _poison() -> Callable[[Request], int | None]:
    """Have the first collection refused, however often it is sent, so that something is lost."""
    first: list[bytes] = []

    def choose(request: Request) -> int | None:
        if request.signal == "metrics" and not first:
            first.append(request.body)
        return 400 if request.body in first else None

    return choose


async def _second(home: Home, rotel: Rotel, otlp: OtlpReceiver, authority: Authority) -> Part:
    _configure(home, authority, endpoint=rotel.grpc_endpoint, protocol="grpc")
    async with Daemon(home) as daemon:
        await daemon.started()
        await daemon.finished("passes", "pass")
        await daemon.finished("fails", "fail")
        await otlp.wait_for(lambda o: not list(_missing(o)) and "fails" in _failures(o), 90)
        told = len(daemon.records)
        assert await daemon.terminate() == 0, daemon.story()
        ended = {one["run_id"] for one in daemon.records[:told] if one["event"] == "run.finished"}
        await otlp.wait_for(
            lambda o: ended <= {log.attributes["footfall.run.id"] for log in o.logs}
        )
        return _part("grpc", otlp, daemon)


def _configure(home: Home, authority: Authority, **telemetry: str) -> None:
    home.configure(
        telemetry=telemetry,
        schedule={"every": "6s", "timeout": "5s", "grace": "1s"},
        journey__dies={"every": "7s"},
        journey__fails={"every": "4s", "timeout": "2500ms"},  # twice that is past its next slot
        workers={"count": 3, "max_runs": 4},
        browser={"args": list(authority.browser_args)},
        beacons__vendors={"Matomo": "mark", "Plausible": "allow"},
    )
    begin = f"{datetime.now(UTC) - timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}"
    window = f'[[maintenance]]\njourneys = ["invents"]\nstarts = {begin}\nlasts = "1h"\n'
    with home.config.open("a") as config:
        config.write(f'{window}mode = "silence"\n')


def _missing(otlp: OtlpReceiver) -> Iterator[str]:
    """Name what has not arrived yet of the table, and of the values that are to be shown."""
    yield from CATALOGUE.keys() - {metric.name for metric in otlp.metrics}
    for (name, key), values in (EVERY | SOME).items():
        seen = {m.attributes.get(key) for m in otlp.metrics if m.name == name}
        yield from (f"{name} {key}={value}" for value in values - seen)


def _failures(otlp: OtlpReceiver) -> set[str]:
    return {log.attributes["footfall.journey"] for log in otlp.logs if log.severity == "ERROR"}


def _part(road: str, otlp: OtlpReceiver, daemon: Daemon) -> Part:
    bodies = [request.body for request in otlp.requests if request.signal == "metrics"]
    return Part(road, bodies, otlp.metrics, otlp.spans, otlp.logs, daemon.records)
