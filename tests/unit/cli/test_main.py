"""The command itself: its version, and what it tells who has no configuration yet."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

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


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (OnceOptions(junit=Path("/proc/no/report.xml")), "--junit /proc/no/report.xml: can't be"),
        (OnceOptions(junit=Path("/")), "--junit /: can't be written: Is a directory"),
        (OnceOptions(endpoint="collector:4317"), "--endpoint: must be an absolute address"),
        (OnceOptions(endpoint="http://me:hunter2@a.test"), "--endpoint: must not hold a user"),
    ],
)
async def test_what_would_be_in_vain_is_told_before_a_walk(options, told):
    """By the option, without a password."""
    with pytest.raises(ConfigError) as caught:
        await once(None, {}, options, SystemClock())
    assert str(caught.value).startswith(told)
    assert "hunter2" not in str(caught.value)


async def test_options_that_can_be_had_make_nothing_of_what_was_there(tmp_path, monkeypatch):
    """A report that is there stays until another one is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.xml").write_text("before")
    with pytest.raises(ConfigError, match="no such file"):
        await once(None, {}, OnceOptions(junit=Path("report.xml")), SystemClock())
    assert (tmp_path / "report.xml").read_text() == "before"


def test_starting_loads_little() -> None:
    """`footfall --version` and each command's help wait for no library that they don't need."""
    code = (
        "import sys, agent.cli.main\n"
        "print([one for one in ('pydantic', 'opentelemetry', 'playwright') if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("asked", "at_terminal", "confirms"),
    [
        (OnceOptions(), False, True),
        (OnceOptions(), True, False),
        (OnceOptions(confirm=True), True, True),
        (OnceOptions(confirm=False), False, False),
        (OnceOptions(repeat=5), False, False),
        (OnceOptions(repeat=5, confirm=True), False, True),
    ],
)
def test_whose_failures_are_confirmed(monkeypatch, asked, at_terminal, confirms):
    """Build servers want the daemon's verdict; an author's typo must not cost twice."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: at_terminal, raising=False)
    assert asked.confirms() is confirms
