"""Addresses and errors without what only one walk has: ids, numbers, hashes."""

from __future__ import annotations

import re
from functools import lru_cache

from agent.core.origins import origin_of, parse

_ID = "{id}"
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_PIECES = re.compile(r"([-_.~:@,+=()!*%]+)")
_HEX = re.compile(r"(?=[a-f]*[0-9])[0-9a-f]{6,}", re.IGNORECASE)
_COUNTED = re.compile(r"([A-Za-z]+)[0-9]{3,}")
_TURNS = re.compile(r"[0-9][A-Za-z]|[A-Za-z][0-9]")
_TOKEN = 16
"""Characters of a part of an address from which on mixed letters and digits are an id."""
_WORD = re.compile(r"[a-z]{4,}")
_SHORT_TOKEN = 8
_TOKEN_TURNS = 3
_REPEATED = re.compile(r"\{id\}(?:[-_.]+\{id\})+")
_HASH = re.compile(r"(?<=[-.])(?=[A-Za-z_-]*[0-9A-Z])[A-Za-z0-9_-]{8}(?=\.(?:m?js|css)$)")
"""What bundlers put before the ending of a file's name, which may hold any letter."""
_RELEASE = re.compile(r"\bv\d+(?:\.\d+)*\b")
_TITLE = re.compile(r"[A-Z]?[a-z]+")
_WEB = re.compile(r"(?:blob:)?(?:https?|wss?)://[^\s'\"`<>()\[\]]+")
_LONG = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b(?=[A-Za-z]*[0-9])[A-Za-z0-9_]{16,}\b"
    r"|\b(?=[a-f]*[0-9])[0-9a-f]{8,}\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_SPACE = re.compile(r"\s+")


def address(url: str, home: str) -> str:
    """Return an address without query and ids; of the origin ``home`` the path alone."""
    taken = parse(url)
    path = "/".join(map(_part, _whole(taken.path).split("/")))
    origin = origin_of(url)
    return path if origin == home else f"{origin}{path}"


def script(url: str, home: str) -> tuple[str, str]:
    """Return a script's address without what its versions differ in, and what that was."""
    taken = parse(url)
    folder, slash, file = _whole(taken.path).rpartition("/")
    found = _HASH.search(file)
    if found and not _TITLE.fullmatch(found[0]):
        file = f"{file[: found.start()]}{_ID}{file[found.end() :]}"
    kept = [_RELEASE.sub(_ID, _part(part)) for part in (*folder.split("/"), file)]
    kept[-1] = _REPEATED.sub(_ID, kept[-1])
    path = "/".join(kept) if slash else kept[-1]
    origin = origin_of(url)
    name = taken.path if _ID in path else ""
    return path if origin == home else f"{origin}{path}", name


def text(said: str, home: str) -> str:
    """Return the first line of an error without numbers and ids, addresses as above."""
    line = said.lstrip().partition("\n")[0]
    line = _WEB.sub(lambda found: address(found[0].rstrip(".,;:"), home) or "/", line)
    line = _NUMBER.sub("#", _LONG.sub("#", line))
    return _SPACE.sub(" ", line).strip()


def _whole(path: str) -> str:
    return path.partition(";")[0] or "/"


@lru_cache(maxsize=2048)
def _part(part: str) -> str:
    """Return what stays of one part of a path."""
    if not part or part == _ID:
        return part
    pieces = _PIECES.split(part)
    named = any(_WORD.fullmatch(piece) for piece in pieces)
    if _UUID.fullmatch(part) or (not named and _is_token(part, _TOKEN)):
        return _ID
    return "".join(piece if at % 2 else _piece(piece) for at, piece in enumerate(pieces))


def _piece(piece: str) -> str:
    if piece.isdigit() or _HEX.fullmatch(piece) or _is_token(piece, _SHORT_TOKEN):
        return _ID
    counted = _COUNTED.fullmatch(piece)
    return f"{counted[1]}{_ID}" if counted else piece


def _is_token(part: str, least: int) -> bool:
    """Whether letters and digits are mixed as in no word."""
    return len(part) >= least and len(_TURNS.findall(part)) >= _TOKEN_TURNS
