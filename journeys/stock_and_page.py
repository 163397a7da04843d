"""Two faces of one fact: the API that partners read and the page that customers read."""

from agent import Run, expect, journey


@journey(
    site="shop",
    every="15s",
    timeout="8s",
    owner="catalogue",
    runbook="https://runbooks.example.com/shop/stock",
    severity="ticket",
    params={"product": "kitchen-knife"},
)
async def stock_matches_the_page(run: Run) -> None:
    """Price and availability are the same in the API and on the product's page."""
    slug = run.params["product"]

    async with run.step("Ask the API"):
        product = await run.api.get(f"/api/products/{slug}")
        await expect(product).to_be_ok()
        stock = await run.api.get(f"/api/stock/{slug}")
        await expect(stock).to_be_ok()
        price = (await product.json())["price"]
        availability = (await stock.json())["availability"]

    async with run.step("Read the page"):
        await run.page.goto(f"/product/{slug}")
        await expect(run.page.get_by_test_id("price")).to_have_text(price)
        await expect(run.page.get_by_test_id("availability")).to_have_text(availability)
