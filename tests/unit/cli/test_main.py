"""The command itself: its version, and what it tells who has no configuration yet."""

from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from agent.cli.main import app
from agent.cli.once import OnceOptions, once
from agent.core.clock import SystemClock
from agent.core.errors import ConfigError


def test_version():
    """The version is that of the package that is installed."""
    told = CliRunner().invoke(app, ["--version"])
    assert (told.exit_code, told.output) == (0, f"footfall {version('footfall')}\n")


async def test_once_without_a_configuration_names_both_ways(tmp_path, monkeypatch):
    """A file makes one, and so does an address alone."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        await once(None, {}, OnceOptions(), SystemClock())
    (problem,) = caught.value.problems
    assert "[sites.shop] with url and first_party" in problem.message
    assert problem.message.endswith("or point a site at an address: --site NAME=URL")


async def test_once_speaks_of_no_site_where_a_file_was_named(tmp_path):
    """Whoever named a file wants that one."""
    with pytest.raises(ConfigError) as caught:
        await once(tmp_path / "mine.toml", {}, OnceOptions(), SystemClock())
    assert "--site" not in str(caught.value)
