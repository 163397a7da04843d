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
# Made for one environment, and for series that name none, since not every store keeps
# deployment_environment_name. Where one store has several environments, have it keep that label
# (Prometheus: otlp.promote_resource_attributes), or what fails in one alone is taken for the
# trouble of one location; and load a file of each. Every alert has the label.
#
# For Alertmanager. A page of many journeys stands for those of the single ones, and that of a
# journey that is down for that of its burning budget:
#
#   route:
#     group_by: [alertname, journey]
#   inhibit_rules:
#     - source_matchers: [alertname = MassFailure]
#       target_matchers: [alertname =~ "JourneyDown|RegionalFailure"]
#       equal: [deployment_environment_name, location]
#     - source_matchers: [alertname = JourneyDown]
#       target_matchers: [alertname =~ "ErrorBudgetBurnFast|ErrorBudgetBurnSlow"]
#       equal: [deployment_environment_name, journey, site]
"""


def write_rules(walked: Sequence[Journey], watch: Watch) -> str:
    """Write the rules for these journeys, those of one name being there once."""
    groups = [
        *recording.groups(watch),
        agents.group(watch),
        *(journeys.group(journey, watch) for journey in sorted(walked, key=lambda one: one.name)),
    ]
    return _HEAD + write({"groups": [group.document() for group in groups]})
