"""Windows of the configuration: everything that is wrong, by its line, and what is doubtful."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent import config
from agent.cli.window_lines import window_lines
from agent.core.errors import ConfigError
from agent.loading.window_checks import doubtful, unknown_names, windows_of
from tests.support.build import a_journey

HEAD = '[sites.shop]\nurl = "http://shop.test"\nfirst_party = ["http://shop.test"]\n'
CRON = 'cron = "0 3 * * 0"'
ONCE = "starts = 2026-12-01T03:00:00"
NOW = datetime(2026, 11, 27, tzinfo=UTC).timestamp()


def read(folder, *tables: str):
    """Load a configuration with these windows; return the settings and every problem."""
    text = HEAD + "".join(f"[[maintenance]]\n{table}\n" for table in tables)
    (folder / "config.toml").write_text(text)
    settings, problems = config.load_lenient(folder / "config.toml", {})
    windows, wrong = windows_of(settings)
    return settings, windows, [str(one).removeprefix(f"{folder}/") for one in [*problems, *wrong]]


GOOD = 'journeys = ["*"]\nlasts = "1h"\n'


@pytest.mark.parametrize(
    ("table", "line", "why"),
    [
        (GOOD, 8, "neither of the two is given"),
        (f"{GOOD}{CRON}\n{ONCE}", 8, "both are given"),
        (f'{GOOD}cron = "0 3 * *"', 11, "it has 4 fields, but needs 5"),
        (f'{GOOD}cron = "1h"', 11, "it has 1 fields, but needs 5"),
        (f'{GOOD}cron = "0 25 * * *"', 11, "25 is not within 0-23"),
        (f'{GOOD}cron = "0 3 30 2 *"', 11, "never fire"),
        (f'{GOOD}{CRON}\nmode = "doze"', 12, "must be 'stop' or 'silence', not 'doze'"),
        (f'{GOOD}{CRON}\ntimezone = "Berlin"', 12, "is not a time zone"),
        (f'journeys = ["*"]\n{CRON}\nlasts = "soon"', 11, "is not a duration"),
        (f'journeys = ["*"]\n{CRON}\nlasts = "0s"', 11, "longer than 0s"),
        (f'journeys = ["*"]\n{CRON}', 8, "is missing; add `lasts"),
        (f'journeys = []\n{CRON}\nlasts = "1h"', 9, "must name some journeys"),
        (f'journeys = ["team=a"]\n{CRON}\nlasts = "1h"', 9, "owner=checkout"),
        (f'journeys = "*"\n{CRON}\nlasts = "1h"', 9, "must be a list"),
        (f"{GOOD}starts = 2026-12-01", 11, "must be a date and a time"),
        (f'{GOOD}starts = "tomorrow"', 11, "must be a date and a time"),
        (f'{GOOD}{CRON}\nreasons = "x"', 12, "did you mean `reason`"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(tmp_path, table, line, why):
    """Of the second window, with a sound one before it: its own line, what is wrong, what to do."""
    (told,) = read(tmp_path, f"{GOOD}{CRON}", table)[2]
    where, _, message = told.partition(" ")
    assert where == f"config.toml:{line}"
    assert why in message


def test_a_start_without_a_zone_is_the_windows_own(tmp_path):
    """Local time in the window's zone; one with an offset is what it says."""
    _, windows, problems = read(
        tmp_path,
        f'{GOOD}{ONCE}\ntimezone = "Europe/Berlin"',
        f"{GOOD}{ONCE}Z\n",
        f'{GOOD}starts = 2027-03-28T02:30:00\ntimezone = "Europe/Berlin"',
    )
    assert not problems
    utc = [datetime.fromtimestamp(one.starts, UTC).isoformat()[:16] for one in windows]
    assert utc == ["2026-12-01T02:00", "2026-12-01T03:00", "2027-03-28T01:00"]


def test_windows_come_from_a_variable_too(tmp_path):
    """The whole list as JSON; what is wrong with it names the variable."""
    (tmp_path / "config.toml").write_text(HEAD)
    variable = "FOOTFALL_MAINTENANCE"
    given = '[{"journeys": ["*"], "starts": "2026-12-01T03:00:00", "lasts": "1h"}]'
    settings = config.load(tmp_path / "config.toml", {variable: given})
    assert windows_of(settings)[0][0].starts == datetime(2026, 12, 1, 3, tzinfo=UTC).timestamp()
    with pytest.raises(ConfigError) as told:
        config.load(tmp_path / "config.toml", {variable: given.replace("1h", "soon")})
    assert variable in str(told.value)


def test_a_name_that_no_journey_has_is_wrong(tmp_path):
    """As a section of a journey that isn't there is; globs and owners are not names."""
    settings, *_ = read(
        tmp_path, f'journeys = ["buy", "gone", "x_*", "owner=y"]\n{CRON}\nlasts = "1h"'
    )
    (told,) = unknown_names(settings, ["buy"])
    assert "no journey is called 'gone'; known journeys: buy" in str(told)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (f'journeys = ["x_*"]\n{CRON}\nlasts = "1h"', '"x_*" fits no journey'),
        (f'journeys = ["owner=nobody"]\n{CRON}\nlasts = "1h"', "fits no journey"),
        (f"{GOOD}starts = 2020-01-01T00:00:00", "the window is over"),
        ('journeys = ["*"]\ncron = "* * * * *"\nlasts = "1h"', "goes on for ever"),
        (f"{GOOD}{CRON}", None),
        (f"{GOOD}{ONCE}", None),
        ('journeys = ["*"]\ncron = "0 22,23 * * *"\nlasts = "90m"', None),
    ],
)
def test_what_is_doubtful_is_told(tmp_path, table, why):
    """A window that holds nothing, or never ends, is probably not meant."""
    settings, windows, _ = read(tmp_path, table)
    told = [str(one) for one in doubtful(settings, windows, [a_journey("buy")], NOW)]
    assert len(told) == (why is not None)
    assert why is None or why in told[0]


def test_check_prints_the_next_three_by_both_clocks(tmp_path):
    """Each with its day, by the window's own clocks and in UTC; over a change of the clocks too."""
    zone = 'timezone = "Europe/Berlin"\nreason = "release"'
    text = f'journeys = ["buy*"]\n{CRON}\nlasts = "1h"\n{zone}'
    _, windows, _ = read(tmp_path, text)
    lines = list(window_lines(windows, [a_journey("buy"), a_journey("look")], NOW))
    assert lines == [
        "",
        "maintenance (stop), 0 3 * * 0 (Europe/Berlin), lasts 1h: release",
        "  journeys  buy",
        "  next      Sun 2026-11-29 03:00:00 to 04:00:00 CET = 2026-11-29 02:00:00 to 03:00:00 UTC",
        "            Sun 2026-12-06 03:00:00 to 04:00:00 CET = 2026-12-06 02:00:00 to 03:00:00 UTC",
        "            Sun 2026-12-13 03:00:00 to 04:00:00 CET = 2026-12-13 02:00:00 to 03:00:00 UTC",
    ]
