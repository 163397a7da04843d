"""Discovery in real processes: what hangs, dies or is doubled is told, and the rest is found."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from agent.loading.discovery import discover
from tests.support.walking import Walker

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'from agent import Run, journey\n\n\n@journey(site="shop", owner="me")\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "journeys"
    place.mkdir()
    return place


async def found(folder: Path, **files: str) -> tuple[list[str], list[str], Walker]:
    """The names that were found, and the problems as they are told."""
    for name, text in files.items():
        path = folder / f"{name.replace('0', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    walker = Walker(folder, executable="/nowhere")
    definitions, problems = await discover(folder, walker.spawn, 3.0)
    assert walker.processes() == []
    names = [one.name for one in definitions]
    return names, [str(problem) for problem in problems], walker


def good(name: str) -> str:
    return f"{HEAD}async def {name}(run: Run) -> None: ...\n"


async def test_all_faults_at_once(folder: Path) -> None:
    """Each bad file costs itself alone: a hang, a death, a syntax error, an exit."""
    names, problems, _ = await found(
        folder,
        a=good("first"),
        b="import time\n\ntime.sleep(60)\n",
        c="import os\nos._exit(1)\n",
        d="x = (\n",
        e="import sys\nsys.exit('enough')\n",
        f="print('loud')\nimport nowhere_at_all\n",
        g=good("last"),
    )
    assert names == ["first", "last"]
    assert problems == [
        "journeys/b.py:3: its import was not done after 3 s",
        "journeys/c.py:1: its import ended the process",
        "journeys/d.py:1: SyntaxError: '(' was never closed",
        "journeys/e.py:2: SystemExit: enough",
        "journeys/f.py:2: ModuleNotFoundError: No module named 'nowhere_at_all'",
    ]


async def test_doubles(folder: Path) -> None:
    """Two journeys of one name are both told and both left out, in one file or in two."""
    names, problems, _ = await found(
        folder,
        a=good("buy") + "\n\n" + good("sell"),
        b=good("buy") + "\n\n" + good("rent") + "\n\n" + good("rent"),
    )
    assert names == ["sell"]
    assert problems == [
        f"journeys/{place}: another journey is named '{name}' too: "
        + ", ".join(f"journeys/{one}" for one in places)
        for name, places in (("buy", ["a.py:4", "b.py:4"]), ("rent", ["b.py:11", "b.py:18"]))
        for place in places
    ]


async def test_which_files(folder: Path) -> None:
    """Files in folders are read; helpers with an underscore, tests and caches are not."""
    names, problems, _ = await found(
        folder,
        deep0er0a=good("deep"),
        _helper="1 / 0\n",
        test_a="1 / 0\n",
        conftest="1 / 0\n",
        deep0__pycache__0b="1 / 0\n",
    )
    assert (names, problems) == (["deep"], [])


async def test_printing(folder: Path) -> None:
    """What a file prints while it is imported is passed on, not taken for an answer."""
    names, problems, walker = await found(folder, a="print('hello there')\n" + good("buy"))
    assert (names, problems) == (["buy"], [])
    assert "hello there" in walker.output


async def test_no_folder(tmp_path: Path) -> None:
    """A folder that isn't there is told with the key that names it."""
    walker = Walker(tmp_path / "gone", executable="/nowhere")
    definitions, problems = await discover(tmp_path / "gone", walker.spawn)
    assert definitions == []
    assert [str(one) for one in problems] == [
        f"{tmp_path / 'gone'}: there is no such folder (key `journeys`)"
    ]


async def test_nothing_to_find(folder: Path) -> None:
    """An empty folder has no journeys and no problems."""
    assert (await found(folder))[:2] == ([], [])


async def test_a_file_that_speaks_on_the_pipe(folder: Path) -> None:
    """Words of its own neither stretch its time nor bring the agent down."""
    forged = "import json, struct, sys, os, time\n"
    forged += "def say(**word):\n    body = json.dumps(word).encode()\n"
    forged += "    os.write(int(sys.argv[1]), struct.pack('>I', len(body)) + body)\n"
    names, problems, _ = await found(
        folder,
        a=forged + "while True:\n    say(kind='file_started', file='a.py')\n    time.sleep(0.1)\n",
        b=forged
        + "say(kind='file_loaded', file='nowhere.py', definitions=[], problems=[])\n"
        + good("second"),
        c=forged + "os.write(int(sys.argv[1]), b'GET / HTTP/1.1')\ntime.sleep(60)\n",
        d=good("last"),
    )
    assert names == ["second", "last"]
    assert [problem.partition(":")[0] for problem in problems] == ["journeys/a.py", "journeys/c.py"]


async def test_what_tools_leave_is_not_read(folder: Path) -> None:
    """Hidden folders and caches hold no journeys, with a copy of the folder and without."""
    for name in (".venv/lib", "node_modules/x", "__pycache__", "fine"):
        (folder / name).mkdir(parents=True)
        (folder / name / "one.py").write_text(good(f"in_{name.strip('._').split('/')[0]}"))
    names, problems, _ = await found(folder)
    assert (names, problems) == (["in_fine"], [])


async def test_popups_reach_the_journeys_of_their_site(folder: Path) -> None:
    """Wherever they are declared; a journey of another site, or without a browser, has none."""
    (folder / "shop.py").write_text(
        good("first")
        + good("second").replace("shop", "help")
        + good("third").replace('owner="me"', 'owner="me", browser=False')
    )
    (folder / "z_popups.py").write_text(
        "from agent import popups\n\n\n"
        '@popups(site="shop")\nasync def consent(run): ...\n\n\n'
        '@popups(site="shoop")\nasync def slip(run): ...\n'
    )
    walker = Walker(folder, executable="/nowhere")
    definitions, problems = await discover(folder, walker.spawn, 3.0)
    assert problems == []
    assert {one.name: [(p.name, p.file, p.line) for p in one.popups] for one in definitions} == {
        "first": [("consent", "z_popups.py", 4)],
        "second": [],
        "third": [],
    }
    warned = [str(warning) for one in definitions for warning in one.warnings]
    assert warned == [
        "journeys/z_popups.py:8: @popups slip: no journey is of site 'shoop'; theirs: help, shop"
    ]
