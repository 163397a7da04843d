"""Whether a value fits the type of one of Playwright's options, and in which words it doesn't."""

from __future__ import annotations

import difflib
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
}
_KINDS: dict[type, str] = {str: "text", dict: "a table", list: "a list", tuple: "a tuple"}


def misfit(value: object, hint: Any, at: str = "") -> str:  # noqa: ANN401 - a type
    """Say where a value doesn't fit a type, the innermost place first; "" where it fits.

    ``at`` is the place of the value within the option, put in front.
    """
    return next(_misfits(value, hint, at), "")


def _misfits(value: object, hint: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - a type
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        yield from _of_union(value, hint, at)
    elif origin is Literal:
        if value not in get_args(hint):
            yield _wanted(hint, value, at)
    elif _is_table(hint):
        yield from _of_table(value, hint, at)
    elif origin is dict:
        texts = isinstance(value, dict) and all(
            isinstance(one, str) for pair in value.items() for one in pair
        )
        if not texts:
            yield f"{at}must be a table of texts, names and values"
    elif origin is not None:
        yield from _of_list(value, get_args(hint)[0], at)
    elif not _is_a(value, hint):
        yield _wanted(hint, value, at)


def _of_union(value: object, hint: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - a type
    faults = {one: misfit(value, one, at) for one in get_args(hint)}
    if not all(faults.values()):
        return
    # The one that is meant says most: the table's for a table, the list's for a list.
    meant = (fault for one, fault in faults.items() if _is_meant(value, one))
    yield next(meant, "") or _wanted(hint, value, at)


def _of_list(value: object, hint: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - a type
    if isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _misfits(one, hint, f"{at}[{number}] ")
    else:
        yield f"{at}must be a list, not {_kind(value)}"


def _of_table(value: object, hint: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - a type
    fields = get_type_hints(hint)
    listed = ", ".join(fields)
    if not isinstance(value, dict):
        yield f"{at}must be a table with {listed}, not {_kind(value)}"
        return
    for key in value.keys() - fields.keys():
        close = difflib.get_close_matches(str(key), fields, 1)
        yield f"{at}has an unknown key {key!r}; " + (
            f"did you mean {close[0]!r}?" if close else f"known: {listed}"
        )
    for key in hint.__required_keys__ - value.keys():
        yield f"{at}lacks {key!r}"
    for key in fields.keys() & value.keys():
        yield from _misfits(value[key], fields[key], f"{at}{key}: ")


def _wanted(hint: Any, value: object, at: str) -> str:  # noqa: ANN401 - a type
    kinds = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    words: list[str] = []
    for kind in kinds:
        if get_origin(kind) is Literal:
            words += [repr(one) for one in get_args(kind)]
        elif kind is not NoneType:
            words.append(_WORDS.get(kind) or ("a table" if _is_table(kind) else "a list"))
    listed = " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
    # One word of a list is no secret.
    seen = repr(value) if get_origin(hint) is Literal or _has_words(kinds) else _kind(value)
    return f"{at}must be {listed}, not {seen}"


def _has_words(kinds: tuple[Any, ...]) -> bool:
    return all(get_origin(kind) is Literal or kind is NoneType for kind in kinds)


def _is_meant(value: object, hint: Any) -> bool:  # noqa: ANN401 - a type
    if _is_table(hint) or get_origin(hint) is dict:
        return isinstance(value, dict)
    return get_origin(hint) not in {None, Literal} and isinstance(value, list | tuple)


def _is_table(hint: Any) -> bool:  # noqa: ANN401 - a type
    return hasattr(hint, "__required_keys__")


def _is_a(value: object, hint: Any) -> bool:  # noqa: ANN401 - a type
    if hint in {int, float}:
        return (
            isinstance(value, int if hint is int else int | float)
            and value is not True
            and (value is not False)
        )
    return not isinstance(hint, type) or isinstance(value, hint)


def _kind(value: object) -> str:
    """Name a value; a text may be a password, so it is not repeated."""
    if isinstance(value, bool | int | float | NoneType):
        return repr(value)
    kind: type = type(value)
    return _KINDS.get(kind, kind.__name__)
