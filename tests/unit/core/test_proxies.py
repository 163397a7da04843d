"""Which proxy a request goes through: the standard variables, read as other tools read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.proxies import Proxies, Proxy, bypassed_host, from_environment

HERE = "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    ("environ", "url", "server"),
    [
        ({"http_proxy": HERE}, "http://shop.test/", HERE),
        ({"HTTP_PROXY": HERE}, "http://shop.test/", HERE),
        ({"http_proxy": HERE, "HTTP_PROXY": "http://other:1"}, "http://shop.test/", HERE),
        ({"http_proxy": " ", "HTTP_PROXY": HERE}, "http://shop.test/", HERE),
        ({"http_proxy": HERE}, "https://shop.test/", None),
        ({"https_proxy": HERE}, "https://shop.test/", HERE),
        ({"https_proxy": HERE}, "wss://shop.test/", HERE),
        ({"https_proxy": HERE}, "http://shop.test/", None),
        ({"all_proxy": HERE}, "http://shop.test/", HERE),
        ({"ALL_PROXY": HERE, "https_proxy": "http://other:1"}, "https://a/", "http://other:1"),
        ({"http_proxy": "proxy.example.com:3128"}, "http://shop.test/", HERE),
        ({"http_proxy": "http://proxy.example.com"}, "http://a/", "http://proxy.example.com:80"),
        ({"http_proxy": "http://[fd00::1]:3128/"}, "http://a/", "http://[fd00::1]:3128"),
    ],
)
def test_the_scheme_of_the_address_chooses(environ, url, server):
    """Lower case wins, ALL_PROXY stands in, and a scheme may be left out."""
    proxies, problems = from_environment(environ)
    proxy = proxies.of(url)
    assert (proxy.server if proxy else None) == server
    assert problems == []


@pytest.mark.parametrize(
    ("bypass", "host", "direct"),
    [
        ("example.com", "example.com", True),
        ("example.com", "shop.example.com", True),
        ("example.com", "badexample.com", False),
        (".example.com", "shop.example.com", True),
        ("*.example.com", "a.shop.example.com", True),
        ("EXAMPLE.com", "example.com", True),
        ("one.test, example.com ,", "example.com", True),
        ("10.0.0.7", "10.0.0.7", True),
        ("10.0.0.7", "10.0.0.8", False),
        ("[fd00::1]", "[fd00::1]", True),
        ("fd00::1", "[fd00::1]", True),
        ("*", "example.com", True),
        ("", "127.0.0.1", True),
        ("", "127.8.8.8", True),
        ("", "[::1]", True),
        ("", "localhost", True),
        ("", "shop.localhost", True),
        ("", "localhost.example.com", False),
    ],
)
def test_hosts_that_are_reached_directly(bypass, host, direct):
    """Those of NO_PROXY with their subdomains, and loopback always."""
    proxies, problems = from_environment({"all_proxy": HERE, "no_proxy": bypass})
    assert (proxies.of(f"http://{host}:81/") is None) is direct
    assert problems == []


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"ALL_PROXY": "socks5h://127.0.0.1:1080"}, "ALL_PROXY"),
        ({"https_proxy": "http://user:hunter2@proxy:port"}, "https_proxy"),
        ({"http_proxy": "http://proxy:3128/path"}, "http_proxy"),
        ({"http_proxy": HERE, "NO_PROXY": "10.0.0.0/8"}, "NO_PROXY"),
        ({"http_proxy": HERE, "no_proxy": "shop.test:8080"}, "no_proxy"),
    ],
)
def test_what_cannot_be_used_is_told_by_name(environ, variable):
    """With the variable in its own spelling, and never with a password."""
    _, (problem,) = from_environment(environ)
    assert problem.where == f"environment variable {variable}"
    assert "not used" in problem.message
    assert "hunter2" not in str(problem)


def test_credentials_are_kept_out_of_the_text():
    """They are for the proxy alone."""
    proxy = Proxy.parse("http://walker:p%40ss@proxy:3128")
    assert (proxy.username, proxy.password) == ("walker", "p@ss")
    assert proxy.url == "http://walker:p%40ss@proxy:3128"
    assert "p@ss" not in repr(proxy)
    assert "walker" not in repr(proxy)


@pytest.mark.parametrize("host", ["example.com", "10.0.0.7", "[fd00::1]"])
def test_browsers_are_told_the_same(host):
    """Chromium takes a name for one host and a dot for those below; both are given."""
    told = Proxies(bypass=(bypassed_host(host),)).browser_bypass.split(",")
    assert {"localhost", "127.0.0.1", "[::1]", host} <= set(told)
    assert (f".{host}" in told) is host.endswith(".com")


@given(st.text(), st.text(), st.text())
def test_no_text_raises(proxy, bypass, url):
    """Whatever stands in the environment, and whatever address is asked about."""
    proxies, _ = from_environment({"HTTP_PROXY": proxy, "ALL_PROXY": HERE, "NO_PROXY": bypass})
    proxies.of(url)
