"""config.example.toml: the configuration's catalogue."""

import re
import tomllib
from pathlib import Path
from types import UnionType
from typing import get_args

import pytest
from pydantic import BaseModel

from agent.config import Settings, load
from agent.config.sections import JourneySection, SiteSection

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
FREE_TABLES = {"params", "headers", "vendors", "deploys", "canaries"}
"""Tables whose keys are the user's own."""


@pytest.fixture
def uncommented(tmp_path):
    text = re.sub(r"^#(?=[a-z\[])", "", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)
    file = tmp_path / "config.toml"
    file.write_text(text, "utf-8")
    return file


def keys_of(model: type[BaseModel], above: str = "") -> set[str]:
    """Every key of a model and the models below it, named tables as ``*``."""
    named = {"sites": SiteSection, "journey": JourneySection}
    found = set()
    for name, info in model.model_fields.items():
        if not above and name in named:
            found |= keys_of(named[name], f"{name}.*.")
        elif section := section_of(info.annotation):
            found |= keys_of(section, f"{above}{name}.")
        else:
            found.add(above + name)
    return found


def section_of(annotation: object) -> type[BaseModel] | None:
    """The table that a key is, where it may be left out too."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else [annotation]
    found = (one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel))
    return next(found, None)


def keys_in(table: dict, above: str = "") -> set[str]:
    """Every key of a TOML table and the tables below it, named tables as ``*``."""
    found = set()
    for name, value in table.items():
        label = "*" if above in {"sites.", "journey."} else name
        if isinstance(value, dict) and name not in FREE_TABLES:
            found |= keys_in(value, f"{above}{label}.")
        else:
            found.add(above + label)
    return found


def test_the_example_loads_as_it_is():
    """Whoever copies the example has a configuration that works."""
    settings = load(EXAMPLE, {})
    assert settings.sites["shop"].url == "https://shop.example.com"
    assert settings.journey == {}


def test_the_example_names_every_key_and_no_other(uncommented):
    """A key stands in the example if, and only if, it exists."""
    assert keys_in(tomllib.loads(uncommented.read_text("utf-8"))) == keys_of(Settings)


def test_the_example_loads_with_every_comment_taken_away(uncommented):
    """Each commented key is a valid one, at a place where it may stand."""
    settings = load(uncommented, {})
    assert settings.journey["buy_a_mug"].params == {"sku": "mug"}
    assert settings.maintenance[0].cron == "0 3 * * 0"


def test_the_example_shows_the_defaults(uncommented):
    """What a commented key shows is what holds without it; the number of CPUs varies.

    There are no sites, journeys, windows and canaries without any.
    """
    empty = uncommented.with_name("empty.toml")
    empty.touch()
    varying = {
        "sites": True,
        "journey": True,
        "maintenance": True,
        "workers": {"count"},
        "gate": {"canaries"},
    }
    shown = load(uncommented, {}).model_dump(exclude=varying)
    assert shown == load(empty, {}).model_dump(exclude=varying)
