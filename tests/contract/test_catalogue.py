"""The published table of metrics against what a daemon really sends, both ways."""

from __future__ import annotations

import os
import time
from collections import defaultdict

import pytest

from agent import names
from agent.telemetry.catalogue import CATALOGUE, Kind
from tests.support.daemon import Daemon, Home, until

KINDS = {
    ("sum", "cumulative", True): Kind.COUNTER,
    ("gauge", "", False): Kind.GAUGE,
    ("histogram", "cumulative", False): Kind.HISTOGRAM,
}

PASSES = """
async with run.step("Open the shop"):
    await run.page.goto("/")
    await run.page.get_by_role("link", name="Mug", exact=True).click()
    await run.page.wait_for_load_state("load")
    await run.page.evaluate("fetch('/g/collect?v=2&tid=G-ABC123').catch(() => 0)")
"""
FAILS = """
async with run.step("Look for what is not there"):
    await run.page.goto("/")
    await expect(run.page.get_by_text("no such text")).to_be_visible(timeout=200)
"""
FLAKY = """
marker = os.environ["HOME"] + "/walked"
if not os.path.exists(marker):
    open(marker, "w").close()
    assert False, "the first time only"
await run.page.goto("/")
"""
DIES = """
async with run.step("Open the shop"):
    await run.page.goto("/")
os._exit(9)
"""


@pytest.fixture
def home(tmp_path, shop):
    made = Home(tmp_path / "home", {"shop": shop.url})
    made.environment = {"HOME": str(made.path)}
    for name, body in (("passes", PASSES), ("fails", FAILS), ("flaky", FLAKY), ("dies", DIES)):
        made.journey(name, body)
    return made


async def sent(home, otlp):
    """Everything that a daemon sends of journeys that pass, fail, waver and die, over a restart
    after kill -9, and with slots that it missed."""
    home.configure(
        telemetry={"endpoint": otlp.http_endpoint},
        schedule={"every": "4s"},
        workers={"max_runs": 2},
    )
    async with Daemon(home) as first:
        await first.started()
        await first.finished("fails", "fail", timeout=30)
        await first.finished("flaky", "flaky", timeout=30)
        await first.finished("dies", "not_measured", timeout=30)
        await first.finished("passes", "pass", timeout=30)
        await first.kill()
    last = home.slots()[-1]["scheduled_at"]
    await until(lambda: time.time() * 1000 > last + 5000, 10)  # the next slot is missed
    async with Daemon(home) as second:
        await second.started()
        await second.finished("passes", "pass", timeout=30)
        await otlp.wait_for(lambda o: o.latest(names.SCHEDULE_SKIPPED) is not None)
        assert await second.terminate() == 0, second.story()
    return otlp.metrics


UNFED = {names.SPOOL_DROPPED}
"""Nothing is dropped while the collector takes everything."""


@pytest.mark.timeout(150)
async def test_what_arrives_is_what_is_published(home, otlp):
    """Every metric that arrives is in the table with its unit, kind, keys and words, and every
    row of the table arrives; the attributes that may be left out are sometimes there."""
    metrics = await sent(home, otlp)
    arrived = {metric.name for metric in metrics}
    assert arrived <= CATALOGUE.keys(), "published names only"
    assert CATALOGUE.keys() - arrived <= UNFED, "every published name"
    seen = defaultdict(set)
    for metric in metrics:
        row = CATALOGUE[metric.name]
        told = (metric.name, metric.attributes)
        assert metric.unit == row.unit, told
        assert KINDS[metric.kind, metric.temporality, metric.monotonic] is row.kind, told
        keys = metric.attributes.keys()
        assert row.attributes.keys() - row.optional <= keys <= row.attributes.keys(), told
        for key, value in metric.attributes.items():
            allowed = row.attributes[key]
            assert allowed is None or value in allowed, told
            seen[metric.name, key].add(value)
        if row.kind is Kind.HISTOGRAM:
            bounds = tuple(bound for bound, _ in metric.buckets)
            assert bounds == (*row.boundaries, float("inf")), told
    for name in arrived:
        for key in CATALOGUE[name].attributes:
            assert seen[name, key], (name, key)
    assert seen[names.RUNS, names.RESULT] == {"pass", "flaky", "fail", "not_measured"}
    assert seen[names.ATTEMPTS, names.RESULT] == {"pass", "fail", "not_measured"}
    assert {"assertion", "worker_lost"} <= seen[names.RUNS, names.ERROR_TYPE]
    assert seen[names.REQUESTS, names.PARTY] == {"first", "third"}
    assert "max_runs" in seen[names.AGENT_WORKER_RESTARTS, names.REASON]
    check_errors_only_where_something_went_wrong(metrics)
    check_no_free_text(metrics)


def check_errors_only_where_something_went_wrong(metrics) -> None:
    for metric in metrics:
        if metric.name in {names.RUNS, names.ATTEMPTS}:
            passed = metric.attributes[names.RESULT] == "pass"
            assert (names.ERROR_TYPE in metric.attributes) is not passed, metric.attributes


def check_no_free_text(metrics) -> None:
    """No address, id or path in an attribute: a label's values are few."""
    for metric in metrics:
        for value in metric.attributes.values():
            assert "://" not in value
            assert os.sep not in value
            assert len(value) <= 40, value
