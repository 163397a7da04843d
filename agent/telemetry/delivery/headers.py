"""Headers that go with each request: whether they can be sent at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEADER: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_METADATA: Final = re.compile(r"(?!grpc-)[a-z0-9_.-]+(?<!-bin)")
"""What gRPC takes for the name of a header."""


def troubles_with(headers: Mapping[str, str], *, grpc: bool) -> Iterator[str]:
    """Yield why headers can't be sent, never with a value, which may be a secret."""
    names = _METADATA if grpc else _HEADER
    for name, value in headers.items():
        # The name may be a secret too, one that stands in the wrong place.
        if not names.fullmatch(name.lower()):
            yield "has a header whose name can't be sent."
        elif not _VALUE.fullmatch(value) or (grpc and not value.isascii()):
            yield f"the value of the header {name} can't be sent."
