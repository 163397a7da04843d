"""Pauses on disk: what was written is what is read, and what can't be read walks nowhere."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.suspension import Mode
from agent.schedule import pause_record
from agent.schedule.pauses import Pause

NOW = 1_800_000_000.25
PAUSE = Pause("one", ("buy", "search"), Mode.SILENCE, "why „so“", "anna", NOW, NOW + 60)
OTHERS = [
    replace(PAUSE, id="two", journeys=None, mode=Mode.STOP, until=None),
    replace(PAUSE, id="three", resumed={"buy": NOW + 1}, ended=NOW + 2),
]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "pauses.json"


def test_what_is_written_is_read(file):
    """Every field comes back as it was, and nobody else can read the file."""
    pause_record.write(file, [PAUSE, *OTHERS])
    assert pause_record.read(file, NOW) == [PAUSE, *OTHERS]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_folder_without_the_file_has_no_pauses(file):
    """A fresh folder, or an older agent's, pauses nothing."""
    assert pause_record.read(file, NOW) == []


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\0" * 200,
        b'{"pauses": [{"id": "one", "journ',
        b"\xff\xfe",
        b"[]",
        b'{"pauses": {}}',
        b'{"pauses": [{"id": "one"}]}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_pauses_everything(file, damage):
    """Nobody knows what was paused: all stands still, over restarts, until a person says so."""
    file.write_bytes(damage)
    (held,) = pause_record.read(file, NOW)
    assert (held.journeys, held.mode, held.until) == (None, Mode.STOP, None)
    assert held.holds("anything", NOW)
    assert str(file) in held.reason
    assert pause_record.read(file, NOW + 60) == [held]
    assert file.with_name("pauses.json.damaged").read_bytes() == damage


def test_one_wrong_pause_is_a_damaged_file(file):
    """A mode that this agent doesn't know is not taken for another one."""
    pause_record.write(file, [PAUSE])
    told = json.loads(file.read_text())
    told["pauses"][0]["mode"] = "doze"
    file.write_text(json.dumps(told))
    (held,) = pause_record.read(file, NOW)
    assert held.journeys is None


def test_fields_of_a_newer_agent_are_passed_over(file):
    """What a newer agent wrote besides doesn't pause everything."""
    pause_record.write(file, [PAUSE])
    told = json.loads(file.read_text())
    told["pauses"][0]["ticket"] = "OPS-1"
    file.write_text(json.dumps(told | {"more": 1}))
    assert pause_record.read(file, NOW) == [PAUSE]


def test_a_file_that_may_not_be_read_pauses_everything(file):
    """A folder in the file's place is no reason to walk."""
    file.mkdir()
    (held,) = pause_record.read(file, NOW)
    assert held.journeys is None


def test_a_disk_that_refuses_leaves_the_file_as_it_was(file, monkeypatch):
    """Half a file is never read."""
    pause_record.write(file, [PAUSE])

    def refuse(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        pause_record.write(file, [])
    monkeypatch.undo()
    assert pause_record.read(file, NOW) == [PAUSE]


@given(st.binary(max_size=200), st.integers(0, 400))
def test_any_damage_is_no_pause_or_a_pause_of_everything(tmp_path_factory, noise, place):
    """Whatever overwrites the file, pauses come back as they were, or everything is paused."""
    file = tmp_path_factory.mktemp("record") / "pauses.json"
    pause_record.write(file, [PAUSE])
    text = bytearray(file.read_bytes())
    text[place : place + len(noise)] = noise
    file.write_bytes(text)
    found = pause_record.read(file, NOW)
    assert len(found) <= 1 or found[0].journeys is None
