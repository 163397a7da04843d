"""A page as roles and names: what is read of a snapshot, and what is left out of it."""

from __future__ import annotations

import pytest

from agent.worker.browser.aria import AriaNode, nodes, without_typed
from agent.worker.browser.nearest import near_in
from agent.worker.browser.selectors import parts_of

SNAPSHOT = r"""
- heading "Shop" [level=1]
- 'link "Tea: pot \"x\""':
  - /url: /y
- text: "0"
- textbox "Mail": me@example.com
- textbox "Password":
  - /placeholder: at least "8"
  - text: hunter2
- 'searchbox "It''s: this"': "typed: too"
- combobox "Size":
  - option "small" [selected]
- button "Add" [disabled]
- paragraph: Ends here
not a line of a snapshot
""".strip()


def test_what_is_read() -> None:
    """Role, name and text of each line, however YAML had to quote it; other lines are left out."""
    read = list(nodes(SNAPSHOT))
    assert read[:4] == [
        AriaNode(0, "heading", "Shop", ""),
        AriaNode(0, "link", 'Tea: pot "x"', ""),
        AriaNode(2, "/url", "", "/y"),
        AriaNode(0, "text", "", "0"),
    ]
    assert AriaNode(0, "searchbox", "It's: this", "typed: too") in read
    assert read[-1] == AriaNode(0, "paragraph", "", "Ends here")


def test_what_was_typed() -> None:
    """Fields keep name, placeholder and options, and nothing that somebody typed."""
    kept = without_typed(SNAPSHOT).splitlines()
    for typed in ("me@example.com", "hunter2", "typed: too"):
        assert typed not in "\n".join(kept)
    gone = [line for line in SNAPSHOT.splitlines() if line not in kept]
    assert [line.split('"')[0].strip() for line in gone] == [
        "- textbox",
        "- text: hunter2",
        "- 'searchbox",
    ]
    assert '  - /placeholder: at least "8"' in kept
    assert '  - option "small" [selected]' in kept


@pytest.mark.parametrize(
    ("selector", "near"),
    [
        ('internal:role=button[name="Ad"s]', ['get_by_role("button", name="Add")']),
        ('internal:label="Passwort"i', ['get_by_label("Password")']),
        ("internal:role=link[name=/Tea pot/]", ['get_by_role("link", name="Tea: pot \\"x\\"")']),
        ('internal:role=table[name="Prices"i]', []),
        ("#checkout", []),
    ],
)
def test_what_is_near(selector: str, near: list[str]) -> None:
    """Most like first, and nothing where nothing is like it."""
    [part] = parts_of(selector)
    assert list(near_in(part, list(nodes(SNAPSHOT)))) == near


@pytest.mark.parametrize(
    ("selector", "shown"),
    [
        ("#a >> internal:role=link >> nth=0", ['locator("#a")', 'get_by_role("link")', "first"]),
        (
            'internal:role=list >> internal:has-text="x >> y"i >> internal:text="Buy"s',
            ['get_by_role("list")', 'filter(has_text="x >> y")', 'get_by_text("Buy", exact=True)'],
        ),
        ("iframe >> internal:control=enter-frame", ['locator("iframe")', "content_frame"]),
        ('internal:attr=[alt="A \\"b\\""i]', ['get_by_alt_text("A \\"b\\"")']),
    ],
)
def test_how_its_parts_are_written(selector: str, shown: list[str]) -> None:
    """A selector is cut at its parts alone, and each is said as an author writes it."""
    assert [part.shown for part in parts_of(selector)] == shown
