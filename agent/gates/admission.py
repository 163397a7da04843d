"""Whether a gate may be had as it is asked for: by site, journeys, times, address and headers.

Whoever may ask for a verdict can't have a journey walk, or say anything, where the configuration
doesn't allow it: an address is one of ``[sites.NAME.gate] urls``, a header one of its ``headers``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from agent.config.addresses import covers, origin
from agent.config.sections import SiteGateSection
from agent.core.printable import printable
from agent.core.suspension import Cause, Mode
from agent.core.units import format_duration
from agent.server.api import no_journey
from agent.server.control import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.config import Settings
    from agent.core.gate import GateOrder
    from agent.core.model import Journey
    from agent.schedule.suspensions import Suspensions

SHORTEST: Final = 1.0
LONGEST: Final = 600.0
"""Seconds in which a verdict may be wanted."""
_LONGEST_BASELINE: Final = 30 * 86_400.0
_MOST: Final = 50
"""Journeys that vote."""


def admit(order: GateOrder, settings: Settings, journeys: Mapping[str, Journey]) -> GateOrder:
    """Return an order with the journeys that vote, and its address in one spelling.

    Raises:
        Refused: it can't be had; with every reason where there are several of one kind.

    """
    section = settings.sites.get(order.site)
    if section is None:
        known = ", ".join(sorted(settings.sites)) or "none"
        raise Refused(404, f"no site is called {_said(order.site)}; known: {known}")
    names = _voting(order, journeys)
    own = section.gate or SiteGateSection()
    where = f"[sites.{order.site}.gate]"
    faults = [
        *_times(order),
        *_headers(order.headers, own, where, settings.identity.header),
    ]
    url = ""
    if order.url:
        try:
            url = origin(order.url)
        except ValueError as error:
            faults.append(f"url {error}")
        else:
            if url == section.url:
                url = ""
            elif not any(covers(pattern, url) for pattern in own.urls):
                faults.append(f"url is none that {where} urls allows: {_listed(own.urls)}")
    if faults:
        raise Refused(422, "; ".join(faults))
    return replace(order, journeys=names, url=url)


def walked_for(journey: Journey, order: GateOrder) -> Journey:
    """Return a journey as it is walked for a gate: where the release answers."""
    if not order.url:
        return journey
    site = journey.site
    own = (*site.first_party, order.url)
    return replace(journey, site=replace(site, url=order.url, first_party=own))


def paused(suspensions: Suspensions, journey: Journey, now: float) -> str:
    """Say who keeps a journey from being walked at Unix time ``now``; "": no person does.

    Windows don't: releases are what they are for.
    """
    for one in suspensions.holding(journey, now):
        if one.cause is Cause.PAUSE and one.mode is Mode.STOP:
            return f"{journey.name} is paused by {one.who}: {one.reason}"
    return ""


def withheld(order: GateOrder, settings: Settings) -> str:
    """Return why the journeys of a gate get no secrets; "": they do."""
    section = settings.sites.get(order.site)
    gate = section.gate if section else None
    if not order.url or (gate and gate.secrets):
        return ""
    return (
        f"they are not typed into {order.url}, which is not the site's own address, unless "
        f"[sites.{order.site}.gate] has secrets = true"
    )


def _voting(order: GateOrder, journeys: Mapping[str, Journey]) -> tuple[str, ...]:
    of_site = {name: one for name, one in journeys.items() if one.site.name == order.site}
    for name in order.journeys:
        if name not in of_site:
            raise Refused(404, f"of site {order.site}: {no_journey(name, sorted(of_site))}")
        if not of_site[name].enabled:
            raise Refused(409, f"journey {name} is disabled: set journey.{name}.enabled and reload")
    enabled = (name for name, one in of_site.items() if one.enabled)
    names = tuple(dict.fromkeys(order.journeys or sorted(enabled)))
    if not names:
        raise Refused(409, f"site {order.site} has no journey that could vote")
    if len(names) > _MOST:
        raise Refused(422, f"{len(names)} journeys are more than can vote at once, {_MOST}")
    return names


def _times(order: GateOrder) -> list[str]:
    faults = []
    if not SHORTEST <= order.within <= LONGEST:
        least, most = format_duration(SHORTEST), format_duration(LONGEST)
        faults.append(f"within must be from {least} to {most}")
    if order.baseline > _LONGEST_BASELINE:
        faults.append(f"baseline must be {format_duration(_LONGEST_BASELINE)} or less")
    return faults


def _headers(
    given: Mapping[str, str], own: SiteGateSection, where: str, identity: str
) -> list[str]:
    faults = []
    lowered = [name.lower() for name in given]
    for name, value in given.items():
        lower = name.lower()
        if lower not in own.headers or lower == identity.lower():
            faults.append(
                f"header {_said(name)} is none that {where} headers allows: {_listed(own.headers)}"
            )
        elif lowered.count(lower) > 1:
            faults.append(f"header {_said(name)} is given twice")
        elif not value or not value.isascii() or not value.isprintable() or value != value.strip():
            # Its value may be secret.
            faults.append(f"header {lower} must be one line of plain ASCII")
    return faults


def _listed(allowed: tuple[str, ...]) -> str:
    return ", ".join(allowed) or "there are none"


def _said(text: str) -> str:
    """Quote what somebody sent, or the beginning of it."""
    return ascii(printable(text)[:100])
