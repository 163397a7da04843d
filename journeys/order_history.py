"""Returning customers: they can sign in and see what they bought."""

from agent import Run, expect, journey


@journey(
    site="shop",
    every="20s",
    timeout="8s",
    owner="accounts",
    runbook="https://runbooks.example.com/shop/order-history",
    severity="ticket",
)
async def order_history(run: Run) -> None:
    """A customer signs in, opens the latest order and signs out."""
    page = run.page

    async with run.step("Sign in"):
        await page.goto("/sign-in")
        await page.get_by_label("E-mail").fill("demo@example.com")
        await page.get_by_label("Password").fill(run.secret("DEMO_PASSWORD"))
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", name="Your orders")).to_be_visible()

    async with run.step("Open the latest order"):
        # A customer's address has no business in a screenshot.
        run.mask(page.get_by_test_id("delivery-address"))
        latest = page.get_by_test_id("order").first.get_by_role("link")
        number = await latest.text_content()
        await latest.click()
        await expect(page.get_by_role("heading", name=f"Order {number}")).to_be_visible()
        await expect(page.get_by_test_id("order-total")).to_contain_text("€")

    async with run.step("Sign out"):
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
