"""Whatever is written into the configuration, the answer is settings or a list of faults."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config import Settings, load, load_lenient
from agent.config.sections import JourneySection, SiteSection
from agent.core.errors import ConfigError

KEYS = sorted(
    [f"{name}.{key}" for name in Settings.model_fields for key in ("timeout", "port", "oops", "")]
    + list(Settings.model_fields)
    + [f"sites.shop.{name}" for name in SiteSection.model_fields]
    + [f"journey.buy.{name}" for name in JourneySection.model_fields]
    + ["telemetry.headers.authorization", "browser.args", "_env_file", "telemetry.endpoint"]
)
SCALARS = st.one_of(
    st.sampled_from(
        ["", "1m", "0 3 * * *", "https://a.example.com", "http://[", "https://*.a.b", "::", "UTC"]
    ),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8),
    st.integers(),
    st.booleans(),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2))
ENTRIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("any") / "config.toml"


@given(lines=ENTRIES, variables=ENTRIES)
def test_any_input_gives_settings_or_faults_with_their_places(file, lines, variables):
    """No value, of whatever type and wherever it stands, ends in another exception."""
    written = "".join(
        f"{'.'.join(part or json.dumps(part) for part in key.split('.'))} = {json.dumps(value)}\n"
        for key, value in lines.items()
    )
    file.write_text(written)
    environ = {
        "FOOTFALL_" + key.upper().replace(".", "__"): value
        if isinstance(value, str)
        else json.dumps(value)
        for key, value in variables.items()
    }
    found = faults(file, environ)
    assert load_lenient(file, environ)[1] == list(found)
    for problem in found:
        assert problem.where.startswith((str(file), "environment variable FOOTFALL_", "folder"))
        assert problem.message


def faults(file, environ):
    try:
        assert isinstance(load(file, environ), Settings)
    except ConfigError as error:
        return error.problems or pytest.fail("a ConfigError without a problem")
    return ()
