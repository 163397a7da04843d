"""Every panel and every variable of the dashboards, asked of a real store with real data."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import yaml

from tests.support import grafana
from tests.support.daemon import Daemon, Home
from tests.support.stories import PROMTOOL, run
from tests.support.victoria import VictoriaMetrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

DASHBOARDS = grafana.load()
JOURNEYS = ["buys", "fails", "flakes"]
SHOWN = 900.0
EVERYTHING = ".+"
BUYS = """
async with run.step("Open the shop"):
    await run.page.goto("/")
async with run.step("Search"):
    await run.page.get_by_role("searchbox").click()
async with run.step("Meet an error of the page's own", slow="1ms"):
    await run.page.evaluate('''() => {
        const script = document.createElement("script");
        script.textContent = "setTimeout(() => { throw new Error('of the page') })";
        document.body.append(script);
    }''')
    await run.page.wait_for_timeout(50)
"""
FLAKES = """
async with run.step("Look"):
    await run.page.goto("/")
    if not os.path.exists("{marker}"):
        open("{marker}", "w").close()
        raise AssertionError("only once")
"""
FAILS = """
async with run.step("Look for what is not there"):
    await run.page.goto("/")
    await asyncio.sleep(2.4)
    assert False, "no such text"
"""
CERTIFICATE = (
    'footfall_tls_{}_seconds{{host="shop.example.com",service_instance_id="elsewhere",'
    'deployment_environment_name="production"}} {}'
)
"""What another agent has seen: the demo shop has no certificate."""
REPLICAS = (
    'footfall_queue_replicas{{service_instance_id="{}",deployment_environment_name="test"}} 2'
)
"""What only agents send that share a location."""
DIES = """
async with run.step("Never done"):
    os._exit(9)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory, shop) -> AsyncIterator[VictoriaMetrics]:
    """What a daemon sends whose journeys pass, slowly and with errors of their pages, flake, fail,
    overrun, lose their worker, and are paused.

    It goes on sending while the store is asked. A fail takes more than its slot.
    """
    folder = tmp_path_factory.mktemp("dashboards")
    async with VictoriaMetrics() as victoria:
        home = Home(folder / "home", {"shop": shop.url})
        home.journey("buys", BUYS)
        home.journey("flakes", FLAKES.format(marker=folder / "flaked"))
        home.journey("fails", FAILS)
        home.journey("dies", DIES)
        home.configure(
            schedule={"every": "5s", "timeout": "3s", "grace": "2s"},
            journey__buys={"every": "3s", "timeout": "2s", "grace": "1s"},
            workers={"count": 3},
        )
        home.environment = {
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": victoria.otlp_metrics_endpoint,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:1/v1/logs",
        }
        async with Daemon(home) as daemon:
            await daemon.started()
            paused = await home.footfall(
                "pause", *("buys", "flakes", "fails"), "--silence", "--reason", "a migration"
            )
            assert paused.code == 0, paused.err
            await victoria.wait_for("footfall_journey_interval_seconds")
            (agent,) = await victoria.label_values(
                "footfall_journey_interval_seconds", "service_instance_id"
            )
            await victoria.push(
                REPLICAS.format(agent),
                CERTIFICATE.format("expiry", time.time() + 1_000_000),
                CERTIFICATE.format("lifetime", 7_776_000),
            )
            yield victoria


async def answered(store: VictoriaMetrics, asked: grafana.Asked) -> bool:
    if asked.instant:
        return bool(await store.query(asked.expr))
    return bool(await store.query_range(asked.expr, SHOWN, asked.step))


async def silent(store: VictoriaMetrics) -> AsyncIterator[str]:
    """The queries without an answer; where one journey must be chosen, for none of them."""
    for dashboard in DASHBOARDS:
        several = {variable["name"]: variable["multi"] for variable in dashboard.variables}
        journeys = [EVERYTHING] if several.get("journey", True) else JOURNEYS
        rounds = [
            dashboard.queries({**dict.fromkeys(several, EVERYTHING), "journey": name}, SHOWN)
            for name in journeys
        ]
        for same in zip(*rounds, strict=True):
            if not any([await answered(store, asked) for asked in same]):
                yield f"{dashboard.path.stem}: {same[0].panel}: {same[0].expr}"


async def test_every_panel_shows_something(store):
    """No panel's query is refused or without an answer."""
    left: list[str] = []
    try:
        async with asyncio.timeout(120):
            # Another process can't set an event of ours.
            while left := [query async for query in silent(store)]:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
    except TimeoutError:
        pytest.fail("\n".join(["no answer to", *left]))


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.path.stem)
async def test_every_variable_lists_what_there_is(store, dashboard):
    """Each variable has values, with whatever is chosen in those before it; journeys are listed
    that have never had a verdict."""
    await store.wait_for("footfall_journey_up")
    chosen: dict[str, str] = {}
    for variable in dashboard.variables[1:]:
        values = await store.label_values(*dashboard.values_of(variable, chosen))
        assert values, variable["name"]
        if variable["name"] == "journey":
            assert sorted(values) == ["buys", "dies", "fails", "flakes"]
        chosen[variable["name"]] = values[0]


async def test_every_query_is_plain_promql(tmp_path):
    """Prometheus understands every query too: none leans on what only VictoriaMetrics knows."""
    chosen = dict.fromkeys(("environment", "location", "site", "journey", "agent"), EVERYTHING)
    exprs = [asked.expr for one in DASHBOARDS for asked in one.queries(chosen, SHOWN)]
    rules = [{"record": f"query:{n}", "expr": expr} for n, expr in enumerate(exprs)]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    assert f"{len(exprs)} rules found" in run(PROMTOOL, "check", "rules", file)
