"""The cookie by which first parties' own scripts and templates know the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.worker.tagging.identity import COOKIE

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

    from agent.core.origins import FirstParty


def own_cookies(site: FirstParty) -> list[SetCookieParam]:
    """Return the cookie for each domain, one that other sites' pages send along where it may be.

    Browsers send it then from a third party's frame, and with the form that a payment page
    posts home. They take such a cookie over HTTPS only.
    """
    plain = {origin.cookie_domain for origin in site.origins if origin.scheme == "http"}
    cookies: list[SetCookieParam] = []
    for domain in dict.fromkeys(origin.cookie_domain for origin in site.origins):
        cookie: SetCookieParam = {"name": COOKIE, "value": "1", "domain": domain, "path": "/"}
        if domain not in plain:
            cookie |= {"sameSite": "None", "secure": True}
        cookies.append(cookie)
    return cookies
