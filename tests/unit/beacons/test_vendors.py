"""Who is behind a host, and what is known by its shape alone."""

from __future__ import annotations

import json
import subprocess
import sys
import timeit
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.beacons import refresh
from agent.beacons.fingerprints import SIGNATURES, match
from agent.beacons.vendor_overrides import ALSO, CORRECTED, OWN, READS
from agent.beacons.vendors import STOPPED, Vendor, find, named, suggest

FILE = refresh.FOLDER / "vendors.json"
DATA = json.loads(FILE.read_text("utf-8"))
ROWS = {name: (category, hosts) for name, category, hosts in DATA["vendors"]}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("region1.google-analytics.com", "Google Analytics"),
        ("google-analytics.com", "Google Analytics"),
        ("API.Segment.IO", "Segment"),
        ("plausible.io.", "Plausible"),
        ("a.b.c.hotjar.com", "Hotjar"),
        ("eu.i.posthog.com", "PostHog"),
        ("browser-intake-datadoghq.eu", "Datadog"),
        ("analytics.google.com", "Google Analytics"),
    ],
)
def test_hosts(host: str, name: str) -> None:
    """A host is a vendor's by name, or by lying below one of its domains, in any spelling."""
    found = find(host)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "com",
        "..",
        "127.0.0.1",
        "::1",
        "shop.example.com",
        "notgoogle-analytics.com",
        "google-analytics.com.example.org",
        "deep.analytics.google.com",  # without *. an entry is that one host
    ],
)
def test_strangers(host: str) -> None:
    """A name that only ends or begins alike is not the vendor's."""
    assert find(host) is None


@pytest.mark.parametrize(
    ("host", "vendor"),
    [
        ("bat.bing.com", Vendor("Bing Ads", "ad")),
        ("www.bing.com", Vendor("Microsoft", "other")),
        ("sp.analytics.yahoo.com", Vendor("Yahoo! Ads", "ad")),
        ("search.yahoo.com", Vendor("Yahoo", "other")),
        ("api2.amplitude.com", Vendor("Amplitude", "analytics")),
        ("api.lab.amplitude.com", Vendor("Amplitude Experiment", "utility")),
    ],
)
def test_the_closest_entry_wins(host: str, vendor: Vendor) -> None:
    """A vendor's beacons are told from the rest of a company's hosts."""
    assert find(host) == vendor


def test_every_entry_is_found() -> None:
    """Each host of the data set leads to its vendor, unless a table of ours says otherwise."""
    own = {host for _, _, hosts in OWN for host in hosts}
    for name, (category, hosts) in ROWS.items():
        wanted = Vendor(*CORRECTED.get(name, (name, category)))
        for host in set(hosts) - own:
            assert find(host.replace("*.", "below.")) == wanted, host


def test_tables_agree() -> None:
    """What the tables of ours speak of exists, so that a refresh can't leave them behind."""
    assert set(CORRECTED) <= set(ROWS)
    known = [*ALSO.values(), *READS, *(one.on for one in SIGNATURES if one.on)]
    assert [name for name in known if named(name) is None] == []
    categories = {category for category, _ in ROWS.values()}
    used = {category for _, category in CORRECTED.values()} | {one for _, one, _ in OWN}
    assert (used | set(STOPPED)) <= categories
    assert all(one.path.startswith(("/", "^/")) for one in SIGNATURES)
    assert [name for name in ALSO if named(name)] == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Gogle Analytics", "Google Analytics"),
        ("plausable", "Plausible"),
        ("Facebook", "Meta"),
        ("GA4", "Google Analytics"),
        ("Adobe Exp", "Adobe Experience Cloud"),
    ],
)
def test_suggestions(name: str, meant: str) -> None:
    """A name that is none is answered by those it may mean, the likeliest first."""
    assert named(name) is None
    assert suggest(name)[0] == meant


def test_names() -> None:
    """Names are known in any case; to one like no other there is nothing to say."""
    assert named("google ANALYTICS") == Vendor("Google Analytics", "analytics")
    assert suggest("xqzxqzxqz") == []


@given(st.text(max_size=300))
def test_any_text_can_be_asked_for(text: str) -> None:
    """Whatever a page puts where a host or a name belongs is answered."""
    find(text)
    named(text)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/static/js/main.29384234.chunk.js?v=3", None),
        ("/" + "a/" * 1000, None),
        ("/g/collect?v=2&tid=none", None),
        ("/v1/batch", b'{"a": 1}' * 5000),
        ("/collect?" + "a=b&" * 1000, None),
    ],
)
def test_quick(target: str, body: bytes | None) -> None:
    """A look costs microseconds (here: less than 2 ms, where a backtracking pattern takes more).

    The bound leaves room for a loaded machine; alone it takes under 70 µs.
    """
    path, _, query = target.partition("?")
    match(path, query, body, "")
    assert min(timeit.repeat(lambda: match(path, query, body, ""), number=1, repeat=20)) < 0.002
    assert min(timeit.repeat(lambda: find("a.b.c.d.example.com"), number=1, repeat=20)) < 0.001


def test_imported_lightly() -> None:
    """The names can be looked up where Playwright isn't installed."""
    code = "import sys; sys.modules['playwright'] = None\nimport agent.beacons.policy as b\n"
    code += "from agent.core.model import BeaconPolicy\n"
    code += "assert b.unknown(BeaconPolicy('block', {'Plausible': 'mark'})) == {}"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        check=True,
        timeout=50,
    )


# The file.


def test_the_file_is_as_a_refresh_writes_it() -> None:
    """Nobody edited the data, and a refresh without news changes no line."""
    entities = [
        {"name": name, "category": category, "domains": hosts}
        for name, (category, hosts) in reversed(ROWS.items())
    ]
    text = refresh.vendors_file(entities, DATA["version"], DATA["licence"])
    assert text == FILE.read_text("utf-8")


def test_the_licence_travels_along() -> None:
    """The data names where it is from, and the licence text lies beside it."""
    assert (DATA["source"], DATA["licence"]) == ("third-party-web", "MIT")
    assert "The MIT License" in (refresh.FOLDER / "vendors.LICENSE").read_text("utf-8")


def test_one_vendor_a_line() -> None:
    """Order and spelling don't depend on the package's, so that a refresh reads as a diff."""
    entities = [
        {"name": "b", "category": "ad", "domains": ["*.B.example", "a.example "], "company": "x"},
        {"name": "A", "category": "cdn", "domains": ["c.example"]},
    ]
    lines = refresh.vendors_file(entities, "1.2.3", "MIT").splitlines()
    assert lines[4:] == [
        '"vendors": [',
        '["A","cdn",["c.example"]],',
        '["b","ad",["*.b.example","a.example"]]',
        "]}",
    ]


@pytest.mark.parametrize("domain", ["*", "a.*.example", "https://a.example", "", "example"])
def test_a_strange_package(domain: str) -> None:
    """Data of another form is refused, not written."""
    with pytest.raises(ValueError, match="no host"):
        refresh.vendors_file([{"name": "a", "category": "ad", "domains": [domain]}], "1", "MIT")


def test_an_empty_package() -> None:
    """No vendors at all is a broken package."""
    with pytest.raises(ValueError, match="no vendor"):
        refresh.vendors_file([], "1", "MIT")
