"""The database: transactions are whole or not at all, a disk that refuses costs delay, and
damage costs what can't be read."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.clock import SystemClock
from agent.core.errors import StateError
from agent.storage.database import Database
from tests.support.clock import ManualClock

SCHEMA = "CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY);"


@pytest.fixture
async def database(tmp_path):
    opened = Database(tmp_path / "footfall.db", [SCHEMA], SystemClock())
    await opened.open()
    yield opened
    await opened.close()


def put(*words):
    return lambda c: [c.execute("INSERT INTO words VALUES (?)", (word,)) for word in words]


async def words(database):
    return await database.transaction(
        lambda c: [row["word"] for row in c.execute("SELECT word FROM words ORDER BY word")]
    )


async def test_a_transaction_is_whole_or_not_at_all(database):
    """Where the work raises, nothing of it stays, and the next one works."""
    await database.transaction(put("before"))
    with pytest.raises(sqlite3.IntegrityError):
        await database.transaction(put("half", "before"))
    assert await words(database) == ["before"]
    await database.transaction(put("after"))
    assert await words(database) == ["after", "before"]


async def test_a_transaction_gives_back_what_its_work_returns(database):
    """The value comes over from the database's thread."""
    assert await database.transaction(lambda c: c.execute("SELECT 6 * 7").fetchone()[0]) == 42


async def test_a_cancelled_caller_does_not_take_its_work_along(database):
    """What was handed over is committed whole, even if it still waited for its turn."""
    turn = threading.Event()
    before = asyncio.create_task(database.transaction(lambda _: turn.wait(10)))
    doing = asyncio.create_task(database.transaction(put("one", "two")))
    await asyncio.sleep(0)
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)
    assert doing.cancelled()
    turn.set()
    assert await before
    assert await words(database) == ["one", "two"]


async def test_what_was_committed_is_there_after_a_reopening(tmp_path, database):
    """Another handle reads it, and opening twice changes no table."""
    await database.transaction(put("kept"))
    again = Database(tmp_path / "footfall.db", [SCHEMA], SystemClock())
    await again.open()
    assert await words(again) == ["kept"]
    await again.close()


async def test_a_closed_database_says_so(tmp_path):
    """Work that never was opened is refused, not lost in silence."""
    with pytest.raises(StateError, match="closed"):
        await Database(tmp_path / "footfall.db", [SCHEMA], SystemClock()).transaction(put("lost"))


async def test_a_failed_commit_spoils_nothing_after_it(database):
    """What can't be committed is told and rolled back; the next transaction works."""

    def orphan(connection):
        connection.execute("PRAGMA defer_foreign_keys=ON")
        connection.execute("INSERT INTO child VALUES (1, 99)")

    def tables(connection):
        connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE child (id INTEGER, of INTEGER REFERENCES parent (id))")

    await database.transaction(tables)
    await asyncio.get_running_loop().run_in_executor(
        database._thread, lambda: database._connection.execute("PRAGMA foreign_keys=ON")
    )
    with pytest.raises(sqlite3.IntegrityError):
        await database.transaction(orphan)
    count = await database.transaction(
        lambda connection: connection.execute("SELECT count(*) FROM child").fetchone()[0]
    )
    assert count == 0


@pytest.fixture
async def held(tmp_path):
    clock = ManualClock(waits=True)
    opened = Database(tmp_path / "footfall.db", [SCHEMA], clock)
    await opened.open()
    await opened.transaction(put("before"))
    # A bound of its own, at which SQLite reports what it does of a full disk.
    await opened.transaction(lambda c: c.execute("PRAGMA max_page_count = 1"))
    yield opened, clock
    opened.give_up()
    await opened.close()


LONG = [f"{number}{'x' * 5000}" for number in range(4)]


async def test_a_full_disk_costs_delay(held):
    """What doesn't fit waits, as a whole, and says so; it is written once there is room."""
    database, clock = held
    writing = asyncio.create_task(database.transaction(put("short", *LONG)))
    await clock.asked(1)
    assert "full" in database.trouble
    assert await words(database) == ["before"]
    await database.transaction(lambda c: c.execute("PRAGMA max_page_count = 1000"))
    clock.advance(60)
    await writing
    assert database.trouble == ""
    assert await words(database) == sorted(["before", "short", *LONG])


async def test_who_gives_up_is_not_held_up(held):
    """At the end of the agent whoever waits is told, and so is whoever comes then."""
    database, clock = held
    writing = asyncio.create_task(database.transaction(put(*LONG)))
    await clock.asked(1)
    database.give_up()
    for late in (writing, database.transaction(put(*LONG))):
        with pytest.raises(StateError, match=r"could not be written.*full"):
            await late
    assert await words(database) == ["before"]


async def test_a_fault_in_the_work_does_not_wait(database):
    """What no disk will ever mend is raised at once."""
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await database.transaction(lambda c: c.execute("SELECT * FROM nowhere"))
    assert database.trouble == ""


async def test_freed_pages_go_back_to_the_disk(tmp_path, database):
    """After a long outage that is over the file gets smaller again."""
    await database.transaction(put(*(f"{n}{'x' * 9000}" for n in range(300))))
    await database.transaction(lambda c: c.execute("DELETE FROM words"))
    await database.shrink()
    pages = await database.transaction(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    assert pages < 100


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0"])
async def test_a_file_of_another_kind_is_set_aside(tmp_path, content):
    """The agent starts without a human; the file's bytes stay for whoever wants to look."""
    path = tmp_path / "footfall.db"
    path.write_bytes(content)
    database = Database(path, [SCHEMA], SystemClock())
    await database.open()
    await database.transaction(put("fresh"))
    assert await words(database) == ["fresh"]
    await database.close()
    (aside,) = tmp_path.glob("footfall.db.damaged-*Z")
    assert aside.read_bytes() == content


async def test_damage_under_way_costs_what_cannot_be_read(tmp_path):
    """A file that goes bad under the running agent is replaced; the work that met it is done."""
    path = tmp_path / "footfall.db"
    mended = []
    database = Database(path, [SCHEMA], SystemClock(), mended.append)
    await database.open()
    await database.transaction(put(*(f"{n:03}{'x' * 900}" for n in range(300))))
    await database.transaction(lambda c: c.execute("PRAGMA cache_size = 1"))
    await database._submit(
        lambda: database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    )
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 20000)
    before = set(await words(database))
    await database.transaction(put("after"))
    saved = set(await words(database))
    assert "after" in saved
    assert 50 < len(saved) < 301
    assert before <= saved
    assert len(mended) == 1
    await database.close()


def overwrite(path, old, new):
    """Change some bytes of a file, wherever they stand."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


async def test_text_that_is_none_costs_its_row(tmp_path):
    """SQLite hands out bytes that are no UTF-8 as text; whoever meets them gets the rest."""
    path = tmp_path / "footfall.db"
    database = Database(path, [SCHEMA], SystemClock())
    await database.open()
    await database.transaction(put("before", "middle", "other"))
    await database.close()
    overwrite(path, b"middle", b"midd\xd5e")
    database = Database(path, [SCHEMA], SystemClock())
    await database.open()
    assert await words(database) == ["before", "other"]
    await database.transaction(put("goes on"))
    await database.close()
    assert len(list(tmp_path.glob("footfall.db.damaged-*Z"))) == 1


FORMAT = bytes([0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # The name of the table, which SQLite puts into its complaint as it lies there.
        pytest.param(b"tablewordswords", b"tablew\xd5rdswords", id="a complaint in no UTF-8"),
        # The number of the schema's format, after its cookie, before the size of the cache.
        pytest.param(FORMAT, FORMAT.replace(b"\4", b"\x84"), id="an unknown format"),
    ],
)
async def test_damage_that_meets_the_opening_is_no_reason_to_stay_down(tmp_path, old, new):
    """Whatever SQLite or Python calls it, the file is set aside and the agent goes on."""
    path = tmp_path / "footfall.db"
    database = Database(path, [SCHEMA], SystemClock())
    await database.open()
    await database.transaction(put("before"))
    await database.close()
    overwrite(path, old, new)
    database = Database(path, [SCHEMA], SystemClock())
    await database.open()
    await database.transaction(put("goes on"))
    assert "goes on" in await words(database)
    await database.close()
    assert len(list(tmp_path.glob("footfall.db.damaged-*Z"))) == 1


async def opened_words(path):
    database = Database(path, [SCHEMA], SystemClock())
    await database.open()
    try:
        found = await words(database)
        await database.transaction(put("goes on"))
        assert "goes on" in await words(database)
    finally:
        await database.close()
    return found


async def written(path, count):
    """Write words in one transaction each and leave the files as a killed process would."""
    database = Database(path, [SCHEMA], SystemClock())
    await database.open()
    for number in range(count):
        await database.transaction(put(f"{number:03}{'x' * (number * 37 % 700)}"))
    files = {one.name: one.read_bytes() for one in path.parent.glob("footfall.db*")}
    await database.close()
    for one in path.parent.glob("footfall.db*"):
        one.unlink()
    return files


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(0, 1), count=st.integers(1, 40))
async def test_a_torn_log_costs_the_last_commits_only(tmp_path_factory, share, count):
    """However much of the write-ahead log is there, what comes back is what was written first."""
    path = tmp_path_factory.mktemp("torn") / "footfall.db"
    for name, content in (await written(path, count)).items():
        cut = round(len(content) * share) if name.endswith("-wal") else len(content)
        if not name.endswith("-shm"):
            path.with_name(name).write_bytes(content[:cut])
    found = await opened_words(path)
    assert [word[:3] for word in found] == [f"{number:03}" for number in range(len(found))]
    assert share < 1 or len(found) == count


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), count=st.integers(1, 60))
async def test_any_damage_is_survived_and_nothing_is_made_up(tmp_path_factory, data, count):
    """Bytes changed or cut off anywhere in either file: it opens, works, and holds nothing that
    was never written."""
    path = tmp_path_factory.mktemp("damaged") / "footfall.db"
    files = await written(path, count)
    for name, content in files.items():
        if name.endswith("-shm"):
            continue
        bytes_ = bytearray(content)
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(0, max(0, len(bytes_) - 1)))
            junk = data.draw(st.binary(min_size=1, max_size=600))
            bytes_[at : at + len(junk)] = junk[: max(0, len(bytes_) - at)]
        keep = data.draw(st.one_of(st.just(len(bytes_)), st.integers(0, len(bytes_))))
        path.with_name(name).write_bytes(bytes(bytes_[:keep]))
    found = await opened_words(path)
    assert len(found) <= count + 1
    assert len({word[:3] for word in found}) == len(found)
