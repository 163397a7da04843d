"""Keeping known secrets out of text, in each spelling in which a text may carry them."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "***"
_SHORTEST = 4
"""Shorter values would mask half of every text without hiding anything."""
_SHORTEST_PIECE = 6
"""The same for a line of a secret, which may well be an everyday word."""
_TELLING_PART = 12
"""Characters of a secret that tell too much of it."""
_DIVIDERS = re.compile(r"[\r\n#&]")
_ELLIPSIS = re.compile(r"…|\.{3}")
_WORD = re.compile(r"[A-Za-z0-9]+")

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
        """Learn a secret: as it is, and as URLs, JSON, HTML and base64 spell it.

        The lines of one that has several are learnt each for itself, as are the parts into
        which an address divides one that was put there unescaped.
        """
        for part in _parts(secret) - set(self._parts):
            self._parts.append(part)
            self._forms += [_Form(len(part), *form) for form in _forms(part)]
        # Longest first, so that a secret within another doesn't leave the rest of it.
        self._parts.sort(key=len, reverse=True)
        self._forms.sort(key=lambda form: form.length, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def text(self, text: str) -> str:
        """Return ``text`` without any known secret, or what an ellipsis left of one."""
        for form in self._forms:
            # Most texts hold none of them, and this is by far faster than the pattern.
            if form.anchor in text:
                text = form.pattern.sub(MASK, text)
        return self._cut_short(text) if self._parts else text

    def holds_part(self, text: str) -> bool:
        """Tell whether 12 characters of a secret, or all of a shorter one, stand in ``text``."""
        return any(_holds_part(text, part) for part in self._parts)

    def value(self, value: Any) -> Any:  # noqa: ANN401 - JSON-like data of any shape
        """Return JSON-like data without any known secret, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
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


@dataclass(frozen=True, slots=True)
class _Form:
    """One way in which a secret is written. ``anchor`` stands in every text that has it."""

    length: int
    anchor: str
    pattern: re.Pattern[str]


def _parts(secret: str) -> set[str]:
    whole = {part for part in (secret, secret.strip()) if len(part) >= _SHORTEST}
    pieces = {piece.strip() for piece in _DIVIDERS.split(secret)} if whole else set()
    return whole | {piece for piece in pieces if len(piece) >= _SHORTEST_PIECE}


def _forms(part: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    yield _longest_word(part), re.compile("".join(map(_spellings, part)))
    for before in range(3):
        raw = b"\0" * before + part.encode(errors="replace")
        # Characters that bytes before or after would change are left out.
        encoded = base64.b64encode(raw).decode()[(0, 2, 3)[before] : len(raw) * 8 // 6]
        pattern = encoded.replace("+", r"(?:[+-]|%2[Bb])").replace("/", r"(?:\\*/|_|%2[Ff])")
        yield _longest_word(encoded), re.compile(pattern)


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
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in encoded)
    raw = "".join(rf"\\+x{byte:02x}" for byte in encoded)
    utf_16 = char.encode("utf-16-be", errors="surrogatepass").hex()
    units = "".join(rf"\\+u{utf_16[at : at + 4]}" for at in range(0, len(utf_16), 4))
    point = rf"\\+(?:x{ord(char):02x}|U{ord(char):08x})"
    ways = {f"(?i:{way})" for way in (percent, raw, units, point)}
    ways.add(f"(?i:&#(?:0*{ord(char)}|x0*{ord(char):x});)")
    if char == " ":
        ways |= {r"\+", "%(?:25)*2[Bb]"}
    if html.escape(char) != char:
        ways.add(html.escape(char))
    if char == "'":
        ways |= {"&apos;", r"\\+'"}
    short = json.dumps(char)[1:-1]
    if len(short) == 2:
        ways.add(r"\\+" + re.escape(short[1]))
    ways.add((r"\\*" if char == "/" else "") + re.escape(char))
    return f"(?:{'|'.join(sorted(ways, key=len, reverse=True))})"


def bare_url(url: str) -> str:
    """Return a URL fit to be stored: no user info, no fragment, telling query values masked."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(_bare_pair(pair) for pair in parts.query.split("&")) if parts.query else ""
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def is_telling(name: str) -> bool:
    """Tell whether a parameter or a header of this name is likely to carry a credential."""
    return any(word in name.lower() for word in _TELLING)


def _bare_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if equals and is_telling(name):
        return f"{name}=REDACTED"
    return pair
