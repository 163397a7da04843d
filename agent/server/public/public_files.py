"""The public page as files: the same bytes from the listener and as a static export.

Links are relative, so that the files may lie at any address.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, uuid5

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.server.public.public_document import PublicDocument

_HERE: Final = Path(__file__).parent
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".atom": "application/atom+xml; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
INDEX: Final = "index.html"


@dataclass(frozen=True, slots=True)
class PublicFile:
    """One file, with what it is sent as."""

    content: bytes
    media_type: str


class PublicFiles:
    """Renders the page. Templates are read once, at the start."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "moment": _moment,
            "rough": _rough,
            "urn": _urn,
            "share": _share,
        }
        self._templates = {
            name: self._environment.get_template(name) for name in (INDEX, "feed.atom")
        }
        self._static = {
            path.name: _file(path.name, path.read_bytes())
            for path in sorted((_HERE / "static").iterdir())
        }

    def rendered(self, document: PublicDocument) -> Mapping[str, PublicFile]:
        """Return every file by its name."""
        titles = {one["id"]: one["title"] for one in document["journeys"]}
        values = {**document, "titles": titles}
        made = {
            name: _file(name, template.render(values).encode())
            for name, template in self._templates.items()
        }
        text = json.dumps(document, ensure_ascii=False, indent=1)
        made["status.json"] = _file("status.json", f"{text}\n".encode())
        return {**self._static, **made}


def _file(name: str, content: bytes) -> PublicFile:
    return PublicFile(content, _TYPES[Path(name).suffix])


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%-d %b %Y, %H:%M} UTC"


def _rough(seconds: float) -> str:
    """Say a length of time in one unit, or two."""
    minutes = max(1, round(seconds / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    told = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(told[:2])


def _share(value: float) -> str:
    """Write per cent without a rounding that would make 100 of less."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _urn(text: str) -> str:
    """Return an id that is the same for the same text, and tells nothing of it."""
    return uuid5(NAMESPACE_URL, text).urn
