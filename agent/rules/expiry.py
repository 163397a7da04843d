"""Alerts of certificates that end soon, told once a host, by the share of their lifetime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.rules import series
from agent.rules.rule import Alert
from agent.rules.series import by, on
from agent.rules.subject import PAGE, TICKET

if TYPE_CHECKING:
    from agent.rules.subject import Watch

_DAY: Final = 86_400
_TICKET: Final = (0.25, 21 * _DAY)
_PAGE: Final = (0.1, 3 * _DAY)
"""The share of its lifetime, and the seconds, below which a certificate is too close to its end:
whichever is less. One of six days is renewed with two or three left."""


def expiring(watch: Watch) -> tuple[Alert, Alert]:
    """Return those of a host whose certificate was not renewed in time."""
    host = (series.ENVIRONMENT, series.HOST)
    ticket, page = (_below(watch, share, most) for share, most in (_TICKET, _PAGE))
    summary = "The certificate of {{ $labels.host }} ends in {{ $value | humanizeDuration }}"
    description = (
        "It was not renewed when it should have been. Where several are served, this is the one "
        "that ends first. Once it has ended, no customer gets in: look at whatever renews it, "
        "and whether what was renewed is being served."
    )
    annotations = {"summary": summary, "description": description}
    return (
        Alert("CertificateExpiring", page, {**watch.labels, "severity": PAGE}, annotations, "5m"),
        Alert(
            "CertificateExpiring",
            f"{ticket}\nunless {on(host)} {page}",
            {**watch.labels, "severity": TICKET},
            annotations,
            "1h",
        ),
    )


def _below(watch: Watch, share: float, most: int) -> str:
    """Write the seconds left to each host's certificate, where they are too few.

    Of an agent the newest counts: after an upgrade, what its older version saw is still there.
    """
    seen = by((series.ENVIRONMENT, series.HOST, *series.INSTANCES))
    left = f"max {seen} ({watch.of(series.TLS_EXPIRY)}) - time()"
    lifetime = f"min {seen} ({watch.of(series.TLS_LIFETIME)})"
    return (
        f"min {by((series.ENVIRONMENT, series.HOST))} (\n"
        f"  {left} < clamp_max({share:g} * {lifetime}, {most})\n"
        f")"
    )
