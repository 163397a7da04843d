"""The flags by which vendors themselves leave internal traffic out.

Three kinds. One goes into the hit's **address**. One is a **cookie** that the vendor's
server looks for. One lies in the page's **local storage**, where the vendor's own script
looks before it sends anything: a hit that is seen all the same came from something else,
and is stopped. A vendor without a flag is stopped where the configuration says ``mark``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.beacons.sockets import COVERS, in_script

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from agent.core.origins import Origin

_IN_ADDRESS = {
    # The traffic type. Of a batch too: the address holds what all lines of the body share.
    # The property's data filter for internal traffic must be on; new ones have it on test.
    "Google Analytics": (re.compile(r"/g/c(?:ollect)?$"), "tt", "internal"),
}
_COOKIES = {
    # Matomo 4 and newer: {"ignore": "*"} as its server writes it. Of self-hosted ones only,
    # since the host of any other is not known before the journey.
    "Matomo": ("matomo_ignore", "ignore%3DKg%3D%3D", ""),
    "Mixpanel": ("mp_optout", "1", ".mixpanel.com"),
}
"""Name, value, and the domain; none: the site's own."""
_IN_STORAGE = {
    "Fathom Analytics": ("blockFathomTracking", "true"),
    "GoatCounter": ("skipgc", "t"),
    "Pirsch": ("disable_pirsch", "1"),
    "Plausible": ("plausible_ignore", "true"),
    "Umami": ("umami.disabled", "1"),
}
_CREDENTIALED = frozenset({"ping", "xhr", "image"})
"""Kinds that vendors' scripts send with cookies across sites; of a fetch nobody knows."""

FLAGGED = frozenset({*_IN_ADDRESS, *_COOKIES, *_IN_STORAGE})
"""The vendors that have a flag."""


@dataclass(frozen=True, slots=True)
class Preparations:
    """What a browser context needs before the journey, so that marks are there.

    ``cookies`` are as Playwright's ``add_cookies`` takes them. ``init_script`` is empty
    where there is nothing to do.
    """

    cookies: tuple[dict[str, str | bool], ...]
    init_script: str


def prepare(vendors: Collection[str], origins: Iterable[Origin]) -> Preparations:
    """Return what the flags of these vendors need on a site of these origins."""
    own = tuple(origins)
    cookies: list[dict[str, str | bool]] = []
    for name, value, domain in (_COOKIES[one] for one in sorted(vendors) if one in _COOKIES):
        if domain:
            cookies.append(_cookie(name, value, domain, secure=True))
        for origin in () if domain else own:
            secure = origin.scheme == "https"
            cookies.append(_cookie(name, value, origin.cookie_domain, secure=secure))
    flags = dict(_IN_STORAGE[one] for one in sorted(vendors) if one in _IN_STORAGE)
    return Preparations(tuple(cookies), _script(flags, own) if flags else "")


def marked_address(vendor: str, url: str) -> str | None:
    """Return the address with the vendor's flag in it; None where it takes none there."""
    if vendor not in _IN_ADDRESS:
        return None
    path_pattern, name, value = _IN_ADDRESS[vendor]
    address, _, fragment = url.partition("#")
    path, _, query = address.partition("?")
    if not path_pattern.search(path):
        return None
    pairs = [pair for pair in query.split("&") if pair and pair.partition("=")[0] != name]
    marked = f"{path}?{'&'.join([*pairs, f'{name}={value}'])}"
    return f"{marked}#{fragment}" if fragment else marked


def marked_by_cookie(vendor: str, host: str, kind: str, *, first_party: bool) -> bool:
    """Whether the vendor's cookie, once prepared, goes with such a request."""
    if vendor not in _COOKIES:
        return False
    domain = _COOKIES[vendor][2]
    if not domain:
        return first_party
    return f".{host}".endswith(domain) and kind in _CREDENTIALED


def _cookie(name: str, value: str, domain: str, *, secure: bool) -> dict[str, str | bool]:
    # Chromium sends no cookie across sites that isn't secure.
    return {
        "name": name,
        "value": value,
        "domain": domain,
        "path": "/",
        "secure": secure,
        "sameSite": "None" if secure else "Lax",
    }


def _script(flags: dict[str, str], origins: Iterable[Origin]) -> str:
    """Return a script that sets ``flags`` in every first-party frame, and in no other."""
    return f"""(() => {{
  const covers = {COVERS};
  if (!covers(location, {json.dumps(in_script(origins))})) return;
  for (const [name, value] of Object.entries({json.dumps(flags)})) {{
    try {{ localStorage.setItem(name, value); }} catch {{ /* a frame without storage */ }}
  }}
}})();"""
