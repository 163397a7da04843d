"""pydantic's errors in the reader's words: where it is, what is wrong, what to do.

This is the one place that translates them. A value is quoted only where its key takes a
number, a flag or a word of a list, so that nothing secret is ever repeated.
"""

from __future__ import annotations

import difflib
import itertools
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from agent.config.settings import Settings
from agent.core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from agent.config.provenance import KeyPath, Provenance

_WANTED = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "path_type": "must be a path in quotes",
    "tuple_type": 'must be a list, such as ["…"] (in a variable: the same as JSON)',
    "dict_type": "must be a table (in a variable: a JSON object)",
    "model_type": "must be a table (in a variable: a JSON object)",
    "model_attributes_type": "must be a table (in a variable: a JSON object)",
}
_QUOTED = frozenset({"bool_parsing", "int_parsing", "int_from_float", "literal_error", "enum"})


def explain(error: ValidationError, provenance: Provenance) -> list[Problem]:
    """Translate every error, in the order of the schema."""
    return [_problem(details, provenance) for details in error.errors(include_url=False)]


def faulty(error: ValidationError) -> tuple[set[KeyPath], set[KeyPath]]:
    """Return the keys at fault, and those that misspelt ones mean."""
    found: set[KeyPath] = set()
    meant: set[KeyPath] = set()
    for details in error.errors(include_url=False):
        path = [part for part in details["loc"] if part != "[key]"]
        keys = itertools.takewhile(lambda part: isinstance(part, str), path)
        names = tuple(str(key) for key in keys)
        found.add(names)
        if details["type"] == "extra_forbidden" and (name := _meant(path)):
            meant.add((*names[:-1], name))
    return found, meant


def _problem(details: ErrorDetails, provenance: Provenance) -> Problem:
    # pydantic marks an error in a dictionary's key with this last part.
    path = [part for part in details["loc"] if part != "[key]"]
    return Problem(provenance.where(path), _message(details, path))


def _message(details: ErrorDetails, path: Sequence[int | str]) -> str:
    kind = details["type"]
    context = details.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "missing":
        return f"is missing; add `{path[-1]} = …`"
    if kind in {"literal_error", "enum"}:
        wanted = f"must be {context['expected']}"
    elif kind == "greater_than_equal":
        wanted = f"must be {context['ge']} or more"
    elif kind == "less_than_equal":
        wanted = f"must be {context['le']} or less"
    else:
        wanted = _WANTED.get(kind) or details["msg"]
    value = details["input"]
    return f"{wanted}, not {value!r}" if kind in _QUOTED and _is_short(value) else wanted


def _is_short(value: object) -> bool:
    """Whether a value can be quoted: numbers of thousands of digits can't even be written."""
    if isinstance(value, int):
        return value.bit_length() < 64
    return isinstance(value, float) or (isinstance(value, str) and len(value) <= 100)


def _unknown(path: Sequence[int | str]) -> str:
    if meant := _meant(path):
        return f"unknown key; did you mean `{meant}`?"
    return f"unknown key; known here: {', '.join(_keys(path[:-1]))}"


def _meant(path: Sequence[int | str]) -> str:
    """Return the key that an unknown one looks like, or nothing."""
    close = difflib.get_close_matches(str(path[-1]), _keys(path[:-1]), n=1)
    return close[0] if close else ""


def _keys(path: Sequence[int | str]) -> list[str]:
    """Return the keys that the table at ``path`` may hold."""
    model: Any = Settings
    for part in path:
        if get_origin(model) is dict:
            model = get_args(model)[1]
        elif get_origin(model) is tuple:
            model = get_args(model)[0]
        else:
            model = model.model_fields[str(part)].annotation
    return list(model.model_fields) if issubclass(model, BaseModel) else []
