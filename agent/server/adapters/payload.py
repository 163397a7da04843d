"""What a tool sends: JSON with much in it, of which what is read is checked on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, StringConstraints
from starlette.exceptions import HTTPException

from agent.server.body import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 200
"""Characters of a name, an id or a release."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of text")
    return text


Release = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MOST),
    AfterValidator(_printable),
]
"""The release that has to answer, or nothing."""


class Payload:
    """An object as a tool sent it. Nothing of it is believed to be of any type."""

    def __init__(self, raw: bytes) -> None:
        """Read it.

        Raises:
            HTTPException: 400 it is no JSON object.

        """
        given = parsed(raw)
        if not isinstance(given, dict):
            raise HTTPException(400, "the body must be a JSON object")
        self._given: Mapping[str, Any] = given

    def text(self, *path: str, default: str | None = None, most: int = MOST) -> str:
        """Return a text of one line; ``default`` where there is none.

        Raises:
            HTTPException: 422 it is missing and there is no default, or is something else.

        """
        value = self._at(path)
        where = ".".join(path)
        if value is None or value == "":
            if default is None:
                raise HTTPException(422, f"{where} is missing")
            return default
        if not isinstance(value, str) or not value.isprintable() or len(value) > most:
            raise HTTPException(
                422, f"{where} must be a text of one line, of {most} characters at the most"
            )
        return value

    def number(self, *path: str) -> int:
        """Return a whole number that is an id, more than 0.

        Raises:
            HTTPException: 422 it is missing, or something else.

        """
        value = self._at(path)
        if type(value) is not int or not 0 < value < 1 << 63:
            raise HTTPException(422, f"{'.'.join(path)} must be a whole number")
        return value

    def _at(self, path: tuple[str, ...]) -> object:
        value: object = self._given
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value
