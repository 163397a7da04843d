"""What an author says a journey is to fail on besides, checked word by word."""

from __future__ import annotations

import difflib
from typing import get_args

from agent.core.model import FailOn

_WORDS: tuple[FailOn, ...] = get_args(FailOn)
_WRITE = f'write fail_on={{"{_WORDS[0]}"}}'


def check_fail_on(given: object) -> tuple[tuple[FailOn, ...], list[tuple[str, str]]]:
    """Return the words that were given, each once, and which others are wrong and why."""
    if not isinstance(given, set | frozenset | list | tuple):
        return (), [(_named(given), f"must be a set of words: {_WRITE}")]
    known = tuple(word for word in _WORDS if word in given)
    wrong = [(_named(word), _why(word)) for word in given if word not in _WORDS]
    return known, sorted(wrong)


def _why(word: object) -> str:
    close = difflib.get_close_matches(word, _WORDS, 1) if isinstance(word, str) else []
    return f'unknown; did you mean "{close[0]}"?' if close else f"unknown; known: {_known()}"


def _known() -> str:
    return ", ".join(f'"{word}"' for word in _WORDS)


def _named(word: object) -> str:
    return word if isinstance(word, str) else repr(word)
