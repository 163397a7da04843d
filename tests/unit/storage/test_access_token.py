"""The token in the state folder: its user's alone, and the same for as long as it is fit."""

from __future__ import annotations

import os
import stat

import pytest
from structlog.testing import capture_logs

from agent.core.errors import StateError
from agent.storage import access_token


def test_it_is_made_once_and_kept(tmp_path):
    """Random, for its user alone whatever the mask, with nothing left beside it."""
    mask = os.umask(0)
    try:
        token = access_token.keep(tmp_path)
    finally:
        os.umask(mask)
    file = tmp_path / "token"
    assert len(token) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert access_token.keep(tmp_path) == access_token.read(tmp_path) == token
    assert [path.name for path in tmp_path.iterdir()] == ["token"]
    (tmp_path / "other").mkdir()
    assert access_token.keep(tmp_path / "other") != token


def write(file, text, mode=0o600):
    file.write_text(text)
    file.chmod(mode)


UNFIT = {
    "empty": (lambda file: write(file, ""), "no token of 32"),
    "short": (lambda file: write(file, "abc\n"), "no token of 32"),
    "no token": (lambda file: write(file, "ü" * 40), "no token of 32"),
    "two lines": (lambda file: write(file, "a" * 40 + "\n" + "b" * 40), "no token of 32"),
    "read by the group": (lambda file: write(file, "a" * 40, 0o640), "other users"),
    "written by others": (lambda file: write(file, "a" * 40, 0o602), "other users"),
    "a link": (lambda file: file.symlink_to(file.parent / "elsewhere"), "no plain file"),
    "a pipe": (os.mkfifo, "no plain file"),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_one_that_is_unfit_is_made_anew_with_a_word(tmp_path, kind):
    """What others may have seen or set is no secret; what a link leads to stays as it is."""
    spoil, why = UNFIT[kind]
    write(tmp_path / "elsewhere", "c" * 40)
    spoil(tmp_path / "token")
    with capture_logs() as told:
        token = access_token.keep(tmp_path)
    (warning,) = told
    assert (warning["event"], warning["log_level"]) == ("token.renewed", "warning")
    assert why in warning["why"]
    assert token not in str(told)
    assert token not in {"a" * 40, "c" * 40}
    assert stat.S_IMODE((tmp_path / "token").lstat().st_mode) == 0o600
    assert (tmp_path / "elsewhere").read_text() == "c" * 40
    with capture_logs() as told:
        assert access_token.keep(tmp_path) == token
    assert told == []


def test_what_a_killed_start_left_is_no_obstacle(tmp_path):
    """A half-written one is never taken for the token."""
    (tmp_path / "token.partial").symlink_to(tmp_path / "elsewhere")
    token = access_token.keep(tmp_path)
    assert access_token.read(tmp_path) == token
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_takes_none_is_no_start(tmp_path):
    """The error names the file and the key."""
    (tmp_path / "token").mkdir()
    with pytest.raises(StateError, match=r"token: .*key `state`"):
        access_token.keep(tmp_path)


def test_where_there_is_none_nothing_is_read(tmp_path):
    """Neither of a folder that is missing, nor what is no token."""
    assert access_token.read(tmp_path / "nowhere") == ""
    write(tmp_path / "token", "short")
    assert access_token.read(tmp_path) == ""
    access_token.drop(tmp_path)
    access_token.drop(tmp_path)
    assert not (tmp_path / "token").exists()
