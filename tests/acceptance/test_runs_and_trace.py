"""What an agent has walked, and a run's trace, from the command line."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.acceptance.conftest import LOOK
from tests.acceptance.test_control import FAILS
from tests.support.daemon import Daemon


async def test_runs_are_listed_and_a_trace_is_fetched(home, tmp_path):
    """The newest first, each within 80 columns, with the failed step and the error's first line.
    Without a display a trace is fetched for its user alone and said to be there; a run that has
    none, or no longer, is told apart; without an agent both exit 4."""
    home.journey("look", LOOK)
    home.journey("broken", FAILS)
    home.configure(
        journey__look={"every": "6s", "timeout": "5s"},
        journey__broken={"every": "11s", "timeout": "8s", "grace": "3s"},
    )
    home.environment |= {"COLUMNS": "80", "TMPDIR": str(tmp_path)}
    async with Daemon(home) as daemon:
        failed = await daemon.finished("broken", "fail")
        passed = await daemon.finished("look", "pass")

        listed = await home.footfall("runs")
        assert listed.code == 0, listed
        lines = listed.out.splitlines()
        assert lines[0].split() == ["run", "started", "(UTC)", "result", "took", "journey"]
        assert all(len(line) <= 80 for line in lines), listed.out
        at = next(n for n, line in enumerate(lines) if line.startswith(failed["run_id"][:8]))
        assert (lines[at].split()[3], lines[at].split()[-1]) == ("fail", "broken")
        assert lines[at + 1].strip() == 'assertion in "Find what isn\'t there"'
        assert failed["error"].startswith(lines[at + 2].strip().removesuffix("…"))
        whole = await home.footfall("runs", "broken", "--json", "--result", "fail", "--limit", "1")
        (run,) = whole.objects
        assert (run["journey"], run["result"]) == ("broken", "fail")
        for given, why in (
            (("brocken",), "no journey is called 'brocken'; known: broken, look"),
            (("--limit", "0"), "limit must be a whole number"),
            (("--result", "bad"), "result must be one of"),
        ):
            refused = await home.footfall("runs", *given)
            assert (refused.code, why in refused.err) == (2, True), refused

        shown = await home.footfall("trace", failed["run_id"][:8])
        assert shown.code == 0, shown
        (word,) = (word for word in shown.out.split() if word.endswith(".zip:"))
        file = Path(word.removesuffix(":"))
        assert file.parent.parent == tmp_path
        assert file.parent.stat().st_mode & 0o077 == 0
        assert "trace.trace" in {Path(name).name for name in zipfile.ZipFile(file).namelist()}
        assert "npx playwright show-trace" in shown.out

        left = set(tmp_path.glob("footfall-trace-*"))
        for path in (home.state / "artifacts").rglob(f"*{failed['run_id']}/*/trace.zip"):
            path.unlink()
        for run_id, why in (
            (passed["run_id"], "a run that passed keeps one only with"),
            (failed["run_id"], "its trace is gone, by artifacts.max_age"),
            ("nothing", "no run has the id 'nothing'"),
        ):
            refused = await home.footfall("trace", run_id)
            assert (refused.code, why in refused.err) == (2, True), refused
        assert set(tmp_path.glob("footfall-trace-*")) == left
        assert await daemon.terminate() == 0
    for command in (["runs"], ["trace", failed["run_id"]]):
        assert (await home.footfall(*command)).code == 4
