"""A run's attempts as a waterfall: steps, first-party requests, and third parties by vendor."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from agent.core import names
from agent.core.results import StepOutcome
from agent.runs.document import time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.core.results import Attempt, RunResult, SpanData, Step

_MOST_REQUESTS = 200
"""Of an attempt, the first."""
_MOST_THIRD_PARTIES = 50
_MOST_ORIGINS = 10
"""Of one third party."""


def walk_record(run: RunResult) -> dict[str, Any]:
    """Return what each attempt did and when, as JSON-like data; see ``AttemptDocument``."""
    return {"attempts": [_attempt(attempt) for attempt in run.attempts]}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    began = attempt.started_at * 1e9
    steps = _steps(attempt, began)
    index = {step["span_id"]: number for number, step in enumerate(steps) if step["span_id"]}
    requests = sorted(
        (span for span in attempt.spans if span.kind == "client"), key=lambda span: span.start_ns
    )
    return {
        "number": attempt.number,
        "started_at": time(attempt.started_at),
        "steps": steps,
        "requests": [_request(span, began, index) for span in requests[:_MOST_REQUESTS]],
        "requests_cut": len(requests) > _MOST_REQUESTS,
        "third_parties": _third_parties(attempt),
    }


def _steps(attempt: Attempt, began: float) -> list[dict[str, Any]]:
    """Return the steps in the order in which they began, and then those never reached."""
    spans = [span for span in attempt.spans if names.STEP_NAME in span.attributes]
    parents = {span.span_id: span.parent_id for span in spans}
    # Steps and spans of one name end in the same order.
    ended: dict[str, list[Step]] = defaultdict(list)
    for step in attempt.steps:
        if step.result is not StepOutcome.SKIPPED:
            ended[step.name].append(step)
    found = []
    for span in spans:
        of_name = ended[str(span.attributes[names.STEP_NAME])]
        if of_name:
            step = of_name.pop(0)
            start = round((span.start_ns - began) / 1e9, 6)
            found.append(_step(step, start, _depth(span, parents), span.span_id))
    found.sort(key=lambda step: (step["start"], step["depth"]))
    # Those that came without a span: of a worker that died, say, or where spans were too many.
    left = [step for steps in ended.values() for step in steps]
    left += [step for step in attempt.steps if step.result is StepOutcome.SKIPPED]
    return [*found, *(_step(step, None, 0, None) for step in left)]


def _step(step: Step, start: float | None, depth: int, span_id: str | None) -> dict[str, Any]:
    return {
        "name": step.name,
        "result": step.result.value,
        "start": start,
        "duration": None if step.duration is None else round(step.duration, 6),
        "depth": depth,
        "slow": step.slow,
        "optional": step.optional,
        "span_id": span_id,
    }


def _depth(span: SpanData, parents: Mapping[str, str | None]) -> int:
    depth, above = 0, span.parent_id or ""
    # A span may come from another's code, and name itself as its own parent.
    while above in parents and depth < len(parents):
        depth, above = depth + 1, parents[above] or ""
    return depth


def _request(span: SpanData, began: float, index: Mapping[str, int]) -> dict[str, Any]:
    told = span.attributes
    return {
        "method": told.get(names.REQUEST_METHOD, ""),
        "url": told.get(names.URL, ""),
        "kind": told.get(names.REQUEST_KIND, ""),
        "status": told.get(names.RESPONSE_STATUS),
        "error": span.message or None,
        "start": round((span.start_ns - began) / 1e9, 6),
        "duration": round((span.end_ns - span.start_ns) / 1e9, 6),
        "step": index.get(span.parent_id or ""),
        "span_id": span.span_id,
    }


def _third_parties(attempt: Attempt) -> list[dict[str, Any]]:
    """Fold third parties by vendor; those that nobody knows stand by their origin."""
    found: dict[str, dict[str, Any]] = {}
    for contact in attempt.audit.contacts:
        if contact.party != "third":
            continue
        vendor = ", ".join(sorted(contact.vendors)) or contact.origin
        category = ", ".join(sorted(set(filter(None, contact.vendors.values()))))
        one = found.setdefault(
            vendor,
            {"vendor": vendor, "category": category, "origins": [], "requests": 0, "actions": {}},
        )
        one["requests"] += contact.requests
        if len(one["origins"]) < _MOST_ORIGINS:
            one["origins"].append(contact.origin)
        for action, count in contact.actions.items():
            one["actions"][action.value] = one["actions"].get(action.value, 0) + count
    by_number = sorted(found.values(), key=lambda one: -one["requests"])
    return by_number[:_MOST_THIRD_PARTIES]
