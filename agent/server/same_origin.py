"""Whether a browser says that what it sends comes from a page of the agent's own.

By two headers that no page can set: ``Sec-Fetch-Site`` and ``Origin``. Programs other than
browsers send neither, and show the token instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.origins import origin_of

if TYPE_CHECKING:
    from starlette.datastructures import Headers

_NAVIGATES = "navigate"


def from_own_page(headers: Headers, url: str) -> bool:
    """Whether a request that changes something was sent by a page of the agent's.

    Browsers send no ``Sec-Fetch-Site`` to plain HTTP beyond this machine; there ``Origin`` must
    be the agent's: ``url``, or else what was asked for. Without either the answer is no.
    """
    if sites := headers.getlist("sec-fetch-site"):
        return sites == ["same-origin"]
    origins = headers.getlist("origin")
    own = origin_of(url or f"http://{headers.get('host', '')}")
    return bool(own) and len(origins) == 1 and origin_of(origins[0]) == own


def from_foreign_page(headers: Headers) -> bool:
    """Whether another site's page loads this into itself, rather than leading somebody here."""
    sites = headers.getlist("sec-fetch-site")
    loads = headers.getlist("sec-fetch-mode") != [_NAVIGATES]
    return loads and any(site in {"cross-site", "same-site"} for site in sites)


def may_come_without_cookie(headers: Headers) -> bool:
    """Whether a browser may hold back a cookie that it has, since another site led here."""
    return headers.getlist("sec-fetch-site") in ([], ["cross-site"])
