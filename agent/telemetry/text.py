"""Text from pages, made fit for the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.core.results import Attribute


def clean(text: str) -> str:
    """Replace lone surrogates: a page may hold them, and protobuf would raise on them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def clean_all(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Return attributes with clean text, without those that are empty and so say nothing."""
    return {
        key: clean(value) if isinstance(value, str) else value
        for key, value in attributes.items()
        if value not in ("", [])
    }
