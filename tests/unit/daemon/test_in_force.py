"""What the agent works by is replaced whole, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.core.clock import SystemClock
from agent.core.errors import ConfigError
from agent.daemon.in_force import ConfigSource, InForce
from agent.loading.load import load

SITE = '[sites.shop]\nurl = "http://127.0.0.1:9103"\nfirst_party = ["http://127.0.0.1:9103"]\n'
LOOK = """
from agent import Run, journey


@journey(site="shop", owner="tests")
async def {name}(run: Run) -> None:
    await run.page.goto("/")
"""


@dataclass
class Works:
    """An engine that notes by what it works."""

    by: list[Any] = field(default_factory=list)

    def renew(self, settings, secret, folder) -> None:
        self.by.append((settings, folder))


@pytest.fixture
def home(tmp_path):
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "look.py").write_text(LOOK.format(name="look"))
    (tmp_path / "config.toml").write_text(SITE)
    return tmp_path


async def test_a_reload_is_taken_up_whole_or_refused(home):
    """A refused one leaves all as it was, says why until one is taken up, and no copy behind."""
    source, clock, engine = ConfigSource(home / "config.toml", {}), SystemClock(), Works()
    copies = home / "copies"
    in_force = InForce(await load(source.path, source.environ, clock), copies, 1000.0)
    first = in_force.now
    assert [journey.name for journey in first.journeys] == ["look"]
    assert first.folder.is_relative_to(copies)

    for text, why in (
        ('[schedule]\nevery = "often"\n', "often"),
        ('location = "elsewhere"\n', "location: can't be changed"),
    ):
        (home / "config.toml").write_text(f"{text}{SITE}")
        with pytest.raises(ConfigError) as refused:
            await in_force.renew(source, engine, clock)
        (problem,) = refused.value.problems
        assert problem.where.startswith(f"{home}/config.toml:")
        assert why in in_force.refused == str(problem)
        assert (in_force.now, in_force.since) == (first, 1000.0)
        assert [path.name for path in copies.iterdir()] == [first.folder.parent.name]
    assert engine.by == []

    (home / "config.toml").write_text(SITE)
    (home / "journeys" / "other.py").write_text(LOOK.format(name="other"))
    changes = await in_force.renew(source, engine, clock)
    assert (changes.added, changes.files) == (("other",), ("other.py",))
    assert in_force.since > 1000.0
    assert [journey.name for journey in in_force.now.journeys] == ["look", "other"]
    assert in_force.refused == ""
    assert [folder for _, folder in engine.by] == [in_force.now.folder]
    # Walks under way may still import from the one before.
    assert {path.name for path in copies.iterdir()} == {
        first.folder.parent.name,
        in_force.now.folder.parent.name,
    }
    in_force.drop()
    assert not list(copies.iterdir())
