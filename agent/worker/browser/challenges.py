"""Answers by which a site's edge says that it takes the agent for a bot.

Customers are fine then, so they are no failure of the site's. Only signs that nothing else
gives are known: Akamai, HUMAN and Imperva say it in their pages' text alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class _Sign:
    """A vendor's header, with one of these values (none: any), at one of these statuses."""

    vendor: str
    header: str
    values: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()

    def is_on(self, status: int, headers: Mapping[str, str]) -> bool:
        value = headers.get(self.header)
        if value is None or (self.statuses and status not in self.statuses):
            return False
        return not self.values or value.strip().lower() in self.values


_SIGNS = (
    _Sign("Cloudflare", "cf-mitigated", frozenset({"challenge"})),
    _Sign(
        "AWS WAF",
        "x-amzn-waf-action",
        frozenset({"captcha", "challenge"}),
        frozenset({202, 405}),
    ),
    _Sign("Vercel", "x-vercel-mitigated", frozenset({"challenge"})),
    _Sign("DataDome", "x-dd-b", statuses=frozenset({401, 403})),
    _Sign("Kasada", "x-kpsdk-ct", statuses=frozenset({429})),
)
_STATUSES = frozenset({202, 401, 403, 405, 429, 503})
"""Those at which any of them challenges."""
_MOST = 100


@dataclass(slots=True)
class Challenges:
    """Which requests of a walk were challenged, and are so still."""

    _open: dict[str, str] = field(default_factory=dict)

    def see(self, request: str, status: int, headers: Mapping[str, str]) -> bool:
        """Look at an answer to a request (``GET https://…``); return whether it is a challenge.

        An answer that is none closes an earlier one: a browser may have passed it by itself.
        """
        found = None
        if status in _STATUSES:
            found = next((sign for sign in _SIGNS if sign.is_on(status, headers)), None)
        if found is None:
            self._open.pop(request, None)
            return False
        if len(self._open) < _MOST:
            said = f"{found.header}: {headers[found.header][:50]}"
            self._open[request] = f"{found.vendor} ({said}) challenged {request} with {status}"
        return True

    def of(self, request: str) -> str:
        """Return in words how a request is challenged; "" where it is not."""
        return self._open.get(request, "")

    @property
    def open(self) -> str:
        """The first challenge that is still open, in words; "" where none is."""
        return next(iter(self._open.values()), "")
