"""Search: words lead to products, and nonsense leads to a helpful page."""

from agent import Run, expect, journey


@journey(
    site="shop",
    every="10s",
    timeout="8s",
    owner="discovery",
    runbook="https://runbooks.example.com/shop/search",
    severity="ticket",
    params={"word": "linen", "product": "Linen cushion"},
)
async def search_the_catalogue(run: Run) -> None:
    """A visitor searches for a word, opens what was found, then searches in vain."""
    page = run.page
    search = page.get_by_role("searchbox", name="Search the shop")
    products = page.get_by_test_id("products").get_by_role("listitem")

    async with run.step("Search for a word"):
        await page.goto("/")
        await search.fill(run.params["word"])
        await search.press("Enter")
        await expect(products.filter(has_text=run.params["product"])).to_have_count(1)

    async with run.step("Open what was found"):
        await products.get_by_role("link", name=run.params["product"], exact=True).click()
        await expect(page.get_by_role("button", name="Add to cart")).to_be_enabled()

    async with run.step("Search in vain"):
        await search.fill("zeppelin")
        await search.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("Nothing on our shelves")
        await expect(products).to_have_count(0)
