"""Finding calls in a journey's file that nobody awaits, before anything is walked.

Told are those of which the source leaves no doubt: calls on ``run``, ``page`` and what is made
of them, ``expect(…)``, and the file's own ``async def`` functions.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from typing import TYPE_CHECKING

from playwright import async_api

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOTS = frozenset({"api", "context", "frame", "locator", "page", "popup", "run"})
"""Names that journeys give what they are given, wherever these come from."""
_DROPPING = (ast.Assert, ast.BoolOp, ast.Compare, ast.Expr, ast.If, ast.UnaryOp, ast.While)
"""What makes no use of a coroutine but to drop it or to take it for true."""


def forgotten(source: str) -> list[tuple[int, str, str]]:
    """Return line, code and the missing word of each call that is not awaited, in order."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    own = {node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
    found = []
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)):
        known = _ROOTS | _made_of(function)
        for call in _dropped(function):
            word = _missing(call, known, own)
            if word:
                found.append((call.lineno, ast.unparse(call), word))
    return sorted(set(found))


def _dropped(function: ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if isinstance(node, _DROPPING):
            yield from (one for one in ast.iter_child_nodes(node) if isinstance(one, ast.Call))


def _missing(call: ast.Call, known: frozenset[str], own: set[str]) -> str:
    """Return the word that a call lacks; "" where it lacks none, or nobody can tell."""
    function = call.func
    if isinstance(function, ast.Name):
        return "await" if function.id in own else ""
    if not isinstance(function, ast.Attribute):
        return ""
    root = _root(function)
    if root == "run" and function.attr in {"new_context", "step"}:
        return "async with"
    if root == "expect" or root in known:
        return "await" if function.attr in _awaited() else ""
    return ""


def _made_of(function: ast.AsyncFunctionDef) -> frozenset[str]:
    """Return the names to which something is assigned that was got from what is known."""
    known = set(_ROOTS)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _root(node.value) in known:
            known |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    return frozenset(known)


def _root(node: ast.expr) -> str:
    """Return the name that a chain of attributes and calls begins with."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


@cache
def _awaited() -> frozenset[str]:
    """Return the methods of Playwright's that are to be awaited, whatever they are called on."""
    coroutines: set[str] = set()
    others: set[str] = set()
    for kind in vars(async_api).values():
        # The rest are tables and values, with the methods of a dict and of Enum.
        if inspect.isclass(kind) and kind.__module__.startswith("playwright.async_api"):
            for name, method in inspect.getmembers(kind, callable):
                (coroutines if inspect.iscoroutinefunction(method) else others).add(name)
    return frozenset(one for one in coroutines - others if not one.startswith("_"))
