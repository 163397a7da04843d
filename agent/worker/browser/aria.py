"""A page as roles and names, in the words of Playwright's aria snapshots."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.redact import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPED_INTO = frozenset({"combobox", "searchbox", "spinbutton", "textbox"})
"""Roles whose content is what somebody typed."""
_MASKED = json.dumps(MASK)  # a star begins something else in YAML
_OPTIONS = frozenset({"option", "group"})
_QUOTED = re.compile(r"^'((?:[^']|'')*)'(?::(?: (.*))?)?$")
_PLAIN = re.compile(
    r"^(?P<role>/?[a-z]+)(?: (?P<name>\"(?:[^\"\\]|\\.)*\"))?(?: \[[^\]]*\])*(?P<colon>:)?"
    r"(?: (?P<text>.*))?$"
)


@dataclass(frozen=True, slots=True)
class AriaNode:
    """One line of a snapshot: ``button "Add" [disabled]``. ``text`` is what stands after it."""

    depth: int
    """Spaces before it."""
    role: str
    """A role; ``text``; or a property of the node above, as ``/url``."""
    name: str
    text: str


def nodes(snapshot: str) -> Iterator[AriaNode]:
    """Yield what a snapshot holds, line by line; lines that aren't understood are left out."""
    for line in snapshot.splitlines():
        node = _node(line)
        if node is not None:
            yield node


def without_typed(snapshot: str) -> str:
    """Return a snapshot without what stands in its fields: that may be anybody's password."""
    kept = []
    field = -1
    """How deep the field lies whose content is passed over; -1: none is."""
    for line in snapshot.splitlines():
        node = _node(line)
        depth = len(line) - len(line.lstrip())
        if field >= 0 and depth > field:
            if node is not None and (node.role.startswith("/") or node.role in _OPTIONS):
                kept.append(line)
            continue
        field = -1
        if node is not None and node.role in _TYPED_INTO:
            field = depth
            if node.text:
                line = f"{line[: line.rindex(_shown(line))]}{_MASKED}"  # noqa: PLW2901
        kept.append(line)
    return "\n".join(kept)


def _shown(line: str) -> str:
    """Return what stands after a line's key, as it is spelt."""
    rest = line.lstrip().removeprefix("- ")
    found = _QUOTED.match(rest)
    if found:
        return found[2]
    found = _PLAIN.match(rest)
    return found["text"] if found else ""


def _node(line: str) -> AriaNode | None:
    bare = line.lstrip()
    if not bare.startswith("- "):
        return None
    rest, text = bare[2:], ""
    quoted = _QUOTED.match(rest)
    if quoted:
        rest, text = quoted[1].replace("''", "'"), quoted[2] or ""
    found = _PLAIN.match(rest)
    if found is None or (found["text"] and not found["colon"]):
        return None
    text = text or found["text"] or ""
    return AriaNode(len(line) - len(bare), found["role"], _unquoted(found["name"]), _unquoted(text))


def _unquoted(text: str | None) -> str:
    if not text:
        return ""
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text
