"""What is not awaited is told before anything is walked, and nothing else is."""

from __future__ import annotations

import textwrap

import pytest

from agent.worker.await_check import forgotten


def found(body: str) -> list[tuple[int, str, str]]:
    lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return forgotten(f"async def helper(page): ...\n\nasync def walked(run):\n{lines}\n")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("expect(run.page).to_have_title('x')", "await"),
        ("expect(run.page.locator('h1')).not_to_be_visible()", "await"),
        ("run.page.click('button')", "await"),
        ("run.page.get_by_role('button').click()", "await"),
        ("run.api.get('/')", "await"),
        ("assert run.page.is_visible('h1')", "await"),
        ("assert run.page.title() == 'Shop'", "await"),
        ("assert not run.page.is_visible('h1')", "await"),
        ("if run.page.is_visible('h1'): pass", "await"),
        ("helper(run.page)", "await"),
        ("run.step('Pay')", "async with"),
    ],
)
def test_forgotten(line: str, word: str) -> None:
    """A call that does nothing without its word is told with its line."""
    ((number, code, missing),) = found(line)
    assert (number, missing) == (4, word)
    assert code in line or code == line


def test_through_names() -> None:
    """What is made of the page is known by the name that it gets."""
    (told,) = found("""
        shop = run.page
        button = shop.locator("button")
        button.click()
    """)
    assert told == (6, "button.click()", "await")


@pytest.mark.parametrize(
    "line",
    [
        "await run.page.click('button')",
        "run.page.set_default_timeout(5)",
        "run.page.on('dialog', lambda dialog: dialog.accept())",
        "run.log.info('x')",
        "run.mask(run.page.locator('x'))",
        "run.allow_status(404)",
        "task = asyncio.create_task(run.page.click('x'))",
        "await asyncio.gather(run.page.click('x'), helper(run.page))",
        "waiting = run.page.click('x')",
        "return run.page.click('x')",
        "seen.clear()",
        "print(run.page.url)",
        "assert run.page.url == 'x'",
        "async with run.step('Pay'): pass",
        "async with run.page.expect_popup() as popup: pass",
        "client.get('/')",
    ],
)
def test_nothing_forgotten(line: str) -> None:
    """What is awaited, handed on, or no coroutine, is not told."""
    assert found(line) == []
