"""Which requests a browser is asked to hold, as CDP patterns.

They are wider than what is meant: what is held needlessly is let go as it is, and only costs
time. None may be narrower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent.core.model import Hold
    from agent.core.origins import Origin

Pattern = dict[str, str]

CSP_REPORT = "CSPViolationReport"
WORKER_SCRIPT = "Other"
"""The kind of a worker's own script, and of few things else."""
_CALLS = (
    "Document",  # pages, frames, form posts, downloads
    "XHR",  # fetch too, in workers as well
    "EventSource",
    "Fetch",  # what a link asks to be fetched ahead
    "Ping",  # beacons, what a page sends as it goes
    WORKER_SCRIPT,
    CSP_REPORT,
)
"""What is held of first parties where pictures, styles, fonts, media and scripts are not."""
_IMPORTS = "Script"
"""What a worker imports is of the kind of pages' own scripts."""
_MAY_BE_BEACONS: tuple[Pattern, ...] = (
    *({"urlPattern": "http*", "resourceType": kind} for kind in ("Ping", "XHR", "Fetch", "Other")),
    # Pictures without a query are the page's own.
    *({"urlPattern": one, "resourceType": "Image"} for one in (r"http*\?*", "http*.gif*")),
    # A page's complaint of what the agent itself did is not the site's to read.
    {"urlPattern": "http*", "resourceType": CSP_REPORT},
    # Frames are few, and some are hits themselves.
    {"urlPattern": "http*", "resourceType": "Document"},
    # Scripts that say nothing are libraries. Conversion tags may tell all in their path.
    *(
        {"urlPattern": one, "resourceType": "Script"}
        for one in (r"http*\?*", "http*/pagead/*", "http*/ccm/*")
    ),
    # Beacons that need no query to be one.
    *(
        {"urlPattern": f"http*{path}*"}
        for path in (
            "/.well-known/shopify/monorail/",
            "/_vercel/",
            "/api/v2/client/sites/",
            "/b/ss/",
            "/cdn-cgi/",
            "/com.snowplowanalytics.",
        )
    ),
)
"""Of all parties what may be a beacon is held, and no more: holding costs time."""


def patterns(
    origins: Iterable[Origin], hold: Hold, *, guarded: bool, workers: bool
) -> list[Pattern]:
    """Return what is held of first parties, and of all others where beacons are ``guarded``.

    ``workers``: whether there are any, whose imports look like pages' own scripts.
    """
    found = [one for origin in origins for one in _of(origin, hold, workers=workers)]
    return [*found, *_MAY_BE_BEACONS] if guarded else found


def _of(origin: Origin, hold: Hold, *, workers: bool) -> Iterator[Pattern]:
    if hold == "all":
        yield {"urlPattern": origin.cdp_pattern}
        return
    for kind in (*_CALLS, _IMPORTS) if workers else _CALLS:
        yield {"urlPattern": origin.cdp_pattern, "resourceType": kind}
