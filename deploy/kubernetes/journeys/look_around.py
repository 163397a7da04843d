"""Stands in for your own journeys: the front page is there."""

import re

from agent import Run, expect, journey


@journey(site="shop", every="1m", timeout="25s", owner="web", severity="page")
async def look_around(run: Run) -> None:
    """A visitor opens the front page."""
    async with run.step("Open the front page"):
        await run.page.goto("/")
        await expect(run.page).to_have_title(re.compile(".+"))
