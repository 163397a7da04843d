"""The rule file of Prometheus and vmalert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.rules import agents, journeys, recording
from agent.rules.rule import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.model import Journey
    from agent.rules.subject import Watch

_HEAD: Final = """\
# Made by `footfall rules`. Make it again whenever a journey or the configuration changes.
#
# Prometheus: name this file under rule_files.
# VictoriaMetrics: give it to vmalert as -rule, with -remoteWrite.url: some alerts read what is
# recorded here.
#
# All agents in one store are taken for one fleet: those of staging need a store of their own, or
# what fails in production alone is taken for the trouble of one location.
#
# For Alertmanager. A page of many journeys stands for those of the single ones, and that of a
# journey that is down for that of its burning budget:
#
#   route:
#     group_by: [alertname, journey]
#   inhibit_rules:
#     - source_matchers: [alertname = MassFailure]
#       target_matchers: [alertname =~ "JourneyDown|RegionalFailure"]
#       equal: [location]
#     - source_matchers: [alertname = JourneyDown]
#       target_matchers: [alertname =~ "ErrorBudgetBurnFast|ErrorBudgetBurnSlow"]
#       equal: [journey, site]
"""


def write_rules(walked: Sequence[Journey], watch: Watch) -> str:
    """Write the rules for these journeys, those of one name being there once."""
    groups = [
        *recording.groups(),
        agents.group(watch),
        *(journeys.group(journey, watch) for journey in sorted(walked, key=lambda one: one.name)),
    ]
    return _HEAD + write({"groups": [group.document() for group in groups]})
