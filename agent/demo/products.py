"""What the shop sells. Prices are euro cents."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop."""

    slug: str
    name: str
    blurb: str


@dataclass(frozen=True, slots=True)
class Product:
    """One thing for sale. ``stock`` is what a full shelf holds, in pieces."""

    slug: str
    name: str
    category: str
    price_cents: int
    blurb: str
    stock: int


CATEGORIES = (
    Category("tableware", "Tableware", "Stoneware thrown and glazed by hand."),
    Category("living", "Living room", "Wool, linen and warm light."),
    Category("kitchen", "Kitchen", "Tools that get better with use."),
    Category("desk", "Desk", "For letters, lists and long thoughts."),
)

PRODUCTS = (
    Product("mug", "Mug", "tableware", 1450, "Holds 300 ml and keeps it warm.", 240),
    Product("teapot", "Teapot", "tableware", 4800, "Pours without a drip. One litre.", 60),
    Product("pasta-bowl", "Pasta bowl", "tableware", 2200, "Wide, shallow, oven-proof.", 120),
    Product("carafe", "Carafe", "tableware", 3200, "Hand-blown glass with a cork.", 45),
    Product("wool-blanket", "Wool blanket", "living", 8900, "Merino, 130 by 180 cm.", 30),
    Product("linen-cushion", "Linen cushion", "living", 3900, "Stone-washed, feather-filled.", 80),
    Product("table-lamp", "Table lamp", "living", 7400, "Paper shade on an oak foot.", 25),
    Product("beeswax-candle", "Beeswax candle", "living", 1200, "Burns for forty hours.", 300),
    Product("chopping-board", "Chopping board", "kitchen", 3600, "End-grain beech, oiled.", 70),
    Product("apron", "Apron", "kitchen", 2900, "Heavy cotton with two pockets.", 90),
    Product("salt-cellar", "Salt cellar", "kitchen", 1800, "Olive wood with a swing lid.", 110),
    Product("kitchen-knife", "Kitchen knife", "kitchen", 6900, "Carbon steel, 18 cm.", 4),
    Product("notebook", "Notebook", "desk", 1600, "192 dotted pages that lie flat.", 200),
    Product("fountain-pen", "Fountain pen", "desk", 5400, "Steel nib, piston filler.", 35),
    Product("desk-clock", "Desk clock", "desk", 4500, "Silent movement, brass hands.", 50),
    Product("letter-tray", "Letter tray", "desk", 3300, "Folded steel, stacks in threes.", 65),
)

_BY_SLUG = {product.slug: product for product in PRODUCTS}


def product(slug: str) -> Product | None:
    """Return the product of that slug, or None where there is none."""
    return _BY_SLUG.get(slug)


def category(slug: str) -> Category | None:
    """Return the category of that slug, or None where there is none."""
    return next((shelf for shelf in CATEGORIES if shelf.slug == slug), None)


def on_shelf(slug: str) -> list[Product]:
    """List the products of a category, in the order of the catalogue."""
    return [item for item in PRODUCTS if item.category == slug]


def search(words: str) -> list[Product]:
    """List the products whose name or blurb holds every word; none for no words.

    Products that match by name come first.
    """
    wanted = words.casefold().split()
    if not wanted:
        return []
    found = [item for item in PRODUCTS if _holds(f"{item.name} {item.blurb}", wanted)]
    return sorted(found, key=lambda item: not _holds(item.name, wanted))


def money(cents: int) -> str:
    """Write an amount as customers read it: ``€14.50``."""
    return f"€{cents // 100}.{cents % 100:02d}"


def _holds(text: str, wanted: list[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in wanted)
