"""``footfall rules``: rules for all that is walked, or none and why."""

from __future__ import annotations

import re

import pytest
import typer
import yaml

from agent.cli.rules import rules
from agent.core.clock import SystemClock
from agent.core.errors import ConfigError
from agent.rules.format import Format

CONFIG = """
location = "eu-west-1"

[sites.shop]
url = "https://shop.example.com"
first_party = ["https://shop.example.com"]
"""
JOURNEY = """
from agent import Run, journey


@journey(site="shop", owner="tests", every="{every}")
async def {name}(run: Run) -> None:
    pass
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "journeys").mkdir()
    for name, every in (("look", "1m"), ("buy", "0 3 * * 0")):
        text = JOURNEY.format(name=name, every=every)
        (tmp_path / "journeys" / f"{name}.py").write_text(text)
    return tmp_path


async def printed(folder, capsys, format_=Format.PROMETHEUS, objective=99.5):
    """What the command prints, and its exit code."""
    path = folder / "config.toml"
    code = await rules(path, {}, format_, objective, SystemClock())
    return code, capsys.readouterr()


async def test_each_enabled_journey_has_its_rules(folder, capsys):
    """Journeys, location and objective are those of the configuration and of the option."""
    (folder / "config.toml").write_text(CONFIG + "[journey.buy]\nenabled = false\n")
    code, (out, _) = await printed(folder, capsys, objective=90.0)
    assert code == 0
    names = {group["name"] for group in yaml.safe_load(out)["groups"]}
    assert "footfall-journey-look" in names
    assert "footfall-journey-buy" not in names
    assert re.search(r'absent\(footfall_journey_interval_seconds\{[^}]*location="eu-west-1"', out)
    assert "Its objective is 90 %" in out


async def test_openslo(folder, capsys):
    """The other format is of the same journeys."""
    code, (out, _) = await printed(folder, capsys, Format.OPENSLO)
    assert code == 0
    objects = list(yaml.safe_load_all(out))
    assert [one["metadata"]["displayName"] for one in objects if one["kind"] == "SLO"] == [
        "buy",
        "look",
    ]


async def test_a_broken_file_leaves_no_journey_without_alerts(folder, capsys):
    """Rules that lack those of one journey are not printed at all."""
    (folder / "journeys" / "broken.py").write_text("def broken(:\n")
    with pytest.raises(ConfigError, match=r"broken\.py:1"):
        await printed(folder, capsys)
    assert capsys.readouterr().out == ""


async def test_nothing_to_watch(folder, capsys):
    """No journey, no rules: an empty file would look like one that watches."""
    off = "".join(f"[journey.{name}]\nenabled = false\n" for name in ("look", "buy"))
    (folder / "config.toml").write_text(CONFIG + off)
    code, (out, err) = await printed(folder, capsys)
    assert (code, out) == (2, "")
    assert "No journey to watch" in err


@pytest.mark.parametrize("objective", [100.0, 49.9, -1.0, float("nan"), float("inf")])
async def test_no_objective(folder, capsys, objective):
    """What can't be an objective is refused before anything is read."""
    with pytest.raises(typer.BadParameter, match="no objective"):
        await printed(folder, capsys, objective=objective)
