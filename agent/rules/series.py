"""The metrics as a store with Prometheus' names has them, and how PromQL is written here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agent.core import names

if TYPE_CHECKING:
    from collections.abc import Iterable


def _stored(name: str, suffix: str = "") -> str:
    return name.replace(".", "_") + suffix


RUNS: Final = _stored(names.RUNS, "_total")
DURATION_BUCKETS: Final = _stored(names.DURATION, "_seconds_bucket")
DURATION_COUNT: Final = _stored(names.DURATION, "_seconds_count")
CONSECUTIVE_FAILURES: Final = _stored(names.CONSECUTIVE_FAILURES)
LAST_RUN: Final = _stored(names.LAST_RUN, "_seconds")
INTERVAL: Final = _stored(names.INTERVAL, "_seconds")
EXPECTED: Final = _stored(names.SCHEDULE_EXPECTED, "_total")
SUSPENDED: Final = _stored(names.SUSPENDED)
CONSECUTIVE_SLOW: Final = _stored(names.CONSECUTIVE_SLOW)
BEACONS: Final = _stored(names.BEACONS, "_total")
TLS_EXPIRY: Final = _stored(names.TLS_EXPIRY, "_seconds")
TLS_LIFETIME: Final = _stored(names.TLS_LIFETIME, "_seconds")
REPLICAS: Final = _stored(names.REPLICAS)
DRAINING: Final = _stored(names.AGENT_DRAINING)
RELOAD_SUCCESS: Final = _stored(names.RELOAD_SUCCESS)
SPOOL_ITEMS: Final = _stored(names.SPOOL_ITEMS)
SPOOL_OLDEST_AGE: Final = _stored(names.SPOOL_OLDEST_AGE, "_seconds")
SPOOL_DROPPED: Final = _stored(names.SPOOL_DROPPED, "_total")

JOURNEY: Final = _stored(names.JOURNEY)
SITE: Final = _stored(names.SITE)
LOCATION: Final = _stored(names.LOCATION)
RESULT: Final = _stored(names.RESULT)
ERROR_TYPE: Final = _stored(names.ERROR_TYPE)
VENDOR: Final = _stored(names.VENDOR)
ACTION: Final = _stored(names.ACTION)
SIGNAL: Final = _stored(names.SIGNAL)
MODE: Final = _stored(names.MODE)
END: Final = _stored(names.END)
HOST: Final = _stored(names.HOST)
ENVIRONMENT: Final = "deployment_environment_name"
VERSION: Final = _stored(names.SERVICE_VERSION)

INSTANCES: Final = ("instance", "exported_instance", _stored(names.SERVICE_INSTANCE))
"""Labels that may tell one agent from another: each way into a store has its own.

Of what else stands on the resource, ``service_version`` or a pod's name, some changes with a
restart; the counters go on, so those labels are left out.
"""


def select(metric: str, **matchers: str) -> str:
    """Write a selector; a value that starts with ``~`` is a regular expression."""
    parts = [
        f"{label}=~{quote(value[1:])}" if value.startswith("~") else f"{label}={quote(value)}"
        for label, value in matchers.items()
    ]
    return metric + ("{" + ", ".join(parts) + "}" if parts else "")


def of_environment(environment: str) -> str:
    """Write a matcher's value: this environment, or none, where a store keeps no such label."""
    return f"~{re.escape(environment)}|"


def quote(text: str) -> str:
    """Write a string as PromQL reads it back."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def by(labels: Iterable[str]) -> str:
    """Write the labels that an aggregation keeps."""
    return f"by ({', '.join(labels)})"


def on(labels: Iterable[str]) -> str:
    """Write the labels that two sides are matched by."""
    return f"on ({', '.join(labels)})"


def increase(counter: str, window: str) -> str:
    """Write by how much a recorded counter grew within a window.

    Not ``increase()``: Prometheus' tells fractions, and VictoriaMetrics' takes what a series
    starts with for growth where it is small, so that old failures would count once more. The
    recorded counters start at 0 and are never reset.
    """
    return f"max_over_time({counter}[{window}]) - min_over_time({counter}[{window}])"
