"""Keeping known secrets out of text, in each spelling in which a text may carry them."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

MASK = "***"
_SHORTEST = 4
"""Shorter values would mask half of every text without hiding anything."""

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
        self._patterns: dict[str, str] = {}
        self._all: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Learn a secret: as it is, and as URLs, JSON, HTML and base64 spell it."""
        if len(secret) < _SHORTEST:
            return
        self._patterns[secret] = "|".join(["".join(map(_spellings, secret)), *_encoded(secret)])
        # Longest first, so that a secret within another doesn't leave the rest of it.
        ordered = sorted(self._patterns, key=len, reverse=True)
        self._all = re.compile("|".join(self._patterns[one] for one in ordered))

    def __bool__(self) -> bool:
        return self._all is not None

    def text(self, text: str) -> str:
        """Return ``text`` without any known secret."""
        return text if self._all is None else self._all.sub(MASK, text)

    def value(self, value: Any) -> Any:  # noqa: ANN401 - JSON-like data of any shape
        """Return JSON-like data without any known secret, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value


def _spellings(char: str) -> str:
    """Return a pattern of how a character is written where not all are escaped alike.

    Encoders disagree on which characters to escape (``!`` stays in JavaScript's URLs and
    goes in Python's), so each one is taken either way.
    """
    if char.isascii() and char.isalnum():
        return char
    percent = "".join(f"%{byte:02x}" for byte in char.encode(errors="replace"))
    utf_16 = char.encode("utf-16-be", errors="surrogatepass").hex()
    units = "".join(rf"\\+u{utf_16[at : at + 4]}" for at in range(0, len(utf_16), 4))
    ways = {f"(?i:{percent})", f"(?i:{units})", rf"(?i:&#(?:0*{ord(char)}|x0*{ord(char):x});)"}
    if char == " ":
        ways.add(r"\+")
    if html.escape(char) != char:
        ways.add(html.escape(char))
    if char == "'":
        ways.add("&apos;")
    short = json.dumps(char)[1:-1]
    if len(short) == 2:
        ways.add(r"\\+" + re.escape(short[1]))
    ways.add((r"\\*" if char == "/" else "") + re.escape(char))
    return f"(?:{'|'.join(sorted(ways, key=len, reverse=True))})"


def _encoded(secret: str) -> set[str]:
    """Return patterns of the secret in base64, wherever in a longer text it begins."""
    patterns = set()
    for before in range(3):
        raw = b"\0" * before + secret.encode(errors="replace")
        # Characters that bytes before or after would change are left out.
        whole = base64.b64encode(raw).decode()[(0, 2, 3)[before] : len(raw) * 8 // 6]
        patterns.add(re.escape(whole).replace(r"\+", "[+-]").replace("/", "[/_]"))
    return patterns


def bare_url(url: str) -> str:
    """Return a URL fit to be stored: no user info, no fragment, telling query values masked."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(_bare_pair(pair) for pair in parts.query.split("&")) if parts.query else ""
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def _bare_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if equals and any(word in name.lower() for word in _TELLING):
        return f"{name}=REDACTED"
    return pair
