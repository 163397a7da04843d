"""``footfall check`` says what journeys that work will be missing at three in the morning."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from agent.cli.check import check, check_secrets
from agent.core.clock import SystemClock
from agent.storage import runs

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[sites.shop]
url = "https://shop.example.com"
first_party = ["https://shop.example.com"]
"""
HEAD = "from agent import Run, expect, journey\nfrom helpers import opened\n\n\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "_helpers.py").write_text("")
    (tmp_path / "helpers.py").write_text("async def opened(page): ...\n")
    return tmp_path


def write(folder: Path, *bodies: str, options: str = "") -> None:
    journeys = [
        f'@journey(site="shop", owner="me"{options})\n'
        f"async def look_{number}(run: Run) -> None:\n    {body}\n"
        for number, body in enumerate(bodies)
    ]
    (folder / "journeys" / "look.py").write_text(HEAD + "\n\n".join(journeys))


async def told(folder: Path, capsys: pytest.CaptureFixture[str], kind: str) -> list[str]:
    assert await check(folder / "config.toml", {}, SystemClock()) == 0
    lines = capsys.readouterr().out.splitlines()
    return [line.removeprefix(f"{kind}: ") for line in lines if line.startswith(f"{kind}: ")]


async def test_runbooks(folder, capsys):
    """Journeys without one are named on one line, the first five of them; with one, none is."""
    write(folder, *["await expect(run.page).to_have_title('a')"] * 7)
    (note,) = await told(folder, capsys, "note")
    named = ", ".join(f"look_{number}" for number in range(5))
    assert note.startswith(f"no runbook: {named} and 2 more. ")
    write(folder, "await expect(run.page).to_have_title('a')", options=', runbook="https://r"')
    assert await told(folder, capsys, "note") == []


async def test_assertions(folder, capsys):
    """Who surely holds nothing against what should be there is named; a helper may."""
    write(
        folder,
        "await run.page.goto('/')",
        "async with run.step('a'):\n        await run.page.click('a')",
        "await expect(run.page).to_have_title('a')",
        "assert await run.page.title() == 'a'",
        "await run.page.wait_for_url('/a')",
        "await opened(run.page)",
        "if not await run.page.title():\n        raise ValueError('no title')",
        options=', runbook="https://r"',
    )
    (note,) = await told(folder, capsys, "note")
    assert note.startswith("no assertion: look_0, look_1. ")


async def test_timeouts_that_passes_come_near(folder, capsys):
    """By the last passes of the state folder: from five on, above four fifths; never a fail's."""
    passes = [[1.0] * 20, [1.0] * 18 + [8.5, 9.0], [9.0] * 4, []]
    write(folder, *["pass"] * len(passes), options=', timeout="10s", runbook="r"')
    (folder / "var").mkdir()
    with closing(sqlite3.connect(folder / "var" / "footfall.db")) as connection, connection:
        connection.executescript(runs.SCHEMA)
        for journey, seconds in enumerate(passes):
            for number, one in enumerate([*seconds, 10.0]):
                known = {"run_id": f"{journey}-{number}", "journey": f"look_{journey}"}
                known["result"] = "pass" if number < len(seconds) else "fail"
                runs.add(connection, float(number), {**known, "duration": one})
    before = sorted(path.name for path in (folder / "var").iterdir())
    (warning,) = await told(folder, capsys, "warning")
    assert "journeys/look.py:10: journey look_1: of its last 20 passes 2 took more than " in warning
    assert "80% of the timeout of 10s, up to 9s" in warning
    assert sorted(path.name for path in (folder / "var").iterdir()) == before


def test_secrets(folder, capsys):
    """Each is listed by name and place, with what is missing and where it may stand; no value."""
    (folder / "secrets").mkdir()
    (folder / "secrets" / "PW").write_text("hunter2")
    (folder / "config.toml").write_text(f'secrets_dir = "{folder / "secrets"}"\n{CONFIG}')
    write(folder, "run.secret('PW'), run.secret('TOKEN'), run.secret('lower'), run.secret(name)")
    (folder / "journeys" / "_helpers.py").write_text("def f(run):\n    return run.secret('CODE')\n")
    environ = {"FOOTFALL_SECRET_CODE": "4711"}
    assert check_secrets(folder / "config.toml", environ) == 2
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0] == "there    CODE  journeys/_helpers.py:2"
    assert lines[1] == "there    PW  journeys/look.py:7"
    assert lines[2].startswith("missing  TOKEN  journeys/look.py:7: not found; set ")
    assert lines[3].startswith("missing  lower  journeys/look.py:7: names of secrets consist of")
    assert lines[4].startswith("unknown  journeys/look.py:7: ")
    assert "hunter2" not in out
    assert "4711" not in out
    write(folder, "run.secret('PW')")
    assert check_secrets(folder / "config.toml", environ) == 0
