"""What a journey's source tells without being run: its steps, and where its options stand."""

from __future__ import annotations

import ast
import inspect
import textwrap
import tokenize
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.authoring import Declaration


class JourneySource:
    """The source of one journey, decorator and all; empty where it can't be read.

    To be made when the file has just been imported: later it may hold something else.
    """

    def __init__(self, declaration: Declaration) -> None:
        self._first = declaration.line
        try:
            source = textwrap.dedent(inspect.getsource(declaration.function))
            self._tree = ast.parse(source)
        except (OSError, SyntaxError, tokenize.TokenError):
            self._tree = ast.Module([], [])

    def step_names(self) -> list[str]:
        """Return the literal step names, each once, in order.

        This is how a run can tell which steps it never reached.
        """
        return list(dict.fromkeys(name for _, name in self._steps()))

    def repeated_steps(self) -> list[tuple[int, str]]:
        """Return the literal step names that stand at a second place, with its line."""
        seen: set[str] = set()
        found = []
        for line, name in self._steps():
            if name in seen:
                found.append((line, name))
            seen.add(name)
        return found

    def step_limits(self) -> list[tuple[int, str, object]]:
        """Return the literal ``slow=`` of each step, with its line and the step's name."""
        return sorted(
            (self._first + keyword.value.lineno - 1, _literal(call.args[:1]), keyword.value.value)
            for call in self._step_calls()
            for keyword in call.keywords
            if keyword.arg == "slow" and isinstance(keyword.value, ast.Constant)
        )

    def line_of(self, option: str, key: str) -> int:
        """Return the line of a key of one of the decorator's tables or sets, or of the nearest."""
        for call in ast.walk(self._tree):
            for keyword in call.keywords if isinstance(call, ast.Call) else ():
                if keyword.arg == option:
                    names = _keys(keyword.value)
                    for name in names:
                        if isinstance(name, ast.Constant) and name.value == key:
                            return self._first + name.lineno - 1
                    return self._first + keyword.value.lineno - 1
        return self._first

    def _steps(self) -> list[tuple[int, str]]:
        return sorted(
            (self._first + call.lineno - 1, name)
            for call in self._step_calls()
            if (name := _literal(call.args[:1]))
        )

    def _step_calls(self) -> Iterator[ast.Call]:
        for node in ast.walk(self._tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "step"
            ):
                yield node


def _literal(arguments: Sequence[ast.expr]) -> str:
    """Return the text that an argument is in the source; "" where it is none."""
    for one in arguments:
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            return one.value
    return ""


def _keys(value: ast.expr) -> Sequence[ast.expr | None]:
    if isinstance(value, ast.Dict):
        return value.keys
    return value.elts if isinstance(value, ast.Set | ast.List | ast.Tuple) else ()
