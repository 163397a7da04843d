"""Configuration and journeys as the daemon meets them: at its start, and at SIGHUP."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest

from tests.acceptance.conftest import LOOK
from tests.support.daemon import Daemon


async def test_a_bad_configuration_is_refused_with_every_fault_at_once(home):
    """`run` and `check` exit 2 and name each fault with file, line and key; nothing is made."""
    home.journey("look", LOOK)
    home.configure(
        schedule={"timeout": "soon"}, workers={"cuont": 2}, journey__look={"enabled": "perhaps"}
    )
    lines = home.config.read_text().splitlines()
    expected = {
        number: line.split(" ")[0]
        for number, line in enumerate(lines, 1)
        if line.startswith(("timeout", "cuont", "enabled"))
    }
    assert len(expected) == 3
    for command in ("run", "check"):
        refused = await home.footfall(command, "--config", str(home.config))
        assert refused.code == 2, refused
        for number, key in expected.items():
            told = [line for line in refused.err.splitlines() if f"config.toml:{number}" in line]
            assert any(key in line for line in told), (number, key, refused.err)
        assert "Traceback" not in refused.err
    assert not home.state.exists()


async def test_a_journey_that_cannot_run_as_configured_is_refused(home):
    """A timeout that doesn't fit and an unknown site are told together, by file and line."""
    home.journey("tight", LOOK)
    home.journey("lost", LOOK, 'site="warehouse", owner="tests"')
    home.configure(journey__tight={"every": "3s", "timeout": "3s"})
    refused = await home.footfall("run", "--config", str(home.config))
    assert refused.code == 2
    assert "journeys/lost.py:" in refused.err
    assert "warehouse" in refused.err
    assert "config.toml:" in refused.err
    assert "tight" in refused.err


async def test_a_variable_nobody_knows_is_refused(home):
    """A misspelt FOOTFALL_… variable is an error, not silence."""
    home.journey("look", LOOK)
    home.environment["FOOTFALL_WORKERS__CUONT"] = "2"
    refused = await home.footfall("run", "--config", str(home.config))
    assert refused.code == 2
    assert "FOOTFALL_WORKERS__CUONT" in refused.err


TOKEN = "0123456789abcdef-token"
SECRET = "postgres://u:hunter2pw@db/prod"


@pytest.fixture
def mixed(home):
    """One good journey among files that are broken in every way."""
    home.journey("look", LOOK)
    home.file("syntax.py", "import os\n\ndef broken(:\n    pass\n")
    home.file("missing.py", '"""Text."""\n\nimport no_such_module_anywhere\n')
    home.file("leaves.py", "import os\n\nos._exit(3)\n")
    home.file("quotes.py", f'"""Text."""\n\nraise ValueError("{SECRET}")\n')
    home.journey("double", LOOK)
    home.file("double_two.py", (home.journeys / "double.py").read_text())
    return home


BROKEN = (
    "quotes.py:3",
    "syntax.py:3",
    "missing.py:3",
    "leaves.py:",
    "double.py:",
    "double_two.py:",
)


async def test_broken_journey_files_cost_only_themselves(mixed):
    """Each is told by file and line, /readyz says so, what they say only to who shows the token,
    and the others run on."""
    mixed.environment["FOOTFALL_SERVER__TOKEN"] = TOKEN
    async with Daemon(mixed) as daemon:
        await daemon.started()
        told = " ".join(record["where"] for record in daemon.events("journey.broken"))
        assert all(f"journeys/{place}" in told for place in BROKEN), told
        await daemon.finished("look", "pass")
        status, body = await daemon.get("/readyz")
        assert status == 503
        assert not body["checks"]["journeys"]["ok"]
        detail = body["checks"]["journeys"]["detail"]
        assert all(place in detail for place in BROKEN)
        assert "hunter2pw" not in str(body)
        _, body = await daemon.get("/readyz", TOKEN)
        assert SECRET in body["checks"]["journeys"]["detail"]
        assert (await daemon.get("/healthz"))[0] == 200
        assert await daemon.terminate() == 0
    assert {run["journey"] for run in mixed.runs()} == {"look"}


async def test_check_tells_what_the_daemon_would(mixed):
    """`check` names the same broken files and exits 2; without them it prints the plan."""
    refused = await mixed.footfall("check", "--config", str(mixed.config))
    assert refused.code == 2
    assert all(f"journeys/{place}" in refused.err for place in BROKEN), refused.err
    for place in BROKEN:
        (mixed.journeys / place.partition(":")[0]).unlink()
    mixed.journey("rests", LOOK)
    mixed.configure(journey__rests={"enabled": False})
    fine = await mixed.footfall("check", "--config", str(mixed.config))
    assert fine.code == 0, fine
    assert "2 journeys at test" in fine.out
    assert "3s" in fine.out
    assert fine.out.count("disabled") == 1
    for path in mixed.journeys.glob("*.py"):
        path.unlink()
    mixed.configure()
    assert (await mixed.footfall("check", "--config", str(mixed.config))).code == 2
    assert not mixed.state.exists(), "check leaves nothing behind"


async def test_an_import_that_hangs_costs_only_itself(home):
    """A file that never ends its import is told by file and line; the other journey runs."""
    home.journey("look", LOOK)
    home.file("hangs.py", "import time\n\ntime.sleep(600)\n")
    async with Daemon(home) as daemon:
        await daemon.started(90)
        (told,) = daemon.events("journey.broken")
        assert "journeys/hangs.py:3" in told["where"]
        await daemon.finished("look", "pass")
        assert await daemon.terminate() == 0
    assert not home.processes()


async def test_no_good_journey_at_all_is_no_start(home):
    """Where every file is broken the daemon exits 2 with file and line."""
    home.file("syntax.py", "def broken(:\n")
    refused = await home.footfall("run", "--config", str(home.config))
    assert refused.code == 2
    assert "journeys/syntax.py:1" in refused.err
    assert not home.processes()


async def test_sighup_takes_up_a_good_change_and_refuses_a_bad_one_whole(home):
    """A new journey starts to tick; then a change with one fault in it changes nothing at all,
    and says why; and the daemon never restarts."""
    home.journey("look", LOOK)
    async with Daemon(home) as daemon:
        await daemon.started()
        await daemon.finished("look", "pass")
        home.journey("second", LOOK)
        daemon.signal(signal.SIGHUP)
        done = await daemon.wait_for("reload.done")
        assert done["journeys"] == ["look", "second"]
        await daemon.finished("second", "pass")

        home.journey("third", LOOK)
        home.configure(journey__look={"enabled": False}, schedule={"timeout": "soon"})
        mark = len(daemon.records)
        daemon.signal(signal.SIGHUP)
        refused = await daemon.wait_for("reload.refused", after=mark)
        assert "timeout" in refused["error"]
        assert "config.toml:" in refused["error"]
        await daemon.finished("look", "pass", after=mark)
        await daemon.finished("second", "pass", after=mark)

        home.configure()
        home.file("broken.py", "def broken(:\n")
        mark = len(daemon.records)
        daemon.signal(signal.SIGHUP)
        refused = await daemon.wait_for("reload.refused", after=mark)
        assert "journeys/broken.py:1" in refused["error"]
        await daemon.finished("look", "pass", after=mark)
        status, ready = await daemon.get("/readyz")
        assert (status, ready["checks"]["reload"]["degraded"]) == (200, True)
        assert "broken.py" not in str(ready), "a stranger isn't told what a file holds"
        assert {run["journey"] for run in home.runs()} == {"look", "second"}

        (home.journeys / "broken.py").unlink()
        mark = len(daemon.records)
        daemon.signal(signal.SIGHUP)
        await daemon.wait_for("reload.done", after=mark)
        async with asyncio.timeout(30):
            # A look at readiness counts for half a second.
            while "degraded" in (await daemon.get("/readyz"))[1]["checks"]["reload"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert await daemon.terminate() == 0, daemon.story()
    assert set(home.balance().values()) == {0}
    assert not home.processes()


async def test_sighup_lets_go_of_what_was_removed(home):
    """A journey whose file is gone and one that is disabled decide no slot any more."""
    for name in ("stays", "goes", "rests"):
        home.journey(name, LOOK)
    home.configure(schedule={"every": "2s", "timeout": "1s", "grace": "1s"})
    async with Daemon(home) as daemon:
        await daemon.started()
        for name in ("stays", "goes", "rests"):
            await daemon.finished(name)
        (home.journeys / "goes.py").unlink()
        home.configure(
            schedule={"every": "2s", "timeout": "1s", "grace": "1s"},
            journey__rests={"enabled": False},
        )
        daemon.signal(signal.SIGHUP)
        await daemon.wait_for("reload.done")
        before = home.totals("expected")
        mark = len(daemon.records)
        await daemon.finished("stays", after=mark)
        later = len(daemon.records)
        await daemon.finished("stays", after=later)
        after = home.totals("expected")
        assert await daemon.terminate() == 0
    assert after["stays"] > before["stays"]
    assert (after["goes"], after["rests"]) == (before["goes"], before["rests"])
    assert set(home.balance().values()) == {0}


BESIDE = """
from pathlib import Path

from agent import Run, journey
from lists.read import PRODUCTS

HERE = Path(__file__).parent


@journey(
    site="shop",
    owner="tests",
    every="5s",
    timeout="3s",
    params={"above": str(HERE.parent / "above.txt"), "products": PRODUCTS},
    context={"storage_state": HERE / ".auth" / "user.json"},
)
async def beside(run: Run) -> None:
    async with run.step("Open"):
        await run.page.goto("/")
        assert [one["name"] for one in await run.context.cookies()].count("kept") == 1
    async with run.step("Read"):
        assert Path(run.params["above"]).read_text() == "above"
        assert Path("journeys/lists/products.txt").read_text() == "mug"
        assert run.params["products"] == "mug"
"""


async def test_files_mean_the_same_under_once_and_the_daemon(home, shop):
    """Beside the journey, in a hidden folder, above it, beside a helper, and by a relative path."""
    cookie = {"name": "kept", "value": "1", "url": shop.url}
    for folder in (".auth", "lists"):
        (home.journeys / folder).mkdir()
    home.file(".auth/user.json", json.dumps({"cookies": [cookie], "origins": []}))
    home.file("lists/products.txt", "mug")
    home.file(
        "lists/read.py",
        "from pathlib import Path\n\n"
        'PRODUCTS = (Path(__file__).parent / "products.txt").read_text()\n',
    )
    (home.path / "above.txt").write_text("above")
    home.file("beside.py", BESIDE)
    once = await home.footfall("once", "beside")
    assert once.code == 0, once
    async with Daemon(home) as daemon:
        run = await daemon.finished("beside")
    assert run["result"] == "pass", run
