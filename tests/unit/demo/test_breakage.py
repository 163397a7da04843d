from __future__ import annotations

import pytest

from agent.demo.shop import create_shop


@pytest.mark.parametrize("mode", ["error", "slow", "script", "none"])
async def test_the_switch_is_thrown_and_shown(visitor, mode):
    """What was asked for is answered, and the control page shows it."""
    assert (await visitor.post(f"/demo/break/{mode}")).json() == {"mode": mode}
    page = (await visitor.get("/demo")).text
    assert f'class="mode mode-{mode}">{mode}<' in page
    assert page.count('aria-pressed="true"') == 1


async def test_an_unknown_mode_is_refused_with_the_known_ones(visitor):
    """Who mistypes a mode learns which there are, and nothing changes."""
    await visitor.post("/demo/break/slow")
    answer = await visitor.post("/demo/break/sloow")
    assert answer.status == 400
    assert answer.json()["modes"] == ["none", "error", "slow", "script"]
    assert "mode-slow" in (await visitor.get("/demo")).text


async def test_looking_breaks_nothing(visitor):
    """A link, a prefetch or a crawler can't throw the switch."""
    assert (await visitor.get("/demo/break/error")).status == 405
    assert "mode-none" in (await visitor.get("/demo")).text


async def test_a_button_leads_back_to_the_control_page(visitor):
    """A browser lands on the page again, not on JSON."""
    answer = await visitor.post("/demo/break/error", accept="text/html,*/*;q=0.8")
    assert (answer.status, answer.headers["location"]) == (303, "/demo")


async def test_shops_break_one_at_a_time(visitor, visit):
    """Two shops share nothing."""
    await visitor.post("/demo/break/error")
    assert "mode-none" in (await visit(create_shop()).get("/demo")).text
