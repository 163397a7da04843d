"""Which requests are beacons, and what becomes of them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright._impl._driver import compute_driver_executable

from agent.beacons.marks import FLAGGED
from agent.beacons.policy import (
    BeaconGuard,
    Sighting,
    bare_address,
    looks_like_beacon,
    stopped_instead,
    unknown,
)
from agent.beacons.vendors import find, named
from agent.core.beacon_report import BeaconAction, BeaconChoice, BeaconPolicy
from agent.core.origins import FirstParty
from tests.support.beacons import GA4, LOOK_ALIKES, SHAPES, Plain, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOP = FirstParty(["https://shop.example.com", "https://*.shop.example.com"])
PROXY = "m.shop.example.com"
KINDS = [
    *("Document", "Stylesheet", "Image", "Media", "Font", "Script", "TextTrack", "XHR", "Fetch"),
    *("Prefetch", "EventSource", "WebSocket", "Manifest", "SignedExchange", "Ping", "Other"),
    *("CSPViolationReport", "Preflight"),
]
SEEN: dict[BeaconChoice, BeaconAction] = {
    "block": BeaconAction.BLOCKED,
    "mark": BeaconAction.MARKED,
    "allow": BeaconAction.ALLOWED,
}

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda one: f"{one.vendor}-{one.name}")


def guard(
    default: BeaconChoice = "block", vendors: Mapping[str, BeaconChoice] | None = None
) -> BeaconGuard:
    return BeaconGuard(BeaconPolicy(default, dict(vendors or {})), SHOP)


def look(shape: Shape, default: BeaconChoice, host: str = "") -> Sighting | None:
    return guard(default).look(shape.method, shape.url(host), shape.kind, shape.body)


# What is one.


def test_enough_vendors() -> None:
    """The table holds real shapes of more than fifteen vendors, flags of each kind among them."""
    assert len({shape.vendor for shape in SHAPES}) >= 25
    assert {shape.mark for shape in SHAPES} == {"address", "cookie", "none"}


@every_shape
def test_blocked(shape: Shape) -> None:
    """By default each vendor's beacon is stopped, in whatever case the kind is written."""
    seen = look(shape, "block")
    assert seen is not None
    assert (seen.vendor, seen.action, seen.url) == (shape.vendor, BeaconAction.BLOCKED, None)
    lower = guard().look(shape.method, shape.url(), shape.kind.lower(), shape.body)
    assert lower == seen


@every_shape
def test_through_the_sites_own_host(shape: Shape) -> None:
    """A beacon that is sent through a first party is known if its shape says enough."""
    seen = look(shape, "block", PROXY)
    if not shape.proxied:
        assert seen is None or seen.vendor != shape.vendor
        return
    assert seen is not None
    assert (seen.vendor, seen.action) == (shape.vendor, BeaconAction.BLOCKED)


BELOW = {"Amplitude", "Google Analytics", "Matomo", "Mixpanel", "Plausible", "PostHog", "Segment"}


@pytest.mark.parametrize("shape", [one for one in SHAPES if one.vendor in BELOW])
def test_below_a_path(shape: Shape) -> None:
    """A proxy may take beacons below a path of its own."""
    below = f"https://{PROXY}/ingest{shape.target}"
    seen = guard().look(shape.method, below, shape.kind, shape.body)
    assert seen is not None
    assert (seen.vendor, seen.action) == (shape.vendor, BeaconAction.BLOCKED)


@pytest.mark.parametrize("plain", LOOK_ALIKES, ids=lambda one: one.url[:70])
def test_look_alikes(plain: Plain) -> None:
    """A shop's own requests, libraries, frames and what pages need are left alone."""
    assert guard().look(plain.method, plain.url, plain.kind, plain.body) is None


@every_shape
def test_telling_fields_are_needed(shape: Shape) -> None:
    """Without query and body, a path that a site might choose is no beacon at a first party."""
    path = urlsplit(shape.target).path
    telling = ("/com.snowplow", "/b/ss/", "/cdn-cgi/", "/api/v2/client/sites/")
    if not path.startswith(telling):
        assert guard().look(shape.method, f"https://{PROXY}{path}", shape.kind, None) is None


@pytest.mark.parametrize("kind", ["Script", "Stylesheet", "Font", "Document", "Media"])
def test_libraries_load(kind: str) -> None:
    """What a page asks of a vendor's host to run or to show is not stopped."""
    url = "https://static.hotjar.com/c/hotjar-1.js?sv=7&a=1&b=2&c=3&d=4"
    assert guard().look("GET", url, kind, None) is None


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("OPTIONS", "Fetch"),
        ("POST", "Preflight"),
        ("POST", "CSPViolationReport"),
    ],
)
def test_not_a_hit(method: str, kind: str) -> None:
    """Asking leave to send is not sending, whatever the address says."""
    for host in ("www.google-analytics.com", PROXY):
        assert guard().look(method, f"https://{host}{GA4}", kind, None) is None


def test_a_long_path() -> None:
    """A shape is known at the end of a path of any length."""
    url = f"https://{PROXY}{'/a' * 1000}{GA4}"
    seen = guard().look("POST", url, "Fetch", None)
    assert seen is not None
    assert seen.vendor == "Google Analytics"


@pytest.mark.parametrize(
    ("url", "kind", "method"),
    [
        ("https://px.criteo.example.taboola.com/a.gif", "Image", "GET"),
        ("https://px.taboola.com/a?b=1", "Image", "GET"),
        ("https://px.taboola.com/a.png?a=1&b=2&c=3&d=4", "Image", "GET"),
        ("https://px.taboola.com/a", "Fetch", "POST"),
        ("https://px.taboola.com/a?a=1&b=2&c=3&d=4", "XHR", "GET"),
        (f"https://px.taboola.com/a?a={'x' * 100}", "Fetch", "GET"),
        ("https://px.taboola.com/a", "Ping", "POST"),
    ],
)
def test_forms(url: str, kind: str, method: str) -> None:
    """Of a vendor known by its host alone, all that can carry a hit is one."""
    seen = guard().look(method, url, kind, None)
    assert seen is not None
    assert (seen.vendor, seen.category) == ("Taboola", "ad")


def test_a_first_party_is_never_a_vendor() -> None:
    """Where the site under test is a vendor's, its own requests stay its own."""
    mine = BeaconGuard(BeaconPolicy(), FirstParty(["https://*.segment.com"]))
    assert mine.look("POST", "https://app.segment.com/api/save", "XHR", b"{}") is None
    assert guard().look("POST", "https://app.segment.com/api/save", "XHR", b"{}") is not None


# What becomes of it.


@every_shape
def test_marked(shape: Shape) -> None:
    """Marked is what surely carries the vendor's flag; the rest is stopped."""
    host = PROXY if shape.vendor == "Matomo" else ""
    seen = look(shape, "mark", host)
    assert seen is not None
    if shape.mark == "none":
        assert (seen.action, seen.url) == (BeaconAction.BLOCKED, None)
        return
    assert seen.action is BeaconAction.MARKED
    if shape.mark == "cookie":
        assert seen.url is None
        names = [cookie["name"] for cookie in guard("mark").preparations().cookies]
        assert {"Matomo": "matomo_ignore", "Mixpanel": "mp_optout"}[shape.vendor] in names
        return
    assert seen.url is not None
    assert seen.url.startswith(shape.url())
    assert urlsplit(seen.url).query.split("&")[-1] == "tt=internal"


def test_a_traffic_type_of_the_pages_own() -> None:
    """The flag replaces one that the page set, and a fragment stays behind it."""
    seen = guard("mark").look(
        "POST", f"https://www.google-analytics.com{GA4}&tt=external&en=a#b", "Fetch", None
    )
    assert seen is not None
    assert seen.url == f"https://www.google-analytics.com{GA4}&en=a&tt=internal#b"


def test_a_cookie_that_would_not_be_sent() -> None:
    """Where nobody knows whether the cookie goes along, the beacon is stopped."""
    one = guard("mark")
    for url, kind in [
        ("https://shop.matomo.cloud/matomo.php?idsite=1&rec=1", "Ping"),
        ("https://api-js.mixpanel.com/track/?verbose=1", "Fetch"),
        (f"https://{PROXY}/track/?verbose=1&ip=1&_=1700000000123", "XHR"),
    ]:
        seen = one.look("POST", url, kind, None)
        assert seen is not None
        assert seen.action is BeaconAction.BLOCKED


@every_shape
def test_allowed(shape: Shape) -> None:
    """What is allowed is still reported."""
    seen = look(shape, "allow")
    assert seen is not None
    assert (seen.vendor, seen.action) == (shape.vendor, BeaconAction.ALLOWED)


def test_a_vendors_own_policy() -> None:
    """A vendor's own choice wins over the default, in whatever case it is named."""
    one = guard("block", {"GOOGLE analytics": "mark", "hotjar": "allow"})
    actions = {
        (seen.vendor, seen.action)
        for shape in SHAPES
        if (seen := one.look(shape.method, shape.url(), shape.kind, shape.body))
        and seen.vendor in {"Google Analytics", "Hotjar", "Clarity"}
        and not shape.name.startswith("UA")
    }
    assert actions == {
        ("Google Analytics", BeaconAction.MARKED),
        ("Hotjar", BeaconAction.ALLOWED),
        ("Clarity", BeaconAction.BLOCKED),
    }


def test_a_vendor_that_is_named() -> None:
    """Naming a vendor of which nothing is stopped stops it; its libraries still load."""
    url = "https://o1.ingest.sentry.io/api/1/envelope/"
    one = guard("allow", {"Sentry": "block"})
    assert guard().look("POST", url, "Fetch", b"{}") is None
    assert one.look("POST", url, "Fetch", b"{}") == Sighting(
        "Sentry", "utility", BeaconAction.BLOCKED
    )
    assert one.look("GET", "https://js.sentry-cdn.com/a.min.js", "Script", None) is None


def test_naming_changes_no_form() -> None:
    """Saying of a vendor what holds anyway changes nothing: a log-in's posts still go."""
    one = guard("block", {"Meta": "block"})
    assert one.look("POST", "https://graph.facebook.com/v19.0/me", "XHR", b"a=1") is None


def test_unknown_names() -> None:
    """A misspelt vendor is told with what it may mean, and changes nothing."""
    policy = BeaconPolicy("block", {"Hotjr": "allow", "xqzxqzxqz": "mark", "Clarity": "mark"})
    assert unknown(policy) == {
        "Hotjr": '"Hotjr" is no known vendor; did you mean "Hotjar"?',
        "xqzxqzxqz": (
            '"xqzxqzxqz" is no known vendor; `footfall audit` prints the names of those that '
            "a journey's pages call"
        ),
    }
    assert stopped_instead(policy) == ("Clarity",)
    seen = BeaconGuard(policy, SHOP).look("POST", "https://content.hotjar.io/", "XHR", b"")
    assert seen is not None
    assert seen.action is BeaconAction.BLOCKED


# What marks need beforehand.


def test_nothing_to_prepare() -> None:
    """Where nothing is marked by cookie or storage, the context stays as it is."""
    for one in (guard("block"), guard("allow"), guard("block", {"Google Analytics": "mark"})):
        assert (one.preparations().cookies, one.preparations().init_script) == ((), "")


def test_cookies() -> None:
    """A self-hosted vendor's cookie covers each of the site's hosts, another's its own."""
    cookies = guard("block", {"Matomo": "mark", "Mixpanel": "mark"}).preparations().cookies
    assert [(one["name"], one["value"], one["domain"]) for one in cookies] == [
        ("matomo_ignore", "ignore%3DKg%3D%3D", "shop.example.com"),
        ("matomo_ignore", "ignore%3DKg%3D%3D", ".shop.example.com"),
        ("mp_optout", "1", ".mixpanel.com"),
    ]
    assert {(one["secure"], one["sameSite"], one["path"]) for one in cookies} == {
        (True, "None", "/")
    }
    plain = (
        BeaconGuard(BeaconPolicy("mark"), FirstParty(["http://127.0.0.1:8000"]))
        .preparations()
        .cookies
    )
    assert plain[0]["sameSite"] == "Lax"
    assert plain[0]["secure"] is False


FRAME = """
const [script, frames] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const results = frames.map(url => {
  const stored = {};
  const localStorage = {setItem: (name, value) => { stored[name] = value; }};
  new Function("location", "localStorage", script)(new URL(url), localStorage);
  return stored;
});
const denied = {setItem: () => { throw new Error("SecurityError"); }};
new Function("location", "localStorage", script)(new URL(frames[0]), denied);
console.log(JSON.stringify(results));
"""


def test_local_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The script sets each vendor's flag in frames of the site, in no other, and never fails."""
    # Where a driver was started in this process, Node is reached through the guard.
    monkeypatch.delenv("PLAYWRIGHT_NODEJS_PATH", raising=False)
    site = FirstParty(["https://shop.example.com", "https://*.shop.example.com", "http://[::1]:81"])
    script = BeaconGuard(BeaconPolicy("mark"), site).preparations().init_script
    own = ["https://shop.example.com/a", "https://a.b.shop.example.com/", "http://[::1]:81/"]
    others = [
        "https://evilshop.example.com/",
        "http://shop.example.com/",
        "https://shop.example.com:8443/",
        "https://example.com/#https://shop.example.com",
        "about:blank",
    ]
    done = subprocess.run(
        [compute_driver_executable()[0], "-e", FRAME],
        input=json.dumps([script, own + others]),
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    flags = {
        "blockFathomTracking": "true",
        "skipgc": "t",
        "disable_pirsch": "1",
        "plausible_ignore": "true",
        "umami.disabled": "1",
    }
    assert json.loads(done.stdout) == [flags] * len(own) + [{}] * len(others)


def test_flags_are_of_known_vendors() -> None:
    """Each flag belongs to a vendor by the name it has everywhere."""
    assert {vendor.name for name in FLAGGED if (vendor := named(name))} == FLAGGED


# Strangers.


@pytest.mark.parametrize(
    ("method", "url", "kind", "size"),
    [
        ("POST", "https://x.example/", "Ping", 0),
        ("POST", "https://x.example/v1/collect", "Fetch", 300),
        ("POST", "https://x.example/api/events", "XHR", 300),
        ("GET", "https://x.example/p?a=1&b=2&c=3&d=4", "Image", 0),
        ("GET", "https://x.example/pixel.gif", "Image", 0),
        ("GET", "https://x.example/track?a=1&b=2&c=3&d=4", "Fetch", 0),
    ],
)
def test_suspects(method: str, url: str, kind: str, size: int) -> None:
    """A stranger's request that looks like a beacon is listed, and let go."""
    assert looks_like_beacon(method, url, kind, size)
    assert guard().suspects(method, url, kind, size)
    assert guard().look(method, url, kind, b"x" * size) is None


@pytest.mark.parametrize(
    ("method", "url", "kind", "size"),
    [
        ("GET", "https://x.example/logo.png?v=3", "Image", 0),
        ("GET", "https://x.example/photo.jpg?w=1&h=2&q=3&f=4", "Image", 0),
        ("GET", "https://x.example/spacer.gif", "Image", 0),
        ("GET", "https://x.example/events.js?a=1&b=2&c=3&d=4", "Script", 0),
        ("POST", "https://x.example/graphql", "Fetch", 300),
        ("POST", "https://x.example/log", "Fetch", 1 << 20),
        ("POST", "https://x.example/tracks", "Fetch", 300),
        ("GET", "https://x.example/events?page=1", "XHR", 0),
        ("GET", "https://x.example/search?a=1&b=2&c=3&d=4", "Fetch", 0),
        ("GET", "wss://x.example/events?a=1&b=2&c=3&d=4", "WebSocket", 0),
        ("GET", "https://[x.example/pixel.gif", "Image", 0),
    ],
)
def test_no_suspects(method: str, url: str, kind: str, size: int) -> None:
    """What pages ask of third parties otherwise is not listed."""
    assert not guard().suspects(method, url, kind, size)


def test_only_strangers_are_suspect() -> None:
    """The site's own beacons and those of known vendors are no strangers'."""
    assert not guard().suspects("POST", "https://shop.example.com/log", "Ping", 1)
    assert not guard().suspects("POST", "https://r.stripe.com/b", "Ping", 1)


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://me:pw@a.example:8443/b/c?d=e#f", "https://a.example:8443/b/c"),
        ("https://a.example/activityi;src=1;u1=me?", "https://a.example/activityi"),
        ("https://a.example", "https://a.example"),
        ("https://[a.example/", ""),
        ("data:text/html,secret", ""),
    ],
)
def test_addresses_shown(url: str, bare: str) -> None:
    """An address is reported without anything that may tell of a person."""
    assert bare_address(url) == bare


# Whatever comes.

hosts = st.sampled_from(sorted({s.host for s in SHAPES} | {PROXY, "x.example", "www.bing.com"}))
paths = st.sampled_from(sorted({urlsplit(s.target).path for s in SHAPES})) | st.text(max_size=40)
queries = st.sampled_from(sorted({urlsplit(s.target).query for s in SHAPES})) | st.text(max_size=40)
bodies = st.none() | st.binary(max_size=200) | st.sampled_from([s.body for s in SHAPES])
choices = st.sampled_from([cast("BeaconChoice", "block"), "mark", "allow"])


@given(
    st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", ""]),
    st.builds("https://{}{}?{}".format, hosts, paths, queries) | st.text(max_size=60),
    st.sampled_from(KINDS) | st.text(max_size=5),
    bodies,
    choices,
    st.dictionaries(st.sampled_from(sorted({s.vendor for s in SHAPES})), choices, max_size=4),
)
def test_any_request(
    method: str,
    url: str,
    kind: str,
    body: bytes | None,
    default: BeaconChoice,
    vendors: dict[str, BeaconChoice],
) -> None:
    """Nothing makes the guard fail, and what it does is what the policy says of that vendor."""
    one = BeaconGuard(BeaconPolicy(default, vendors), SHOP)
    one.suspects(method, url, kind, len(body or b""))
    bare = bare_address(url)
    assert "?" not in bare
    assert "#" not in bare
    seen = one.look(method, url, kind, body)
    if seen is None:
        return
    wanted = vendors.get(seen.vendor, default)
    assert seen.action is SEEN[wanted] or (wanted == "mark" and seen.action is BeaconAction.BLOCKED)
    assert seen.url is None or (
        seen.action is BeaconAction.MARKED and bare_address(seen.url) == bare
    )
    assert named(seen.vendor) is not None


words = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=8)
names = words | st.sampled_from(["track", "collect", "event", "v1", "e", "api", "batch", "send"])


@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    st.lists(names, max_size=4).map("/".join),
    st.dictionaries(names, words, max_size=5),
    st.sampled_from(KINDS),
    st.none() | st.dictionaries(names, words | st.integers(), max_size=5),
)
def test_plain_first_party_requests(
    method: str,
    path: str,
    query: dict[str, str],
    kind: str,
    body: dict[str, str | int] | None,
) -> None:
    """A site's own requests with words of their own are never beacons, however they are named."""
    url = f"https://shop.example.com/{path}?{'&'.join(f'{k}={v}' for k, v in query.items())}"
    data = None if body is None else json.dumps(body).encode()
    assert guard().look(method, url, kind, data) is None


@given(st.sampled_from([one for one in SHAPES if one.proxied]), st.integers(0, 300))
def test_a_body_cut_short(shape: Shape, length: int) -> None:
    """A body of which only the beginning is known is never taken for another vendor's."""
    body = None if shape.body is None else shape.body[:length]
    for host in ("", PROXY):
        seen = guard().look(shape.method, shape.url(host), shape.kind, body)
        assert seen is None or seen.vendor == shape.vendor


def test_support_agrees() -> None:
    """Shapes at a vendor's host are at one that is known, or are known by their shape."""
    assert [s.name for s in SHAPES if find(s.host) is None and not s.proxied] == []
