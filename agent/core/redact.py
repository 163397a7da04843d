"""Keeping known secrets out of text, in each spelling in which a text may carry them.

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
from typing import TYPE_CHECKING, Any

from agent.core.limits import ADDRESS_LENGTH, MESSAGE_LENGTH
from agent.core.origins import parse
from agent.core.printable import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "***"
_SHORTEST = 4
"""Shorter values would mask half of every text without hiding anything."""
_SHORTEST_PIECE = 6
"""The same for a line of a secret, which may well be an everyday word."""
_TELLING_PART = 12
"""Characters of a secret that tell too much of it."""
_SHORTEST_CUT = 9
"""Characters of a secret from when on one without its last is known too."""
_LONG = 16
"""The same for one without its last three."""
_WIDEST = 12
"""Characters that one of a secret takes in its longest spelling."""
_BREAK = re.compile(r"[ \t]*\r?\n[ \t]*")
_DIVIDERS = re.compile(r"[\r\n#&]")
_ELLIPSIS = re.compile(r"…|\.{3}")
_WORD = re.compile(r"[A-Za-z0-9]+")
_MOST_CHARACTERS = 400_000
"""Characters of all texts of JSON-like data together; of bytes there may be four times as many."""
_EACH = 8
"""Characters that an item counts for besides its own."""
_DEEPEST = 20
_NESTED = "…"
_MOST_READ = 16 * ADDRESS_LENGTH
"""Characters of a text, beyond those that are kept, that are looked through."""

_TELLING = (
    "auth",
    "code",
    "credential",
    "key",
    "pass",
    "pwd",
    "secret",
    "session",
    "sid",
    "sig",
    "token",
)


class Redactor:
    """Replaces every secret it has been told of by ``***``."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._forms: list[_Form] = []

    def add(self, secret: str) -> None:
        """Learn a secret.

        The lines of one that has several are learnt each for itself, as are the parts into
        which an address divides one that was put there unescaped.
        """
        for part in _parts(secret) - set(self._parts):
            self._parts.append(part)
            self._forms += _forms(part)
        # Longest first, so that a secret within another doesn't leave the rest of it.
        self._parts.sort(key=len, reverse=True)
        self._forms.sort(key=lambda form: form.length, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def text(self, text: str) -> str:
        """Return ``text`` without any known secret, or what an ellipsis left of one."""
        if not self._parts:
            return text
        lowered = text.lower()
        joined = _BREAK.sub("", lowered) if "\n" in lowered else lowered
        for form in self._forms:
            # Most texts hold none of them, and this is by far faster than the pattern.
            if joined is not lowered and form.anchor in joined:
                text = form.broken.sub(MASK, text)
            elif form.anchor in lowered:
                text = form.pattern.sub(MASK, text)
        return self._cut_short(text)

    def fit(self, text: str, limit: int) -> str:
        """Return what may be kept of a text from outside: masked, printable, cut to ``limit``.

        It never raises, and of a text of megabytes it looks at no more than it has to.
        """
        # A secret that is cut in two where the reading ends is dropped with what is around it.
        spare = _WIDEST * len(self._parts[0]) if self._parts else 0
        most = _MOST_READ + limit + 2 * spare
        if len(text) <= most:
            return cut(printable(self.text(text)), limit)
        masked = self.text(text[:most])
        return cut(printable(masked[: len(masked) - spare]), limit)

    def tells(self, text: str) -> bool:
        """Tell whether a field that says ``text`` shows a secret, or one that is half typed."""
        begun = any(part.startswith(text) for part in self._parts if len(text) >= _SHORTEST)
        return begun or self.holds_part(text) or self.text(text) != text

    def holds_part(self, text: str) -> bool:
        """Tell whether 12 characters of a secret, or all of a shorter one, stand in ``text``."""
        return any(_holds_part(text, part) for part in self._parts)

    def value(self, value: Any, most: int = _MOST_CHARACTERS) -> Any:  # noqa: ANN401
        """Return what may be kept of JSON-like data from outside, keys included.

        Texts are made fit; what is nested too deep, or comes after ``most`` characters, becomes
        an ellipsis or is left out.
        """
        return self._kept(value, 0, [most])

    def _kept(self, value: Any, depth: int, left: list[int]) -> Any:  # noqa: ANN401
        left[0] -= _EACH
        if isinstance(value, str):
            text = self.fit(value, MESSAGE_LENGTH)
            left[0] -= len(text)
            return text if left[0] > 0 else _NESTED
        if isinstance(value, (dict, list, tuple)) and depth >= _DEEPEST:
            return _NESTED
        if isinstance(value, dict):
            return {
                self._kept(str(key), depth, left): self._kept(one, depth + 1, left)
                for key, one in value.items()
                if left[0] > 0
            }
        if isinstance(value, (list, tuple)):
            return [self._kept(one, depth + 1, left) for one in value if left[0] > 0]
        return value

    def _cut_short(self, text: str) -> str:
        """Mask what is left of secrets beside an ellipsis, where somebody had no room for all."""
        kept, at, longest = [], 0, len(self._parts[0])
        for found in _ELLIPSIS.finditer(text):
            if found.start() < at:
                continue  # within the end of a secret
            before, after = text[at : found.start()], text[found.end() : found.end() + longest]
            begun = max(_begun(before, part) for part in self._parts)
            ended = max(_ended(after, part) for part in self._parts)
            kept.append(before[: len(before) - begun] + MASK * (begun > 0))
            kept.append(found[0] + MASK * (ended > 0))
            at = found.end() + ended
        return "".join([*kept, text[at:]])


class _Form:
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
        return self._compiled(_BREAK.pattern.join(("(?:", ")?")))

    def _compiled(self, between: str) -> re.Pattern[str]:
        sure = len(self._pieces) - self._optional
        rest = "".join(f"(?:{between}{piece}" for piece in self._pieces[sure:])
        whole = between.join(self._pieces[:sure]) + rest + ")?" * self._optional
        return re.compile(whole, re.IGNORECASE)


def _parts(secret: str) -> set[str]:
    whole = {part for part in (secret, secret.strip()) if len(part) >= _SHORTEST}
    pieces = {piece.strip() for piece in _DIVIDERS.split(secret)} if whole else set()
    return whole | {piece for piece in pieces if len(piece) >= _SHORTEST_PIECE}


def _forms(part: str) -> Iterator[_Form]:
    length = len(part)
    # One that lost its end is as good as whole: error messages and columns cut.
    optional = 0 if length < _SHORTEST_CUT else 1 if length < _LONG else 3
    anchor = _longest_word(part[: length - optional])
    yield _Form(length, anchor, [_spellings(char) for char in part], optional)
    for literal in _all_escaped(part):
        yield _Form(length, literal, [re.escape(char) for char in literal])
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


def _base64_form(length: int, encoded: str) -> _Form:
    ways = {"+": "(?:[+-]|%2B)", "/": r"(?:\\{0,8}/|_|%2F)"}
    return _Form(length, _longest_word(encoded), [ways.get(one, one) for one in encoded])


def _holds_part(text: str, secret: str) -> bool:
    if len(secret) < _TELLING_PART:
        return secret in text
    # Half as long a block, at half as many places, is within any such part.
    half = _TELLING_PART // 2
    return any(
        secret[start : start + _TELLING_PART] in text
        for at in range(0, len(secret) - half + 1, half)
        if secret[at : at + half] in text
        for start in range(max(0, at - half), min(at, len(secret) - _TELLING_PART) + 1)
    )


def _longest_word(text: str) -> str:
    """Return the longest run of characters that no encoder touches."""
    return max(_WORD.findall(text), key=len, default="")


def _begun(text: str, secret: str) -> int:
    """Return how many of the secret's first characters the text ends with; 0 for a few."""
    if text[-_SHORTEST:] not in secret:
        return 0
    return next(
        (n for n in range(len(secret) - 1, _SHORTEST - 1, -1) if text.endswith(secret[:n])), 0
    )


def _ended(text: str, secret: str) -> int:
    """Return how many of the secret's last characters the text begins with; 0 for a few."""
    if text[:_SHORTEST] not in secret:
        return 0
    return next(
        (n for n in range(len(secret) - 1, _SHORTEST - 1, -1) if text.startswith(secret[-n:])), 0
    )


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


def bare_url(url: str) -> str:
    """Return any address fit to be stored: cut, no user info, no fragment, telling values masked.

    It never raises: an address that makes no sense is kept as far as it does no harm.
    """
    address = parse(url[:_MOST_READ])
    pairs = address.query.split("&") if address.query else []
    query = "?" + "&".join(map(_bare_pair, pairs)) if pairs else ""
    return cut(printable(f"{address.bare}{query}"), ADDRESS_LENGTH)


def is_telling(name: str) -> bool:
    """Tell whether a parameter or a header of this name is likely to carry a credential."""
    return any(word in name.lower() for word in _TELLING)


def _bare_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if equals and is_telling(name):
        return f"{name}=REDACTED"
    return pair
