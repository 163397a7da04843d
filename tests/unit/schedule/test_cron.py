from datetime import date

import pytest

from agent.schedule.cron import parse

SUN, MON, TUE, WED, THU, FRI, SAT = range(7)


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", {SUN}),
        ("7", {SUN}),
        ("1", {MON}),
        ("*", {SUN, MON, TUE, WED, THU, FRI, SAT}),
        ("*/2", {SUN, TUE, THU, SAT}),
        ("5-7", {FRI, SAT, SUN}),
        ("0-2", {SUN, MON, TUE}),
        ("sun-tue", {SUN, MON, TUE}),
        ("Fri-Sun", {FRI, SAT, SUN}),
        ("sun-sun", {SUN}),
        ("mon-fri/2", {MON, WED, FRI}),
        ("1-7/3", {MON, THU, SUN}),
        ("1/2", {MON, WED, FRI}),
        ("7/2", {SUN}),
        ("0,7,sat", {SUN, SAT}),
    ],
)
def test_weekdays_count_from_sunday(field, days):
    """Weekday 0 and 7 are Sunday, in values, lists, ranges and steps."""
    assert parse(f"0 0 * * {field}").weekdays == days


@pytest.mark.parametrize(
    ("field", "minutes"),
    [
        ("*/20", {0, 20, 40}),
        ("5", {5}),
        ("5,6,59", {5, 6, 59}),
        ("10-12,30-40/5", {10, 11, 12, 30, 35, 40}),
        ("50/4", {50, 54, 58}),
    ],
)
def test_values_lists_ranges_and_steps(field, minutes):
    """Every field takes values, lists, ranges and steps."""
    assert parse(f"{field} 0 * * *").minutes == minutes


def test_months_have_names():
    """Months are given by number or by English name, in ranges with steps too."""
    assert parse("0 0 1 jan,MAR-jul/2,12 *").months == {1, 3, 5, 7, 12}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("* * * *", "it has 4 fields, but needs 5"),
        ("0 * * * * *", "it has 6 fields, but needs 5"),
        ("", "it has 0 fields, but needs 5"),
        ("60 * * * *", "minute: 60 is not within 0-59"),
        ("* 24 * * *", "hour: 24 is not within 0-23"),
        ("* * 0 * *", "day of month: 0 is not within 1-31"),
        ("* * * 13 *", "month: 13 is not within 1-12"),
        ("* * * * 8", "weekday: 8 is not within 0-7"),
        ("* * * july *", 'month: "july" is not a number or one of jan, feb'),
        ("* * * * mo", 'weekday: "mo" is not a number or one of sun, mon'),
        ("* noon * * *", 'hour: "noon" is not a number'),
        ("1-2-3 * * * *", 'minute: "1-2-3" is not "*", a value, a range'),
        ("-5 * * * *", 'minute: "-5" is not "*", a value, a range'),
        ("1,,2 * * * *", 'minute: "" is not "*", a value, a range'),
        ("* * * jan-junx *", 'month: "junx" is not a number'),
        ("*/0 * * * *", 'minute: the step of "*/0" is 0'),
        ("* 22-6 * * *", 'hour: the range "22-6" runs backwards'),
        ("* * * * fri-mon", 'weekday: the range "fri-mon" runs backwards'),
        ("* * 30,31 feb *", "day of month: no month it names has such a day"),
    ],
)
def test_a_bad_line_is_refused_by_field(line, message):
    """What isn't a cron line, or would never fire, is refused: the line, the field and why."""
    with pytest.raises(ValueError, match="cron line") as caught:
        parse(line)
    assert str(caught.value).startswith(f'cron line "{line}"')
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("0 0 13 * fri", [6, 13, 20, 27]),  # either
        ("0 0 11 * fri", [6, 11, 13, 20, 27]),
        ("0 0 13 * *", [13]),
        ("0 0 * * fri", [6, 13, 20, 27]),
        ("0 0 */13 * fri", [27]),  # a star is no restriction: both
        ("0 0 30 2 fri", []),
    ],
)
def test_a_line_with_day_and_weekday_means_either(line, days):
    """Where day and weekday are both restricted either of them is enough, as in every cron."""
    assert [day for day in range(1, 31) if parse(line).falls_on(date(2026, 11, day))] == days
