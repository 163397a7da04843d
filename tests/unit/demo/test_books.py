"""The shop's revenue: of people, and of nobody else."""

import time

import pytest

from agent.cli.keys import make
from agent.demo.shop import create_shop
from agent.keys.pem import read_keys
from agent.signing.signer import Signer

HOST = "shop.example.com"
FORGED = {
    "x_synthetic_journey": "buy_a_mug",
    "baggage": "synthetic_request=true,footfall.journey=buy_a_mug,footfall.run=run-1",
}
FIELDS = {"name": "A", "email": "a@example.com", "address": "B", "city": "C"}


@pytest.fixture
def made(tmp_path):
    return make(tmp_path, 1, time.time())


def signed(made, authority=HOST):
    signer = Signer(read_keys(made.key), "https://example.com/synthetic")
    headers = signer.sign(authority, time.time()).headers
    return {name.lower().replace("-", "_"): value for name, value in headers.items()}


async def buy(visitor, **headers):
    headers = {"host": HOST, **headers}
    body = b'{"slug": "mug"}'
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    added = await visitor.send("POST", "/api/cart", body, names)
    assert added.status == 201
    quote = (await visitor.get("/api/shipping?country=DE", **headers)).json()["quote"]
    placed = await visitor.post("/checkout", {**FIELDS, "quote": quote}, **headers)
    assert placed.headers["location"].startswith("/checkout/done/")
    return (await visitor.get("/demo/books")).json()


async def test_a_signed_order_is_left_out_and_a_persons_counted(visit, made):
    """The agent buys what a person buys; the figure is the person's alone."""
    shop = create_shop(keys=made.directory)
    assert await buy(visit(shop), **FORGED, **signed(made)) == {
        "revenue_cents": 0,
        "orders": 0,
        "synthetic_orders": 1,
    }
    after = await buy(visit(shop))
    assert (after["orders"], after["synthetic_orders"]) == (1, 1)
    assert after["revenue_cents"] > 0


async def test_a_forged_claim_changes_nothing(visit, made, tmp_path):
    """Who writes the headers, or signs with another key or for another site, still pays."""
    shop = create_shop(keys=made.directory)
    other = make(tmp_path / "other", 1, time.time())
    await buy(visit(shop), **FORGED, cookie="synthetic=1")
    await buy(visit(shop), **FORGED, **signed(other))
    books = await buy(visit(shop), **FORGED, **signed(made, "bank.example.com"))
    assert (books["orders"], books["synthetic_orders"]) == (3, 0)


async def test_without_keys_every_order_counts(visit, made):
    """A shop that can't verify believes nobody."""
    books = await buy(visit(create_shop()), **FORGED, **signed(made))
    assert (books["orders"], books["synthetic_orders"]) == (1, 0)
