"""README.md and the pages below docs/ as data: tables, blocks of code, code words and links."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tests.support.service import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOTTED = re.compile(
    r"(code|footfall|test|http|url|server|error|service|user_agent|deployment)(\.[a-z_]+)+"
)
"""What an attribute's name looks like."""
_BAR = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines a person types, without prompt and comment; continued lines are one."""
        joined = self.text.replace("\\\n", " ")
        return [
            line.removeprefix("$ ").partition(" #")[0].strip()
            for line in joined.splitlines()
            if line.startswith("$ ")
        ]


class Page:
    """One page, read once. ``name`` is its path in the repository."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def text(self) -> str:
        """All of it."""
        return (ROOT / self.name).read_text("utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without its blocks of code."""
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.MULTILINE | re.DOTALL)

    @cached_property
    def blocks(self) -> list[Block]:
        """Every fenced block that has a language."""
        return [Block(*found) for found in _FENCE.findall(self.text)]

    def of(self, language: str) -> list[Block]:
        """Return the blocks of one language."""
        return [block for block in self.blocks if block.language == language]

    @cached_property
    def words(self) -> list[str]:
        """Every piece of code within the prose and the tables."""
        return re.findall(r"`([^`\n]+)`", self.prose)

    @cached_property
    def commands(self) -> list[str]:
        """Every command, from the blocks and from the prose."""
        typed = [line for block in self.of("console") for line in block.commands]
        return typed + [word for word in self.words if word.startswith(("footfall ", "make "))]

    @cached_property
    def links(self) -> list[tuple[str, str]]:
        """What it links to within the repository: a path from the root, and a heading or ""."""
        here = (ROOT / self.name).parent
        found = []
        for target in re.findall(r"\]\(([^)\s]+)\)", self.prose):
            if "://" not in target:
                path, _, heading = target.partition("#")
                full = (here / path).resolve() if path else ROOT / self.name
                found.append((str(full.relative_to(ROOT)), heading))
        return found

    @cached_property
    def anchors(self) -> set[str]:
        """Its headings, as links name them."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}

    def tables(self) -> Iterator[list[list[str]]]:
        """Give each table as rows of cells, the heading first."""
        rows: list[list[str]] = []
        for line in [*self.prose.splitlines(), ""]:
            if line.startswith("|"):
                rows.append([cell.strip() for cell in _BAR.split(line)[1:-1]])
            elif rows:
                yield rows
                rows = []


class Docs:
    """Everything that is written for people who use the agent: README.md and what it leads to."""

    def __init__(self) -> None:
        below = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))
        self.pages = {name: Page(name) for name in ("README.md", "journeys/README.md", *below)}

    def __getitem__(self, name: str) -> Page:
        return self.pages[name]

    @property
    def text(self) -> str:
        """All pages, one after the other."""
        return "\n".join(page.text for page in self.pages.values())

    @property
    def words(self) -> list[str]:
        """Every piece of code within the prose and the tables."""
        return [word for page in self.pages.values() for word in page.words]

    @property
    def lines(self) -> list[str]:
        """Every line of the prose."""
        return [line for page in self.pages.values() for line in page.prose.splitlines()]

    @property
    def commands(self) -> list[str]:
        """Every command that a person is told to type."""
        return [line for page in self.pages.values() for line in page.commands]

    def of(self, language: str) -> list[Block]:
        """Return the blocks of one language."""
        return [block for page in self.pages.values() for block in page.of(language)]

    def line(self, part: str) -> str:
        """Return the one line of the prose that has this part."""
        found = [line for line in self.lines if part in line]
        assert len(found) == 1, f"{len(found)} lines have {part!r}"
        return found[0]

    def table(self, *heading: str) -> list[list[str]]:
        """Return the rows of the one table that begins with these column headings."""
        tables = (rows for page in self.pages.values() for rows in page.tables())
        found = [rows for rows in tables if rows[0][: len(heading)] == list(heading)]
        assert len(found) == 1, f"{len(found)} tables begin with the columns {heading}"
        return found[0][2:]


def code(cell: str) -> list[str]:
    """Return the pieces of code in a table's cell."""
    return re.findall(r"`([^`]+)`", cell)


def attributes_sent() -> set[str]:
    """Every name that stands in the one module of names."""
    tree = ast.parse((ROOT / "agent" / "core" / "names.py").read_text("utf-8"))
    literals = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in literals if DOTTED.fullmatch(text)}


def events_logged() -> set[str]:
    """Every event of the agent's own log: the first text in a call that logs."""
    calls = (
        node
        for source in (ROOT / "agent").rglob("*.py")
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    )
    logging = {"info", "warning", "error", "exception", "_warn", "on_lost"}
    texts = (
        [one.value for one in call.args if isinstance(one, ast.Constant)]
        for call in calls
        if call.func.attr in logging
    )
    return {text[0] for text in texts if text}
