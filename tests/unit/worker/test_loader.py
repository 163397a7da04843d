"""Journey files become data, or problems that name file and line."""

from __future__ import annotations

import linecache
import sys
from typing import TYPE_CHECKING

import pytest

from agent.core.model import StepLimit
from agent.worker.journey_source import JourneySource
from agent.worker.loader import Loader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = 'from agent import Run, journey\n\n\n@journey(site="shop", owner="me")\n'


def problem(folder: Path, text: str, file: str = "one.py") -> tuple[str, str]:
    (folder / file).write_text(text)
    definitions, problems = Loader(str(folder)).load(file)
    assert definitions == []
    (found,) = problems
    return found.where, found.message


def test_a_journey(folder: Path) -> None:
    """What the author declared comes back as data, with file, line and the summary."""
    (folder / "one.py").write_text(
        "from agent import Run, journey\n\n\n"
        '@journey(site="shop", owner="me", every="1m", timezone="UTC", timeout="5s", runbook="r",\n'
        '         severity="page", confirm=False, slow="4s",\n'
        '         every_failing="20s", params={"a": 1}, context={"locale": "de"})\n'
        'async def buy(run: Run) -> None:\n    """Buy a mug.\n\n    More.\n    """\n'
    )
    (one,), problems = Loader(str(folder)).load("one.py")
    assert problems == []
    assert (one.name, one.site, one.file, one.line) == ("buy", "shop", "one.py", 4)
    assert (one.summary, one.owner, one.runbook) == ("Buy a mug.", "me", "r")
    assert (one.every, one.timezone, one.timeout) == ("1m", "UTC", "5s")
    assert (one.severity, one.confirm) == ("page", False)
    assert (one.slow, one.every_failing) == ("4s", "20s")
    assert (one.params, one.context) == ({"a": 1}, {"locale": "de"})


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\ny = (\n", 2, "SyntaxError: '(' was never closed"),
        ("\n\nimport no_such_module_here\n", 3, "ModuleNotFoundError: No module named"),
        ("import sys\nsys.exit(3)\n", 2, "SystemExit: 3"),
        ("def f():\n    return 1 / 0\n\n\nf()\n", 2, "ZeroDivisionError: division by zero"),
        (HEAD + "def buy(run): ...\n", 4, "TypeError: @journey needs an async function"),
        (HEAD + "async def Buy(run): ...\n", 4, "ValueError: journey name 'Buy'"),
        ("from agent import journey\n\n@journey(owner='me')\nasync def a(run): ...\n", 3, "site"),
        (
            "from agent import journey\n\n@journey\nasync def a(run): ...\n",
            3,
            'write @journey(site="…", owner="…")',
        ),
        ("from agent import nothing\n", 1, "ImportError: cannot import name 'nothing'"),
        ("raise BaseException('all')\n", 1, "BaseException: all"),
    ],
)
def test_faults(folder: Path, text: str, line: int, message: str) -> None:
    """Whatever is wrong with a file is told with its place."""
    where, found = problem(folder, text)
    assert where == f"journeys/one.py:{line}"
    assert message in found


@pytest.mark.parametrize(
    ("slow", "message"),
    [
        ('"1x"', "step 'Pay': slow: '1x' is not a duration"),
        ('"0s"', "must be longer than 0s"),
        ("3", "3 must be a duration in quotes with its unit"),
    ],
)
def test_a_limit_that_cant_be_read(folder: Path, slow: str, message: str) -> None:
    """A step's limit is checked before anything runs, and told with its own line."""
    body = (
        f"async def buy(run):\n    async with run.step(\n        'Pay', slow={slow}\n    ): ...\n"
    )
    where, found = problem(folder, HEAD + body)
    assert where == "journeys/one.py:7"
    assert message in found


def test_limits_of_steps(folder: Path) -> None:
    """Literal ones come back as data with their lines; what is computed is known as it runs."""
    (folder / "one.py").write_text(
        f"{HEAD}async def buy(run):\n    async with run.step('Pay', slow='1s500ms'): ...\n"
        "    async with run.step('Read', slow=''): ...\n"
        "    async with run.step('Rate', slow=run.params['x']): ...\n"
    )
    (one,), problems = Loader(str(folder)).load("one.py")
    assert problems == []
    assert one.step_limits == (StepLimit("Pay", 6, 1.5),)


def test_fault_of_a_helper(folder: Path) -> None:
    """A fault in a helper module is told at the line that imports it, and names the helper."""
    (folder / "helper.py").write_text("\n\n\n\nx = (\n")
    where, message = problem(folder, "import json\nimport helper\n")
    assert where == "journeys/one.py:2"
    assert "helper.py" in message


def test_faults_of_a_relative_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is found where the folder was given relative to the working directory."""
    monkeypatch.chdir(folder.parent)
    (folder / "one.py").write_text("\n\n1 / 0\n")
    _, (found,) = Loader("journeys").load("one.py")
    assert found.where == "journeys/one.py:3"


def test_helpers_and_folders(folder: Path) -> None:
    """The folder is on the import path, for files in its folders too."""
    (folder / "steps_of_mine.py").write_text("NAME = 'x'\n")
    (folder / "deep").mkdir()
    (folder / "deep" / "one.py").write_text(
        f"import steps_of_mine\n{HEAD}async def buy(run): ...\n"
    )
    (one,), problems = Loader(str(folder)).load("deep/one.py")
    assert (one.name, one.file, problems) == ("buy", "deep/one.py", [])


def test_imported_journeys_are_not_doubled(folder: Path) -> None:
    """A journey that another file imports belongs to its own file."""
    (folder / "one.py").write_text(HEAD + "async def buy(run): ...\n")
    (folder / "two.py").write_text(f"from one import buy\n{HEAD}async def sell(run): ...\n")
    loader = Loader(str(folder))
    assert [one.name for one in loader.load("one.py")[0]] == ["buy"]
    assert [one.name for one in loader.load("two.py")[0]] == ["sell"]


def test_an_alias_is_no_double(folder: Path) -> None:
    """A second name for a journey makes no second journey."""
    (folder / "one.py").write_text(HEAD + "async def buy(run): ...\n\n\nalso = buy\n")
    definitions, _ = Loader(str(folder)).load("one.py")
    assert [one.name for one in definitions] == ["buy"]


def test_doubles_in_one_file(folder: Path) -> None:
    """Two journeys of one name in one file both come back, so that both can be told."""
    again = '@journey(site="shop", owner="me")\nasync def buy(run): ...\n'
    (folder / "one.py").write_text(f"{HEAD}async def buy(run): ...\n\n\n{again}")
    definitions, _ = Loader(str(folder)).load("one.py")
    assert [(one.name, one.line) for one in definitions] == [("buy", 4), ("buy", 8)]


def test_declaration(folder: Path) -> None:
    """A journey is imported when it is first walked; one that is gone is named."""
    (folder / "one.py").write_text(HEAD + "async def buy(run): ...\n")
    loader = Loader(str(folder))
    assert loader.journey("one.py", "buy").declaration.name == "buy"
    with pytest.raises(LookupError, match=r"one\.py no longer declares a journey 'sell'"):
        loader.journey("one.py", "sell")
    (folder / "two.py").write_text("1 / 0\n")
    with pytest.raises(LookupError, match=r"journeys/two\.py:1: ZeroDivisionError"):
        loader.journey("two.py", "buy")
    with pytest.raises(LookupError, match=r"journeys/three\.py:1: FileNotFoundError"):
        loader.journey("three.py", "buy")


def test_step_names(folder: Path) -> None:
    """The literal names of steps are read from the source, each once, in order."""
    (folder / "one.py").write_text(
        HEAD + "async def buy(run):\n"
        "    async with run.step('One'):\n"
        "        async with run.step('Inside'): pass\n"
        "    for n in range(2):\n"
        "        async with run.step(f'Row {n}'): pass\n"
        "    async with run.step('One'): pass\n"
        "    if n:\n"
        "        async with run.step('Last'): pass\n"
    )
    journey = Loader(str(folder)).journey("one.py", "buy")
    assert journey.step_names == ["One", "Inside", "Last"]


def test_step_names_without_a_source() -> None:
    """A journey whose source can't be read has no known steps."""
    from agent.authoring import journey, take_declared

    scope: dict[str, object] = {"journey": journey, "__name__": "made_up"}
    exec("@journey(site='s', owner='o')\nasync def made(run): run.step('x')", scope)
    (declaration,) = take_declared("made_up")
    assert JourneySource(declaration).step_names() == []


def test_a_second_step_of_one_name_is_warned_of(folder: Path) -> None:
    """With its own line; a loop that opens one step again and again is no second place."""
    (folder / "one.py").write_text(
        HEAD + "async def buy(run):\n"
        "    for n in range(2):\n"
        "        async with run.step('Row'): pass\n"
        "    async with run.step('Pay'): pass\n"
        "    async with run.step('Pay'): pass\n"
    )
    (one,), problems = Loader(str(folder)).load("one.py")
    assert problems == []
    (warning,) = one.warnings
    assert warning.where == "journeys/one.py:9"
    assert "a second step is called 'Pay'" in warning.message


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("datetime.date(2026, 1, 1)", "is of the type date"),
        ("datetime.datetime.now()", "is of the type datetime"),
        ("decimal.Decimal(1)", "is of the type Decimal"),
        ("pathlib.Path('a')", "is of the type PosixPath"),
        ("(1, 2)", "is of the type tuple"),
        ("{1, 2}", "is of the type set"),
        ("b'a'", "is of the type bytes"),
        ("object()", "is of the type object"),
        ("enum.StrEnum('E', 'A').A", "is of the type E"),
        ("{1: 2}", "a name that is no text"),
        ("[{'a': [object()]}]", "is of the type object"),
        ("float('nan')", "is no finite number"),
        ("2**63", "is too large"),
        ("'\\ud800'", "holds half a character"),
        ("(lambda a: a.append(a) or a)([])", "levels deep"),
    ],
)
def test_parameters_that_would_change_on_their_way(folder: Path, value: str, told: str) -> None:
    """They are refused at the line on which they stand, and cost their own journey alone."""
    (folder / "one.py").write_text(
        "import datetime, decimal, enum, pathlib\nfrom agent import journey\n\n"
        "@journey(site='shop', owner='me',\n"
        f"    params={{\n        'fine': 1,\n        'odd': {value},\n    }})\n"
        "async def buy(run): ...\n\n\n"
        "@journey(site='shop', owner='me')\nasync def look(run): ...\n"
    )
    definitions, (found,) = Loader(str(folder)).load("one.py")
    assert [one.name for one in definitions] == ["look"]
    assert found.where == "journeys/one.py:7"
    assert found.message.startswith("journey buy: params 'odd': ")
    assert told in found.message


def test_a_context_that_makes_none(folder: Path) -> None:
    """It is refused at its own line, wherever the table stands."""
    (folder / "one.py").write_text(
        "from agent import journey\n\nPHONE = {'viewprt': 1}\n\n\n"
        "@journey(\n    site='shop', owner='me',\n    context=PHONE,\n)\n"
        "async def buy(run): ...\n\n\n"
        "@journey(site='shop', owner='me', context={'locale': 'de',\n    'viewprt': 1})\n"
        "async def look(run): ...\n"
    )
    definitions, problems = Loader(str(folder)).load("one.py")
    assert definitions == []
    assert [one.where for one in problems] == ["journeys/one.py:8", "journeys/one.py:14"]
    assert all("did you mean 'viewport'?" in one.message for one in problems)


@pytest.fixture
def copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty copy of the folder."""
    monkeypatch.setattr(sys, "path_hooks", list(sys.path_hooks))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    copy = folder.parent / "state" / "journeys"
    copy.mkdir(parents=True)
    yield copy
    sys.path_importer_cache.clear()


def test_a_copy_believes_to_lie_in_the_folder(folder: Path, copied: Path) -> None:
    """Code comes from the copy; paths that it makes of its own place lead to the folder, in
    helper modules and packages too."""
    (copied / "lib").mkdir()
    (copied / "lib/__init__.py").write_text("from lib.deep import PLACE\n")
    (copied / "lib/deep.py").write_text("PLACE = __file__\n")
    (copied / "place_helper.py").write_text("PLACE = __file__\n")
    (copied / "one.py").write_text(
        f"import lib, place_helper\n{HEAD[:-2]}, params={{'a': __file__, 'b': lib.PLACE,\n"
        "    'c': place_helper.PLACE})\nasync def buy(run): ...\n"
    )
    (folder / "one.py").write_text("this is not what was checked\n")
    (one,), problems = Loader(str(folder), str(copied)).load("one.py")
    assert problems == []
    expected = ("one.py", "lib/deep.py", "place_helper.py")
    assert tuple(one.params.values()) == tuple(str(folder / name) for name in expected)


def test_faults_in_a_copy_are_told_of_the_folder(folder: Path, copied: Path) -> None:
    """With the line as it was copied, though the file holds something else by now."""
    (copied / "one.py").write_text("\n\n1 / 0\n")
    (copied / "two.py").write_text("\nx = (\n")
    (folder / "one.py").write_text("fine = 1\n")
    loader = Loader(str(folder), str(copied))
    places = [loader.load(name)[1][0].where for name in ("one.py", "two.py")]
    assert places == ["journeys/one.py:3", "journeys/two.py:2"]


def test_steps_are_read_from_the_copy(folder: Path, copied: Path) -> None:
    """And so is what a traceback shows."""
    text = f"{HEAD}async def buy(run):\n    run.step('{{}}')\n"
    (copied / "one.py").write_text(text.format("Checked"))
    (folder / "one.py").write_text(text.format("Edited"))
    assert Loader(str(folder), str(copied)).journey("one.py", "buy").step_names == ["Checked"]
    assert "Checked" in linecache.getline(str(folder / "one.py"), 6)


@pytest.mark.parametrize("init", [True, False], ids=["package", "folder"])
def test_the_folder_as_a_package_is_the_copy_too(
    folder: Path, copied: Path, monkeypatch: pytest.MonkeyPatch, init: bool
) -> None:
    """Helpers that are imported from it by its name, with an __init__ file and without."""
    monkeypatch.syspath_prepend(folder.parent)
    for place, text in ((folder, "edited"), (copied, "checked")):
        (place / "common.py").write_text(f"WHICH = '{text}'\n")
        if init:
            (place / "__init__.py").write_text("")
    (copied / "one.py").write_text(
        f"from journeys.common import WHICH\n{HEAD[:-2]}, params={{'a': WHICH}})\n"
        "async def buy(run): ...\n"
    )
    (one,), problems = Loader(str(folder), str(copied)).load("one.py")
    assert (one.params, problems) == ({"a": "checked"}, [])


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ('{"page_error"}', []),
        ('("page_error", "page_error")', []),
        ("set()", []),
        ("{'page_eror'}", ["4: 'page_eror': unknown; did you mean \"page_error\"?"]),
        (
            "{'page_error',\n    'console', 7}",
            [
                "4: '7': unknown; known: \"page_error\"",
                "5: 'console': unknown; known: \"page_error\"",
            ],
        ),
        (
            '"page_error"',
            ["4: 'page_error': must be a set of words: write fail_on={\"page_error\"}"],
        ),
        ("None", ["4: 'None': must be a set of words: write fail_on={\"page_error\"}"]),
    ],
)  # fmt: skip
def test_what_a_journey_fails_on(folder: Path, given: str, faults: list[str]) -> None:
    """A set of known words; any other is told with its line and what to write instead."""
    source = (
        f'from agent import Run, journey\n\n\n@journey(site="shop", owner="me", fail_on={given})'
    )
    (folder / "shop.py").write_text(f"{source}\nasync def buy(run: Run) -> None:\n    pass\n")
    definitions, problems = Loader(str(folder)).load("shop.py")
    prefix = "journeys/shop.py:"
    assert [
        str(one).removeprefix(prefix).replace("journey buy: fail_on ", "") for one in problems
    ] == faults
    assert [one.fail_on for one in definitions] == (
        [] if faults else [() if given == "set()" else ("page_error",)]
    )
