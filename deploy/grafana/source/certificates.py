"""Certificates of first parties: when each ends."""

from __future__ import annotations

from typing import Final

from deploy.grafana.source import words
from deploy.grafana.source.panel import Query
from deploy.grafana.source.panels import Stat
from deploy.grafana.source.table import Column, Table

_OF: Final = f"{{{words.OF_ENVIRONMENT}}}"
_ENDS: Final = f"min by (host) (footfall_tls_expiry_seconds{_OF})"
_HOLDS: Final = f"min by (host) (footfall_tls_lifetime_seconds{_OF})"

SOONEST: Final = Stat(
    title="Next certificate ends in",
    description="Of all first parties that are visited by HTTPS. Which one, and how much of its "
    "lifetime that is, stands in the table of certificates.",
    queries=[Query(f"min({_ENDS}) - time()")],
    unit="s",
    decimals=0,
    none="no certificate",
    filled=False,
    width=6,
)
HOSTS: Final = Table(
    title="Certificates",
    description="Of the hosts of first parties, as the journeys see them. A ticket comes below "
    "a quarter of the lifetime (21 days at most), a page below a tenth (3 days at most).",
    by={"host": "Host"},
    columns=[
        Column(title="Ends in", expr=f"{_ENDS} - time()", unit="s", decimals=0),
        Column(title="Holds in all", expr=_HOLDS, unit="s", decimals=0),
        Column(
            title="Left",
            expr=f"({_ENDS} - time()) / {_HOLDS}",
            unit="percentunit",
            decimals=0,
            steps=((words.LOWEST, "red"), (0.1, "yellow"), (0.25, "green")),
        ),
    ],
    width=12,
)
