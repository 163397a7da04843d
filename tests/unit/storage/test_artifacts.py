"""Evidence: kept where wanted, capped by age and by bytes, oldest first."""

from __future__ import annotations

import gc
import os
import re

import pytest

from agent.core.errors import ErrorType
from agent.core.results import Attempt, Result
from agent.storage.artifacts import ArtifactStore, Policy

AT = 1_800_000_000.0
PASSED = Attempt(1, Result.PASS, "0b" * 8, AT, 1.0)
FAILED = Attempt(1, Result.FAIL, "0b" * 8, AT, 1.0, ErrorType.ASSERTION, "no")
UNMEASURED = Attempt(1, Result.NOT_MEASURED, "0b" * 8, AT, 1.0, ErrorType.BROWSER_CRASH, "gone")


@pytest.fixture
def make(tmp_path):
    def store(keep="failed", max_bytes=1 << 20, max_age=3600.0):
        made = ArtifactStore(
            tmp_path / "artifacts", tmp_path / "scratch", Policy(keep, max_bytes, max_age)
        )
        (tmp_path / "artifacts").mkdir(exist_ok=True)
        made.clear_scratch()
        return made

    return store


def recorded(store, run_id="run-1", number=1, size=10):
    folder = store.open_scratch(run_id, number)
    (folder / "screenshot.png").write_bytes(b"x" * size)
    (folder / "failure.json").write_bytes(b"y" * size)
    return ("screenshot.png", "failure.json")


@pytest.mark.parametrize(
    ("keep", "attempt", "kept"),
    [
        ("all", PASSED, True), ("all", FAILED, True), ("all", UNMEASURED, True),
        ("failed", PASSED, False), ("failed", FAILED, True), ("failed", UNMEASURED, True),
        ("none", PASSED, False), ("none", FAILED, False), ("none", UNMEASURED, False),
    ],
)  # fmt: skip
def test_what_is_kept_of_which_attempt(make, tmp_path, keep, attempt, kept):
    """Each mode, each kind of attempt; what isn't kept is gone, and scratch is always empty."""
    store = make(keep)
    paths = store.keep("buy", "run-1", AT, attempt, recorded(store))
    home = "buy/20270115T080000Z-run-1/attempt-1"
    expected = (f"{home}/screenshot.png", f"{home}/failure.json") if kept else ()
    assert paths == expected
    files = sorted((tmp_path / "artifacts").rglob("*.*"))
    assert [f.relative_to(tmp_path / "artifacts").as_posix() for f in files] == sorted(expected)
    assert not list((tmp_path / "scratch").iterdir())


def test_only_what_is_named_is_kept(make, tmp_path):
    """A file that nobody names is dropped; one that is named and missing is left out."""
    store = make()
    recorded(store)
    paths = store.keep("buy", "run-1", AT, FAILED, ("failure.json", "trace.zip"))
    assert [path.split("/")[-1] for path in paths] == ["failure.json"]
    assert not list((tmp_path / "scratch").iterdir())


def test_attempts_of_one_run_lie_beside_each_other(make):
    """One folder a run, one below it for each attempt."""
    store = make()
    first = store.keep("buy", "run-1", AT, FAILED, recorded(store))
    second_attempt = Attempt(2, Result.FAIL, "0c" * 8, AT + 5, 1.0, ErrorType.ASSERTION, "no")
    second = store.keep("buy", "run-1", AT, second_attempt, recorded(store, number=2))
    assert {path.rsplit("/", 2)[0] for path in (*first, *second)} == {"buy/20270115T080000Z-run-1"}
    assert {path.split("/")[-2] for path in second} == {"attempt-2"}


def keep_run(store, tmp_path, number, *, age, size=100):
    """Keep a run of two files of ``size`` bytes that is ``age`` seconds old."""
    store.keep(
        f"journey_{number}",
        f"run-{number}",
        AT,
        FAILED,
        recorded(store, f"run-{number}", size=size),
    )
    (folder,) = (tmp_path / "artifacts" / f"journey_{number}").iterdir()
    os.utime(folder, (AT - age, AT - age))


def left(tmp_path):
    return sorted(path.parent.name for path in (tmp_path / "artifacts").glob("*/*"))


def test_too_many_bytes_cost_the_oldest_runs(make, tmp_path):
    """Whole runs go, oldest first, whatever journey they are of, until the rest fits."""
    store = make(max_bytes=450)
    for number, age in ((1, 30), (2, 40), (3, 10), (4, 20)):
        keep_run(store, tmp_path, number, age=age)
    assert store.sweep(AT) == 2
    assert left(tmp_path) == ["journey_3", "journey_4"]
    assert store.sweep(AT) == 0


def test_what_is_too_old_goes_however_small(make, tmp_path):
    """Age alone is enough; what is exactly as old as allowed stays."""
    store = make(max_age=100.0)
    for number, age in ((1, 101), (2, 100), (3, 0)):
        keep_run(store, tmp_path, number, age=age)
    assert store.sweep(AT) == 1
    assert left(tmp_path) == ["journey_2", "journey_3"]


def test_a_start_clears_what_a_killed_predecessor_recorded(make, tmp_path):
    """Scratch is emptied, kept evidence stays."""
    store = make()
    keep_run(store, tmp_path, 1, age=0)
    recorded(store, "run-2")
    store.clear_scratch()
    assert not list((tmp_path / "scratch").iterdir())
    assert left(tmp_path) == ["journey_1"]


def test_what_a_broken_off_attempt_recorded_goes_with_its_run(make, tmp_path):
    """All attempts of the run go, another run's stay, a folder that is gone is no error, and
    no run leaves a compiled pattern behind."""
    store = make()
    for run_id, number in (("run-1", 1), ("run-1", 2), ("run-10", 1)):
        recorded(store, run_id, number)
    store.drop_scratch("run-1")
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["run-10-1"]
    before = patterns()
    for number in range(20):
        store.drop_scratch(f"run-{number}")
    assert patterns() <= before
    assert not list((tmp_path / "scratch").iterdir())
    (tmp_path / "scratch").rmdir()
    store.drop_scratch("run-1")


def patterns() -> int:
    """How many compiled patterns there are in this process."""
    return sum(type(one) is re.Pattern for one in gc.get_objects())


def test_an_empty_folder_has_nothing_to_sweep(make):
    """A first start."""
    assert make().sweep(AT) == 0
