"""What every answer carries: a page may load from the agent alone, and data is no page at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

STATIC: Final = "/static/"
"""Below it lies what pages are drawn with: the same for everybody, and no secret."""
_DATA: Final = ("/api/", "/artifacts/", "/healthz", "/readyz")
"""Paths that answer with data and evidence, which no browser is to take for a page."""
_OF_ALL: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_OF_DATA: Final = {
    **_OF_ALL,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}
OF_PAGES: Final = {
    **_OF_ALL,
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With no-referrer, the origin of whoever sends a form would be told as null.
    "Referrer-Policy": "same-origin",
}
_OF_STATIC: Final = {
    **{name: value for name, value in OF_PAGES.items() if name != "Cache-Control"},
}


def headers_of(path: str) -> Mapping[str, str]:
    """Return what an answer to a path must carry."""
    if is_data(path):
        return _OF_DATA
    return _OF_STATIC if path.startswith(STATIC) else OF_PAGES


def is_data(path: str) -> bool:
    """Whether a path answers with data or evidence, whoever asks."""
    return path.startswith(_DATA)


def wants_page(scope: Scope) -> bool:
    """Whether a person in a browser looks at the answer, rather than a program or a script."""
    accepted = Headers(scope=scope).getlist("accept")
    kinds = [kind.partition(";")[0].strip() for line in accepted for kind in line.split(",")]
    return "text/html" in kinds
