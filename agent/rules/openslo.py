"""The objectives of journeys in OpenSLO v1, for tools that make their own alerts of them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from agent.rules import series
from agent.rules.objective import FAST, SLOW, fitting
from agent.rules.recording import GOOD, MEASURED
from agent.rules.rule import write
from agent.rules.subject import PAGE, TICKET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.core.model import Journey
    from agent.rules.objective import Burn
    from agent.rules.subject import Watch

_VERSION: Final = "openslo/v1"
_AFTER: Final = "5m"
_LONGEST_TEXT: Final = 1_050
"""Characters of a description."""
_HEAD: Final = """\
# Made by `footfall rules --format openslo`. Make it again whenever a journey changes.
"""


def write_objectives(walked: Sequence[Journey], watch: Watch) -> str:
    """Write a service, an objective and its alerts for each of these journeys."""
    journeys = sorted(walked, key=lambda one: one.name)
    documents = [one for journey in journeys for one in _documents(journey, watch)]
    return _HEAD + write(*documents)


def _documents(journey: Journey, watch: Watch) -> Iterator[dict[str, Any]]:
    name = _name(journey.name)
    about = [journey.summary, f"Owner: {journey.owner}."]
    about += [f"Runbook: {journey.runbook}"] if journey.runbook else []
    text = " ".join(part for part in about if part)[:_LONGEST_TEXT]
    burns = [
        (burn, severity)
        for pair, severity in ((FAST, journey.severity or PAGE), (SLOW, TICKET))
        for burn in fitting(pair, journey.interval)
    ]
    yield _object("Service", name, journey.name, {"description": text})
    yield _object(
        "SLO",
        name,
        journey.name,
        {
            "description": text,
            "service": name,
            "indicator": {
                "metadata": {"name": f"{name}-success"},
                "spec": {
                    "ratioMetric": {
                        "counter": True,
                        "good": _source(watch, journey.name, GOOD),
                        "total": _source(watch, journey.name, MEASURED),
                    }
                },
            },
            "timeWindow": [{"duration": "30d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [
                {"displayName": "Runs that pass", "target": round(watch.objective / 100, 6)},
            ],
            "alertPolicies": [{"alertPolicyRef": _policy_name(name, burn)} for burn, _ in burns],
        },
    )
    for burn, severity in burns:
        yield _policy(name, burn, severity)
    yield _object(
        "AlertNotificationTarget",
        f"{name}-owner",
        journey.owner or journey.name,
        {"target": journey.owner or journey.name, "description": "The journey's owner."},
    )


def _policy(name: str, burn: Burn, severity: str) -> dict[str, Any]:
    condition = {
        "severity": severity,
        "condition": {
            "kind": "burnrate",
            "op": "gt",
            "threshold": burn.factor,
            "lookbackWindow": burn.long,
            "alertAfter": _AFTER,
        },
    }
    return _object(
        "AlertPolicy",
        _policy_name(name, burn),
        "",
        {
            "alertWhenNoData": False,
            "alertWhenResolved": True,
            "alertWhenBreaching": True,
            "conditions": [
                {
                    "kind": "AlertCondition",
                    "metadata": {"name": _policy_name(name, burn)},
                    "spec": condition,
                }
            ],
            "notificationTargets": [{"targetRef": f"{name}-owner"}],
        },
    )


def _policy_name(name: str, burn: Burn) -> str:
    return f"{name}-burns-in-{burn.long}"


def _source(watch: Watch, journey: str, results: str) -> dict[str, Any]:
    query = f"sum({watch.of(series.RUNS, journey=journey, result=results)})"
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def _object(kind: str, name: str, title: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, **({"displayName": title} if title else {})}
    return {"apiVersion": _VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _name(journey: str) -> str:
    # Names here have no underscore, and none at their end: a journey may be called a_b_.
    name = "footfall-" + journey.replace("_", "-") + ("0" if journey.endswith("_") else "")
    if "-" not in journey:
        return name
    # Beside a variant buy-de there may be a journey buy_de.
    return f"{name}-{zlib.crc32(journey.encode()):08x}"
