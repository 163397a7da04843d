"""Fills an empty OSCAR_DATA folder: the database, a few products in stock, the search index."""

import os
from decimal import Decimal

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()

from django.core.management import call_command  # noqa: E402 - models need the set-up first
from oscar.apps.catalogue.categories import create_from_breadcrumbs  # noqa: E402
from oscar.apps.catalogue.models import Product, ProductCategory, ProductClass  # noqa: E402
from oscar.apps.partner.models import Partner, StockRecord  # noqa: E402

PRODUCTS = {
    "Stoneware mug": "12.50",
    "Walnut tray": "34.00",
    "Linen apron": "41.90",
    "Brass kettle": "89.00",
    "Beeswax candle": "7.80",
    "Wool blanket": "120.00",
}


def main() -> None:
    """Migrate, create the goods and index them."""
    call_command("migrate", verbosity=0)
    call_command("oscar_populate_countries", verbosity=0)
    kind = ProductClass.objects.create(name="Household", track_stock=True)
    category = create_from_breadcrumbs("Household")
    partner = Partner.objects.create(name="Warehouse")
    for number, (title, price) in enumerate(PRODUCTS.items(), start=1):
        product = Product.objects.create(
            title=title, upc=f"H{number:03}", product_class=kind, description=f"{title}, in stock."
        )
        ProductCategory.objects.create(product=product, category=category)
        StockRecord.objects.create(
            product=product,
            partner=partner,
            partner_sku=f"W{number:03}",
            price=Decimal(price),
            num_in_stock=1_000_000,
        )
    call_command("update_index", verbosity=0)


main()
