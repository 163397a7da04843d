"""Asserts of journeys that say what they saw: ``assert total == 3`` fails with ``2 == 3``.

A file's asserts are rewritten when it is compiled, so that nothing is evaluated twice. Python
runs ``assert a == b`` as it would; only where it fails the values are taken along.
"""

from __future__ import annotations

import ast
import inspect

EXPLAIN = "@footfall_explain"
"""What the rewritten code calls; no name of an author's can be this."""
_LONGEST = 1000
"""Characters of a value's text that are taken along."""
_OPERATORS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


def rewritten(source: bytes, path: str) -> ast.Module:
    """Return the syntax tree of a file's source with its asserts rewritten."""
    tree = ast.parse(source, path)
    _Asserts().generic_visit(tree)
    return ast.fix_missing_locations(tree)


def explain(sign: str, message: object, *values: object) -> Exception:
    """Return the error of an assert that failed: the author's message, then the values."""
    for value in values:
        if inspect.iscoroutine(value):
            value.close()
            return TypeError(f"{value.__qualname__} was not awaited: write `await` before it")
    if message is not None and not sign and values[0] is False:
        return AssertionError(message)
    shown = [_shown(value) for value in values]
    if len(shown) > 1:
        seen = f" {sign} ".join(shown)
    else:
        seen = f"not {shown[0]}" if sign else f"{shown[0]} is not true"
    return AssertionError(seen if message is None else f"{message}\n{seen}")


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - an author's own __repr__
        text = f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class _Asserts(ast.NodeTransformer):
    """Turns ``assert a == b, m`` into an ``if`` that raises what ``explain`` makes of it."""

    def __init__(self) -> None:
        self._kept = 0

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        # Names that are kept in a class's body would be attributes of it.
        return node

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        test = node.test
        sign, kept = "", [test]
        refused = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        if isinstance(test, ast.UnaryOp) and refused:
            sign, kept = "not", [test.operand]
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            sign, kept = _OPERATORS[type(test.ops[0])], [test.left, test.comparators[0]]
        names = [self._name() for _ in kept]
        held: list[ast.expr] = [
            ast.NamedExpr(_store(name), value) for name, value in zip(names, kept, strict=True)
        ]
        condition = held[0]
        if refused:
            condition = ast.UnaryOp(ast.Not(), held[0])
        elif isinstance(test, ast.Compare) and sign:
            condition = ast.Compare(held[0], test.ops, held[1:])
        message = node.msg or ast.Constant(None)
        call = ast.Call(_load(EXPLAIN), [ast.Constant(sign), message, *map(_load, names)], [])
        check = ast.If(condition, [ast.Pass()], [ast.Raise(call)])
        return [ast.copy_location(check, node), ast.copy_location(self._forget(names), node)]

    def _name(self) -> str:
        self._kept += 1
        return f"@footfall_{self._kept}"

    @staticmethod
    def _forget(names: list[str]) -> ast.stmt:
        """Let go of what was kept: a page's element held for longer would be another program."""
        return ast.Assign([_store(name) for name in names], ast.Constant(None))


def _store(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())
