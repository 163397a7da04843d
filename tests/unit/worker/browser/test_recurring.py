"""What is left of addresses and errors once everything is gone that one walk alone has."""

from __future__ import annotations

import pytest

from agent.worker.browser.recurring import address, script, text

HOME = "https://shop.test"

ADDRESSES = {
    "/cart": "/cart",
    "": "/",
    "/orders/1234": "/orders/{id}",
    "/checkout/done/HC-2041?from=mail#top": "/checkout/done/HC-{id}",
    "/catalogue/stoneware-mug_12/": "/catalogue/stoneware-mug_{id}/",
    "/u/3F2504E0-4F89-11d3-9a0c-0305e82c3301/x": "/u/{id}/x",
    "/a/01HF3ZK8W5XQ2J9VT7R6P4M0NB": "/a/{id}",
    "/o/order12345": "/o/order{id}",
    "/s;jsessionid=AB12CD": "/s",
    "/api/v2/stock/kitchen-knife": "/api/v2/stock/kitchen-knife",
    "/oauth2/html5/i18n": "/oauth2/html5/i18n",
}


@pytest.mark.parametrize("path", ADDRESSES)
def test_ids_are_replaced_and_names_stay(path):
    """Numbers, UUIDs and tokens are ids; words are not, with a number in them either."""
    assert address(f"{HOME}{path}", HOME) == ADDRESSES[path]


def test_another_origin_stands_before_its_path():
    """Of the site's own the path alone, so that the same shop elsewhere reads alike."""
    assert address("https://API.shop.test:8443/orders/7", HOME) == (
        "https://api.shop.test:8443/orders/{id}"
    )
    assert address("https://shop.test:443/cart", HOME) == "/cart"


SCRIPTS = {
    "/static/app.js?v=3": ("/static/app.js", ""),
    "/static/main.3f2a9c1b.js": ("/static/main.{id}.js", "/static/main.3f2a9c1b.js"),
    "/assets/index-BQz3kS_x.js": ("/assets/index-{id}.js", "/assets/index-BQz3kS_x.js"),
    "/assets/index-Checkout.js": ("/assets/index-Checkout.js", ""),
    "/js/jquery-3.6.0.min.js": ("/js/jquery-{id}.min.js", "/js/jquery-3.6.0.min.js"),
    "/static/v12/app.js": ("/static/{id}/app.js", "/static/v12/app.js"),
}


@pytest.mark.parametrize("url", SCRIPTS)
def test_a_scripts_versions_share_an_address(url):
    """Hashes and versions in it are taken out, and told beside it."""
    assert script(f"{HOME}{url}", HOME) == SCRIPTS[url]


def test_an_error_without_what_varies():
    """Its first line, numbers and ids replaced, addresses without query and ids."""
    said = f"Error: order 17 at {HOME}/api/x/12?y=1, 3f2504e0-4f89-11d3-9a0c-0305e82c3301\n  at f"
    assert text(said, HOME) == "Error: order # at /api/x/{id} #"
    assert text("Cannot read properties of undefined (reading 'price')", HOME) == (
        "Cannot read properties of undefined (reading 'price')"
    )


@pytest.mark.parametrize(
    "url", ["", "about:blank", "data:text/html,x", "http://[::1", "https:///x", "\x00", "a" * 9000]
)
def test_nothing_breaks_on_what_is_no_address(url):
    """Whatever a page asks for."""
    assert isinstance(address(url, HOME), str)
    assert isinstance(script(url, HOME)[0], str)
    assert isinstance(text(url, HOME), str)
