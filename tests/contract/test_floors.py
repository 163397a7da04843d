"""Imports run one way, and a module's level and process are those of its folder."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from pathlib import Path

import pytest

from tests.support.docs import Docs, code

ROOT = Path(__file__).resolve().parents[2]
AGENT = ROOT / "agent"

FLOORS = (
    {
        "core": "both",
    },
    {
        "authoring": "worker",
        "protocol": "both",
        "keys": "supervisor",
        "storage": "supervisor",
        "server": "supervisor",
    },
    {
        "config": "supervisor",
        "beacons": "both",
        "schedule": "supervisor",
        "canary": "both",
        "browsers": "supervisor",
        "queue": "supervisor",
        "verify": "receiver",
        "testing": "tests",
    },
    {
        "signing": "supervisor",
        "pool": "supervisor",
        "telemetry": "supervisor",
        "worker": "worker",
    },
    {
        "loading": "supervisor",
    },
    {
        "runs": "supervisor",
    },
    {
        "rules": "supervisor",
        "replicas": "supervisor",
        "gates": "supervisor",
        "demo": "shop",
    },
    {
        "daemon": "supervisor",
    },
    {
        "cli": "command",
    },
)
"""The package's folders and the process of each, lowest floor first.

A folder imports from lower floors alone. ``both`` is supervisor and worker. ``authoring`` is a
module that counts as a folder: journeys import it, and so the worker does. A new capability is
one more line, on the floor of ``rules``.
"""
LEVEL = {name: level for level, floor in enumerate(FLOORS) for name in floor}
PROCESS = {name: process for floor in FLOORS for name, process in floor.items()}

SHARED_NAMES = {
    "artifacts": "files of evidence: kept, and served",
    "api": "routes that programs ask over HTTP: the agent's, and the shop's",
    "control": "what people have a running agent do: asked for, and carried out",
    "deploys": "releases that went out: kept, and told over HTTP",
    "load": "reads files and returns what they say, or every mistake in them",
    "pages": "what a person sees in a browser: of the shop, and of the agent",
    "prometheus": "what Prometheus would have: its rules, and its names of metrics",
    "serve": "serves until told to stop: the daemon, the shop, the canary's page",
    "verdicts": "how a journey stands after a run: kept here, and known to replicas together",
    "steps": "a journey's steps: walked, and counted",
}
"""Names that modules of several folders share, and the one thing that each means there."""

RECEIVING = "agent.verify"
"""What other people's applications import, so it stands alone."""
RECEIVING_NEEDS = {"agent.keys.jwk"}
"""All that it may know of the agent; its own packages stand in its docstring."""


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


def own_imports(module: str) -> set[str]:
    """The package's own modules that one imports at any time, for types too."""
    return {name for name, _ in imports(module) if name in MODULES} - {module}


def room(module: str) -> str:
    """The folder that a module stands in; "" for the package itself and its ``__main__``."""
    name = module.split(".")[1] if "." in module else ""
    return "" if name == "__main__" else name


def is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def everything_under(rooms: set[str]) -> dict[str, str]:
    """Every module that those of some rooms come to import, and who imported it first."""
    reached = {name: "" for name in MODULES if room(name) in rooms}
    waiting = list(reached)
    while waiting:
        module = waiting.pop()
        for name in own_imports(module) - reached.keys():
            reached[name] = module
            waiting.append(name)
    return reached


def rooms_of(*processes: str) -> set[str]:
    return {name for name, process in PROCESS.items() if process in processes}


def test_the_map() -> None:
    """The architecture's table has each room with its level and its process."""
    rows = Docs().table("folder", "level", "process")
    listed = [(code(path)[0], int(level), process) for path, level, process, _ in rows]
    assert listed == [
        (f"agent/{name}.py" if name == "authoring" else f"agent/{name}", LEVEL[name], process)
        for name, process in PROCESS.items()
    ]


def test_the_package_holds_folders() -> None:
    """Each module stands in a folder, and each folder on a floor."""
    found = {path.name for path in AGENT.iterdir() if path.name != "__pycache__"}
    files = {"__init__.py", "__main__.py", "authoring.py", "py.typed"}
    assert found == files | (LEVEL.keys() - {"authoring"})


@pytest.mark.parametrize("module", MODULES)
def test_nobody_imports_the_root(module: str) -> None:
    """Nobody inside ``agent`` imports the package itself: that is where cycles come from."""
    assert "agent" not in [name for name, _ in imports(module)]


@pytest.mark.parametrize("module", [name for name in MODULES if room(name)])
def test_imports_go_down(module: str) -> None:
    """A room imports itself and lower floors, neither its neighbours nor what is above."""
    here = room(module)
    known = {name for name in own_imports(module) if room(name) != here}
    assert {name for name in known if not room(name) or LEVEL[room(name)] >= LEVEL[here]} == set()


def test_the_supervisor_never_runs_the_worker() -> None:
    """Nothing of the supervisor, nor of a command, leads to a module of the worker's side."""
    reached = everything_under(rooms_of("supervisor", "command"))
    wrong = {name: by for name, by in reached.items() if PROCESS.get(room(name)) == "worker"}
    assert wrong == {}


def test_the_worker_never_holds_the_supervisor() -> None:
    """Nothing of the worker leads to a module that is the supervisor's alone."""
    reached = everything_under(rooms_of("worker"))
    allowed = rooms_of("worker", "both")
    assert {name: by for name, by in reached.items() if room(name) not in {*allowed, ""}} == {}


def test_no_cycles() -> None:
    """No two modules need each other, not even for a type."""
    needs = {name: own_imports(name) for name in MODULES}
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert set(order) == set(MODULES)


def test_one_name_one_meaning() -> None:
    """A module's name is its room's, its command's, or stands nowhere else with another meaning."""

    def last(module: str) -> str:
        return module.rpartition(".")[2]

    shared = {name for name, same in groupby(sorted(map(last, MODULES))) if len(list(same)) > 1}
    assert shared - LEVEL.keys() - {"__main__"} == SHARED_NAMES.keys()


@pytest.mark.parametrize("module", MODULES)
def test_playwright(module: str) -> None:
    """Playwright is the worker's alone; what authors import only names its types."""
    when = {needed for name, needed in imports(module) if is_below(name, "playwright")}
    if room(module) in {"", "authoring", "testing"}:
        assert when <= {"types"}
    else:
        assert not when or room(module) == "worker"


@pytest.mark.parametrize("module", MODULES)
def test_opentelemetry(module: str) -> None:
    """OpenTelemetry is telemetry's alone; the receiving side asks for its API late."""
    wanted = {name: needed for name, needed in imports(module) if is_below(name, "opentelemetry")}
    if is_below(module, RECEIVING):
        assert wanted in ({}, {"opentelemetry.trace": "later"})
    else:
        assert not wanted or room(module) == "telemetry"


@pytest.mark.parametrize("module", MODULES)
def test_nats(module: str) -> None:
    """The client of the replicas' server is that of one room of the queue."""
    wanted = [name for name, _ in imports(module) if is_below(name, "nats")]
    assert not wanted or is_below(module, "agent.queue.nats")


@pytest.mark.parametrize("module", [name for name in MODULES if is_below(name, RECEIVING)])
def test_the_receiving_side_is_a_leaf(module: str) -> None:
    """The receiving side knows itself and next to nothing of the agent."""
    known = {name for name in own_imports(module) if not is_below(name, RECEIVING)}
    assert known <= RECEIVING_NEEDS


@pytest.mark.parametrize(
    "module", [name for name in MODULES if not is_below(name, RECEIVING) and room(name) != "demo"]
)
def test_the_agent_does_not_verify(module: str) -> None:
    """Nothing of the agent imports the receiving side but the demo shop, which receives."""
    assert not [name for name in own_imports(module) if is_below(name, RECEIVING)]


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


def test_playwright_and_nats_stay_out() -> None:
    """Importing the daemon and all under it imports neither, nor does ``agent``.

    An agent that is alone pays nothing for those that share.
    """
    code = (
        "import importlib, json, sys\n"
        "importlib.import_module('agent.daemon.serve')\n"
        "apart = ('playwright', 'nats')\n"
        "print(json.dumps([name for name in sys.modules if name.split('.')[0] in apart]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    assert json.loads(done.stdout) == []
