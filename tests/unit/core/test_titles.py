"""`agent.core.titles`: what the public page may call a journey."""

from __future__ import annotations

import pytest

from agent.core.titles import LONGEST, id_of, trouble


@pytest.mark.parametrize(
    ("title", "id_"),
    [
        ("Buy a mug", "buy-a-mug"),
        ("  Ärger & Öl: 2x!", "ärger-öl-2x"),
        ("购买 杯子", "购买-杯子"),
        ("Straße", "strasse"),
        ("a__b--c", "a-b-c"),
    ],
)
def test_an_id_is_its_title_in_an_address(title, id_):
    """Letters and digits of any script, in lower case, and one hyphen for all else."""
    assert id_of(title) == id_


@pytest.mark.parametrize(
    ("title", "why"),
    [
        ("!!!", "letter or a digit"),
        ("two\nlines", "one line"),
        (" blank", "blanks around"),
        ("x" * (LONGEST + 1), "at most 80"),
        ("right\u202eleft", "one line"),
    ],
)
def test_a_title_that_can_not_be_shown_is_told(title, why):
    """Whoever gives one hears what is wrong with it."""
    assert why in trouble(title)


def test_no_title_is_a_choice():
    """Without one a journey isn't shown."""
    assert trouble("") == ""
