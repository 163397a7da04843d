"""The shop's reason to be: a guest can buy something."""

from agent import Run, expect, journey


@journey(
    site="shop",
    every="15s",
    timeout="8s",
    owner="checkout",
    runbook="https://runbooks.example.com/shop/guest-purchase",
    severity="page",
    params={"product": "Mug"},
)
async def buy_a_mug(run: Run) -> None:
    """A guest finds a product, puts it into the cart and orders it."""
    page = run.page
    product = run.params["product"]

    async with run.step("Find the product"):
        await page.goto("/")
        await page.get_by_role("link", name=product, exact=True).click()
        await expect(page.get_by_role("heading", name=product, exact=True)).to_be_visible()

    async with run.step("Add it to the cart"):
        await page.get_by_role("button", name="Add to cart").click()
        await expect(page.get_by_test_id("cart-count")).to_have_text("1")

    async with run.step("Say where to deliver"):
        await page.get_by_role("link", name="Go to checkout").click()
        await page.get_by_label("Name").fill("Footfall guest")
        await page.get_by_label("E-mail").fill("guest@example.com")
        await page.get_by_label("Street and number").fill("2 Harbour Road")
        await page.get_by_label("City").fill("Lisbon")
        await page.get_by_label("Country").select_option("Portugal")
        await expect(page.get_by_test_id("total")).to_contain_text("€")

    async with run.step("Place the order"):
        await page.get_by_role("button", name="Place order").click()
        await expect(page.get_by_role("heading", name="Order confirmed")).to_be_visible()
        order = await page.get_by_test_id("order-number").text_content()
        run.log.info("ordered", order=order, product=product)
