"""What left the browser of an attempt: beacons, what was to become of them and what did."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from agent.core.limits import MOST_BEACONS, MOST_ORIGINS, BeaconAddress, Count

VendorName = Annotated[str, Field(max_length=100)]

BeaconChoice = Literal["block", "mark", "allow"]
"""What is to be done with a beacon: a hit that a page sends to a vendor of analytics."""


class BeaconAction(StrEnum):
    """What became of a beacon."""

    BLOCKED = "blocked"
    MARKED = "marked"
    ALLOWED = "allowed"
    ESCAPED = "escaped"  # it got out untouched, against the policy


@dataclass(frozen=True, slots=True)
class BeaconPolicy:
    """What is done with beacons: as ``default`` says, unless ``vendors`` names theirs."""

    default: BeaconChoice = "block"
    vendors: dict[str, BeaconChoice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beacon:
    """A beacon of a run. ``url`` has no query, fragment or user info."""

    vendor: VendorName
    url: BeaconAddress
    action: BeaconAction


@dataclass(frozen=True, slots=True)
class Contact:
    """What an attempt had to do with one origin."""

    origin: BeaconAddress
    party: Literal["first", "third"]
    vendors: dict[VendorName, str]
    """Who is behind it, each with its category: several where one host takes beacons for all
    of them. Empty: nobody known."""
    requests: Count
    tagged: Count
    suspects: Count
    """Requests that look like beacons of a vendor nobody knows."""
    actions: dict[BeaconAction, Count] = field(default_factory=dict)
    """Beacons by what became of them."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What left the browser of an attempt, as the business's figures see it."""

    beacons: Annotated[tuple[Beacon, ...], Field(max_length=MOST_BEACONS)] = ()
    """The first of them."""
    counts: dict[BeaconAction, dict[VendorName, Count]] = field(default_factory=dict)
    """All of them, by what became of them and by vendor."""
    contacts: Annotated[tuple[Contact, ...], Field(max_length=MOST_ORIGINS)] = ()

    @property
    def escaped(self) -> int:
        """How many got out untouched, against the policy."""
        return sum(self.counts.get(BeaconAction.ESCAPED, {}).values())
