"""`deploy/alertmanager.yaml`, read by Alertmanager and its tool beside the rules that feed it."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

import yaml

from tests.support.alerting import Alertmanager
from tests.support.daemon import Home
from tests.support.deploying import AMTOOL, DEPLOY, run

CONFIG = DEPLOY / "alertmanager.yaml"


def test_each_alert_goes_where_its_severity_says():
    """amtool finds nothing wrong, and pages page, tickets don't, and the watchdog goes to who
    misses it."""
    run(AMTOOL, "check-config", CONFIG)
    routes = ["config", "routes", "test", f"--config.file={CONFIG}"]
    for labels, receiver in (
        (["alertname=Watchdog", "severity=none"], "heartbeat"),
        (["alertname=JourneyDown", "severity=page"], "page"),
        (["alertname=JourneyDown", "severity=ticket"], "tickets"),
        (["alertname=Flaky", "severity=ticket"], "tickets"),
        (["alertname=CertificateExpiring", "severity=page"], "page"),
        (["alertname=CertificateExpiring", "severity=ticket"], "tickets"),
        (["alertname=PausedLong", "severity=ticket"], "tickets"),
        (["alertname=ConfigReloadFailed", "severity=ticket"], "tickets"),
    ):
        assert run(AMTOOL, *routes, *labels).strip() == receiver


def test_rules_and_inhibition_speak_of_the_same_alerts():
    """Every alert that stands for others, or is stood for, is one of the rule file."""
    rules = yaml.safe_load((DEPLOY / "rules.yaml").read_text("utf-8"))
    alerts = {rule.get("alert") for group in rules["groups"] for rule in group["rules"]}
    document = yaml.safe_load(CONFIG.read_text("utf-8"))
    named = re.findall(r"\b[A-Z]\w+", str(document["inhibit_rules"]))
    assert len(set(named)) == 5
    assert set(named) <= alerts


async def test_the_rules_are_those_of_the_composed_agent(tmp_path):
    """The rule file is what the agent of compose.yaml would print, for its journeys, at its
    location."""
    done = await Home(tmp_path, {}).footfall("rules", "--config", str(DEPLOY / "footfall.toml"))
    assert done.code == 0, done.err
    assert (DEPLOY / "rules.yaml").read_text("utf-8") == done.out, (
        "make it anew: footfall rules --config deploy/footfall.toml > deploy/rules.yaml"
    )


def key(name: str, labels: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset({"severity": "ticket", **labels, "alertname": name}.items())


async def silenced(manager: Alertmanager) -> dict[frozenset[tuple[str, str]], bool]:
    """Which alerts are kept back."""
    return {
        frozenset(alert["labels"].items()): alert["status"]["state"] == "suppressed"
        for alert in await manager.alerts()
    }


async def test_the_greater_news_stands_for_the_lesser():
    """A mass failure stands for the single ones of its location, a journey that is down for its
    burning budget; and for no other's. An agent that is down keeps nothing back: whoever owns a
    journey is to know that nobody watches it."""
    journey = {"journey": "buy_a_mug", "site": "shop"}
    here, there = {**journey, "location": "eu"}, {**journey, "location": "us"}
    sent = [
        ("MassFailure", {"location": "eu"}, False),
        ("JourneyDown", here, True),
        ("JourneyDown", there, False),
        ("RegionalFailure", here, True),
        ("ErrorBudgetBurnFast", journey, True),
        ("ErrorBudgetBurnSlow", journey, True),
        ("ErrorBudgetBurnFast", {**journey, "journey": "search"}, False),
        ("AgentDown", {"location": "us"}, False),
        ("JourneyNotRunning", there, False),
        ("NotMeasured", here, False),
    ]
    told = {key(name, labels): quiet for name, labels, quiet in sent}
    async with Alertmanager(CONFIG.read_text("utf-8")) as manager:
        await manager.fire(*(dict(one) for one in told))
        found: dict[frozenset[tuple[str, str]], bool] = {}
        # It takes alerts in one after the other, and can't set an event of ours.
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                while found != told:
                    await asyncio.sleep(0.05)
                    found = await silenced(manager)
    assert found == told
