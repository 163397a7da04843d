from __future__ import annotations

import pytest

from agent.demo import products
from agent.demo.store import ACCOUNT, Recipient, Store, Visitor

RECIPIENT = Recipient("A guest", "guest@example.com", "2 Harbour Road", "Lisbon", "PT")


@pytest.fixture
def store(clock) -> Store:
    return Store(password="letmein", clock=clock)


def buy(store, visitor, slug, quantity=1):
    visitor.put(slug, quantity)
    return store.place(visitor, store.quote(visitor, "PT"), RECIPIENT)


def test_visitors_are_bounded_and_the_least_used_goes(store):
    """Weeks of visitors don't fill the memory, and who keeps coming back is kept."""
    regular, stranger = store.remember(Visitor()), store.remember(Visitor())
    for _ in range(1_999):
        store.remember(Visitor())
        assert store.visitor(regular) is not None
    assert store.visitor(stranger) is None


def test_a_shelf_that_runs_low_is_refilled(store):
    """Buying around the clock never sells the shop out."""
    full = store.stock("kitchen-knife")
    seen = []
    for _ in range(full + 1):
        buy(store, Visitor(), "kitchen-knife")
        seen.append(store.stock("kitchen-knife"))
    assert seen == [*range(full - 1, 0, -1), full, full - 1]


def test_low_stock_is_said(store):
    """Customers read when few pieces are left."""
    assert store.availability("kitchen-knife") == "Only 4 left"
    assert store.availability("mug") == "In stock"


def test_a_quote_is_void_once_the_cart_changes(store):
    """Delivery is never charged for a cart other than the one it was worked out for."""
    visitor = Visitor()
    visitor.put("mug", 1)
    store.quote(visitor, "DE")
    visitor.put("mug", 1)
    assert visitor.quote is None
    store.quote(visitor, "DE")
    visitor.take_out("mug")
    assert visitor.quote is None


def test_delivery_is_free_from_a_hundred_euros(store):
    """The promise on the product page holds to the cent."""
    visitor = Visitor()
    visitor.put("wool-blanket", 1)
    assert store.quote(visitor, "PT").cents == 890
    visitor.put("beeswax-candle", 1)
    assert visitor.cents == 10_100
    assert store.quote(visitor, "PT").cents == 0


def test_an_order_empties_the_cart_and_adds_up(store):
    """An order holds what was in the cart; the next one begins empty, with the next number."""
    visitor = Visitor()
    first = buy(store, visitor, "mug", 2)
    assert first.total_cents == 2 * products.PRODUCTS[0].price_cents + 890
    assert first.placed_on == "3 November 2026"
    assert visitor.count == 0
    second = buy(store, visitor, "mug")
    assert int(second.number[3:]) == int(first.number[3:]) + 1


def test_history_belongs_to_the_account(store):
    """A guest's order is not in the account's history; the account's own leads it."""
    guest, customer = Visitor(), Visitor(account=ACCOUNT)
    seeded = store.orders_of(customer)
    assert [order.placed_on for order in seeded] == [
        "28 October 2026",
        "10 October 2026",
        "3 September 2026",
    ]
    buy(store, guest, "mug")
    assert store.orders_of(guest) == []
    assert store.orders_of(customer) == seeded
    mine = buy(store, customer, "mug")
    assert store.orders_of(customer) == [mine, *seeded]


def test_history_is_bounded(store):
    """An account that buys for weeks keeps its latest twenty orders."""
    customer = Visitor(account=ACCOUNT)
    numbers = [buy(store, customer, "mug").number for _ in range(25)]
    assert [order.number for order in store.orders_of(customer)] == numbers[:4:-1]


@pytest.mark.parametrize(
    ("email", "password", "right"),
    [
        (ACCOUNT, "letmein", True),
        (f" {ACCOUNT.upper()} ", "letmein", True),
        (ACCOUNT, "Letmein", False),
        (ACCOUNT, "", False),
        ("other@example.com", "letmein", False),
    ],
)
def test_only_the_account_with_its_password_is_let_in(store, email, password, right):
    """Both must fit; an address may be written in any case."""
    assert store.knows(email, password) is right
