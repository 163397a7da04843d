"""What the catalogue's metrics are called once a store has translated them for PromQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.telemetry.catalogue import Kind

if TYPE_CHECKING:
    from agent.telemetry.catalogue import Metric

_UNITS: Final = {"s": "seconds", "By": "bytes"}
_PARTS: Final = ("bucket", "sum", "count")


def prometheus_name(metric: Metric) -> str:
    """Return the name of a metric's family; a histogram's series add ``_bucket`` and the like.

    Raises:
        KeyError: the metric has a unit that has no word here yet.

    """
    words = prometheus_label(metric.name).split("_")
    # What stands in braces only annotates and is no unit; a word that is there isn't repeated.
    if metric.unit and not metric.unit.startswith("{"):
        unit = _UNITS[metric.unit]
        words += [unit] if unit not in words else []
    if metric.kind is Kind.COUNTER:
        words.append("total")
    return "_".join(words)


def prometheus_series(metric: Metric) -> tuple[str, ...]:
    """Return the names that a metric's series have: one, or the three of a histogram."""
    name = prometheus_name(metric)
    if metric.kind is Kind.HISTOGRAM:
        return tuple(f"{name}_{part}" for part in _PARTS)
    return (name,)


def prometheus_label(attribute: str) -> str:
    """Return the label that an attribute becomes."""
    return attribute.replace(".", "_")
