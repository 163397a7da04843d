"""Imports run one way: shared modules, stations, composition roots, command line."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AGENT = ROOT / "agent"

STATIONS = {path.name for path in AGENT.iterdir() if (path / "__init__.py").exists()} - {
    "cli",
    "verify",
}
WORKER_SIDE = (
    "agent.browser",
    "agent.tagging",
    "agent.aftermath",
    "agent.attempt",
    "agent.authoring",
    "agent.stage",
    "agent.worker",
)
"""Where Playwright may be imported; ``agent`` itself only names it for type checkers."""
ROOTS = {
    "aftermath",
    "attempt",
    "daemon",
    "dispatch",
    "engine",
    "intake",
    "ledger",
    "overview",
    "proofs",
    "readiness",
    "session",
    "signatures",
    "stage",
    "stations",
    "watcher",
    "worker",
}
"""Composition roots: the modules that may know several stations."""
RECEIVING = "agent.verify"
"""The leaf that other people's applications import."""
RECEIVING_NEEDS = {"agent.jwk"}
"""All that it may know of the agent; its own packages stand in its docstring."""
LIGHT = [
    "agent",
    "agent.config",
    "agent.config.load",
    "agent.model",
    "agent.errors",
    "agent.telemetry",
    "agent.telemetry.telemetry",
    "agent.schedule.ticker",
    "agent.workers.pool",
    "agent.workers.discovery",
    "agent.daemon",
    RECEIVING,
]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(AGENT.rglob("*.py"))}


@cache
def imports(module: str) -> tuple[tuple[str, str], ...]:
    """Each imported module (``from x import y``: ``x.y`` if that is one), and when it is needed.

    That is at ``import``, ``later`` (inside a function), or for ``types`` only.
    """
    tree = ast.parse(MODULES[module].read_text())
    when = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            when |= {id(inner): "types" for part in node.body for inner in ast.walk(part)}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            when |= {id(inner): "later" for part in node.body for inner in ast.walk(part)}
    found = []
    for node in ast.walk(tree):
        needed = when.get(id(node), "import")
        if isinstance(node, ast.Import):
            found += [(one.name, needed) for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively: {ast.unparse(node)}"
            for one in node.names:
                full = f"{node.module}.{one.name}"
                found.append((full if full in MODULES else str(node.module), needed))
    return tuple(found)


def room(module: str) -> str:
    """The station or flat module that a module belongs to."""
    return module.split(".")[1] if "." in module else ""


def is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("module", MODULES)
def test_nobody_imports_the_root(module: str) -> None:
    """Nobody inside ``agent`` imports the package itself: that is where cycles come from."""
    assert "agent" not in [name for name, _ in imports(module)]


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) in STATIONS])
def test_stations_know_no_other_station(module: str) -> None:
    """A station imports shared modules and itself, never another station, root or command."""
    known = {room(name) for name, _ in imports(module) if is_below(name, "agent")}
    above = (STATIONS | ROOTS | {"cli"}) - {room(module)}
    assert known & above == set()


@pytest.mark.parametrize(
    "module",
    [
        name
        for name in MODULES
        if "." in name and room(name) not in STATIONS | ROOTS | {"cli", "__main__"}
    ],
)
def test_shared_modules_know_no_station(module: str) -> None:
    """What all share imports only what all share."""
    known = {room(name) for name, _ in imports(module) if is_below(name, "agent")}
    assert known & (STATIONS | ROOTS | {"cli"}) == set()


@pytest.mark.parametrize(
    "module", [name for name in MODULES if room(name) not in {"cli", "__main__"}]
)
def test_nobody_knows_the_command_line(module: str) -> None:
    """The command line is on top: only ``python -m agent`` imports it."""
    assert not [name for name, _ in imports(module) if is_below(name, "agent.cli")]


@pytest.mark.parametrize("module", MODULES)
def test_playwright(module: str) -> None:
    """Playwright is the worker's side alone."""
    when = {needed for name, needed in imports(module) if is_below(name, "playwright")}
    if module == "agent":
        when.discard("types")
    assert not when or any(is_below(module, place) for place in WORKER_SIDE)


@pytest.mark.parametrize("module", MODULES)
def test_opentelemetry(module: str) -> None:
    """OpenTelemetry is the telemetry station's alone; the receiving side asks for its API late."""
    wanted = {name: needed for name, needed in imports(module) if is_below(name, "opentelemetry")}
    if is_below(module, RECEIVING):
        assert wanted in ({}, {"opentelemetry.trace": "later"})
    else:
        assert not wanted or is_below(module, "agent.telemetry")


@pytest.mark.parametrize("module", [name for name in MODULES if is_below(name, RECEIVING)])
def test_the_receiving_side_is_a_leaf(module: str) -> None:
    """The receiving side knows itself and next to nothing of the agent; only tests know it."""
    known = {name for name, _ in imports(module) if is_below(name, "agent")}
    assert {name for name in known if not is_below(name, RECEIVING)} <= RECEIVING_NEEDS


@pytest.mark.parametrize(
    "module", [name for name in MODULES if not is_below(name, RECEIVING) and room(name) != "demo"]
)
def test_the_agent_does_not_verify(module: str) -> None:
    """Nothing of the agent imports the receiving side but the demo shop, which receives."""
    assert not [name for name, _ in imports(module) if is_below(name, RECEIVING)]


def test_the_receiving_side_stands_alone() -> None:
    """It is imported where none of the agent's own packages are, and starts nothing."""
    code = (
        "import sys, threading\n"
        "packages = ('playwright', 'structlog', 'pydantic', 'aiohttp', 'apscheduler', 'starlette',"
        " 'uvicorn', 'psutil', 'opentelemetry', 'typer', 'rich', 'jinja2')\n"
        "sys.modules.update(dict.fromkeys(packages))\n"
        "import agent.verify\n"
        "from agent.verify import *\n"
        "SyntheticMiddleware(None, Verifier({'keys': []}))\n"
        "assert threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=50)


def test_no_cycles() -> None:
    """No two modules need each other to be imported; types may name each other."""
    needs = {
        module: {name for name, needed in imports(module) if name in MODULES and needed == "import"}
        for module in MODULES
    }
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert set(order) == set(MODULES)


def test_playwright_stays_out() -> None:
    """Importing the supervisor's side does not import Playwright, nor does ``import agent``."""
    code = (
        "import importlib, json, sys\n"
        f"seen = {{}}\nfor name in {LIGHT!r}:\n"
        "    importlib.import_module(name)\n"
        "    seen[name] = [m for m in sys.modules if m.split('.')[0] == 'playwright']\n"
        "print(json.dumps(seen))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    assert json.loads(done.stdout) == {name: [] for name in LIGHT}
