from __future__ import annotations

from agent.demo import products


def test_search_wants_every_word_and_puts_names_first():
    """A product is found if each word is in its name or blurb; hits in the name lead."""
    assert [item.name for item in products.search("STEEL")] == [
        "Kitchen knife",
        "Fountain pen",
        "Letter tray",
    ]
    assert [item.name for item in products.search("oak table")] == ["Table lamp"]
    assert [item.name for item in products.search("paper")] == ["Table lamp"]


def test_names_lead_over_blurbs():
    """A word in a name outranks one in a blurb that stands earlier in the catalogue."""
    assert [item.name for item in products.search("oo")] == [
        "Wool blanket",
        "Notebook",
        "Pasta bowl",
        "Table lamp",
        "Salt cellar",
    ]


def test_search_for_nothing_finds_nothing():
    """An empty search is no wish for the whole catalogue."""
    assert products.search("  ") == []


def test_every_product_stands_on_a_shelf_under_its_own_slug():
    """No product is out of reach of the category pages, and no address means two."""
    shelves = {shelf.slug for shelf in products.CATEGORIES}
    assert {item.category for item in products.PRODUCTS} == shelves
    assert len({item.slug for item in products.PRODUCTS}) == len(products.PRODUCTS)


def test_one_product_is_a_mug():
    """`get_by_role("link", name="Mug")`, as the guide to journeys has it, finds one link."""
    names = [item.name for item in (*products.PRODUCTS, *products.CATEGORIES)]
    assert [name for name in names if "mug" in name.casefold()] == ["Mug"]


def test_money_is_written_with_two_places():
    """Cents are never lost nor rounded."""
    assert [products.money(cents) for cents in (5, 1450, 100_000)] == [
        "€0.05",
        "€14.50",
        "€1000.00",
    ]
