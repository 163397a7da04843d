"""What a failed walk says of the page: what is nearly what was looked for, and aria.yml."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from agent.core.errors import ErrorType
from agent.core.limits import MOST_ARIA
from tests.support.origin import Origin
from tests.support.walking import Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = """
<title>Shop</title><h1>Mugs &amp; more</h1><a href=/mug>Blue mug</a><a href=/tea>Tea pot</a>
<ul data-testid=offers><li><a href=/red>Red mug</a></ul>
<form><label>E-mail <input name=mail value=typed@example.com></label>
<label>Password <input type=password value=hunter2-typed></label>
<input type=text aria-label=Code name=passwd value=opensesame><textarea>a letter</textarea>
<input type=search placeholder="Find a thing"></form>
<button>Add to basket</button><button>Add to wish list</button>
<span data-testid=cart-count>0</span><p id=private>Ada Lovelace</p>
<iframe srcdoc="<button>Pay now</button>"></iframe>
"""
LATE = """
<title>Late</title><h1>Late</h1><script>
const button = Object.assign(document.createElement("button"), {textContent: "Buy"});
new MutationObserver(() => document.body.append(button))
.observe(document.querySelector("h1"), {attributeFilter: ["aria-hidden"]})</script>
"""
"""The button comes once the walk is over: what is masked is hidden then from what is read."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    async with Origin(pages={"/": SHOP, "/late": LATE}) as serving:
        yield serving


async def near(walker: Walker, origin: Origin, line: str) -> list[str]:
    source = f'await run.page.goto("/")\nrun.page.set_default_timeout(150)\n{line}'
    # What is left of it is the time in which the page is looked at, on however busy a machine.
    walked = await walker.walk(source, site(origin.url), timeout=30.0)
    return list(walked.report.near)


SOUGHT = {
    "name": (
        'await run.page.get_by_role("button", name="Add to cart").click()',
        (
            'nothing matches get_by_role("button", name="Add to cart"); nearest: '
            'get_by_role("button", name="Add to basket"), '
            'get_by_role("button", name="Add to wish list")'
        ),
    ),
    "other role": (
        'await expect(run.page.get_by_role("button", name="Tea pot")).to_be_visible(timeout=150)',
        (
            'nothing matches get_by_role("button", name="Tea pot"); nearest: '
            'get_by_role("link", name="Tea pot"), '
        ),
    ),
    "no role": (
        'await run.page.get_by_role("buton").click()',
        (
            'nothing matches get_by_role("buton"); there is no role "buton", but "button"; '
            'nearest: get_by_role("button", name="Add to basket"), '
        ),
    ),
    "text": (
        'await run.page.get_by_text("Mugs and more").click()',
        'nothing matches get_by_text("Mugs and more"); nearest: get_by_text("Mugs & more")',
    ),
    "label": (
        'await run.page.get_by_label("Email").fill("x")',
        'nothing matches get_by_label("Email"); nearest: get_by_label("E-mail")',
    ),
    "placeholder": (
        'await run.page.get_by_placeholder("Find things").fill("x")',
        (
            'nothing matches get_by_placeholder("Find things"); '
            'nearest: get_by_placeholder("Find a thing")'
        ),
    ),
    "test id": (
        'await expect(run.page.get_by_test_id("card-count")).to_have_text("1", timeout=150)',
        'nothing matches get_by_test_id("card-count"); nearest: get_by_test_id("cart-count")',
    ),
    "within": (
        'await run.page.get_by_test_id("offers").get_by_role("link", name="Blue mug").click()',
        (
            'nothing matches get_by_role("link", name="Blue mug") in get_by_test_id("offers"), '
            'which is there; nearest: get_by_role("link", name="Red mug")'
        ),
    ),
    "outer part": (
        'await run.page.get_by_test_id("offer").get_by_role("link", name="Red mug").click()',
        'nothing matches get_by_test_id("offer"); nearest: get_by_test_id("offers")',
    ),
    "frame": (
        ('await run.page.frame_locator("iframe").get_by_role("link", name="Pay now").click()'),
        (
            'nothing matches get_by_role("link", name="Pay now") in '
            'locator("iframe").content_frame, which is there; nearest: '
            'get_by_role("button", name="Pay now")'
        ),
    ),
}


@pytest.mark.parametrize("kind", SOUGHT)
async def test_what_is_nearly_it(walker: Walker, origin: Origin, kind: str) -> None:
    """A locator that found nothing: what the page has that is most like it, as one writes it."""
    line, said = SOUGHT[kind]
    [told] = await near(walker, origin, line)
    assert told.startswith(said)


SILENT = {
    "text differs": 'await expect(run.page.get_by_test_id("cart-count")).to_have_text("1", '
    "timeout=150)",
    "hidden": 'await expect(run.page.get_by_text("Ada")).to_be_hidden(timeout=150)',
    "bare": "assert 1 == 2",
    "nothing alike": 'await run.page.locator("#checkout > .x").click()',
}


@pytest.mark.parametrize("kind", SILENT)
async def test_what_was_found_has_no_match(walker: Walker, origin: Origin, kind: str) -> None:
    """Where the locator found what it looked for, or nothing is like it, nothing is said."""
    assert await near(walker, origin, SILENT[kind]) == []


async def test_too_many(walker: Walker, origin: Origin) -> None:
    """What a locator found more than one of is listed, each as one writes it."""
    source = 'await run.page.goto("/")\nawait run.page.get_by_role("button", name="Add").click()'
    report = (await walker.walk(source, site(origin.url))).report
    assert report.error_type is ErrorType.ASSERTION
    cause = 'get_by_role("button", name="Add") found 2 elements, and Locator.click takes one'
    assert report.error.partition("\n")[0] == cause
    assert 'aka get_by_role("button", name="Add to basket")' in report.error


async def test_what_comes_late(walker: Walker, origin: Origin) -> None:
    """An element that came after the wait for it is told of as that."""
    source = """
        run.mask(run.page.locator("h1"))
        await run.page.goto("/late")
        await run.page.get_by_text("Buy").click(timeout=300)
    """
    walked = await walker.walk(source, site(origin.url))
    assert list(walked.report.near) == [
        'get_by_text("Buy") is there now: it came after the wait was over; timeout=… waits longer'
    ]


async def test_the_page_as_roles_and_names(walker: Walker, origin: Origin) -> None:
    """aria.yml has roles, names and texts, and not what was typed, masked or is a secret."""
    walked = await walker.walk(
        """
        run.mask(run.page.locator("#private"))
        await run.page.goto("/")
        await run.page.get_by_role("searchbox").fill(run.secret("WORD"))
        await run.page.evaluate("word => document.querySelector('h1').append(' ' + word)",
                                run.secret("WORD"))
        assert False, "no good"
        """,
        site(origin.url),
        secrets={"WORD": "s3cret-word"},
    )
    assert "aria.yml" in walked.report.evidence
    seen = (walked.scratch / "aria.yml").read_text()
    for line in (
        '- heading "Mugs & more ***" [level=1]',
        '- link "Blue mug":',
        '- textbox "E-mail": "***"',
        '- textbox "Password": "***"',
        '- textbox "Code": "***"',
        '- textbox: "***"',
        '- button "Add to basket"',
    ):
        assert line in seen.splitlines()
    for private in ("typed@", "hunter2", "opensesame", "letter", "Lovelace", "s3cret"):
        assert private not in seen


async def test_a_page_too_large_for_it(walker: Walker, origin: Origin) -> None:
    """It is cut, and costs neither the picture nor the other evidence."""
    walked = await walker.walk(
        """
        await run.page.goto("/")
        await run.page.evaluate(
            "() => { for (let n = 0; n < 20000; n++) document.body.append("
            "Object.assign(document.createElement('button'), {textContent: 'Button ' + n})) }")
        assert False, "no good"
        """,
        site(origin.url),
    )
    assert "screenshot.png" in walked.report.evidence
    notes = json.loads((walked.scratch / "failure.json").read_text())
    if "aria.yml" in walked.report.evidence:
        assert len((walked.scratch / "aria.yml").read_text()) <= MOST_ARIA + 1
    else:
        assert any(why.startswith("aria.yml: ") for why in notes["missing"])


async def test_steps_and_sources_in_the_trace(walker: Walker, origin: Origin) -> None:
    """Each step is a group with its actions below it, and the file as it was walked is there."""
    walked = await walker.walk(
        """
        async with run.step("Look"):
            await run.page.goto("/")
            async with run.step("Closer"):
                await run.page.get_by_text("Tea pot").hover()
        try:
            async with run.step("Fail and go on"):
                raise LookupError("no matter")
        except LookupError:
            pass
        async with run.step("Buy"):
            await run.page.get_by_text("not there").click(timeout=100)
        """,
        site(origin.url),
        record_trace=True,
    )
    with zipfile.ZipFile(walked.scratch / "trace.zip") as archive:
        events = [json.loads(line) for line in archive.read("trace.trace").splitlines()]
        [name] = [one for one in archive.namelist() if one.startswith("src/")]
        source = archive.read(name).decode()
    begun = {one["callId"]: one for one in events if one["type"] == "before"}
    groups = {one["title"]: one for one in begun.values() if one["method"] == "tracingGroup"}
    above = {title: begun.get(one.get("parentId"), {}) for title, one in groups.items()}
    assert {title: one.get("title") for title, one in above.items()} == {
        "Look": None,
        "Closer": "Look",
        "Fail and go on": None,
        "Buy": None,
    }
    [hover] = [one for one in begun.values() if one["method"] == "hover"]
    assert hover["parentId"] == groups["Closer"]["callId"]
    ended = {one["callId"] for one in events if one["type"] == "after"}
    assert {one["callId"] for one in groups.values()} <= ended
    assert source == (walker.folder / walked.order.journey.file).read_text()
    [frame] = groups["Closer"]["stack"]
    assert source.splitlines()[frame["line"] - 1].strip() == 'async with run.step("Closer"):'
