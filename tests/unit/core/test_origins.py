"""Which addresses belong to the site: decided on the parsed address, never on its text."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.origins import FirstParty, Origin, authority_of

SHOP = FirstParty(
    [
        "https://shop.example.com",
        "https://*.shop.example.com",
        "http://127.0.0.1:8000",
        "http://[::1]:81",
    ]
)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com",
        "https://shop.example.com/",
        "https://shop.example.com:443/cart?a=b#c",
        "HTTPS://SHOP.EXAMPLE.COM/",
        "https://a.shop.example.com/",
        "https://a.b.c.shop.example.com/",
        "wss://shop.example.com/socket",
        "wss://a.shop.example.com:443/socket",
        "http://127.0.0.1:8000/",
        "ws://127.0.0.1:8000/",
        "http://[::1]:81/",
        "https://me:pw@shop.example.com/",
    ],
)
def test_first_party(url: str) -> None:
    """Scheme, host and port decide; `*.` stands for one label or more; sockets count."""
    assert SHOP.covers(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://tracker.example/?u=https://a.shop.example.com/",
        "https://tracker.example/https://a.shop.example.com/",
        "https://tracker.example#https://shop.example.com/",
        "https://shop.example.com@tracker.example/",
        "https://shop.example.com.tracker.example/",
        "https://evilshop.example.com/",
        "https://.shop.example.com/",
        "https://example.com/",
        "http://shop.example.com/",
        "http://shop.example.com:443/",
        "https://shop.example.com:8443/",
        "ws://shop.example.com/",
        "http://127.0.0.1/",
        "http://127.0.0.1:80000/",
        "http://[::1/",
        "https://tracker.example\\@shop.example.com/",
        "https://shop.example.com:99999/",
        "shop.example.com",
        "//shop.example.com/",
        "data:text/html,https://shop.example.com/",
        "blob:https://shop.example.com/1",
        "about:blank",
        "",
    ],
)
def test_third_party(url: str) -> None:
    """An address that only holds the site's somewhere, or is malformed, is a stranger's."""
    assert not SHOP.covers(url)


@pytest.mark.parametrize(
    ("pattern", "cdp", "domain"),
    [
        ("https://shop.example.com", "https://shop.example.com/*", "shop.example.com"),
        ("https://*.Shop.example.com", "https://*.shop.example.com/*", ".shop.example.com"),
        ("http://shop.example.com:8080/", "http://shop.example.com:8080/*", "shop.example.com"),
        ("https://shop.example.com:443", "https://shop.example.com/*", "shop.example.com"),
        ("http://[::1]:81", "http://[::1]:81/*", "[::1]"),
    ],
)
def test_patterns_for_the_browser(pattern: str, cdp: str, domain: str) -> None:
    """What the browser is asked to pause and for which domain a cookie is set."""
    origin = Origin.parse(pattern)
    assert (origin.cdp_pattern, origin.cookie_domain) == (cdp, domain)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://Shop.example.com/", "shop.example.com"),
        ("https://shop.example.com:443/", "shop.example.com"),
        ("http://shop.example.com:443/", "shop.example.com:443"),
        ("http://[::1]:80/", "[::1]"),
        ("https://u:p@shop.example.com:8443/", "shop.example.com:8443"),
        ("data:text/plain,x", ""),
        ("https://shop.example.com:x/", ""),
    ],
)
def test_an_authority_is_named_as_browsers_name_it(url: str, authority: str) -> None:
    """The Host header of such a request says the same."""
    assert authority_of(url) == authority


LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)


@given(
    st.sampled_from(["http", "https"]),
    st.lists(LABEL, min_size=1, max_size=3).map(".".join),
    st.booleans(),
    st.none() | st.integers(1, 65535),
    st.lists(LABEL, max_size=3).map(lambda labels: "".join(f"{one}." for one in labels)),
    st.from_regex(r"(/[a-z?&=/*]{0,10})?", fullmatch=True),
)
def test_the_browsers_pattern_is_never_narrower(
    scheme: str, host: str, wild: bool, port: int | None, below: str, rest: str
) -> None:
    """All that is first party is paused by the browser, which knows `*` as any text."""
    suffix = "" if port is None else f":{port}"
    origin = Origin.parse(f"{scheme}://{'*.' if wild else ''}{host}{suffix}")
    covered = FirstParty([f"{scheme}://{'*.' if wild else ''}{host}{suffix}"])
    asked = f"{scheme}://{below}{host}{suffix}{rest or '/'}"
    assert covered.covers(asked) is (bool(below) if wild else not below)
    default = {"http": ":80", "https": ":443"}[scheme]
    # The browser leaves a default port out of the address.
    shown = asked.replace(suffix, "", 1) if suffix == default else asked
    pattern = origin.cdp_pattern.replace("[", "[[]")
    if covered.covers(asked):
        assert fnmatch.fnmatchcase(shown, pattern)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://shop.test/a?b#c", "https://SHOP.test:443/", True),
        ("https://user:pw@shop.test/", "https://shop.test", True),
        ("http://[::1]:80/", "http://[0:0::1]/", True),
        ("http://shop.test", "https://shop.test", False),
        ("https://shop.test:8443", "https://shop.test", False),
        ("https://shop.test", "https://a.shop.test", False),
    ],
)
def test_whether_two_addresses_are_of_one_origin(one, other, same):
    """By scheme, host and port alone, whatever way they are written; as where a redirect leads."""
    assert (Origin.parse(one) == Origin.parse(other)) is same
