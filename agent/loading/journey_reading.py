"""What the source of journeys says to who only reads it: nothing of it is run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.core.model import Journey

_EXPECTING = ("expect", "to_", "not_to_", "wait_for")
"""How the names of calls begin that fail where something isn't there."""


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A place at which a secret is asked for; ``name`` is "" where it is not written there."""

    name: str
    file: str
    line: int

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"


def secrets_asked(folder: Path) -> list[SecretUse]:
    """Return where journeys and their helpers ask for secrets, by file and line."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        file = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and _called(node) == "secret" and len(node.args) == 1:
                (given,) = node.args
                literal = given.value if isinstance(given, ast.Constant) else ""
                found.append(SecretUse(str(literal), file, node.lineno))
    return sorted(found, key=lambda use: (use.file, use.line))


def expects_nothing(folder: Path, journey: Journey) -> bool:
    """Whether a journey surely holds nothing that it sees against what should be there.

    A helper that it calls may do that, so who calls one is not suspected.
    """
    function = _function(_tree(folder / journey.file), journey.line)
    if function is None:
        return False
    return not any(_may_expect(node) for part in function.body for node in ast.walk(part))


def _may_expect(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert | ast.Raise):
        return True
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return True
    passed_on = any(isinstance(one, ast.Name) and one.id in {"run", "page"} for one in node.args)
    return passed_on or _called(node).startswith(_EXPECTING)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _function(tree: ast.Module, line: int) -> ast.AsyncFunctionDef | None:
    """Return the journey that begins at a line, with its first decorator."""
    found: Iterator[ast.AsyncFunctionDef] = (
        node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)
    )
    return next(
        (
            node
            for node in found
            if min([node.lineno, *(one.lineno for one in node.decorator_list)]) == line
        ),
        None,
    )


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        # Whoever imports it tells what is wrong with it.
        return ast.Module([], [])
