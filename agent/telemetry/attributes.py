"""Names and attributes made fit for the wire: much of them comes from pages, and has no end."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from agent.core.printable import cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.core.results import Attribute

NAME: Final = 256
TEXT: Final = 2048
"""Characters of a span's name, and of a value: many back ends cut there anyway."""
_LIST: Final = 64
_LIST_TEXT: Final = 256
ATTRIBUTES: Final = 128
"""What one span or record carries: as many as OpenTelemetry's own limit."""
_INTEGERS: Final = range(-(1 << 63), 1 << 63)


def fit_text(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of a text, without lone surrogates.

    A page may hold those, and protobuf would raise on them.
    """
    text = cut(text, limit)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def fit(attributes: Mapping[str, Attribute], limit: int = TEXT) -> dict[str, Attribute]:
    """Return attributes that can be encoded and have a bound; empty ones say nothing and go."""
    said = ((key, value) for key, value in attributes.items() if value not in ("", []))
    return {fit_text(key, NAME): _fit(value, limit) for key, value in islice(said, ATTRIBUTES)}


def encode(attributes: Mapping[str, Attribute]) -> list[KeyValue]:
    """Return attributes that fit as the pairs of OTLP."""
    return [KeyValue(key=key, value=_encode(value)) for key, value in attributes.items()]


def _encode(value: Attribute) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=one) for one in value]))


def _fit(value: Attribute, limit: int) -> Attribute:
    if isinstance(value, str):
        return fit_text(value, limit)
    if isinstance(value, list):
        return [fit_text(one, _LIST_TEXT) for one in value[:_LIST]]
    if isinstance(value, int) and value not in _INTEGERS:
        return str(value)
    return value
