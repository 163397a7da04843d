"""Durations, sizes and cadences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.model import Cadence
from agent.core.units import (
    format_duration,
    format_size,
    parse_cadence,
    parse_duration,
    parse_size,
)


@given(st.integers(min_value=0, max_value=10 * 365 * 86_400_000))
def test_a_duration_survives_being_written_and_read(milliseconds):
    """What format_duration writes, parse_duration reads back to the same float."""
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(min_value=0, max_value=1 << 60))
def test_a_size_survives_being_written_and_read(size):
    """What format_size writes, parse_size reads back to the same number of bytes."""
    assert parse_size(format_size(size)) == size


@given(st.text(alphabet="0123456789.dhms -+eE\u0663", max_size=8))
def test_no_text_gives_a_duration_that_cannot_be_used(text):
    """Whatever is read as a duration is a number of seconds from zero up."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 <= seconds < float("inf")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("20s", 20),
        ("1m", 60),
        ("1h30m", 5400),
        ("14d", 1_209_600),
        ("1.5s", 1.5),
        ("0s", 0),
        ("1m1ms", 60.001),
    ],
)
def test_durations_mean_what_people_mean(text, seconds):
    """Each unit is what its letter says; ``m`` is minutes and ``ms`` milliseconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "20", "1 m", "-1s", "30m1h", "1s1s", "1S", "s", "1e3s", "\u0663s", "99999d"]
)
def test_what_is_no_duration_is_refused(text):
    """A number without a unit, a sign, units twice or in a strange order are errors."""
    with pytest.raises(ValueError, match=r"duration|ten years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1024", 1024),
        ("512MiB", 512 * 1024 * 1024),
        ("1GiB", 1 << 30),
        ("10MB", 10_000_000),
        ("1.5GiB", 3 << 29),
        ("1 GiB", 1 << 30),
        ("0", 0),
    ],
)
def test_sizes_are_binary_with_an_i_and_decimal_without(text, size):
    """MiB counts in 1024s and MB in 1000s."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1Mb", "1.5B", "512 mib", "1XB"])
def test_what_is_no_size_is_refused(text):
    """Bits, signs, unknown units and parts of a byte are errors."""
    with pytest.raises(ValueError, match=r"not a size|whole number"):
        parse_size(text)


def test_sizes_are_written_in_the_largest_exact_unit():
    """A round size is written round; no size is rounded to look better."""
    assert [format_size(n) for n in (1 << 30, 10_000_000, 1025, 0)] == [
        "1GiB",
        "10MB",
        "1025B",
        "0B",
    ]


def test_five_fields_are_a_cron_line_and_anything_else_an_interval():
    """A cron line is told by its number of fields, and keeps its time zone."""
    assert parse_cadence("0  3 * * 7", "Europe/Berlin") == Cadence(
        cron="0 3 * * 7", timezone="Europe/Berlin"
    )
    assert parse_cadence("1m30s", "UTC") == Cadence(seconds=90.0, timezone="UTC")


@pytest.mark.parametrize(
    ("every", "timezone", "told"),
    [
        ("500ms", "UTC", "shortest interval is 1s"),
        ("often", "UTC", "neither a duration"),
        ("* * * *", "UTC", "neither a duration"),
        ("* * * * * *", "UTC", "cron line of five fields"),
        ("1m", "Europe", "not a time zone"),
        ("1m", "Mars/Base", "not a time zone"),
        ("1m", "/etc/passwd", "not a time zone"),
        ("1m", "", "not a time zone"),
    ],
)
def test_a_cadence_that_cannot_be_is_refused_with_the_reason(every, timezone, told):
    """Too often, the wrong number of fields, or a time zone that doesn't exist."""
    with pytest.raises(ValueError, match=told):
        parse_cadence(every, timezone)
