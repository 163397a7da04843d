"""Journeys under the configuration."""

from dataclasses import replace

import pytest

from agent.config import load, resolve
from agent.core.errors import ConfigError
from agent.core.model import Cadence, Definition, ReleaseSource, Site, StepLimit
from agent.schedule.plan import interval_of

SITE = """
[sites.shop]
url = "https://shop.example.com"
first_party = ["https://shop.example.com"]
"""

BUY = Definition(
    name="buy",
    site="shop",
    file="buy.py",
    line=7,
    summary="Buys.",
    owner="checkout",
    runbook="https://example.com/runbook",
    severity="page",
    params={"sku": "mug", "amount": 1, "limit": 2.5, "voucher": None},
    context={"locale": "de-DE"},
)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(text="", environ=None):
        (tmp_path / "config.toml").write_text(SITE + text)
        return load(None, environ or {})

    return make


def faults(settings, *definitions):
    with pytest.raises(ConfigError) as caught:
        resolve(settings, definitions, interval_of)
    return {problem.where: problem.message for problem in caught.value.problems}


def test_a_bare_journey_takes_everything_from_the_schedule(settings):
    """[schedule] fills what neither the author nor the operator gave."""
    schedule = '[schedule]\nevery = "2m"\nconfirm = false\nconfirm_after = "5s"\n'
    [journey] = resolve(settings(schedule), [BUY], interval_of)
    assert journey.site == Site("shop", "https://shop.example.com", ("https://shop.example.com",))
    assert journey.cadence == Cadence(seconds=120.0, timezone="UTC")
    assert (journey.interval, journey.timeout, journey.grace) == (120.0, 30.0, 2.0)
    assert (journey.confirm, journey.confirm_after, journey.enabled) == (False, 5.0, True)
    assert (journey.file, journey.line, journey.owner) == ("buy.py", 7, "checkout")
    assert (journey.summary, journey.runbook) == ("Buys.", "https://example.com/runbook")
    assert (journey.severity, journey.context) == ("page", {"locale": "de-DE"})
    assert journey.params == BUY.params


def limits(journey):
    return journey.slow, journey.every_failing


def test_limits(settings):
    """slow and every_failing go by the same three layers, and nothing takes one away."""
    authored = replace(BUY, slow="4s", every_failing="40s", every="1m")
    config = settings('[schedule]\nslow = "9s"\nevery_failing = "50s"\n')
    assert [limits(one) for one in resolve(config, [BUY, authored], interval_of)] == [
        (9.0, 50.0),
        (4.0, 40.0),
    ]
    config = settings('[journey.buy]\nslow = "2s"\nevery_failing = "35s"\n')
    assert limits(resolve(config, [authored], interval_of)[0]) == (2.0, 35.0)
    config = settings('[journey.buy]\nslow = ""\nevery_failing = ""\n')
    assert limits(resolve(config, [authored], interval_of)[0]) == (None, None)
    assert limits(resolve(settings(), [replace(BUY, slow="")], interval_of)[0]) == (None, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slow": "31s"}, "slow 31s is above the timeout of 30s"),
        ({"slow": "4"}, "slow: '4' is not a duration"),
        ({"slow": "0s"}, "slow: must be longer than 0s"),
        ({"every_failing": "31s"}, "timeout 30s + grace 2s is more than every_failing 31s"),
        ({"every_failing": "500ms"}, "the shortest interval is 1s"),
        ({"every_failing": "*/5 * * * *"}, "every_failing: '*/5 * * * *' is not a duration"),
    ],
)
def test_limits_that_cant_be(settings, changes, message):
    """What makes no sense is told at the author's line."""
    found = faults(settings(), replace(BUY, **changes))
    assert message in found["journeys/buy.py:7"]


def test_a_steps_limit_above_the_journeys(settings):
    """A step's limit fits below the journey's, or else below its timeout; told at its line."""
    step = replace(BUY, step_limits=(StepLimit("Pay", 12, 5.0),))
    found = faults(settings(), replace(step, slow="4s"))
    assert "step 'Pay': slow 5s is above the journey's slow of 4s" in found["journeys/buy.py:12"]
    found = faults(settings(), replace(step, timeout="3s"))
    assert "above the journey's timeout of 3s" in found["journeys/buy.py:12"]
    [journey] = resolve(settings(), [replace(step, slow="5s")], interval_of)
    assert (journey.slow_steps, journey.has_limits) == (("Pay",), True)


def test_a_limit_of_the_operators_is_told_where_it_stands(settings):
    """A limit in the configuration is told with its line there."""
    found = faults(settings('[journey.buy]\nslow = "40s"\n'), BUY)
    (where,) = found
    assert where.endswith("journey.buy.slow")
    assert where.startswith("config.toml:")


def test_the_author_wins_over_the_schedule_and_the_operator_over_both(settings):
    """[journey.NAME] over @journey over [schedule], each key on its own."""
    authored = replace(BUY, every="3m", timeout="9s", confirm=False, timezone="Asia/Tokyo")
    [journey] = resolve(settings('[schedule]\nevery = "9m"\n'), [authored], interval_of)
    assert (journey.interval, journey.timeout, journey.confirm) == (180.0, 9.0, False)

    section = """
    [journey.buy]
    every = "0 3 * * 0"
    grace = "5s"
    confirm = true
    confirm_after = "0s"
    enabled = false
    params = { sku = "cup", limit = 3, voucher = "X" }
    """
    [journey] = resolve(settings(section), [authored], interval_of)
    assert journey.cadence == Cadence(cron="0 3 * * 0", timezone="Asia/Tokyo")
    assert (journey.timeout, journey.grace) == (9.0, 5.0)
    assert (journey.confirm, journey.confirm_after, journey.enabled) == (True, 0.0, False)
    assert journey.params == {"sku": "cup", "amount": 1, "limit": 3, "voucher": "X"}
    assert journey.configured_params == ("sku", "limit", "voucher")


def test_no_journeys_are_no_fault(settings):
    """An agent may start before its first journey is written."""
    assert resolve(settings(), [], interval_of) == []


@pytest.mark.parametrize(("every", "timeout"), [("20s", "18s"), ("32.602s", "30.602s")])
def test_a_timeout_that_just_fits_is_taken(settings, every, timeout):
    """Timeout and grace may fill the interval to the last, fractions of seconds too."""
    section = f'[journey.buy]\nevery = "{every}"\ntimeout = "{timeout}"\n'
    [journey] = resolve(settings(section), [BUY], interval_of)
    assert journey.timeout + journey.grace == pytest.approx(journey.interval)


@pytest.mark.parametrize(
    ("section", "environ", "authored", "where", "source"),
    [
        (
            '[schedule]\nevery = "20s"\ntimeout = "19s"\n',
            {},
            {},
            "config.toml:7 schedule.timeout",
            "config.toml:6 schedule.every",
        ),
        (
            '[schedule]\nevery = "20s"\n',
            {},
            {},
            "config.toml:5 schedule.timeout",
            "config.toml:6 schedule.every",
        ),
        ("", {}, {"every": "20s"}, "config.toml schedule.timeout", "journeys/buy.py:7"),
        ("", {}, {"timeout": "59s"}, "journeys/buy.py:7", "config.toml schedule.every"),
        (
            '[journey.buy]\ntimeout = "59s"\n',
            {},
            {"timeout": "1s"},
            "config.toml:6 journey.buy.timeout",
            "config.toml schedule.every",
        ),
        (
            "",
            {"FOOTFALL_SCHEDULE__EVERY": "1s"},
            {},
            "config.toml schedule.timeout",
            "environment variable FOOTFALL_SCHEDULE__EVERY",
        ),
        (
            "",
            {},
            {"every": "* * * * *", "timeout": "58.5s"},
            "journeys/buy.py:7",
            "journeys/buy.py:7",
        ),
    ],
)
def test_a_timeout_that_does_not_fit_names_what_to_change(
    settings, section, environ, authored, where, source
):
    """Both the place of the timeout and that of the interval are told, in whichever layer."""
    [(place, message)] = faults(settings(section, environ), replace(BUY, **authored)).items()
    assert place == where
    assert "is more than the interval" in message
    assert f"from {source})" in message


def test_an_unknown_site_is_told_at_the_journey_with_the_known_ones(settings):
    """The author's slip is mended in the journey, or the site is added."""
    found = faults(settings(), replace(BUY, site="shp"))
    assert "unknown site 'shp'" in found["journeys/buy.py:7"]
    assert "Known sites: shop" in found["journeys/buy.py:7"]


def test_a_section_for_no_journey_is_told_at_its_line(settings):
    """A misspelt [journey.NAME] would otherwise change nothing, silently."""
    found = faults(settings('[journey.by]\nevery = "9m"\n'), BUY)
    assert "known journeys: buy" in found["config.toml:5 journey.by"]


def test_an_owner_is_part_of_a_journey(settings):
    """Nobody is paged by a journey that nobody answers for."""
    assert "has no owner" in faults(settings(), replace(BUY, owner=" "))["journeys/buy.py:7"]


@pytest.mark.parametrize(
    ("authored", "told"),
    [
        ({"every": "sometimes"}, "neither a duration"),
        ({"every": "61 * * * *"}, "every:"),
        ({"every": "1m", "timezone": "Mars"}, "not a time zone"),
        ({"timeout": "half a minute"}, "timeout: 'half a minute' is not a duration"),
        ({"timeout": "0s"}, "longer than 0s"),
    ],
)
def test_what_the_author_wrote_wrongly_is_told_at_the_journey(settings, authored, told):
    """An author's every, timezone and timeout are judged as the configuration's are."""
    [(place, message)] = faults(settings(), replace(BUY, **authored)).items()
    assert place == "journeys/buy.py:7"
    assert told in message


def test_a_cron_line_of_the_operator_is_told_at_its_own_line(settings):
    """What the schedule refuses is told where it was written."""
    found = faults(settings('[journey.buy]\nevery = "0 25 * * *"\n'), BUY)
    [(place, message)] = found.items()
    assert place == "config.toml:6 journey.buy.every"
    assert "every" not in message, "the place names the key already"


def test_a_cron_line_of_the_schedule_is_told_once(settings):
    """However many journeys go by it, there is one line to mend."""
    made = settings('[schedule]\nevery = "0 25 * * *"\n')
    with pytest.raises(ConfigError) as caught:
        resolve(made, [BUY, replace(BUY, name="look")], interval_of)
    assert [one.where for one in caught.value.problems] == ["config.toml:6 schedule.every"]


def test_a_time_zone_is_told_at_the_journey_that_names_it(settings):
    """An operator's ``every`` is not to blame for the author's time zone."""
    made = settings('[journey.buy]\nevery = "0 3 * * *"\n')
    [(place, message)] = faults(made, replace(BUY, timezone="Mars")).items()
    assert place == "journeys/buy.py:7"
    assert "timezone: 'Mars' is not a time zone" in message


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("skew", '"cup"', "it declares: amount, limit, sku, voucher"),
        ("amount", '"2"', "must be of the same type"),
        ("amount", "true", "must be of the same type"),
        ("limit", "true", "must be of the same type"),
        ("sku", "7", "must be of the same type"),
    ],
)
def test_a_parameter_the_journey_does_not_declare_is_a_fault(settings, name, value, told):
    """Names must be the author's, and values of the type that the author's code expects."""
    found = faults(settings(f"[journey.buy.params]\n{name} = {value}\n"), BUY)
    assert told in found[f"config.toml:6 journey.buy.params.{name}"]


def test_all_faults_of_all_journeys_are_told_at_once(settings):
    """One journey's faults hide neither its others nor the next journey's."""
    first = replace(BUY, site="x", owner="", every="often", timeout="soon")
    second = replace(BUY, name="look", file="look.py", timeout="2m")
    with pytest.raises(ConfigError) as caught:
        resolve(settings("[journey.gone]\n"), [first, second], interval_of)
    assert [problem.where for problem in caught.value.problems] == [
        "journeys/buy.py:7",
        "journeys/buy.py:7",
        "journeys/buy.py:7",
        "journeys/buy.py:7",
        "journeys/look.py:7",
        "config.toml:5 journey.gone",
    ]


@pytest.mark.parametrize(
    ("authored", "section", "expected"),
    [
        ((), "", ()),
        (("page_error",), "", ("page_error",)),
        ((), 'fail_on = ["page_error"]', ("page_error",)),
        (("page_error",), "fail_on = []", ()),
    ],
)
def test_what_a_journey_fails_on(settings, authored, section, expected):
    """The operator's word counts, an empty list too; without one the author's does."""
    definition = replace(BUY, fail_on=authored)
    [journey] = resolve(settings(f"[journey.buy]\n{section}\n"), [definition], interval_of)
    assert journey.fail_on == expected


def test_an_unknown_word_to_fail_on(settings):
    """It is told with its file and line, and which words there are."""
    with pytest.raises(ConfigError) as caught:
        settings('[journey.buy]\nfail_on = ["page_eror"]\n')
    [problem] = caught.value.problems
    assert problem.where.startswith("config.toml:6")
    assert "must be 'page_error', not 'page_eror'" in problem.message


def test_sections_of_variants(settings):
    """A variant's own section stands over that of all of them, and that over the author."""
    german = replace(BUY, name="buy-de", base="buy")
    french = replace(BUY, name="buy-fr", base="buy")
    text = """
[journey.buy]
every = "2m"
enabled = false
params = { sku = "cup", amount = 2 }
[journey.buy-de]
every = "3m"
enabled = true
params = { sku = "glas" }
"""
    one, other = resolve(settings(text), [german, french], interval_of)
    assert (one.name, one.base, one.interval, one.enabled) == ("buy-de", "buy", 180.0, True)
    assert (other.name, other.base, other.interval, other.enabled) == (
        "buy-fr",
        "buy",
        120.0,
        False,
    )
    assert (one.params["sku"], one.params["amount"]) == ("glas", 2)
    assert (other.params["sku"], other.params["amount"]) == ("cup", 2)
    assert set(one.configured_params) == {"sku", "amount"}


def test_what_variants_share_is_told_once(settings):
    """One declaration without an owner is one fault, as is one section of them that is wrong."""
    variants = [replace(BUY, name=f"buy-{key}", base="buy", owner="") for key in ("de", "fr")]
    text = """
[journey.buy]
params = { colour = "red" }
[journey.buy-it]
every = "3m"
"""
    with pytest.raises(ConfigError) as caught:
        resolve(settings(text), variants, interval_of)
    told = [str(one) for one in caught.value.problems]
    assert len(told) == 3
    assert sum("journey buy: has no owner" in one for one in told) == 1
    assert sum("declares no parameter 'colour'" in one for one in told) == 1
    assert "known journeys: buy, buy-de, buy-fr" in told[-1]


def test_a_public_title_is_the_operators_to_change(settings):
    """[journey.NAME] public goes over the author's word, and an empty one takes it off."""
    shown = replace(BUY, public="Buy a mug")
    [journey] = resolve(settings(), [shown], interval_of)
    assert journey.public == "Buy a mug"
    for written, expected in (('"Order"', "Order"), ('""', "")):
        [journey] = resolve(settings(f"[journey.buy]\npublic = {written}\n"), [shown], interval_of)
        assert journey.public == expected


def test_a_public_title_that_cant_be_is_told_at_the_journey(settings):
    """What the author's title lacks stands beside the line of the journey."""
    told = faults(settings(), replace(BUY, public="!!!"))
    assert told == {"journeys/buy.py:7": "journey buy: public: needs a letter or a digit"}


def test_two_journeys_with_one_public_title_are_a_fault(settings):
    """The public knows them by their titles alone, so those that would have one id are refused;
    variants too, which the operator tells apart."""
    de, fr = (
        replace(BUY, name=f"buy-{one}", base="buy", public="Buy a mug", line=line)
        for line, one in ((7, "de"), (8, "fr"))
    )
    told = faults(settings(), de, replace(fr, public="buy: a MUG"))
    assert told.keys() == {"journeys/buy.py:8"}
    assert "[journey.buy-fr] public" in told["journeys/buy.py:8"]
    apart = settings('[journey.buy-fr]\npublic = "Buy a mug in France"\n')
    assert len(resolve(apart, [de, fr], interval_of)) == 2


def test_how_a_site_says_which_release_answers(settings):
    """By a header or a meta of the operator's, in lower case as they are compared; by a usual
    header where nothing is said, and never by both."""

    def told(said: str) -> ReleaseSource:
        (journey,) = resolve(settings(said), [BUY], interval_of)
        return journey.site.release

    assert told("") == ReleaseSource()
    section = "[sites.shop.release]\n"
    assert told(section + 'header = "X-Our-Build"\n') == ReleaseSource("x-our-build")
    assert told(section + 'meta = "Version"\n') == ReleaseSource(meta="version")
    own = 'header = "X-Version"\norigins = ["https://shop.example.com"]\n'
    assert told(section + own).origins == ("https://shop.example.com",)
    for said, why in (
        ('header = "X-Version"\nmeta = "version"\n', "both are given"),
        ('header = "X-Version"\norigins = ["https://elsewhere.test"]\n', "elsewhere.test"),
    ):
        with pytest.raises(ConfigError, match=why):
            told(section + said)
