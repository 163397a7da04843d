"""`footfall new`: a skeleton that compiles, and never over a file that is there."""

from __future__ import annotations

import ast

import pytest

from agent.cli.new import new
from agent.cli.type_checkers import write_settings
from agent.core.errors import ConfigError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(here, name="first_look"):
    return (here / "journeys" / f"{name}.py").read_text()


@pytest.mark.parametrize(
    ("url", "site", "path"),
    [
        ("https://shop.example.com", "shop", "/"),
        ("https://www.example.com/a/b?c=d", "example", "/a/b?c=d"),
        ("http://127.0.0.1:8000/", "site", "/"),
        ("https://my-shop.example.com/", "my_shop", "/"),
    ],
)
def test_the_skeleton_is_a_journey_of_that_site(here, capsys, url, site, path):
    """It parses, has the name asked for, a site's name that is allowed, and the address's path;
    what is printed says how to walk it and what to configure."""
    new("first_look", url, None, {})
    (function,) = [
        node for node in ast.parse(written(here)).body if isinstance(node, ast.AsyncFunctionDef)
    ]
    assert function.name == "first_look"
    (decorator,) = function.decorator_list
    keywords = {keyword.arg: keyword.value.value for keyword in decorator.keywords}
    assert keywords["site"] == site
    assert keywords["owner"]
    assert f'page.goto("{path}")' in written(here)
    printed = capsys.readouterr().out
    origin = "/".join(url.split("/")[:3])
    assert f"footfall once first_look --site {site}={origin}" in printed
    assert f"[sites.{site}]" in printed


def test_a_configured_site_is_used_by_its_name(here, capsys):
    """The address belongs to a site of config.toml: nothing more is to be given."""
    (here / "config.toml").write_text(
        '[sites.store]\nurl = "https://shop.example.com"\n'
        'first_party = ["https://shop.example.com"]\n'
    )
    new("first_look", "https://shop.example.com/sale", None, {})
    assert 'site="store"' in written(here)
    printed = capsys.readouterr().out
    assert "footfall once first_look --watch\n" in printed
    assert "[sites." not in printed


def test_a_file_that_is_there_stays(here):
    """Not even with the same name asked for again."""
    new("first_look", "https://shop.example.com", None, {})
    (here / "journeys" / "first_look.py").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        new("first_look", "https://shop.example.com", None, {})
    assert written(here) == "mine"


@pytest.mark.parametrize("name", ["First", "1st", "a-b", "a b", "../up", "", "a.py"])
def test_a_name_that_no_journey_may_have_is_refused(here, name):
    """Nothing is written, and the message says which letters do."""
    with pytest.raises(ConfigError, match="lower-case letters"):
        new(name, "https://shop.example.com", None, {})
    assert not (here / "journeys").exists()


@pytest.mark.parametrize("name", ["test_shop", "conftest", "class", "json", "agent", "playwright"])
def test_a_name_that_stands_for_something_else_is_refused(here, name):
    """pytest's own files, words of Python, and modules that the file would hide."""
    with pytest.raises(ConfigError, match=r"[Cc]hoose another"):
        new(name, "https://shop.example.com", None, {})
    assert not (here / "journeys").exists()


@pytest.mark.parametrize(
    "url",
    [
        "shop.example.com",
        "ftp://shop.example.com",
        "https://",
        "",
        "http://[oops",
        "http://shop:99999",
        "http://me:hunter2@shop.example.com/",
        "http://münchen.example",
    ],
)
def test_an_address_that_is_none_is_refused(here, url):
    """Nothing is written, and no password is repeated."""
    with pytest.raises(ConfigError, match=r"^--url: ") as caught:
        new("first_look", url, None, {})
    assert "hunter2" not in str(caught.value)
    assert not (here / "journeys").exists()


@pytest.mark.parametrize("start", ['/a"b', "/{x}", "/a\\b", "/%22?q='1'"])
def test_whatever_an_address_ends_in_is_a_text(here, start):
    """The file can be read by Python, and opens that very page."""
    new("first_look", f"https://shop.example.com{start}", None, {})
    tree = ast.parse(written(here))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    opened = [call.args[0].value for call in calls if ast.unparse(call.func) == "page.goto"]
    assert opened == [start]


def test_a_folder_that_cannot_be_written_to(here):
    """Is told by its name."""
    (here / "journeys").write_text("a file")
    with pytest.raises(ConfigError, match=r"journeys/first_look\.py: can't be written"):
        new("first_look", "https://shop.example.com", None, {})


def test_type_checkers_find_helpers(here, capsys):
    """Their settings are written once, and one that somebody has is never touched: what to add
    to it is said, until it names the folder."""
    (here / ".git").mkdir()
    new("first_look", "https://shop.example.com", None, {})
    assert (here / "pyrightconfig.json").read_text() == '{"extraPaths": ["journeys"]}\n'
    mypy = here / "mypy.ini"
    assert mypy.read_text() == "[mypy]\nmypy_path = $MYPY_CONFIG_FILE_DIR/journeys\n"
    assert capsys.readouterr().out.count("Wrote ") == 3
    new("second_look", "https://shop.example.com", None, {})
    assert capsys.readouterr().out.count("Wrote ") == 1

    mypy.unlink()
    own = here / "pyproject.toml"
    own.write_text("[tool.mypy]\nstrict = true\n")
    new("third_look", "https://shop.example.com", None, {})
    assert 'add to pyproject.toml: mypy_path = "journeys"' in capsys.readouterr().out
    assert not mypy.exists()
    own.write_text('[tool.mypy]\nmypy_path = "journeys"\n')
    new("fourth_look", "https://shop.example.com", None, {})
    assert "pyproject.toml" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "text", "counts"),
    [
        ("setup.cfg", "[mypy]\nstrict = true\n", True),
        ("setup.cfg", "[flake8]\nmax-line-length = 90\n", False),
        ("pyproject.toml", "[tool.ruff]\n", False),
        ("pyproject.toml", "not = [toml", True),
        (".mypy.ini", "[mypy]\n", True),
    ],
)
def test_whose_setting_it_is(here, file, text, counts):
    """Only a file that configures the checker, or may do so, keeps its own from being written."""
    (here / "monitoring").mkdir()
    (here / file).write_text(text)
    told = list(write_settings(here / "monitoring" / "journeys"))
    assert (here / "monitoring" / "mypy.ini").exists() is not counts
    assert any(file in line for line in told) is counts
