"""A file that another version wrote is taken up with all its rows, or left as it was."""

from __future__ import annotations

import sqlite3

import pytest
import structlog

import agent.storage.database
from agent.core.clock import SystemClock
from agent.core.errors import StateError
from agent.storage.database import Database
from agent.storage.migration import migrate

OLD = """
CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY, gone INTEGER, n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sums (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS queue (x INTEGER);
CREATE INDEX IF NOT EXISTS words_by_n ON words (n);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON words
    BEGIN UPDATE sums SET n = n + new.n; END;
"""
NEW = """
CREATE TABLE IF NOT EXISTS words (
    word TEXT PRIMARY KEY,
    n INTEGER NOT NULL CHECK (n < 100),
    note TEXT NOT NULL DEFAULT 'none'
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sums (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS words_by_note ON words (note);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON words
    BEGIN UPDATE sums SET n = n + new.n; END;
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "footfall.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD)
        connection.execute("INSERT INTO sums VALUES (1, 0)")
        connection.executemany("INSERT INTO words VALUES (?, 7, ?)", [("a", 1), ("b", 2)])
        connection.execute("INSERT INTO queue VALUES (1)")
    connection.close()
    return path


async def opened(path, *schemas):
    database = Database(path, schemas, SystemClock())
    await database.open()
    return database


async def rows(database, query):
    found = await database.transaction(lambda c: c.execute(query).fetchall())
    return [tuple(row) for row in found]


async def test_rows_are_taken_over_into_the_new_form(path):
    """Columns that stayed keep their values, new ones have defaults, triggers count once."""
    with structlog.testing.capture_logs() as logs:
        database = await opened(path, NEW)
    assert [(one["event"], one["tables"]) for one in logs] == [("state.migrated", ["words"])]
    assert await rows(database, "SELECT word, n, note FROM words") == [
        ("a", 1, "none"),
        ("b", 2, "none"),
    ]
    assert await rows(database, "SELECT n FROM sums") == [(3,)]
    await database.transaction(lambda c: c.execute("INSERT INTO words VALUES ('c', 4, '')"))
    assert await rows(database, "SELECT n FROM sums") == [(7,)]
    await database.close()


async def test_a_trigger_and_an_index_of_another_form_are_made_anew(path):
    """Also where no table has changed; nothing else is touched."""
    changed = OLD.replace("n + new.n", "n + 10 * new.n").replace(
        "ON words (n)", "ON words (n, gone)"
    )
    with structlog.testing.capture_logs() as logs:
        database = await opened(path, changed)
    assert logs == []
    await database.transaction(lambda c: c.execute("INSERT INTO words VALUES ('c', 7, 4)"))
    assert await rows(database, "SELECT n FROM sums") == [(43,)]
    plan = await rows(database, "EXPLAIN QUERY PLAN SELECT n, gone FROM words ORDER BY n, gone")
    assert "words_by_n" in plan[0][3]
    assert "TEMP B-TREE" not in str(plan)
    await database.close()


async def test_the_second_start_changes_nothing(path):
    """What was taken up once is as it should be."""
    await (await opened(path, NEW)).close()
    with structlog.testing.capture_logs() as logs:
        await (await opened(path, NEW)).close()
    assert logs == []


async def test_the_older_agent_finds_its_own_again(path):
    """Back to the version before: its rows are there, and so is a table that only it knows."""
    await (await opened(path, NEW)).close()
    older = OLD.replace("gone INTEGER", "gone INTEGER DEFAULT 9")
    database = await opened(path, older)
    assert await rows(database, "SELECT word, gone, n FROM words") == [("a", 9, 1), ("b", 9, 2)]
    assert await rows(database, "SELECT x FROM queue") == [(1,)]
    await database.close()


async def test_a_row_that_is_not_allowed_any_more_costs_no_other(path):
    """It goes alone."""
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO words VALUES ('big', 7, 100)")
    connection.close()
    database = await opened(path, NEW)
    assert await rows(database, "SELECT word FROM words") == [("a",), ("b",)]
    await database.close()


async def test_tables_that_have_nothing_in_common(path):
    """The new one is there, and empty."""
    database = await opened(path, "CREATE TABLE IF NOT EXISTS queue (y INTEGER);")
    assert await rows(database, "SELECT y FROM queue") == []
    await database.close()


def test_a_fresh_file_and_a_sound_one_are_not_touched(path, tmp_path):
    """Nothing is written where nothing differs."""
    for file, schema in ((path, OLD), (tmp_path / "fresh.db", OLD)):
        connection = sqlite3.connect(file, isolation_level=None)
        before = connection.total_changes
        assert migrate(connection, [schema]) == []
        assert connection.total_changes == before
        connection.close()


async def test_where_there_is_no_room_the_file_stays_as_it_was(path, monkeypatch):
    """The start is refused; with room again it goes on with every row."""
    with sqlite3.connect(path) as connection:
        words = [(f"w{number}" * 50,) for number in range(3000)]
        connection.executemany("INSERT INTO words VALUES (?, 7, 1)", words)
    connection.close()

    def cramped(connection, schemas):
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")
        return migrate(connection, schemas)

    larger = NEW.replace("'none'", f"'{'x' * 2000}'")
    with monkeypatch.context() as patched:
        patched.setattr(agent.storage.database, "migrate", cramped)
        with pytest.raises(StateError, match="full"):
            await opened(path, larger)
    database = await opened(path, larger)
    assert await rows(database, "SELECT count(*), min(length(note)) FROM words") == [(3002, 2000)]
    await database.close()
