"""The JSON body of a request, read within bounds and held to what a route takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

_MOST: Final = 64 * 1024
"""Bytes of a body: names of some thousand journeys."""
_JSON: Final = frozenset({"application/json", "application/json;charset=utf-8"})
_SHOWN: Final = 20
"""Faults that one answer names."""


class Body(BaseModel):
    """What a route takes: of exact types, and nothing beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Nothing(Body):
    """Of routes that take nothing: no body, or an empty object."""


BodyT = TypeVar("BodyT", bound=Body)


async def body_of(request: Request, form: type[BodyT]) -> BodyT:
    """Return the body of a request; none at all is an empty object.

    A request with parameters in its address is refused: what changes something says it in its
    body, since addresses are kept in logs.

    Raises:
        HTTPException: 400, 413 or 415 with everything that is wrong with it.

    """
    if request.query_params:
        raise HTTPException(400, "no parameters are taken in the address: send a JSON body")
    raw = await _read(request)
    given = parsed(raw) if raw else {}
    if not isinstance(given, dict):
        raise HTTPException(400, "the body must be a JSON object, such as {}")
    return held_to(form, given)


def held_to(form: type[BodyT], given: Mapping[str, Any]) -> BodyT:
    """Return what was given as a route takes it.

    Raises:
        HTTPException: 400 with everything that is wrong with it.

    """
    try:
        return form.model_validate(given)
    except ValidationError as error:
        raise HTTPException(400, _told(error, _keys(form))) from None


def _keys(form: type[Body]) -> list[str]:
    return [info.alias or name for name, info in form.model_fields.items()]


async def _read(request: Request) -> bytes:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "the body must be sent as it is, without Content-Encoding")
    raw = await received(request, _MOST, "body")
    kinds = request.headers.getlist("content-type")
    # A page may send other kinds to any address without asking first, as a form does.
    if raw and not (len(kinds) == 1 and kinds[0].replace(" ", "").lower() in _JSON):
        raise HTTPException(415, "the body must be JSON: send `Content-Type: application/json`")
    return raw


async def received(request: Request, most: int, what: str) -> bytes:
    """Return all that was sent; ``what`` is the word for it.

    Raises:
        HTTPException: 413 beyond ``most`` bytes, 400 where it broke off.

    """
    raw = bytearray()
    try:
        async for piece in request.stream():
            raw += piece
            if len(raw) > most:
                raise HTTPException(413, f"the {what} is longer than {most // 1024} KiB")
    except ClientDisconnect:
        # Nobody hears it, and nothing was done.
        raise HTTPException(400, f"the {what} broke off") from None
    return bytes(raw)


def parsed(raw: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return what JSON says.

    Raises:
        HTTPException: 400 it is none, or means two things.

    """
    try:
        return json.loads(
            raw.decode(), object_pairs_hook=_without_doubles, parse_constant=_no_number
        )
    except RecursionError:
        raise HTTPException(400, "the body is no JSON that can be read: nested too deep") from None
    except ValueError as error:
        # The beginning says where; the text itself may hold anything.
        why = str(error) if isinstance(error, (json.JSONDecodeError, _Refused)) else "not UTF-8"
        raise HTTPException(400, f"the body is no JSON that can be read: {why[:200]}") from None


class _Refused(ValueError):
    """JSON that reads, and means two things or none."""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused(f"{twice[:100]!a} is given twice")
    return found


def _no_number(text: str) -> None:
    raise _Refused(f"{text} is no number")


def _told(error: ValidationError, known: Sequence[str]) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    told = []
    for fault in faults[:_SHOWN]:
        where = ".".join(str(part)[:100] for part in fault["loc"])
        match fault["type"]:
            case "extra_forbidden":
                why = f"unknown; known: {', '.join(known) or 'none'}"
            case "missing":
                why = "is missing"
            case _:
                why = fault["msg"].removeprefix("Value error, ")
                why = why[:1].lower() + why[1:]
        told.append(f"{where!a} {why}" if where else why)
    if len(faults) > _SHOWN:
        told.append(f"and {len(faults) - _SHOWN} more")
    return "; ".join(told)
