"""What a Playwright trace may keep: the same actions, pages and requests, without what is secret.

Credentials of the session (cookies, authorization, stored items) go in any case. Where the
journey used a secret, pictures and bodies go too, and whatever was typed or read: of these
nobody can tell what they show. What is left is searched once more before it may stay.
"""

from __future__ import annotations

import json
import re
import time
import zipfile
from functools import cache
from hashlib import sha1
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from agent.core.bare_url import is_telling
from agent.core.redact import MASK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from agent.core.redact import Redactor

_STACKS = "trace.stacks"
_LINES = (".trace", ".network")
_PRESSED = (".gif", ".jpeg", ".jpg", ".png", ".webp", ".woff", ".woff2", ".zip")
"""Compressed already."""
_STORES = frozenset({"cookies", "httpCredentials", "localStorage", "sessionStorage"})
_PARAMETERS = frozenset(
    {"expression", "isNot", "selector", "state", "strict", "timeout", "url", "waitUntil"}
)
"""What an action was told that is neither typed nor sent."""
_FIELD = "__playwright_value_"
_HEADER = re.compile(r"^(\s*(?:- )?([\w-]+): ).*$", re.MULTILINE)
_TYPED = re.compile(r'\b(fill|insertText|press|selectOption|type)\(".*"\)', re.DOTALL)


def scrub(
    raws: Sequence[Path],
    clean: Path,
    redactor: Redactor,
    source: Callable[[str], str],
    until: float,
) -> None:
    """Copy archives into one without what is secret, and add the author's sources to it.

    For a thread: it takes a while.

    Args:
        raws: the archives as Playwright wrote them, one a context, the journey's own first.
        clean: where to write what may stay.
        redactor: knows the secrets that the journey used.
        source: returns the text of a file of the author's as it was walked, "" of others.
        until: the moment (``time.monotonic()``) at which to give up.

    Raises:
        TimeoutError: it took too long.
        ValueError, OSError, zipfile.BadZipFile: there is nothing that may stay.

    """
    files: dict[str, None] = {}
    with zipfile.ZipFile(clean, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for number, raw in enumerate(raws, start=1):
            with zipfile.ZipFile(raw) as given:
                _copy(given, target, redactor, until, number)
                files |= dict.fromkeys(_files(given))
        for file in files:
            text = redactor.text(source(file))
            # The trace does without a file that may not stay: its actions say more.
            if text and not redactor.holds_part(text):
                target.writestr(_entry(file), text.encode(errors="replace"))


def _copy(
    given: zipfile.ZipFile, target: zipfile.ZipFile, redactor: Redactor, until: float, number: int
) -> None:
    known = set(target.namelist())
    for name in given.namelist():
        kept = _of_context(name, number)
        if kept in known:
            # Contexts share resources, which are named after what they hold.
            continue
        if name.endswith(_LINES):
            text = "\n".join(_lines(given.read(name).decode(), redactor, until)) + "\n"
        elif not redactor:
            how = zipfile.ZIP_STORED if name.endswith(_PRESSED) else zipfile.ZIP_DEFLATED
            target.writestr(kept, given.read(name), how)
            continue
        elif name.endswith((".css", ".stacks")):
            text = redactor.text(given.read(name).decode(errors="replace"))
        else:
            continue
        if redactor.holds_part(text):
            raise ValueError("it shows a part of a secret that the journey used")
        target.writestr(kept, text.encode(errors="replace"))
        _in_time(until)


def _of_context(name: str, number: int) -> str:
    """Return the name of an entry of the context so numbered, as Playwright's viewer tells them."""
    return f"trace-{number}{name[5:]}" if number > 1 and name.startswith("trace.") else name


def _files(given: zipfile.ZipFile) -> list[str]:
    """Return the files out of which calls came."""
    if _STACKS not in given.namelist():
        return []
    return [str(file) for file in json.loads(given.read(_STACKS))["files"]]


def _entry(file: str) -> str:
    """Return the name under which Playwright's viewer looks for a source."""
    name = sha1(file.encode(), usedforsecurity=False).hexdigest()
    return f"src/{name}{PurePath(file).suffix}"


def _lines(text: str, redactor: Redactor, until: float) -> Iterator[str]:
    cleaner = _Cleaner(redactor)
    # A walk that never opened a page leaves a list without any entry.
    for line in filter(None, text.split("\n")):
        _in_time(until)
        event = json.loads(line)
        if redactor:
            if event["type"] == "screencast-frame":
                continue
            _forget(event)
        yield json.dumps(cleaner.clean(event), ensure_ascii=False, separators=(",", ":"))


def _forget(event: dict[str, Any]) -> None:
    """Drop what an action was given to type or send, and what it came back with."""
    if event["type"] == "before":
        given = event.get("params") or {}
        event["params"] = {name: one for name, one in given.items() if name in _PARAMETERS}
    elif event["type"] == "after":
        event.pop("result", None)
    elif event["type"] == "log":
        event["message"] = _TYPED.sub(rf'\1("{MASK}")', event["message"])


class _Cleaner:
    """Goes through an event of the trace, whatever its shape."""

    def __init__(self, redactor: Redactor) -> None:
        self._hides = bool(redactor)
        # Pages repeat themselves: names, classes, addresses.
        self._text = cache(redactor.text)

    def clean(self, value: Any, key: str = "") -> Any:  # noqa: ANN401 - JSON of any shape
        if isinstance(value, str):
            if key in {"message", "stack"}:
                value = _HEADER.sub(_bare_header, value)
            return self._text(value)
        if isinstance(value, list):
            return [self.clean(one, key) for one in value]
        if isinstance(value, dict):
            return self._table(value, key)
        return value

    def _table(self, table: dict[str, Any], key: str) -> dict[str, Any]:
        """Clean a table: a header, a cookie, an element's attributes, or anything else."""
        cleaned = {self._text(name): self.clean(one, name) for name, one in table.items()}
        if key in _STORES or _is_private(cleaned.get("name")):
            _hide(cleaned, "value", "username", "password")
        if _is_private(cleaned.get("k")):  # of an object that is passed into the page
            cleaned["v"] = {"s": MASK}
        if _FIELD in cleaned and (self._hides or cleaned.get("type") == "password"):
            _hide(cleaned, "value", _FIELD)
        if self._hides:
            _drop_body(cleaned, key)
        return cleaned


def _hide(table: dict[str, Any], *names: str) -> None:
    for name in names:
        if table.get(name):
            table[name] = MASK


def _drop_body(table: dict[str, Any], key: str) -> None:
    if key == "postData":
        table |= {"text": "", "params": []}
    if key == "content":
        table.pop("text", None)
    if not str(table.get("_file", "")).endswith(".css"):
        table.pop("_file", None)


def _bare_header(found: re.Match[str]) -> str:
    return f"{found[1]}{MASK}" if _is_private(found[2]) else found[0]


def _is_private(name: object) -> bool:
    return isinstance(name, str) and ("cookie" in name.lower() or is_telling(name))


def _in_time(until: float) -> None:
    if time.monotonic() > until:
        raise TimeoutError
