import re
import subprocess
import sys
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent.core.model import Cadence
from agent.schedule.plan import Plan, Span, interval_of

KEY = ("buy_a_mug", "eu-west-1")
MINUTE, HOUR, DAY = 60, 3600, 86400
NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

# Zones and days with changes of an hour, of half an hour, of two hours, of a whole day, and
# with changes at midnight, beside days and zones without any.
DAYS = [
    ("Europe/Berlin", (2026, 3, 29)),
    ("Europe/Berlin", (2026, 10, 25)),
    ("America/New_York", (2027, 3, 14)),
    ("America/New_York", (2027, 11, 7)),
    ("Australia/Lord_Howe", (2026, 4, 5)),
    ("Australia/Lord_Howe", (2026, 10, 4)),
    ("Antarctica/Troll", (2026, 3, 29)),
    ("Antarctica/Troll", (2026, 10, 25)),
    ("America/Sao_Paulo", (2018, 11, 4)),
    ("America/Havana", (2026, 11, 1)),
    ("Asia/Beirut", (2026, 3, 29)),
    ("Pacific/Apia", (2011, 12, 30)),
    ("Pacific/Chatham", (2026, 4, 5)),
    ("Asia/Kathmandu", (2026, 6, 1)),
    ("UTC", (2028, 2, 29)),
]


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def cron(line, zone="UTC"):
    return Plan(Cadence(cron=line, timezone=zone), KEY)


def listed(plan, after, until):
    return plan.between(after, until, 1_000_000)


@st.composite
def fields(draw, lowest, highest, texts=None):
    """A cron field and, worked out apart from the parser, the values that it means."""

    def text(value):
        return draw(st.sampled_from(texts(value))) if texts else str(value)

    items, values = [], set()
    for kind in draw(st.lists(st.sampled_from(["value", "range", "step", "star"]), min_size=1)):
        first = draw(st.integers(lowest, highest))
        last = draw(st.integers(first, highest))
        step = draw(st.integers(1, highest))
        items.append(
            {
                "value": text(first),
                "range": f"{first}-{last}",
                "step": f"{first}-{last}/{step}",
                "star": f"*/{step}",
            }[kind]
        )
        values.update(
            {
                "value": [first],
                "range": range(first, last + 1),
                "step": range(first, last + 1, step),
                "star": range(lowest, highest + 1, step),
            }[kind]
        )
    if draw(st.booleans()):
        return "*", set(range(lowest, highest + 1))
    return ",".join(items), values


lines = st.tuples(
    fields(0, 59),
    fields(0, 23),
    fields(1, 31),
    fields(1, 12),
    fields(0, 6, lambda day: [str(day), NAMES[day], "7" if day == 0 else str(day)]),
)


def fires(line, local):
    """Whether a line, as ``lines`` draws it, fires at a local time: the rule, restated."""
    (_, minutes), (_, hours), (day, days), (_, months), (weekday, weekdays) = line
    on_day, on_weekday = local.day in days, (local.weekday() + 1) % 7 in weekdays
    both_restricted = day[0] != "*" and weekday[0] != "*"
    on = (on_day or on_weekday) if both_restricted else (on_day and on_weekday)
    return local.minute in minutes and local.hour in hours and local.month in months and on


def runs_on(line):
    """Whether a line is like an interval: ``*`` or ``*/n`` in the minutes, and every hour."""
    (minute, _), (_, hours), *_ = line
    return bool(re.fullmatch(r"(\*|0-59)(/\d+)?", minute)) and hours == set(range(24))


def by_hand(line, zone, start, end):
    """The slots of a line by walking through every minute of the clock on the wall."""
    minutes = range(int(start), int(end) + 1, MINUTE)
    shown = [datetime.fromtimestamp(t, ZoneInfo(zone)).replace(tzinfo=None) for t in minutes]
    reached = list(accumulate(shown, max))
    local, slots = shown[0] + timedelta(minutes=1), set()
    while local <= reached[-1]:
        if fires(line, local):
            slots.add(float(minutes[bisect_left(reached, local)]))
        local += timedelta(minutes=1)
    if runs_on(line):
        known = zip(minutes, shown, strict=True)
        slots |= {float(minute) for minute, local in known if fires(line, local)}
    return sorted(slot for slot in slots if slot > start)


interval_like = st.tuples(
    st.one_of(
        st.just(("*", set(range(60)))),
        st.integers(1, 59).map(lambda step: (f"*/{step}", set(range(0, 60, step)))),
    ),
    st.sampled_from([("*", set(range(24))), ("0-23", set(range(24)))]),
    st.just(("*", set(range(1, 32)))),
    st.just(("*", set(range(1, 13)))),
    st.sampled_from([("*", set(range(7))), ("0,6", {0, 6})]),
)


@settings(deadline=None, max_examples=60)
@given(lines | interval_like, st.sampled_from(DAYS), st.integers(0, DAY // MINUTE))
def test_a_cron_line_fires_as_the_clock_on_the_wall_shows(line, day, shift):
    """Each local time fires once, when a wall clock first shows or has passed it.

    So a local time that doesn't exist runs at the next instant that does, and one that comes
    twice runs once; a line like an interval runs on, each time that the wall clock shows it.
    """
    zone, date = day
    start = datetime(*date, tzinfo=UTC).timestamp() - DAY - shift * MINUTE
    text = " ".join(field for field, _ in line)
    try:
        plan = cron(text, zone)
    except ValueError:
        assume(False)  # a date that never comes
    assert listed(plan, start, start + 3 * DAY) == by_hand(line, zone, start, start + 3 * DAY)


@pytest.mark.parametrize(
    ("line", "day", "slots"),
    [
        ("30 2 * * *", "2026-03-29", ["2026-03-29T01:00"]),  # 02:30 doesn't exist: 03:00
        ("*/20 2 * * *", "2026-03-29", ["2026-03-29T01:00"]),  # three in the gap: once
        ("30 2 * * *", "2026-10-25", ["2026-10-25T00:30"]),  # 02:30 comes twice: the first
        ("0 3 * * 0", "2026-11-22", ["2026-11-22T02:00"]),  # that day is a Sunday
        ("0 3 * * 0", "2026-11-23", []),
    ],
)
def test_clocks_change_in_berlin(line, day, slots):
    """The rules for a change of the clocks hold on days known by heart."""
    after = at(day + "T00:00") - HOUR
    assert listed(cron(line, "Europe/Berlin"), after, after + DAY) == [at(slot) for slot in slots]


def gaps(line, zone, day):
    """The seconds between the slots of three days around one, each gap once."""
    after = at(day + "T00:00") - DAY
    return {b - a for a, b in pairwise(listed(cron(line, zone), after, after + 3 * DAY))}


@pytest.mark.parametrize(
    ("line", "zone", "day"),
    [
        ("* * * * *", "Europe/Berlin", "2026-10-25"),
        ("*/5 * * * *", "Europe/Berlin", "2026-10-25"),
        ("*/15 * * * *", "America/New_York", "2026-11-01"),
        ("*/30 0-23 * * *", "America/Havana", "2026-11-01"),  # back at midnight's end
        ("0-59/10 * * * *", "Australia/Lord_Howe", "2026-04-05"),  # back by half an hour
        ("*/20 * * * *", "Atlantic/Azores", "2026-10-25"),  # the day before comes again
        ("*/5 */1 * * *", "Europe/Berlin", "2026-10-25"),
    ],
)
def test_a_line_like_an_interval_does_not_rest(line, zone, day):
    """While clocks that are set back show an hour again, it runs on; so it does in spring."""
    (gap,) = gaps(line, zone, day)
    assert gap == interval_of(Cadence(cron=line, timezone=zone))
    spring = {"Europe/Berlin": "2026-03-29", "America/New_York": "2026-03-08"}
    if zone in spring:
        assert gaps(line, zone, spring[zone]) == {gap}


@pytest.mark.parametrize(
    "line",
    [
        *("0 * * * *", "0,30 * * * *", "*/5 0-22 * * *", "*/5 2 * * *"),
        *("30 2 * * *", "5-50/5 * * * *", "*/30,7 * * * *", "* 2,3 * * *"),
    ],
)
def test_fixed_times_run_once(line):
    """A local time that comes twice fires when clocks show it first, and not again."""
    after = at("2026-10-24T12:00")
    slots = listed(cron(line, "Europe/Berlin"), after, after + DAY)
    shown = [datetime.fromtimestamp(slot, ZoneInfo("Europe/Berlin")) for slot in slots]
    assert shown
    assert not any(local.fold for local in shown)


def test_a_line_like_an_interval_is_taken_up_anywhere_in_the_hour_that_comes_twice():
    """From whichever moment on: what was shown once comes again, what came twice doesn't."""
    plan = cron("*/20 * * * *", "Europe/Berlin")
    start = at("2026-10-25T00:00")
    slots = [start + 1200 * number for number in range(10)]
    for after in range(0, 3 * HOUR, 60):
        assert listed(plan, start + after, slots[-1]) == [
            slot for slot in slots if slot > start + after
        ]


cadences = st.one_of(
    st.integers(1, 10 * DAY * 1000).map(lambda ms: Cadence(seconds=ms / 1000)),
    st.builds(
        Cadence,
        cron=st.sampled_from(
            ["* * * * *", "*/25 * * * *", "*/7 1-3 * * *", "30 2 * * 6-7", "0 0 1 * *"]
        ),
        timezone=st.sampled_from([zone for zone, _ in DAYS]),
    ),
)
moments = st.floats(1.2e9, 2.2e9)


@settings(deadline=None)
@given(cadences, moments, st.floats(0, 90_000), st.integers(1, 50))
def test_next_between_and_span_tell_the_same(cadence, after, length, limit):
    """``between`` lists what ``next`` steps through, and ``span`` sums the same up."""
    plan = Plan(cadence, KEY)
    until = after + min(length, plan.interval() * 300)
    stepped, slot = [], plan.next(after)
    while slot <= until:
        stepped.append(slot)
        slot = plan.next(slot)
    assert all(a < b for a, b in pairwise([after, *stepped, slot]))
    assert listed(plan, after, until) == stepped
    assert plan.between(after, until, limit) == stepped[:limit]
    whole = Span(stepped[0], stepped[-1], len(stepped)) if stepped else None
    assert plan.span(after, until) == whole


@given(
    st.integers(1, 10 * DAY * 1000),
    st.integers(0, 10**9),
    st.text("abc_", min_size=1),
    st.sampled_from(["eu", "us"]),
)
def test_an_interval_never_drifts(length, k, journey, location):
    """Slot k lies exactly at epoch + offset + k · interval, however far k is."""
    plan = Plan(Cadence(seconds=length / 1000), (journey, location))
    offset = round(plan.next(-0.0005) * 1000)
    assert 0 <= offset < length
    assume(offset + (k + 1) * length < 250_000_000_000_000)  # the year 9892
    slot = (offset + k * length) / 1000
    assert plan.next(slot - 0.0005) == slot
    assert plan.next(slot) == (offset + (k + 1) * length) / 1000
    assert plan.interval() == length / 1000


def test_offsets_are_spread():
    """The starts of many journeys fall all over the interval, not on one instant."""
    plans = [Plan(Cadence(seconds=60), (f"journey_{n}", "eu")) for n in range(600)]
    tenths = [int(plan.next(-0.0005) // 6) for plan in plans]
    assert min(tenths.count(tenth) for tenth in range(10)) > 30


def test_offsets_are_the_same_in_every_process():
    """The offset of a journey doesn't hang on the process: another one finds the same."""
    code = (
        "from agent.schedule.plan import Plan; from agent.core.model import Cadence;"
        f"print(Plan(Cadence(seconds=3600), {KEY!r}).next(0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert float(done.stdout) == Plan(Cadence(seconds=3600), KEY).next(0)


@pytest.mark.parametrize(
    ("line", "zone", "seconds"),
    [
        ("* * * * *", "Europe/Berlin", MINUTE),
        ("*/25 * * * *", "UTC", 10 * MINUTE),  # from 50 to 0
        ("0 3 * * *", "UTC", DAY),
        ("30 2 * * *", "Europe/Berlin", DAY - HOUR // 2),  # 02:30 to 03:00 in March
        ("55 1,2 * * *", "Europe/Berlin", 5 * MINUTE),  # 01:55 and, for 02:55, 03:00
        ("55 0,1,2,23 * * *", "Europe/Berlin", 5 * MINUTE),  # the same, in the middle of a day
        ("0 0 1,20 1,12 *", "UTC", 12 * DAY),  # over the end of the year
        ("0 9 * * mon-fri", "Asia/Kathmandu", DAY),
        ("0 0 1 * *", "UTC", 29 * DAY),
        ("59 23 1-7 * 0", "UTC", DAY),
        ("0 0 29 2 *", "UTC", 1461 * DAY),
    ],
)
def test_the_interval_of_a_cron_line_is_its_shortest_gap(line, zone, seconds):
    """The interval of a cron line is the shortest gap between its fires within a year."""
    assert interval_of(Cadence(cron=line, timezone=zone)) == seconds


few = st.sets(st.integers(0, 23), min_size=1, max_size=3).map(sorted)


@settings(deadline=None, max_examples=25)
@given(few, few, lines, st.sampled_from([zone for zone, _ in DAYS]))
def test_no_gap_is_shorter_than_the_interval(minutes, hours, line, zone):
    """The shortest gap is what stepping through the year finds."""
    times = (",".join(map(str, values)) for values in (minutes, hours))
    try:
        plan = cron(" ".join([*times, *(field for field, _ in line[2:])]), zone)
    except ValueError:
        assume(False)  # a date that never comes
    year = at("2028-01-01", zone) - 1
    slots = listed(plan, year, at("2028-12-31T23:59", zone))
    slots.append(plan.next(slots[-1] if slots else year))
    slots.append(slots[-1] if len(slots) > 1 else plan.next(slots[-1]))
    assert plan.interval() == min(b - a for a, b in pairwise(slots) if b > a)


@pytest.mark.parametrize(
    ("cadence", "message"),
    [
        (Cadence(), "needs seconds or a cron line"),
        (Cadence(seconds=0), "whole number of milliseconds"),
        (Cadence(seconds=-5), "whole number of milliseconds"),
        (Cadence(seconds=0.0015), "whole number of milliseconds"),
        (Cadence(cron="61 * * * *"), "minute: 61"),
        (Cadence(cron="0 0 * * *", timezone="Europe/Berln"), '"Europe/Berln" is not known'),
        (Cadence(cron="0 0 * * *", timezone="Europe"), '"Europe" is not known'),
        (Cadence(cron="0 0 * * *", timezone="../etc/passwd"), "is not known"),
        (Cadence(cron="0 0 * * *", timezone=""), "is not known"),
    ],
)
def test_a_bad_cadence_is_refused(cadence, message):
    """A cadence that can't be understood is refused in words."""
    with pytest.raises(ValueError, match=message):
        interval_of(cadence)
