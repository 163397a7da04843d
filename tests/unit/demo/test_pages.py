from __future__ import annotations

import re

import pytest

from agent.demo import products
from agent.demo.store import ACCOUNT

SIGN_IN = {"email": ACCOUNT, "password": "letmein"}


async def test_the_home_page_leads_to_every_product_and_shelf(visitor):
    """Each link to a product or category on the home page answers, and none is missing."""
    home = await visitor.get("/")
    links = set(re.findall(r'href="(/(?:product|category)/[^"]+)"', home.text))
    assert len(links) == len(products.PRODUCTS) + len(products.CATEGORIES)
    assert {(await visitor.get(link)).status for link in links} == {200}


async def test_every_picture_and_script_of_a_page_is_there_and_cacheable(visitor):
    """What the pages refer to is served, with a lifetime."""
    visitor.cookies.clear()
    await visitor.post("/cart/add", {"slug": "mug"})
    texts = [(await visitor.get(path)).text for path in ("/", "/product/mug", "/checkout")]
    found = {path for text in texts for path in re.findall(r'"(/static/[^"]+)"', text)}
    assert len(found) > len(products.PRODUCTS)
    answers = [await visitor.get(path) for path in found]
    assert {answer.status for answer in answers} == {200}
    assert {answer.headers["cache-control"] for answer in answers} == {"public, max-age=3600"}


@pytest.mark.parametrize(
    "path", ["/nix", "/product/nix", "/category/nix", "/orders/HC-1", "/static/../shop.py"]
)
async def test_a_wrong_address_is_answered_as_such(visitor, path):
    """Nothing there is 404, also for an order that isn't the visitor's."""
    assert (await visitor.get(path)).status == 404


async def test_what_a_visitor_types_is_never_markup(visitor):
    """A search for a tag shows the tag and runs nothing."""
    page = await visitor.get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


async def test_search_says_how_many_it_found(visitor):
    """One, several and none read differently."""
    texts = [(await visitor.get(f"/search?q={q}")).text for q in ("linen", "steel", "zeppelin", "")]
    wanted = ("1 product\n", "3 products\n", "Nothing on our shelves", "Type a word")
    assert [want in text for want, text in zip(wanted, texts, strict=True)] == [True] * 4


async def test_carts_are_each_visitors_own(visitor, another):
    """What one visitor puts into a cart no other sees, and it can be taken out again."""
    await visitor.post("/cart/add", {"slug": "mug", "quantity": "2"})
    mine, theirs = await visitor.get("/cart"), await another.get("/cart")
    assert 'data-testid="cart-total">€29.00<' in mine.text
    assert 'data-testid="cart-count">2<' in mine.text
    assert 'data-testid="cart-count">0<' in theirs.text
    await visitor.post("/cart/remove", {"slug": "mug"})
    assert 'data-testid="cart-count">0<' in (await visitor.get("/cart")).text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"slug": "nix"},
        *({"slug": "mug", "quantity": q} for q in ("0", "-1", "100", "1.5", "²", "9" * 5000)),
    ],
)
async def test_a_cart_takes_only_what_makes_sense(visitor, fields):
    """Unknown products and odd quantities are refused as the visitor's mistake."""
    assert (await visitor.post("/cart/add", fields)).status == 400
    assert 'data-testid="cart-count">0<' in (await visitor.get("/")).text


async def test_just_looking_leaves_no_cookie(visitor):
    """A session begins with the first thing to remember."""
    for path in ("/", "/product/mug", "/search?q=mug", "/cart", "/sign-in"):
        await visitor.get(path)
    assert visitor.cookies == {}


async def test_signing_in_opens_the_history_and_signing_out_closes_it(visitor):
    """Orders are shown to the signed-in only."""
    assert (await visitor.get("/orders")).headers["location"] == "/sign-in"
    assert (await visitor.post("/sign-in", SIGN_IN)).headers["location"] == "/orders"
    orders = (await visitor.get("/orders")).text
    number = re.search(r'href="/orders/(HC-\d+)"', orders)[1]
    assert "1 Harbour Road" in (await visitor.get(f"/orders/{number}")).text
    await visitor.post("/sign-out")
    assert (await visitor.get("/orders")).status == 303
    assert (await visitor.get(f"/orders/{number}")).status == 404


async def test_a_wrong_password_is_told_and_not_repeated(visitor):
    """A failed sign-in keeps the address, drops the password and opens nothing."""
    page = await visitor.post("/sign-in", SIGN_IN | {"password": "wrong-one"})
    assert page.status == 403
    assert 'role="alert"' in page.text
    assert ACCOUNT in page.text
    assert "wrong-one" not in page.text
    assert (await visitor.get("/orders")).status == 303


async def test_signing_in_changes_the_key_and_keeps_the_cart(visitor, another):
    """A cookie planted before sign-in opens nothing after it."""
    await visitor.post("/cart/add", {"slug": "mug"})
    another.cookies |= visitor.cookies
    await visitor.post("/sign-in", SIGN_IN)
    assert 'data-testid="cart-count">1<' in (await visitor.get("/")).text
    assert (await another.get("/orders")).status == 303


async def test_pages_name_the_analytics_and_are_kept_by_no_cache(visitor):
    """Every page sends its beacons to the given origin, and is asked for anew each time."""
    for path in ("/", "/product/mug", "/search?q=mug", "/cart", "/sign-in", "/nix"):
        page = await visitor.get(path)
        assert 'data-origin="http://localhost:9"' in page.text
        assert page.headers["cache-control"] == "no-store"
