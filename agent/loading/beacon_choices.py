"""What the configuration says of single vendors of analytics, and whether anybody knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.beacons.policy import unknown
from agent.core.beacon_report import BeaconPolicy
from agent.core.errors import Problem

if TYPE_CHECKING:
    from agent.config import Settings
    from agent.core.beacon_report import BeaconChoice


def check_vendors(settings: Settings) -> list[Problem]:
    """Return a problem for each vendor of the beacon policies that nobody knows."""
    return [
        Problem(settings.where(*path, name), message)
        for path, policy in vendor_policies(settings)
        for name, message in unknown(policy).items()
    ]


def vendor_policies(settings: Settings) -> list[tuple[tuple[str, ...], BeaconPolicy]]:
    """Return what single vendors are told, with the path of keys where it stands."""
    sections: dict[tuple[str, ...], dict[str, BeaconChoice]] = {
        ("beacons", "vendors"): settings.beacons.vendors,
        **{
            ("sites", name, "beacons", "vendors"): site.beacons.vendors
            for name, site in settings.sites.items()
        },
    }
    return [(path, BeaconPolicy(vendors=vendors)) for path, vendors in sections.items() if vendors]
