"""What a gate may be asked for: tried as somebody who may ask, and means no good."""

from __future__ import annotations

import pytest

from agent.core.gate import GateOrder
from agent.gates.admission import admit
from agent.server.control import Refused
from tests.support.build import a_journey
from tests.unit.gates.conftest import SITE, shop_settings

JOURNEYS = {
    "buy": a_journey("buy"),
    "search": a_journey("search"),
    "off": a_journey("off", enabled=False),
}
URLS = ("https://*.preview.example.com", "https://canary.example.com:8443")


def admitted(**order):
    settings = shop_settings(urls=URLS, headers=("x-canary", "x-pin"))
    return admit(GateOrder(**({"site": "shop"} | order)), settings, JOURNEYS)


def refused(**order):
    with pytest.raises(Refused) as caught:
        admitted(**order)
    return caught.value.status, str(caught.value)


def test_all_that_are_enabled_vote_where_none_is_named():
    """Those that are named, once each, in that order."""
    assert admitted().journeys == ("buy", "search")
    assert admitted(journeys=("search", "buy", "search")).journeys == ("search", "buy")


def test_what_is_not_there_is_named():
    """With what there is."""
    assert refused(site="shap") == (404, "no site is called 'shap'; known: shop")
    status, why = refused(journeys=("bye",))
    assert status == 404
    assert "known: buy, off, search" in why
    assert refused(journeys=("off",))[0] == 409


@pytest.mark.parametrize("seconds", [0.0, 0.9, 600.1])
def test_a_time_that_makes_no_sense(seconds):
    """Too short for any walk, or longer than a deploy waits."""
    assert refused(within=seconds) == (422, "within must be from 1s to 10m")
    assert refused(baseline=31 * 86_400.0)[0] == 422


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://pr-7.preview.example.com", "https://pr-7.preview.example.com"),
        ("https://PR-7.Preview.example.com:443/", "https://pr-7.preview.example.com"),
        ("https://a.b.preview.example.com", "https://a.b.preview.example.com"),
        ("https://canary.example.com:8443", "https://canary.example.com:8443"),
        (SITE, ""),
    ],
)
def test_an_address_that_is_allowed(url, origin):
    """In one spelling; the site's own is none at all."""
    assert admitted(url=url).url == origin


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "https://preview.example.com",  # the pattern has one label more
        "https://preview.example.com.evil.example",
        "https://evilpreview.example.com",
        "http://pr-7.preview.example.com",
        "https://pr-7.preview.example.com:8443",
        "https://canary.example.com",
        "https://canary.example.com:8444",
        "https://a@pr-7.preview.example.com",
        "https://pr-7.preview.example.com@evil.example",
        "https://evil.example#@pr-7.preview.example.com",
        "https://evil.example?.preview.example.com",
        "https://evil.example/.preview.example.com",
        "https://evil.example\\.preview.example.com",
        "https://evil.example%2f.preview.example.com",
        "https://evil%2eexample.preview.example.com",
        "https://*.preview.example.com",
        "https://.preview.example.com",
        "https://pr..preview.example.com",
        "https://pr-7.preview.example.com.",
        "https://pr-7.preview.example.com/path",
        "https://pr-7.preview.example.com\r\nHost: evil.example",
        " https://pr-7.preview.example.com",
        "https://pr 7.preview.example.com",
        "https://\u0440r-7.preview.example.com",
        "https://2130706433",
        "https://0x7f.1",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "file:///etc/passwd",
        "javascript:alert(1)//.preview.example.com",
        "data:text/html,.preview.example.com",
        "ws://pr-7.preview.example.com",
        "//pr-7.preview.example.com",
        "pr-7.preview.example.com",
        "https:pr-7.preview.example.com",
        "https://",
    ],
)
def test_any_other_address_is_refused(url):
    """Whatever it looks like; and the answer doesn't say it again, since it may hold a secret."""
    status, why = refused(url=url)
    assert status == 422
    assert "evil" not in why


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Cookie": "session=1"},
        {"Authorization": "Bearer x"},
        {"X-Synthetic-Journey": "other"},
        {"traceparent": "00-0-0-00"},
        {"User-Agent": "Mozilla/5.0"},
        {"X-Canary ": "1"},
        {"X-Canary\r\nHost": "evil.example"},
        {"X-Canary": "1\r\nHost: evil.example"},
        {"X-Canary": "1\n"},
        {"X-Canary": "1\0"},
        {"X-Canary": ""},
        {"X-Canary": " 1"},
        {"X-Canary": "é"},
        {"X-Canary": "1", "x-canary": "2"},
        {"X-Other": "1"},
        {"": "1"},
    ],
)
def test_a_header_that_is_not_allowed(headers):
    """By its name, or by what it says, which is told to nobody."""
    status, why = refused(headers=headers)
    assert status == 422
    assert "evil" not in why or "\\r\\n" in why


def test_a_header_that_is():
    """Whatever the case of its name."""
    assert admitted(headers={"X-CANARY": "v1.4 (a)", "x-pin": "2"}).headers == {
        "X-CANARY": "v1.4 (a)",
        "x-pin": "2",
    }


def test_nothing_is_allowed_where_nothing_is_configured():
    """Without a table of its own a site takes neither."""
    settings = shop_settings()
    for order in ({"url": "https://pr-7.preview.example.com"}, {"headers": {"X-Canary": "1"}}):
        with pytest.raises(Refused, match="there are none"):
            admit(GateOrder("shop", **order), settings, JOURNEYS)


@pytest.mark.parametrize(
    "name",
    ["Host", "cookie", "AUTHORIZATION", "Signature", "Signature-Input", "baggage", "traceparent",
     "X-Synthetic-Journey", "Sec-Fetch-Site", "Proxy-Authorization", "User-Agent",
     "Content-Length", "Transfer-Encoding", "Connection", "Origin", ":authority", "X Canary"],
)  # fmt: skip
def test_what_can_not_be_listed(name):
    """Headers that others go by, however they are spelt."""
    with pytest.raises(ValueError, match="header"):
        shop_settings(headers=(name,))
