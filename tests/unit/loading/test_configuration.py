"""What workers are told of the journeys: where they lie, and where their code is read from."""

from __future__ import annotations

from agent.config import Settings
from agent.loading.load import configuration


def test_a_copy_is_named_beside_the_folder(tmp_path):
    """Journeys believe to lie in their folder, whichever copy of it is walked."""
    settings = Settings(journeys=tmp_path / "journeys")
    told = configuration(settings, tmp_path / "copies/1/journeys", "")
    assert told.journeys == str(tmp_path / "journeys")
    assert told.copy == str(tmp_path / "copies/1/journeys")


def test_without_a_copy_there_is_none_to_name(tmp_path):
    """Under ``once`` and pytest code is read where it lies."""
    settings = Settings(journeys=tmp_path / "journeys")
    assert configuration(settings, settings.journeys, "").copy == ""
