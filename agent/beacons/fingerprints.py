"""Beacons known by their shape, wherever they go.

Sites send analytics through hosts of their own (a proxy, a server-side container, a
self-hosted collector), and some vendors take beacons at hosts that serve other things too.
A path alone seldom tells: a shop has a ``/track`` and a ``/collect`` of its own. So each
shape also names the fields without which it is none, with what they hold, sought in the
query and then in the body; only paths that no site would choose stand alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_LOOKED_AT = 8192
"""Bytes of a body in which fields are sought; recordings of a visit are megabytes."""
_TAIL = 256
"""Characters at the end of a path in which a shape is sought that may stand below others."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One shape. Each of ``needs`` must be there and match whole.

    ``path`` begins with ``^/`` where it is the path's beginning, and otherwise with ``/``.
    ``on`` limits it to the hosts of the vendor of that name; otherwise it holds anywhere.
    """

    vendor: str
    path: str
    needs: tuple[tuple[str, str], ...] = ()
    on: str = ""


_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}"
_MS = r"\d{13}"
_SOME = r".+"

SIGNATURES: tuple[Signature, ...] = (
    Signature(
        "Google Analytics", r"/(?:ag/)?g/c(?:ollect)?$", (("v", "2"), ("tid", r"G-[A-Z0-9]+"))
    ),
    Signature(
        "Google Analytics",
        r"/(?:[jr]/)?collect$",
        (("v", "1"), ("tid", r"UA-\d+-\d+"), ("t", r"\w+")),
    ),
    Signature("Google Ads", r"^/ads/ga-audiences$", (("v", r"\d"), ("t", "sr"))),
    Signature(
        "Google Ads",
        r"^/pagead/(?:1p-user-list|1p-conversion|(?:viewthrough)?conversion)/\d+/?$",
        (("random", r"\d+"),),
    ),
    Signature(
        "Google Ads",
        r"^/(?:pagead/|ccm/|rmkt/|ads/ga-audiences|measurement/conversion)",
        on="Other Google APIs/SDKs",
    ),
    Signature(
        "Google Ads",
        r"^/(?:ddm/(?:fls|activity)|activityi?|pagead/(?:viewthrough)?conversion)[;/]",
        on="Google Ads",
    ),
    # Frames whose document is the hit.
    Signature("Google Ads", r"^/td/(?:ga/)?rul(?:/|$)", on="Google Ads"),
    Signature("Snapchat", r"^/cm/i$", on="Snapchat"),
    Signature("The Trade Desk", r"^/track/(?:up|cei|conv)\b", on="The Trade Desk"),
    Signature(
        "Matomo",
        r"/(?:matomo|piwik)\.php$",
        (("idsite", rf"\d+|{_UUID}"), ("rec", "1")),
    ),
    Signature("Piwik", r"/ppms\.php$", (("idsite", rf"\d+|{_UUID}"), ("rec", "1"))),
    Signature(
        "Plausible",
        r"/event/?$",
        (("n", _SOME), ("u", r"(?:https?|file):.+"), ("d", r"[\w.,/-]+")),
    ),
    Signature("Umami", r"/send$", (("type", "event|identify"), ("website", _UUID))),
    Signature(
        "GoatCounter", r"/count$", (("p", _SOME), ("rnd", r"\w+"), ("s", r"\d+(?:%2C|,)\d+.*"))
    ),
    Signature("Snowplow", r"/com\.snowplowanalytics\.(?:snowplow|iglu)/(?:tp2|v1)$"),
    Signature(
        "Snowplow", r"/[\w-]+\.[\w.-]+/[\w-]+$", (("schema", r"iglu:com\.snowplowanalytics\..+"),)
    ),
    Signature("Snowplow", r"/i$", (("e", "pv|pp|se|ue|tr|ti"), ("tv", r"js-.+"), ("p", r"\w+"))),
    Signature(
        "PostHog",
        r"/(?:e|s|capture|batch|engage)/?$",
        (("ver", r"\d+\.\d+.*"), ("_", _MS)),
    ),
    Signature(
        "PostHog", r"/(?:e|s|capture|batch|engage)/?$", (("token", r"phc_\w+"), ("event", _SOME))
    ),
    Signature("PostHog", r"/(?:e|capture|batch)/?$", (("api_key", r"phc_\w+"),)),
    Signature(
        "Segment",
        r"/(?:v1/)?(?:[tpigasb]|track|page|identify|group|alias|screen|batch)$",
        (("writeKey", r"\w+"), ("messageId", _SOME)),
    ),
    Signature(
        "RudderStack",
        r"/v1/(?:track|page|identify|group|alias|screen|batch)$",
        (("messageId", _SOME), ("anonymousId", _SOME), ("originalTimestamp", _SOME)),
    ),
    Signature(
        "Amplitude", r"/(?:httpapi|batch)$", (("api_key", r"[0-9a-f]{32}"), ("events", r"\[.*"))
    ),
    Signature(
        "Mixpanel",
        r"/(?:track|engage|groups|record)/?$",
        (("verbose", "[01]"), ("ip", "[01]"), ("_", _MS)),
    ),
    Signature(
        "Mixpanel",
        r"/(?:track|engage|groups)/?$",
        (("data", r"(?:eyJ|W3si|%7B%22|%5B%7B%22).+"), ("ip", "[01]")),
    ),
    Signature("Adobe Experience Cloud", r"/b/ss/[\w,.-]+/\d+(?:/[\w.-]+)?/s\d+$"),
    Signature(
        "Adobe Experience Cloud",
        r"/v[12]/(?:interact|collect)$",
        (("configId", rf"{_UUID}.*"), ("requestId", _UUID)),
    ),
    Signature(
        "Adobe Experience Cloud",
        r"/v[12]/(?:interact|collect)$",
        (("dataStreamId", rf"{_UUID}.*"), ("requestId", _UUID)),
    ),
    Signature("Meta", r"/tr/?$", (("id", r"\d{9,}"), ("ev", _SOME))),
    Signature("Meta", r"^/tr/?$", on="Meta"),
    Signature(
        "FullStory",
        r"/rec/(?:bundle|page|beacon)(?:/v\d+)?$",
        (("OrgId", r"[\w-]+"),),
    ),
    Signature("Hotjar", r"/api/v2/client/sites/\d+/(?:visit-data|feedback|surveys)"),
    Signature("Optimizely", r"/events$", (("account_id", r"\d+"), ("visitors", r"\[.*"))),
    Signature("Statsig", r"/v1/(?:rgstr|log_event)(?:_beacon)?$", (("k", r"client-\w+"),)),
    Signature("Launch Darkly", r"^/(?:events/|a/[0-9a-f]+\.gif)", on="Launch Darkly"),
    Signature("Pinterest", r"^/(?:v3|user)/?$", on="Pinterest"),
    Signature("TikTok", r"^/api/v\d+/(?:pixel|monitor|performance|shopify_pixel)", on="TikTok"),
    Signature("Twitter Ads", r"^/(?:\d/)?i/adsct$", on="Twitter Short URL"),
    Signature(
        "New Relic",
        r"/(?:(?:events|jserrors|ins|browser/blobs)/)?1/[\w-]{10,}$",
        (("a", r"[\d,]+"), ("v", r"\d+\..*"), ("rst", r"\d+")),
    ),
    Signature(
        "Datadog",
        r"/api/v2/(?:rum|replay|logs|profile)$",
        (("ddsource", "browser"), ("dd-api-key", r"\w+")),
    ),
    Signature("Cloudflare Web Analytics", r"^/cdn-cgi/(?:rum|zaraz/t)$"),
    Signature("Vercel Analytics", r"^/_vercel/(?:insights/(?:view|event)|speed-insights/vitals)$"),
    Signature("Shopify Analytics", r"^/\.well-known/shopify/monorail/.*produce(?:_batch)?$"),
    Signature("Shopify Analytics", r"/produce(?:_batch)?$", on="Shopify"),
    Signature("YouTube", r"^/(?:api/stats/|youtubei/v1/log_event|ptracking|pagead/)", on="YouTube"),
    Signature("Vimeo", r"^/add/player-stats", on="Vimeo"),
    Signature("Wistia", r"^/(?:x|mput)$", on="Wistia"),
)


@cache
def _paths() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what the beginning, and what the end, of any beacon's path matches.

    Each begins with one literal slash, which makes it fast where nothing matches.
    """
    begins = [one.path[2:] for one in SIGNATURES if one.path.startswith("^/")]
    ends = [one.path[1:] for one in SIGNATURES if one.path.startswith("/")]
    return re.compile(f"/(?:{'|'.join(begins)})"), re.compile(f"/(?:{'|'.join(ends)})")


def match(path: str, query: str, body: bytes | None, host_of: str) -> str | None:
    """Return the vendor whose beacon this is by its shape; ``host_of`` names the host's."""
    begins, ends = _paths()
    tail = path[-_TAIL:]
    if not begins.match(path) and not ends.search(tail):
        return None
    fields = dict(pair.partition("=")[::2] for pair in reversed(query.split("&")))
    text = body[:_LOOKED_AT].decode("latin-1") if body else ""
    for one, pattern in _each():
        if one.on and one.on != host_of:
            continue
        if pattern.search(path if one.path.startswith("^") else tail) and all(
            re.fullmatch(value, _field(name, fields, text), re.DOTALL) for name, value in one.needs
        ):
            return one.vendor
    return None


@cache
def _each() -> tuple[tuple[Signature, re.Pattern[str]], ...]:
    return tuple((one, re.compile(one.path)) for one in SIGNATURES)


def _field(name: str, query: dict[str, str], body: str) -> str:
    """Return a field of the query, else of a body that is a form, lines of forms, or JSON."""
    if name in query:
        return query[name]
    found = _in_body(name).search(body) if name in body else None
    return next((one for one in found.groups() if one is not None), "") if found else ""


@cache
def _in_body(name: str) -> re.Pattern[str]:
    name = re.escape(name)
    return re.compile(rf'"{name}"\s*:\s*(?:"([^"]*)"|([^,}}\s"]+))|(?:^|[&\n?"]){name}=([^&\n"]*)')
