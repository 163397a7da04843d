"""The ``OTEL_…`` variables that can't be honoured here: each is refused by its name.

What the agent sends is made and kept otherwise than an SDK does it, so not all settings of one
mean something to it. A variable whose value asks for what happens anyway is fine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.core.errors import Problem
from agent.telemetry.attributes import ATTRIBUTES, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class _Rule:
    """Names that match ``pattern`` are refused unless their value, in lower case, is fine."""

    pattern: str
    why: str
    fine: frozenset[str] = frozenset()
    at_least: int | None = None
    """Numbers from here on are fine too."""

    def allows(self, value: str) -> bool:
        if value.lower() in self.fine:
            return True
        return self.at_least is not None and value.isdecimal() and int(value) >= self.at_least


_SIGNALS: Final = "(TRACES|METRICS|LOGS)"
_OTLP: Final = (
    f"({_SIGNALS}_)?"
    "(ENDPOINT|PROTOCOL|HEADERS|TIMEOUT|COMPRESSION|CERTIFICATE|CLIENT_CERTIFICATE|CLIENT_KEY|INSECURE)"
)
HONOURED: Final = re.compile(
    "OTEL_(SDK_DISABLED|SERVICE_NAME|RESOURCE_ATTRIBUTES|METRIC_EXPORT_(INTERVAL|TIMEOUT)"
    f"|{_SIGNALS}_EXPORTER|EXPORTER_OTLP_{_OTLP})"
)
_RULES: Final = (
    _Rule(
        "EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "counters are cumulative, so that no outage or kill costs a count. Remove it, and have "
        "a collector turn them into deltas (its processor cumulativetodelta)",
        frozenset({"cumulative"}),
    ),
    _Rule(
        "EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "histograms have the fixed buckets that the alert rules count with. Remove it",
        frozenset({"explicit_bucket_histogram"}),
    ),
    _Rule(
        "METRICS_EXEMPLAR_FILTER",
        "each run is its series' exemplar. Remove it",
        frozenset({"trace_based", "always_on"}),
    ),
    _Rule(
        "TRACES_SAMPLER(_ARG)?",
        "every run has its trace: what alerts leads to it. Remove it, and sample in a collector",
        frozenset({"always_on", "parentbased_always_on", "1", "1.0"}),
    ),
    _Rule(
        "PROPAGATORS",
        "first parties get traceparent and baggage, no other headers. Remove it",
        frozenset({"tracecontext,baggage", "baggage,tracecontext"}),
    ),
    _Rule(
        "(BSP|BLRP)_.*",
        "nothing is batched in memory: what a run leaves is on disk before the run counts as "
        "done, and is sent at once. Remove it; `telemetry.spool_bytes` and `telemetry.spool_age` "
        "bound what waits",
    ),
    _Rule(
        "(SPAN_|LOGRECORD_)?ATTRIBUTE_VALUE_LENGTH_LIMIT",
        f"values are cut at {TEXT} characters. Remove it, or cut shorter in a collector",
        at_least=TEXT,
    ),
    _Rule(
        "((SPAN_|LOGRECORD_|EVENT_|LINK_)?ATTRIBUTE|SPAN_EVENT|SPAN_LINK)_COUNT_LIMIT",
        f"a span has {ATTRIBUTES} attributes at most. Remove it",
        at_least=ATTRIBUTES,
    ),
    _Rule(
        "LOG_LEVEL",
        "the agent's log has no levels to choose from. Remove it",
        frozenset({"info"}),
    ),
    _Rule(
        "EXPORTER_(ZIPKIN|JAEGER|PROMETHEUS)_.*",
        "only OTLP is spoken here. Remove it, and have a collector translate",
    ),
    _Rule(
        "(EXPERIMENTAL_)?CONFIG_FILE",
        "the agent reads no such file. Write what it says into [telemetry], or as other "
        "OTEL_ variables",
    ),
    _Rule("EXPORTER_OTLP_.*", "there is no such variable. Look at its spelling"),
)


def refusals(environment: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each variable whose value can't be honoured."""
    for name, value in sorted(environment.items()):
        if not name.startswith("OTEL_") or not value.strip() or HONOURED.fullmatch(name):
            continue
        rule = _rule_of(name)
        if rule is not None and not rule.allows(value.strip()):
            yield Problem(name, f"can't be honoured: {rule.why}.")


def ignored(environment: Mapping[str, str]) -> Iterator[Problem]:
    """Yield those that the specification doesn't know: other tools' or platforms', or slips."""
    for name in sorted(environment):
        if name.startswith("OTEL_") and not HONOURED.fullmatch(name) and _rule_of(name) is None:
            yield Problem(name, "is not used: the specification has no such variable.")


def _rule_of(name: str) -> _Rule | None:
    return next((one for one in _RULES if re.fullmatch(f"OTEL_{one.pattern}", name)), None)
