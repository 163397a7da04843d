"""Selectors as Playwright's locators carry them: their parts, as an author writes each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_PART = re.compile(r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?!\s>>\s).)+", re.DOTALL)
_ROLE = re.compile(r"^internal:role=(?P<role>[\w-]+)(?P<more>.*)$", re.DOTALL)
_NAME = re.compile(r"\[name=(?P<name>\"(?:[^\"\\]|\\.)*\"|/.*?/\w*)(?P<how>[is]?)\]", re.DOTALL)
_TEXT = re.compile(
    r"^internal:(?P<kind>text|label|has-text|has-not-text)="
    r"(?P<text>\"(?:[^\"\\]|\\.)*\"|/.*/\w*)(?P<how>[is]?)$",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"^internal:(?:attr|testid)=\[(?P<name>[\w-]+)=(?P<text>\"(?:[^\"\\]|\\.)*\"|/.*/\w*)[is]?\]$",
    re.DOTALL,
)
_ATTRIBUTES = {"alt": "alt_text", "placeholder": "placeholder", "title": "title"}
ENTER_FRAME = "internal:control=enter-frame"
_WORDS = {ENTER_FRAME: "content_frame", "nth=0": "first", "nth=-1": "last"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a selector, as ``get_by_role("link", name="Mug")`` makes one."""

    selector: str
    kind: str
    """``role``, ``text``, ``label``, ``alt_text``, ``placeholder``, ``title``, ``test_id``; "" for
    others."""
    role: str = ""
    text: str = ""
    """The name, text or id that was looked for; of a pattern its source."""
    attribute: str = ""
    """The attribute that holds a test id."""
    shown: str = ""
    """The part as an author writes it."""


def parts_of(selector: str) -> list[Part]:
    """Return the parts of a selector, the outermost first."""
    return [_part(one.removeprefix(">> ").strip()) for one in _PART.findall(selector)]


def by_role(role: str, name: str = "") -> str:
    """Say how an author finds a role and name."""
    return (
        f"get_by_role({_quoted(role)}, name={_quoted(name)})" if name else f'get_by_role("{role}")'
    )


def by(kind: str, text: str) -> str:
    """Say how an author finds something by its text, label, test id and so on."""
    return f"get_by_{kind}({_quoted(text)})"


def _part(selector: str) -> Part:
    if found := _ROLE.match(selector):
        name = _NAME.search(found["more"])
        text, shown = _said(name["name"]) if name else ("", "")
        named = f", name={shown}" if name else ""
        return Part(
            selector, "role", found["role"], text, shown=f'get_by_role("{found["role"]}"{named})'
        )
    if found := _TEXT.match(selector):
        text, shown = _said(found["text"])
        if found["kind"].startswith("has"):
            word = found["kind"].replace("-", "_")
            return Part(selector, "", text=text, shown=f"filter({word}={shown})")
        exact = ", exact=True" if found["how"] == "s" else ""
        kind = found["kind"]
        return Part(selector, kind, text=text, shown=f"get_by_{kind}({shown}{exact})")
    if found := _ATTRIBUTE.match(selector):
        text, shown = _said(found["text"])
        kind = _ATTRIBUTES.get(found["name"], "test_id")
        return Part(selector, kind, "", text, found["name"], f"get_by_{kind}({shown})")
    return Part(selector, "", shown=_WORDS.get(selector) or f"locator({_quoted(selector)})")


def _said(text: str) -> tuple[str, str]:
    """Return a text, or the source of a pattern, and how it is written."""
    if text.startswith('"'):
        try:
            plain = str(json.loads(text))
        except ValueError:
            plain = text[1:-1]
        return plain, _quoted(plain)
    source = text[1 : text.rindex("/")]
    return source, f're.compile(r"{source}")'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
