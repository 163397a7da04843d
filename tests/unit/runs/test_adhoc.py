"""Settings of ad-hoc runs: the configuration, or variables and addresses alone."""

from __future__ import annotations

import pytest

from agent.core.errors import ConfigError
from agent.runs.adhoc import adhoc_settings


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_address_is_enough(here):
    """Without a configuration file; variables count all the same."""
    environ = {"FOOTFALL_JOURNEYS": "walks", "FOOTFALL_SCHEDULE__TIMEOUT": "7s"}
    settings = adhoc_settings(None, environ, ["shop=http://[::1]:8000/"])
    assert settings.sites["shop"].url == "http://[::1]:8000"
    assert settings.sites["shop"].first_party == ("http://[::1]:8000",)
    assert (settings.journeys, settings.schedule.timeout) == (here / "walks", 7.0)


def test_variables_that_name_a_site_are_enough(here):
    """Neither file nor address is needed then."""
    site = '{"url": "http://a.test", "first_party": ["http://a.test"]}'
    assert adhoc_settings(None, {"FOOTFALL_SITES__SHOP": site}, []).sites["shop"]


def test_a_misspelt_variable_is_refused(here):
    """As it is with a file."""
    with pytest.raises(ConfigError, match="did you mean FOOTFALL_JOURNEYS"):
        adhoc_settings(None, {"FOOTFALL_JOURNEY_S": "walks"}, ["shop=http://a.test"])


def test_the_address_stands_over_the_configured_one(here):
    """And its own origin alone is first party."""
    (here / "config.toml").write_text(
        '[sites.shop]\nurl = "https://a.test"\nfirst_party = ["https://a.test", "https://*.a.test"]\n'
    )
    settings = adhoc_settings(None, {}, ["shop=http://127.0.0.1:8000"])
    assert settings.sites["shop"].first_party == ("http://127.0.0.1:8000",)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("shop", "--site: write it as NAME=URL"),
        ("=http://a.test", "--site: write it as NAME=URL"),
        ("shop=a.test", "--site shop: must be an absolute address"),
        ("shop=http://a.test/path", "--site shop: must end after the host or port"),
        ("shop=http://me:hunter2@a.test", "--site shop: must not hold a user name or password"),
    ],
)
def test_an_address_that_is_none(here, given, told):
    """Is told once, in plain words, without the password that it may hold."""
    with pytest.raises(ConfigError) as caught:
        adhoc_settings(None, {}, [given])
    assert str(caught.value).startswith(told)
    assert "hunter2" not in str(caught.value)
