"""The foreign shop is really there."""

import aiohttp
import psutil

from tests.support.oscar import OscarShop


async def test_the_catalogue_has_products_in_stock(oscar):
    """The prepared shop lists products, and what it lists can be bought."""
    async with aiohttp.ClientSession(oscar.url, raise_for_status=True) as session:
        async with session.get("/catalogue/") as response:
            catalogue = await response.text()
        assert "Stoneware mug" in catalogue
        assert catalogue.count('class="product_pod"') == 6
        async with session.get("/catalogue/stoneware-mug_1/") as response:
            product = await response.text()
    assert "In stock" in product
    assert "Add to cart" in product


async def test_pages_load_nothing_from_elsewhere(oscar):
    """Every script, style and picture of a page comes from the shop itself, and is there."""
    async with aiohttp.ClientSession(oscar.url, raise_for_status=True) as session:
        async with session.get("/catalogue/") as response:
            page = await response.text()
        references = [
            part.split('"')[0]
            for tag in ("<script src=", '<link rel="stylesheet" href=', "<img src=")
            for part in page.replace(f'{tag}"', f"\0{tag}").split("\0")[1:]
            for part in [part.removeprefix(tag)]
        ]
        assert len(references) > 3
        for reference in references:
            assert reference.startswith("/"), reference
            async with session.get(reference):
                pass


async def test_shops_share_nothing_and_leave_nothing():
    """Two shops run side by side on data of their own; both are gone afterwards."""
    with OscarShop() as one, OscarShop() as other:
        assert one.url != other.url
        assert one.folder != other.folder
    assert not psutil.pid_exists(one.pid)
    assert not one.folder.exists()
    assert not other.folder.exists()
