"""The spellings in which a text may carry a secret.

Known are: as it is, in upper and lower case, as URLs, JSON, HTML and Python's ``repr`` escape it
(once, or again and again), each character as a percent code, an escape or an entity, as hex,
as base64 (once or twice, at any place in what was encoded), broken over lines, and cut at its
end. Not known are: other encodings and alphabets, hashes, its characters in another order or
with others between them, and parts of it that aren't its beginning.
"""

from __future__ import annotations

import base64
import html
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 4
"""Shorter values would mask half of every text without hiding anything."""
_SHORTEST_PIECE = 6
"""The same for a line of a secret, which may well be an everyday word."""
_SHORTEST_CUT = 9
"""Characters of a secret from when on one without its last is known too."""
_LONG = 16
"""The same for one without its last three."""
BREAK = re.compile(r"[ \t]*\r?\n[ \t]*")
"""Where a text was broken over lines."""
_DIVIDERS = re.compile(r"[\r\n#&]")
_WORD = re.compile(r"[A-Za-z0-9]+")


class Form:
    """One way in which a secret is written."""

    def __init__(self, length: int, anchor: str, pieces: list[str], optional: int = 0) -> None:
        self.length = length
        self.anchor = anchor.lower()
        """What stands in every text that has it, in lower case."""
        self._pieces = pieces
        self._optional = optional

    # Compiled where they are wanted: a key of many lines has hundreds, and most are never seen.

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What it looks like."""
        return self._compiled("")

    @cached_property
    def broken(self) -> re.Pattern[str]:
        """The same, or broken over lines at any place."""
        return self._compiled(BREAK.pattern.join(("(?:", ")?")))

    def _compiled(self, between: str) -> re.Pattern[str]:
        sure = len(self._pieces) - self._optional
        rest = "".join(f"(?:{between}{piece}" for piece in self._pieces[sure:])
        whole = between.join(self._pieces[:sure]) + rest + ")?" * self._optional
        return re.compile(whole, re.IGNORECASE)


def parts_of(secret: str) -> set[str]:
    """Return what of a secret is looked for: all of it, and its lines and parts."""
    whole = {part for part in (secret, secret.strip()) if len(part) >= SHORTEST}
    pieces = {piece.strip() for piece in _DIVIDERS.split(secret)} if whole else set()
    return whole | {piece for piece in pieces if len(piece) >= _SHORTEST_PIECE}


def forms_of(part: str) -> Iterator[Form]:
    """Yield each way in which a secret, or a part of one, is written."""
    length = len(part)
    # One that lost its end is as good as whole: error messages and columns cut.
    optional = 0 if length < _SHORTEST_CUT else 1 if length < _LONG else 3
    anchor = _longest_word(part[: length - optional])
    yield Form(length, anchor, [_spellings(char) for char in part], optional)
    for literal in _all_escaped(part):
        yield Form(length, literal, [re.escape(char) for char in literal])
    for encoded in _base64(part):
        yield _base64_form(length, encoded)
        for again in _base64(encoded) if len(encoded) >= _SHORTEST_PIECE else ():
            yield _base64_form(length, again)


def _all_escaped(part: str) -> Iterator[str]:
    """Yield spellings that escape what needs no escape too."""
    raw = part.encode(errors="replace")
    yield raw.hex()
    for before in ("%", "%25", "\\x", "\\\\x"):
        yield "".join(f"{before}{byte:02x}" for byte in raw)
    for form in ("\\u{:04x}", "\\\\u{:04x}", "&#{};", "&#x{:x};"):
        yield "".join(form.format(ord(char)) for char in part)


def _base64(part: str) -> Iterator[str]:
    """Yield what of the base64 of a text is the same whatever stands before and after it."""
    for before in range(3):
        raw = b"\0" * before + part.encode(errors="replace")
        # Characters that bytes before or after would change are left out.
        yield base64.b64encode(raw).decode()[(0, 2, 3)[before] : len(raw) * 8 // 6]


def _base64_form(length: int, encoded: str) -> Form:
    ways = {"+": "(?:[+-]|%2B)", "/": r"(?:\\{0,8}/|_|%2F)"}
    return Form(length, _longest_word(encoded), [ways.get(one, one) for one in encoded])


def _longest_word(text: str) -> str:
    """Return the longest run of characters that no encoder touches."""
    return max(_WORD.findall(text), key=len, default="")


def _spellings(char: str) -> str:
    """Return a pattern of how a character is written where not all are escaped alike.

    Encoders disagree on which characters to escape (``!`` stays in JavaScript's URLs and
    goes in Python's), so each one is taken either way.
    """
    if char.isascii() and char.isalnum():
        return char
    encoded = char.encode(errors="replace")
    # An address within an address is escaped twice.
    percent = "".join(f"%(?:25){{0,8}}{byte:02x}" for byte in encoded)
    raw = "".join(rf"\\{{1,8}}x{byte:02x}" for byte in encoded)
    utf_16 = char.encode("utf-16-be", errors="surrogatepass").hex()
    units = "".join(rf"\\{{1,8}}u{utf_16[at : at + 4]}" for at in range(0, len(utf_16), 4))
    point = rf"\\{{1,8}}(?:x{ord(char):02x}|U{ord(char):08x})"
    ways = {f"(?i:{way})" for way in (percent, raw, units, point)}
    ways.add(f"(?i:&#(?:0*{ord(char)}|x0*{ord(char):x});)")
    if char == " ":
        ways |= {r"\+", "%(?:25){0,8}2B"}
    if html.escape(char) != char:
        ways.add(html.escape(char))
    if char == "'":
        ways |= {"&apos;", r"\\{1,8}'"}
    ways |= {re.escape(char.upper()), re.escape(char.lower())}
    short = json.dumps(char)[1:-1]
    if len(short) == 2:
        ways.add(r"\\{1,8}" + re.escape(short[1]))
    ways.add((r"\\{0,8}" if char == "/" else "") + re.escape(char))
    return f"(?:{'|'.join(sorted(ways, key=len, reverse=True))})"
