"""A new customer's first order, through a shop that nobody here wrote."""

import re
import secrets

from agent import Run, expect, journey


@journey(
    site="oscar",
    every="1m",
    timeout="30s",
    owner="shop-platform",
    runbook="https://runbooks.example.com/oscar-order",
    severity="page",
)
async def register_and_order(run: Run) -> None:
    """A new customer registers, fills the basket and orders."""
    page = run.page
    async with run.step("Register"):
        await page.goto("/accounts/login/")
        form = page.locator("#register_form")
        password = secrets.token_urlsafe(16)
        await form.get_by_label("Email address").fill(f"{secrets.token_hex(8)}@example.com")
        await form.get_by_label("Password", exact=True).fill(password)
        await form.get_by_label("Confirm password").fill(password)
        await form.get_by_role("button", name="Register").click()
        await expect(page.get_by_text("Thanks for registering!")).to_be_visible()

    async with run.step("Fill the basket"):
        await page.goto("/catalogue/")
        await page.get_by_role("heading", name="Stoneware mug").get_by_role("link").click()
        await page.get_by_role("button", name="Add to cart").click()
        await expect(page.get_by_text("has been added to your cart")).to_be_visible()

    async with run.step("Give an address"):
        await page.goto("/basket/")
        await page.get_by_role("link", name="Proceed to checkout").click()
        await page.get_by_label("First name").fill("Ada")
        await page.get_by_label("Last name").fill("Example")
        await page.get_by_label("First line of address").fill("1 Sample Street")
        await page.get_by_label("City").fill("London")
        await page.get_by_label("Post/Zip-code").fill("N1 9GU")
        await page.get_by_label("Country").select_option(label="United Kingdom")
        await page.get_by_role("button", name="Continue").click()

    async with run.step("Place the order"):
        # The payment page of a plain django-oscar asks for nothing.
        await page.get_by_role("link", name="Continue").click()
        await expect(page).to_have_url(re.compile("/checkout/preview/"))
        await page.get_by_role("button", name="Place order").click()
        await expect(page.get_by_text("your order has been placed")).to_be_visible()
