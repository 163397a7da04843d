"""The author's lines are found wherever the journeys lie, and nobody else's are taken for them."""

from __future__ import annotations

import sys
from pathlib import Path

import playwright
import pytest

import agent.worker
from agent.core.source_line import SourceLine
from agent.worker.browser.raised import AuthorCode
from agent.worker.loader import Loader

SOURCE = """\
from agent import Run, journey
from beside import broken


@journey(site="shop", owner="me")
async def walked(run: Run) -> None:
    broken()


@journey(site="shop", owner="me")
async def reading(run: Run) -> None:
    import json
    json.loads("<")
"""


def raised_in(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> SourceLine | None:
    """Return where a journey of a folder's breaks."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    loader = Loader(str(folder))
    function = loader.journey("deep/one.py", name).declaration.function
    with pytest.raises((ZeroDivisionError, ValueError)) as raised:
        function(None).send(None)  # type: ignore[arg-type, attr-defined]
    return AuthorCode(loader.folder).raised_at(raised.value)


@pytest.mark.parametrize(
    "below",
    [
        "journeys",
        "agent/journeys",
        "site-packages/journeys",
        "venv/lib/python3.11/site-packages/playwright/journeys",
        "playwright/async_api",
        "agent/worker/browser",
        "a b/[x]/jôurneys",
    ],
)
def test_wherever_the_journeys_lie(
    tmp_path: Path, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is that of the helper beside the journey, or the journey's own above a library's."""
    folder = tmp_path / below
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.py").write_text(SOURCE)
    (folder / "beside.py").write_text("def broken():\n    1 / 0\n")
    name = folder.name
    helper = raised_in(folder, "walked", monkeypatch)
    assert helper == SourceLine(f"{name}/beside.py", 2, "1 / 0")
    own = raised_in(folder, "reading", monkeypatch)
    assert own == SourceLine(f"{name}/deep/one.py", 13, 'json.loads("<")')


def test_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is reached by a link keeps the name that its user gives it."""
    folder = tmp_path / "of_release_7" / "agent"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.py").write_text(SOURCE)
    (folder / "beside.py").write_text("def broken():\n    1 / 0\n")
    link = tmp_path / "journeys"
    link.symlink_to(folder)
    assert raised_in(link, "walked", monkeypatch) == SourceLine("journeys/beside.py", 2, "1 / 0")


def test_others_code_below_the_journeys() -> None:
    """A folder above the agent and its libraries makes none of them the author's."""
    package = Path(agent.worker.__file__).parents[1]
    code = AuthorCode(str(package.parent))
    assert code.covers(str(package.parent / "walk.py"))
    assert not code.covers(agent.worker.__file__)
    assert not AuthorCode("/").covers(playwright.__file__)
    assert not AuthorCode("/srv/journeys").covers("/srv/journeys_of_others/one.py")
