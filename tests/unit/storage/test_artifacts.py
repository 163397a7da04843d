"""Evidence: kept where wanted, capped by age and by bytes, oldest first."""

from __future__ import annotations

import gc
import os
import re
from datetime import UTC, datetime

import pytest
import structlog

from agent.core.errors import ErrorType
from agent.core.results import Attempt, Result
from agent.storage.artifacts import ArtifactStore, Retention

AT = 1_800_000_000.0
PASSED = Attempt(1, Result.PASS, "0b" * 8, AT, 1.0)
FAILED = Attempt(1, Result.FAIL, "0b" * 8, AT, 1.0, ErrorType.ASSERTION, "no")
UNMEASURED = Attempt(1, Result.NOT_MEASURED, "0b" * 8, AT, 1.0, ErrorType.BROWSER_CRASH, "gone")


@pytest.fixture
def make(tmp_path):
    def store(keep="failed", max_bytes=1 << 20, max_age=3600.0, trace="all"):
        retention = Retention(keep, trace, max_bytes, max_age)
        made = ArtifactStore(tmp_path / "artifacts", tmp_path / "scratch", retention)
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


@pytest.mark.parametrize(
    ("trace", "attempt", "kept"),
    [
        ("all", PASSED, True), ("all", FAILED, True),
        ("failed", PASSED, False), ("failed", FAILED, True), ("failed", UNMEASURED, True),
        ("none", PASSED, False), ("none", FAILED, False),
    ],
)  # fmt: skip
def test_of_which_attempt_a_trace_is_kept(make, trace, attempt, kept):
    """By a rule of its own, within what is kept at all."""
    for keep in ("all", "none"):
        store = make(keep, trace=trace)
        recorded(store)
        (store.open_scratch("run-1", 1) / "trace.zip").write_bytes(b"PK")
        paths = store.keep("buy", "run-1", AT, attempt, ("failure.json", "trace.zip"))
        names = [path.rpartition("/")[2] for path in paths]
        assert names == ["failure.json", *["trace.zip"] * kept] * (keep == "all")


@pytest.mark.parametrize(
    ("trace", "number", "confirmed", "records"),
    [
        ("all", 1, True, True),
        ("failed", 1, True, False),
        ("failed", 2, True, True),
        ("failed", 1, False, True),
        ("none", 2, False, False),
    ],
)
def test_which_attempt_records_a_trace(make, trace, number, confirmed, records):
    """Always, never, or the one that decides about a failure."""
    assert make(trace=trace).retention.records(number, confirmed=confirmed) is records


HOSTILE = ["../outside.txt", "../../outside.txt", "/etc/hostname", ".", "..", "", "other.html"]
HOSTILE += ["deep/../failure.json", "./failure.json", "failure.json/", "trace\0.zip", "x" * 5000]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_worker_names_nothing_but_evidence(make, tmp_path, name):
    """Whatever else it names is neither moved nor kept, and costs the rest nothing."""
    store = make()
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    (tmp_path / "scratch" / "outside.txt").write_text("another run's")
    recorded(store)
    (store.open_scratch("run-1", 1) / "deep").mkdir()
    paths = store.keep("buy", "run-1", AT, FAILED, (name, "failure.json"))
    assert [path.rpartition("/")[2] for path in paths] == ["failure.json"]
    assert outside.read_text() == "mine"
    assert (tmp_path / "scratch" / "outside.txt").read_text() == "another run's"


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "pipe"])
def test_only_plain_files_are_kept(make, tmp_path, kind):
    """A link would lead out of the folder, and whoever reads a pipe waits."""
    store = make()
    file = store.open_scratch("run-1", 1) / "screenshot.png"
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    if kind == "link":
        file.symlink_to(outside)
    elif kind == "dangling":
        file.symlink_to(tmp_path / "nowhere")
    elif kind == "folder":
        file.mkdir()
    else:
        os.mkfifo(file)
    assert store.keep("buy", "run-1", AT, FAILED, ("screenshot.png",)) == ()
    assert outside.read_text() == "mine"


def test_evidence_that_can_not_be_kept_costs_nothing_else(make, tmp_path):
    """It is told to the log, scratch is emptied, and the run goes on without it."""
    store = make()
    names = recorded(store)
    (tmp_path / "artifacts" / "buy").write_text("no folder")
    with structlog.testing.capture_logs() as logs:
        assert store.keep("buy", "run-1", AT, FAILED, names) == ()
    assert [one["event"] for one in logs] == ["artifacts.not_kept"]
    assert not list((tmp_path / "scratch").iterdir())


def test_what_is_kept_is_its_users_alone(make, tmp_path):
    """Whatever the process's mask says: folders 0700, files 0600."""
    before = os.umask(0)
    try:
        store = make()
        store.keep("buy", "run-1", AT, FAILED, recorded(store))
    finally:
        os.umask(before)
    for path in (tmp_path / "artifacts" / "buy").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert (tmp_path / "artifacts" / "buy").stat().st_mode & 0o777 == 0o700
    assert store.open_scratch("run-2", 1).stat().st_mode & 0o777 == 0o700


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


def test_after_the_clock_was_set_back_the_newest_is_the_last_to_go(make, tmp_path):
    """What is kept after older evidence counts as newer, whatever the clock said of that."""
    store = make(max_bytes=50, max_age=1e9)
    future = datetime.now(UTC).timestamp() + 86_400.0
    keep_run(store, tmp_path, 1, age=AT - future, size=15)
    store.sweep(AT)
    names = recorded(store, "run-2")
    store.keep("journey_2", "run-2", AT, FAILED, names)
    store.keep("journey_3", "run-3", AT, FAILED, recorded(store, "run-3"))
    assert store.sweep(AT) == 1
    assert left(tmp_path) == ["journey_2", "journey_3"]
