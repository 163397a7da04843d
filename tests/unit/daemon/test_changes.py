"""What a reload says that it changed."""

from __future__ import annotations

import pytest

from agent.core.clock import SystemClock
from agent.daemon.changes import between
from agent.loading.load import load

SITE = '[sites.shop]\nurl = "http://127.0.0.1:9103"\nfirst_party = ["http://127.0.0.1:9103"]\n'
LOOK = """
from agent import Run, journey


@journey(site="shop", owner="tests", params={{"code": "none"}})
async def {name}(run: Run) -> None:
    await run.page.goto("/")
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "journeys").mkdir()
    for name in ("look", "buy", "gone"):
        (tmp_path / "journeys" / f"{name}.py").write_text(LOOK.format(name=name))
    (tmp_path / "journeys" / "_helper.py").write_text("A = 1\n")
    (tmp_path / "config.toml").write_text(SITE)
    return tmp_path


async def test_names_of_what_differs_and_nothing_of_what_it_holds(home):
    """Journeys added, removed, changed by their file or their settings; keys with dots, of each
    vendor and site; files of helpers too."""

    async def state():
        return await load(home / "config.toml", {}, SystemClock(), home)

    before = await state()
    assert between(before, await state()).document() == {
        "journeys": {"added": [], "removed": [], "changed": []},
        "settings": [],
        "files": [],
    }
    journeys = home / "journeys"
    (journeys / "look.py").write_text(LOOK.format(name="look") + "# more\n")
    (journeys / "gone.py").unlink()
    (journeys / "new.py").write_text(LOOK.format(name="new"))
    (journeys / "_helper.py").write_text("A = 2\n")
    (home / "config.toml").write_text(
        f'{SITE}[journey.buy]\nevery = "2m"\nparams = {{ code = "hunter2pw" }}\n'
        '[canary]\nreference = ["https://ours.example"]\n'
    )
    changes = between(before, await state())
    assert changes.document() == {
        "journeys": {"added": ["new"], "removed": ["gone"], "changed": ["buy", "look"]},
        "settings": ["canary.reference", "journey.buy.every", "journey.buy.params.code"],
        "files": ["_helper.py", "gone.py", "look.py", "new.py"],
    }
    assert "hunter2pw" not in str(changes)
