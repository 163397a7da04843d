"""The alerts of one journey: what its owner is told, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.rules import measuring, suspended, target
from agent.rules.rule import Group
from agent.rules.subject import Subject

if TYPE_CHECKING:
    from agent.core.model import Journey
    from agent.rules.subject import Watch


def group(journey: Journey, watch: Watch) -> Group:
    """Return all alerts of a journey."""
    subject = Subject(journey, watch)
    return Group(
        f"footfall-journey-{journey.name}",
        "15s",
        (
            *target.down(subject),
            *target.budget(subject),
            target.slow(subject),
            target.flaky(subject),
            measuring.not_running(subject),
            measuring.not_measured(subject),
            measuring.challenged(subject),
            measuring.escaped(subject),
            suspended.paused_long(subject),
        ),
    )
