"""Sources of the configuration, and which of them wins."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.config import load
from agent.config.addresses import origin
from agent.core.errors import ConfigError


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write config.toml in a folder of its own, which becomes the working directory."""
    monkeypatch.chdir(tmp_path)

    def write_file(text: str) -> Path:
        file = Path("config.toml")
        file.write_text(text, "utf-8")
        return file

    return write_file


def faults(file, environ):
    with pytest.raises(ConfigError) as caught:
        load(file, environ)
    return {problem.where: problem.message for problem in caught.value.problems}


def test_the_file_wins_over_defaults_and_variables_win_over_the_file(write):
    """Later sources win, key by key: a table in one source doesn't hide another's keys."""
    file = write('[schedule]\ntimeout = "20s"\ngrace = "3s"\n')
    schedule = load(file, {"FOOTFALL_SCHEDULE__GRACE": "4s"}).schedule
    assert (schedule.every, schedule.timeout, schedule.grace) == ("1m", 20.0, 4.0)


def test_every_kind_of_value_can_come_from_a_variable(write):
    """Numbers, flags, lists and whole tables are read from text and from JSON."""
    settings = load(
        write(""),
        {
            "FOOTFALL_LOCATION": "eu-west-1",
            "FOOTFALL_WORKERS__COUNT": "3",
            "FOOTFALL_BROWSER__HEADLESS": "false",
            "FOOTFALL_BROWSER__ARGS": '["--lang=de", "--mute-audio"]',
            "FOOTFALL_ARTIFACTS__MAX_BYTES": "1048576",
            "FOOTFALL_SITES": '{"shop": {"url": "https://shop.example.com"}}',
            "FOOTFALL_SITES__SHOP__FIRST_PARTY": '["https://shop.example.com"]',
            "FOOTFALL_JOURNEY__BUY_A_MUG__PARAMS": '{"amount": 2}',
            "FOOTFALL_JOURNEY__BUY_A_MUG__ENABLED": "no",
            "FOOTFALL_SECRET_PW": "for journeys",
            "FOOTFALL_DEMO_PASSWORD": "for the demo",
            "PATH": "/bin",
        },
    )
    assert settings.location == "eu-west-1"
    assert settings.workers.count == 3
    assert settings.browser.headless is False
    assert settings.browser.args == ("--lang=de", "--mute-audio")
    assert settings.artifacts.max_bytes == 1 << 20
    assert settings.sites["shop"].first_party == ("https://shop.example.com",)
    assert settings.journey["buy_a_mug"].params == {"amount": 2}
    assert settings.journey["buy_a_mug"].enabled is False


def test_addresses_have_one_spelling(write):
    """Sites and patterns lose capitals, a lone slash and default ports, so they compare."""
    file = write(
        '[sites.shop]\nurl = "HTTPS://Shop.example.com:443/"\n'
        'first_party = ["https://*.Example.com:443", "http://[::1]:8080/"]\n'
    )
    site = load(file, {}).sites["shop"]
    assert site.url == "https://shop.example.com"
    assert site.first_party == ("https://*.example.com", "http://[::1]:8080")


def test_a_link_has_fields_of_a_run(write):
    """As it stands, with the fields in braces; nothing is no link."""
    link = "http://[::1]:16686/trace/{trace_id}?run={run_id}&of={journey}"
    file = write(f'[links]\ntrace = "{link}"\n')
    assert load(file, {}).links.trace == link
    assert load(write("[links]\n"), {}).links.trace == ""


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("https://*.shop.example.com", "https://shop.example.com"),
        ("https://*.shop.example.com", "https://notshop.example.com"),
        ("https://*.example.com", "http://shop.example.com"),
        ("https://*.example.com", "https://shop.example.com:8443"),
        ("https://shop.example.com", "https://a.shop.example.com"),
    ],
)
def test_a_pattern_covers_scheme_host_and_port_exactly(write, pattern, url):
    """A star stands for at least one whole label; nothing else may differ."""
    file = write(f'[sites.shop]\nurl = "{url}"\nfirst_party = ["{pattern}"]\n')
    assert list(faults(file, {})) == ["config.toml:3 sites.shop.first_party"]


def test_folders_are_relative_to_the_file(tmp_path):
    """Where the agent is started from doesn't change what it reads and writes."""
    folder = tmp_path / "etc"
    folder.mkdir()
    file = folder / "footfall.toml"
    file.write_text('journeys = "walks"\nsecrets_dir = "/elsewhere"\n')
    settings = load(file, {"FOOTFALL_STATE": "../lib"})
    assert settings.journeys == folder / "walks"
    assert settings.state == folder / "../lib"
    assert settings.secrets_dir == Path("/elsewhere")


def test_without_a_name_config_toml_is_taken(write):
    """No path means the file of that name in the working directory."""
    write('location = "here"\n')
    assert load(None, {}).location == "here"


def test_a_missing_file_says_how_to_make_one(tmp_path, monkeypatch):
    """A first start without a configuration is told the command that makes one."""
    monkeypatch.chdir(tmp_path)
    assert "[sites.shop] with url and first_party" in faults(None, {})["config.toml"]


def test_a_file_that_cannot_be_read_says_why(write, tmp_path):
    """A folder and a file that isn't text are told apart from a missing file."""
    assert "directory" in faults(tmp_path, {})[str(tmp_path)]
    file = write("")
    file.write_bytes(b'location = "\xff"')
    assert "UTF-8" in faults(file, {})["config.toml"]


def test_all_faults_are_told_at_once(write):
    """File and variables are judged together; nobody mends one fault to meet the next."""
    file = write(
        '[schedule]\ntimeot = "1s"\n[sites.shop]\nurl = "shop"\n'
        "[workers]\ncount = 1\nmax_runs = 0\n"
    )
    environ = {"FOOTFALL_WORKERS__COUNT": "many", "FOOTFALL_LOCATON": "here"}
    assert set(faults(file, environ)) == {
        "config.toml:2 schedule.timeot",
        "config.toml:4 sites.shop.url",
        "config.toml:3 sites.shop.first_party",
        "config.toml:7 workers.max_runs",
        "environment variable FOOTFALL_WORKERS__COUNT",
        "environment variable FOOTFALL_LOCATON",
    }


@pytest.mark.parametrize(
    ("variable", "value", "where", "told"),
    [
        ("FOOTFALL_LOCATON", "x", "", "did you mean FOOTFALL_LOCATION?"),
        ("FOOTFALL_SCHEDULE_TIMEOUT", "9s", "", "did you mean FOOTFALL_SCHEDULE__TIMEOUT?"),
        ("FOOTFALL_SECRETS_PW", "x", "", "unknown"),
        ("FOOTFALL_WHATEVER", "x", "", "two underscores"),
        ("FOOTFALL_LOCATION__NAME", "x", "", "unknown"),
        ("FOOTFALL_SCHEDULE__TIMEOT", "9s", "", "did you mean `timeout`?"),
        ("FOOTFALL_SITES__1SHOP__URL", "https://a.example.com", "", "lower-case letters"),
        ("FOOTFALL_SCHEDULE__TIMEOUT__X", "9s", "", "must be a duration"),
        ("FOOTFALL_SCHEDULE", '{"timeout": "never"}', " (timeout)", "is not a duration"),
        ("FOOTFALL_SCHEDULE", "{not json", "", "a JSON object"),
        ("FOOTFALL_BROWSER__ARGS", "--lang=de", "", "must be a list"),
        ("FOOTFALL_SITES__SHOP__FIRST_PARTY", "[]", "", "needs its first-party"),
        ("footfall_locaton", "x", "", "did you mean FOOTFALL_LOCATION?"),
    ],
)
def test_a_variable_that_means_nothing_is_a_fault(write, variable, value, where, told):
    """A misspelt variable is never passed over, wherever in its name the slip is."""
    found = faults(write(""), {variable: value})
    [message] = [
        message
        for place, message in found.items()
        if place == f"environment variable {variable}{where}" and told in message
    ]
    assert message


def test_a_fault_is_told_where_its_value_came_from(write):
    """A bad value in the file that a variable replaces is no fault; the variable's own is."""
    file = write('[schedule]\ntimeout = "never"\ngrace = "1s"\n')
    assert load(file, {"FOOTFALL_SCHEDULE__TIMEOUT": "9s"}).schedule.timeout == 9.0
    assert set(faults(file, {"FOOTFALL_SCHEDULE__GRACE": "soon"})) == {
        "config.toml:2 schedule.timeout",
        "environment variable FOOTFALL_SCHEDULE__GRACE",
    }


def test_settings_know_where_each_key_was_given(write):
    """Later checks can point at the line, the variable, or the section a key belongs to."""
    file = write('[journey.buy]\ntimeout = "9s"\n')
    settings = load(file, {"FOOTFALL_JOURNEY__BUY__EVERY": "1m"})
    assert settings.where("journey", "buy", "timeout") == "config.toml:2 journey.buy.timeout"
    assert (
        settings.where("journey", "buy", "every")
        == "environment variable FOOTFALL_JOURNEY__BUY__EVERY"
    )
    assert settings.where("journey", "buy") == "config.toml:1 journey.buy"
    assert settings.where("journey", "buy", "grace") == "config.toml:1 journey.buy.grace"
    assert settings.where("schedule", "grace") == "config.toml schedule.grace"
    settings = load(file, {"FOOTFALL_SCHEDULE__EVERY": "1m"})
    assert settings.where("schedule", "grace") == "config.toml schedule.grace"


def test_settings_are_frozen(write):
    """Nobody changes the configuration of a running agent by accident."""
    settings = load(write(""), {})
    with pytest.raises(ValidationError, match="frozen"):
        settings.location = "elsewhere"
    with pytest.raises(ValidationError, match="frozen"):
        settings.schedule.timeout = 1.0


def test_the_process_environment_is_read_only_where_it_is_handed_in(write, monkeypatch):
    """What counts is the mapping given, so that a reload and a test can say what it holds."""
    for name in ("FOOTFALL_LOCATION", "FOOTFALL_state", "environment"):
        monkeypatch.setenv(name, "leaked")
    file = write("")
    settings = load(file, {})
    assert (settings.location, settings.environment) == ("local", "production")
    assert settings.state.name == "var"
    monkeypatch.delenv("FOOTFALL_state")
    assert load(file, os.environ).location == "leaked"


def test_reading_the_configuration_needs_neither_browser_nor_telemetry():
    """Importing agent.config loads neither Playwright nor OpenTelemetry."""
    check = (
        "import sys, agent.config; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'playwright', 'opentelemetry'}))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\nlocation = " + "[" * 5000, ":2"),
        ("workers.count = 1\n\nworkers.max_runs = " + "9" * 5000, ":3"),
        ("workers.count = 1\n\nworkers.max_runs = 0x" + "f" * 5000, ":3 workers.max_runs"),
        (".".join(["a"] * 3000) + " = 1", ":1 a"),
        ("journey.buy.params." + ".".join(["a"] * 3000) + " = 1", ":1 journey.buy.params"),
        ('"a\\nb" = 1', ':1 "a\\nb"'),
    ],
)
def test_a_file_beyond_the_readers_limits_is_told_at_its_line(write, text, place):
    """Depth and digits without end are faults like any other, told on one line."""
    file = write(text)
    [where] = faults(file, {})
    assert where == f"{file}{place}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FOOTFALL_SITES", "[" * 100_000),
        ("FOOTFALL_JOURNEY__BUY__PARAMS", '{"a": ' * 3000 + "1" + "}" * 3000),
        ("FOOTFALL_JOURNEY__BUY__PARAMS", '{"sku": "\\ud800"}'),
        ("FOOTFALL_JOURNEY__BUY__PARAMS" + "__A" * 2000, "1"),
        ("FOOTFALL_SECRETS_DIR", "a\0b"),
    ],
)
def test_a_variable_beyond_the_readers_limits_is_told(write, name, value):
    """Depth without end, halves of characters and zero bytes too."""
    [where] = faults(write(""), {name: value})
    assert where.partition(" (")[0] == f"environment variable {name}"


def test_the_configured_proxy_stands_over_the_variables(tmp_path):
    """For both schemes; the hosts that are reached directly add up."""
    file = tmp_path / "config.toml"
    file.write_text('[browser]\nproxy = "http://own:1"\nproxy_bypass = ["*.intra.test"]\n')
    environ = {"HTTPS_PROXY": "http://other:2", "NO_PROXY": "shop.test"}
    proxies = load(file, environ).proxies
    assert {proxies.of(url).server for url in ("http://a/", "https://a/")} == {"http://own:1"}
    assert proxies.of("https://a.intra.test/") is proxies.of("https://shop.test/") is None


def test_without_one_the_variables_stand(tmp_path):
    """Credentials and all."""
    file = tmp_path / "config.toml"
    file.touch()
    proxy = load(file, {"https_proxy": "http://me:pw@other:2"}).proxies.of("https://a/")
    assert (proxy.server, proxy.username, proxy.password) == ("http://other:2", "me", "pw")


def test_variables_alone_will_do(tmp_path, monkeypatch):
    """Without the default file, where they name a site; folders are relative to here then."""
    monkeypatch.chdir(tmp_path)
    environ = {
        "FOOTFALL_SITES": '{"shop": {"url": "http://a.test", "first_party": ["http://a.test"]}}',
        "FOOTFALL_JOURNEYS": "walks",
    }
    settings = load(None, environ)
    assert settings.sites["shop"].url == "http://a.test"
    assert settings.journeys == tmp_path / "walks"
    with pytest.raises(ConfigError, match="no such file"):
        load(None, {"FOOTFALL_JOURNEYS": "walks"})


def test_where_no_file_is_required_variables_still_count(tmp_path, monkeypatch):
    """And misspelt ones are refused."""
    monkeypatch.chdir(tmp_path)
    settings = load(None, {"FOOTFALL_SCHEDULE__TIMEOUT": "7s"}, required=False)
    assert settings.schedule.timeout == 7
    with pytest.raises(ConfigError, match="FOOTFALL_TIMEOUT"):
        load(None, {"FOOTFALL_TIMEOUT": "7s"}, required=False)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("http://[::1]:9103", "http://[::1]:9103"),
        ("http://[0:0:0:0:0:0:0:1]:80/", "http://[::1]"),
        ("https://[::ffff:1.2.3.4]", "https://[::ffff:102:304]"),
        ("https://SHOP.Example.com:443", "https://shop.example.com"),
        ("http://10.0.0.7:8080", "http://10.0.0.7:8080"),
        ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
    ],
)
def test_sites_are_spelt_as_browsers_do(given, canonical):
    """Which compare them with what they were given."""
    assert origin(given) == canonical


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("http://127.1", "an IP address in full"),
        ("http://0x7f.1", "an IP address in full"),
        ("http://2130706433:80", "an IP address in full"),
        ("http://127.0.0.01", "an IP address in full"),
        ("http://256.0.0.1", "an IP address in full"),
        ("http://[fe80::1%25eth0]", "makes no sense"),
        ("http://[::1", "makes no sense"),
        ("http://shop:0", "makes no sense"),
        ("https://münchen.example", 'write the host as "xn--mnchen-3ya.example"'),
        ("https://me:hunter2@münchen.example", 'write the host as "xn--mnchen-3ya.example"'),
        ("https://straße.example", 'write the host as "xn--…"'),
    ],
)
def test_what_browsers_read_otherwise_is_refused(given, told):
    """With what to write, and without a password."""
    with pytest.raises(ValueError, match=re.escape(told)) as caught:
        origin(given)
    assert "hunter2" not in str(caught.value)
