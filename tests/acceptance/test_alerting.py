"""From a broken shop to the page: daemon → OTLP → VictoriaMetrics → vmalert → Alertmanager →
webhook, each the real program, with the rules that ``footfall rules`` prints.

Only waiting is shortened: how often rules are evaluated and how long notices are gathered.
"""

from __future__ import annotations

import re
import stat
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from agent.browsers.find import require_browser
from tests.support.alerting import Alertmanager, Vmalert, Webhook, configuration
from tests.support.daemon import LOCATION, Daemon
from tests.support.victoria import VictoriaMetrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.alerting import Notice
    from tests.support.daemon import Home

_PAGED_WITHIN = 90.0
_MINUTES = 600.0


class Chain:
    """What stands behind the agent."""

    def __init__(self, store: VictoriaMetrics, webhook: Webhook) -> None:
        self.store = store
        self.webhook = webhook

    @asynccontextmanager
    async def watching(self, home: Home) -> AsyncIterator[None]:
        """Evaluate the rules that ``footfall rules`` prints in this folder."""
        printed = await home.footfall("rules")
        assert printed.code == 0, printed.err
        rules = re.sub(r"(?m)^(\s+interval:) .*$", r"\1 1s", printed.out)
        assert rules != printed.out
        told = configuration(self.webhook.url, group_wait="0s", group_interval="1s")
        async with (
            Alertmanager(told) as alertmanager,
            Vmalert(rules, self.store.url, alertmanager.url),
        ):
            yield

    def alerts(self) -> set[str]:
        """The names of all alerts that were told, tickets about the agent itself aside.

        On a machine that is too busy to measure, the agent says so.
        """
        own = {"NotMeasured", "SlotsSkipped"}
        return {notice.name for notice in self.webhook.notices} - own


@pytest.fixture
async def chain() -> AsyncIterator[Chain]:
    async with VictoriaMetrics() as store, Webhook() as webhook:
        yield Chain(store, webhook)


def send_to(home: Home, chain: Chain, otlp) -> None:
    home.environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.http_endpoint,
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": chain.store.otlp_metrics_endpoint,
    }


def of(name: str, status: str = "firing"):
    def is_it(notice: Notice) -> bool:
        return notice.name == name and notice.status == status

    return is_it


@pytest.mark.timeout(290)
async def test_a_broken_checkout_pages_its_owner_and_a_mended_one_resolves(
    buying, breaking, chain, otlp
):
    """The page names journey, owner and runbook, comes by itself, and goes by itself."""
    send_to(buying, chain, otlp)
    async with Daemon(buying) as daemon, chain.watching(buying):
        await daemon.started()
        await daemon.finished("buy_a_mug", "pass")
        await breaking("error")
        page = await chain.webhook.wait_for(of("JourneyDown"), _PAGED_WITHIN)
        assert page.labels["journey"] == "buy_a_mug"
        assert page.labels["owner"] == "checkout"
        assert page.labels["severity"] == "page"
        assert page.labels["location"] == LOCATION
        assert page.annotations["runbook_url"].startswith("https://runbooks.example.com/shop/")
        assert "buy_a_mug" in page.annotations["summary"]
        assert len([r for r in daemon.events("run.finished") if r["result"] == "fail"]) >= 2
        await breaking("none")
        await chain.webhook.wait_for(of("JourneyDown", "resolved"), _PAGED_WITHIN, after=page.at)
    assert chain.alerts() == {"JourneyDown", "Watchdog"}


@pytest.mark.timeout(290)
@pytest.mark.parametrize("mode", ["stop", pytest.param("silence", marks=pytest.mark.slow)])
async def test_what_breaks_under_a_pause_pages_once_that_is_over(
    buying, breaking, chain, otlp, mode
):
    """Whether it is walked meanwhile or not: paused, it pages nobody; let go, and broken still, it
    pages soon."""
    send_to(buying, chain, otlp)
    buying.configure(telemetry={"interval": "2s"})
    silence = ["--silence"] if mode == "silence" else []
    async with Daemon(buying) as daemon, chain.watching(buying):
        await daemon.started()
        await daemon.finished("buy_a_mug", "pass")
        paused = await buying.footfall("pause", "buy_a_mug", "--reason", "a migration", *silence)
        assert paused.code == 0, paused.err
        await chain.store.wait_for(f'footfall_journey_suspended{{mode="{mode}"}} == 1')
        await breaking("error")
        meanwhile = (
            "footfall_journey_consecutive_failures >= 3"
            if mode == "silence"
            else 'footfall_schedule_skipped_total{reason="paused"} >= 3'
        )
        await chain.store.wait_for(meanwhile, timeout=_PAGED_WITHIN)
        assert chain.alerts() <= {"Watchdog"}
        let_go = time.time()
        resumed = await buying.footfall("resume", "buy_a_mug")
        assert resumed.code == 0, resumed.err
        page = await chain.webhook.wait_for(of("JourneyDown"), _PAGED_WITHIN, after=let_go)
        assert page.labels["journey"] == "buy_a_mug"
        assert page.labels["location"] == LOCATION
    assert chain.alerts() == {"JourneyDown", "Watchdog"}


@pytest.mark.timeout(290)
async def test_an_agent_without_a_browser_never_pages_as_the_shop(buying, chain, otlp, tmp_path):
    """Where only the agent's browser is broken the shop isn't blamed: NotMeasured tells of it."""
    send_to(buying, chain, otlp)
    browser, gone = breakable_browser(tmp_path)
    buying.configure(
        journey__buy_a_mug={"every": "5s", "timeout": "3s", "grace": "2s"},
        browser={"executable": str(browser)},
        workers={"count": 1, "max_runs": 1},
    )
    async with Daemon(buying) as daemon, chain.watching(buying):
        await daemon.started()
        await daemon.finished("buy_a_mug", "pass")
        gone.touch()
        notice = await chain.webhook.wait_for(of("NotMeasured"), 2 * _PAGED_WITHIN)
        assert notice.labels["journey"] == "buy_a_mug"
        assert daemon.events("run.finished")[-1]["result"] != "fail"
    assert "JourneyDown" not in chain.alerts()


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_killed_agent_is_missed(buying, chain, otlp):
    """Where nothing comes any more, AgentDown and JourneyNotRunning do, and the shop is not
    blamed; with the agent back, both resolve."""
    send_to(buying, chain, otlp)
    async with chain.watching(buying):
        async with Daemon(buying) as daemon:
            await daemon.started()
            await daemon.finished("buy_a_mug", "pass")
            await chain.store.wait_for("footfall_journey_last_run_seconds")
            await daemon.kill()
        killed = time.time()
        for name in ("AgentDown", "JourneyNotRunning"):
            await chain.webhook.wait_for(of(name), 1.5 * _MINUTES, after=killed)
        assert "JourneyDown" not in chain.alerts()
        back = time.time()
        async with Daemon(buying) as daemon:
            await daemon.started()
            for name in ("AgentDown", "JourneyNotRunning"):
                await chain.webhook.wait_for(of(name, "resolved"), _MINUTES, after=back)


def breakable_browser(folder: Path) -> tuple[Path, Path]:
    """A browser that starts until a file lies beside it; the browser, and that file."""
    real = require_browser()
    program, gone = folder / "browser", folder / "gone"
    program.write_text(f'#!/bin/sh\n[ -e "{gone}" ] && exit 1\nexec "{real}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, gone
