"""Which release answered, and what counts."""

from __future__ import annotations

import pytest

from agent.gates.judged_release import Releases


def test_any_counts_where_none_is_named():
    """Whichever answered, or none."""
    releases = Releases("", told=True)
    assert [releases.refuses(met, passed=True) for met in ((), ("1",), ("1", "2"))] == ["", "", ""]
    assert not releases.missing


@pytest.mark.parametrize(
    ("met", "why"),
    [
        (("1.4.2",), "1.4.2 answered"),
        (("1.4.3", "1.4.2"), "1.4.2 and 1.4.3 answered"),
        ((), "no document said which release answered"),
    ],
)
def test_another_one_does_not_count(met, why):
    """Nor one that answered beside it, nor where nobody knows which did."""
    releases = Releases("1.4.3", told=True)
    assert releases.refuses(met, passed=True) == why
    assert releases.refuses(met, passed=False) == why
    assert releases.missing
    assert releases.refuses(("1.4.3",), passed=True) == ""
    assert not releases.missing


def test_what_answers_in_its_stead_is_told():
    """In the words of the verdict."""
    releases = Releases("1.4.3", told=True)
    assert not releases.missing
    releases.refuses((), passed=False)
    assert releases.words == "no document said which release answers"
    releases.refuses(("1.4.2",), passed=True)
    assert releases.words == "still 1.4.2"


def test_an_error_page_without_a_name_counts_once_the_new_one_has_answered():
    """A proxy's page says nothing of releases; before that it may be the old one's."""
    releases = Releases("1.4.3", told=True)
    assert releases.refuses((), passed=False)
    releases.refuses(("1.4.3",), passed=True)
    assert not releases.refuses((), passed=False)
    assert releases.refuses((), passed=True)


def test_a_site_that_tells_none_is_judged_all_the_same():
    """Where the configuration doesn't say how it would; that nobody knows is noted."""
    releases = Releases("1.4.3", told=False)
    assert not releases.refuses((), passed=True)
    assert releases.unknown
    assert releases.refuses(("1.4.2",), passed=True) == "1.4.2 answered"
