"""A folder of faults: each file holds the one it is named after."""

from pathlib import Path

import pytest

from agent.config import load
from agent.core.errors import ConfigError

FOLDER = Path(__file__).parent / "invalid"

FAULTS = {
    "cron_line_of_six_fields": (":2 schedule.every", "nor a cron line of five fields"),
    "duration_not_understood": (":2 schedule.timeout", "'half a minute' is not a duration"),
    "duration_without_unit": (":2 schedule.timeout", "must be a duration in quotes with its unit"),
    "empty_folder": (":1 state", "must name a folder"),
    "empty_location": (":1 location", "must not be empty"),
    "endpoint_without_scheme": (":2 telemetry.endpoint", "begins with http:// or https://"),
    "ends_too_soon": (":2", "is not valid TOML"),
    "engine_unknown": (":2 browser.engine", 'only "chromium" works so far'),
    "flag_as_word": (":2 browser.headless", "must be true or false, not 'perhaps'"),
    "folder_with_zero_byte": (":1 state", "must not hold a zero byte"),
    "confirmed_too_late": (":2 schedule.confirm_after", "must be 10m or less"),
    "grace_too_short": (":2 schedule.grace", "must be 1s or more"),
    "header_not_a_name": (":2 identity.header", "is no name for a header"),
    "header_with_two_lines": (":2 telemetry.headers.authorization", "must be one line"),
    "host_by_name": (":2 server.host", "must be an IP address"),
    "interval_too_short": (":2 journey.buy.every", "the shortest interval is 1s"),
    "journey_name_in_capitals": (":1 journey.Buy", "lower-case letters"),
    "key_given_twice": (":3", "is not valid TOML"),
    "key_in_capitals": (":1 Location", "did you mean `location`?"),
    "key_of_another_section": (":2 canary.spool_bytes", "known here: reference"),
    "key_with_underscore": (":1 _env_file", "unknown key"),
    "link_of_a_script": (":2 links.trace", "begins with http:// or https://"),
    "link_with_field_in_host": (":2 links.trace", "behind the host"),
    "link_with_open_brace": (":2 links.trace", "a brace that is never closed"),
    "link_with_unknown_field": (":2 links.trace", "{trace_id}, {run_id}, {journey}"),
    "list_as_text": (":2 browser.args", "must be a list"),
    "list_item_of_wrong_type": (":2 browser.args[1]", "must be text in quotes"),
    "long_number_for_a_word": (":2 artifacts.keep", "must be 'all', 'failed' or 'none'"),
    "memory_without_unit": (":2 workers.max_memory", "no browser fits"),
    "misspelt_key": (":3 schedule.timeot", "did you mean `timeout`?"),
    "own_address_with_password": (":2 server.url", "must not hold a user name or password"),
    "own_address_with_path": (":2 server.url", "serves its pages from the root"),
    "no_workers": (":2 workers.count", "must be 1 or more"),
    "not_toml": (":2", "is not valid TOML"),
    "number_as_text": (":2 workers.count", "must be a whole number, not 'two'"),
    "number_of_thousands_of_digits": (":3", "a number of thousands of digits"),
    "param_without_end": (":2 journey.buy.params", "would not reach the journey as it is"),
    "pattern_of_a_whole_domain": (":3 sites.shop.first_party[0]", "a domain of your own"),
    "pattern_with_inner_star": (":3 sites.shop.first_party[0]", "no proper host"),
    "pattern_with_path": (":3 sites.shop.first_party[0]", "must end after the host or port"),
    "pattern_without_scheme": (
        ":3 sites.shop.first_party[1]",
        'patterns look like "https://shop.example.com"',
    ),
    "port_out_of_range": (":2 server.port", "must be 65535 or less"),
    "protocol_unknown": (
        ":2 telemetry.protocol",
        "must be 'http/protobuf' or 'grpc', not 'http/json'",
    ),
    "proxy_by_socks": (":2 browser.proxy", "must begin with http:// or https://"),
    "proxy_bypass_of_a_network": (":2 browser.proxy_bypass[0]", "is no host"),
    "proxy_with_password": (":2 browser.proxy", "must not hold a user name or password"),
    "queue_by_another_scheme": (":3 queue.url", "must begin with nats:// or tls://"),
    "queue_of_mixed_schemes": (":3 queue.url", "nats:// or tls:// alike"),
    "queue_with_missing_ca": (":4 queue.ca", "nowhere.pem: No such file"),
    "queue_with_slash_in_password": (":3 queue.url", "its host or port makes no sense"),
    "queue_with_two_ways_in": (":2 queue", "takes one of `credentials`, `token`"),
    "queue_without_location": (":2 queue.url", 'such as location = "eu-west-1"'),
    "queue_without_url": (":2 queue", "needs `url`"),
    "site_name_with_dash": (":1 sites.my-shop", "lower-case letters"),
    "site_outside_its_patterns": (
        ":3 sites.shop.first_party",
        'add "https://shop.example.com" to first_party',
    ),
    "site_relative": (":2 sites.shop.url", "must be an absolute address"),
    "site_with_bad_port": (":2 sites.shop.url", "its host or port makes no sense"),
    "site_with_password": (":2 sites.shop.url", "must not hold a user name or password"),
    "site_with_path": (":2 sites.shop.url", "must end after the host or port"),
    "site_without_first_party": (
        ":1 sites.shop.first_party",
        'write first_party = ["https://shop.example.com"]',
    ),
    "site_without_url": (":1 sites.shop.url", "is missing"),
    "size_beyond_any_disk": (":2 artifacts.max_bytes", "makes no sense"),
    "size_not_understood": (":2 telemetry.spool_bytes", "'lots' is not a size"),
    "size_of_nothing": (":2 artifacts.max_bytes", "must be more than 0"),
    "table_as_text": (":1 server", "must be a table"),
    "text_as_number": (":1 location", "must be text in quotes"),
    "timeout_of_nothing": (":2 schedule.timeout", "must be longer than 0s"),
    "timezone_unknown": (":2 schedule.timezone", "'Mars/Olympus' is not a time zone"),
    "unclosed_table": (":2", "is not valid TOML"),
    "unknown_section": (":1 shedule", "did you mean `schedule`?"),
    "word_not_in_list": (":2 artifacts.keep", "must be 'all', 'failed' or 'none', not 'failures'"),
    "token_too_short": (":2 server.token", "must be 16 or more characters"),
    "token_with_spaces": (":2 server.token", "without spaces"),
}
"""File: (where it is told to be, behind the file's name; part of what is said)."""


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.iterdir()))
def test_each_fault_is_told_with_its_place_and_a_remedy(name, monkeypatch):
    """One fault gives one problem, at its file, line and key, that says what to write."""
    place, told = FAULTS[name]
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ConfigError) as caught:
        load(Path(f"{name}.toml"), {})
    [problem] = caught.value.problems
    assert problem.where == f"{name}.toml{place}"
    assert told in problem.message


def test_no_fault_is_expected_that_no_file_holds():
    """The table and the folder name the same faults."""
    assert set(FAULTS) == {path.stem for path in FOLDER.iterdir()}
