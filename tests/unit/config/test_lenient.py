"""One fault hides no other: what is sound is used to look on, and nothing is blamed twice."""

from dataclasses import replace

import pytest

from agent.config import load_lenient, resolve
from agent.core.errors import ConfigError
from agent.core.model import Definition
from agent.schedule.plan import interval_of

SHOP = (
    '[sites.shop]\nurl = "https://shop.example.com"\nfirst_party = ["https://shop.example.com"]\n'
)
BUY = Definition(name="buy", site="shop", file="buy.py", line=7, owner="checkout", timeout="50s")


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Gives the places of all faults: first the configuration's, then the journeys'."""
    monkeypatch.chdir(tmp_path)

    def told(text, *definitions, environ=None):
        (tmp_path / "config.toml").write_text(text)
        settings, problems = load_lenient(None, environ or {})
        try:
            resolve(settings, definitions, interval_of)
        except ConfigError as error:
            return [one.where for one in problems], [one.where for one in error.problems]
        return [one.where for one in problems], []

    return told


def test_what_is_sound_is_used(tmp_path, monkeypatch):
    """Only the faulty key goes; its neighbours and the other sections are as they were given."""
    monkeypatch.chdir(tmp_path)
    text = SHOP + '[sites.bank]\nurl = "bank"\n[schedule]\nevery = "9m"\ntimeout = "soon"\n'
    (tmp_path / "config.toml").write_text(text + '[browser]\nargs = ["--mute-audio", 3]\n')
    settings, problems = load_lenient(None, {"FOOTFALL_LOCATION": "here"})
    assert len(problems) == 4
    assert settings.location == "here"
    assert list(settings.sites) == ["shop"]
    assert (settings.schedule.every, settings.schedule.timeout) == ("9m", 30.0)
    assert settings.browser.args == ()
    assert settings.journeys == tmp_path / "journeys"
    assert settings.left_out("schedule", "timeout")
    assert not settings.left_out("schedule", "every")


def test_faults_of_both_are_told_together(told):
    """A fault in the file doesn't keep those of journeys back."""
    bad = replace(BUY, name="look", file="look.py", every="often")
    text = SHOP + "[workers]\ncuont = 2\n"
    assert told(text, BUY, bad) == (["config.toml:5 workers.cuont"], ["journeys/look.py:7"])


@pytest.mark.parametrize(
    "sites",
    [
        '[sites.shop]\nurl = "shop"\nfirst_party = ["https://shop.example.com"]\n',
        '[sites.shop]\nurl = "https://shop.example.com"\n',
        '[sites.shop]\nulr = "https://shop.example.com"\n',
        '[sites]\nshop = "https://shop.example.com"\n',
        SHOP.replace("sites", "site"),
        'sites = "shop"\n',
    ],
)
def test_a_faulty_site_is_not_unknown(told, sites):
    """The section is told; the journeys that use it are not."""
    of_file, of_journeys = told(sites, BUY)
    assert of_file
    assert of_journeys == []


def test_a_site_that_nobody_gave_is_unknown(told):
    """Another site's fault excuses no journey."""
    _, of_journeys = told('[sites.bank]\nurl = "bank"\n', BUY)
    assert of_journeys == ["journeys/buy.py:7"]


@pytest.mark.parametrize(
    "text",
    [
        '[schedule]\nevery = "5"\n',
        '[schedule]\nevry = "5m"\n',
        '[journey.buy]\nevery = "5"\n',
        '[journey.buy]\nevry = "5m"\n',
        '[journy.buy]\nevery = "5m"\n',
        'journey = "buy"\n',
    ],
)
def test_a_default_in_place_of_a_faulty_key_is_no_reason(told, text):
    """Nobody is told that a timeout doesn't fit into an interval that he didn't want."""
    of_file, of_journeys = told(text + SHOP, replace(BUY, timeout="2m"))
    assert len(of_file) == 1
    assert of_journeys == []


def test_a_section_for_no_journey_is_told_beside_its_own_faults(told):
    """A faulty key in it is one matter, its name another; a name that can't be is told once."""
    text = SHOP + '[journey.gone]\ntimeout = "soon"\n[journey.Gone]\n'
    of_file, of_journeys = told(text, BUY)
    assert of_file == ["config.toml:5 journey.gone.timeout", "config.toml:6 journey.Gone"]
    assert of_journeys == ["config.toml:4 journey.gone"]


@pytest.mark.parametrize("text", ["journeys = 5\n", "x = \n"])
def test_without_a_folder_there_is_nothing_to_look_for(tmp_path, text):
    """Journeys are not looked for elsewhere where the file doesn't say where they are."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    settings, problems = load_lenient(file, {})
    assert settings is None
    assert len(problems) == 1
