"""Any document, any bytes, any environment: sound settings, or every fault with its place."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config import Settings, load, load_lenient, resolve
from agent.config.addresses import covers
from agent.core.errors import ConfigError
from agent.protocol.messages import TO_WORKER, Walk
from agent.schedule.plan import interval_of
from tests.support.documents import SECRET, definitions, documents, dotted, environments
from tests.support.fuzz import effort

EXAMPLE = (Path(__file__).parents[3] / "config.example.toml").read_bytes()
NAME = re.compile(r"[a-z][a-z0-9_]*")
PLACE = re.compile(r":(\d+)(?:: |$| )(.*)", re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("any")
    secrets = made / "secrets"
    secrets.mkdir()
    (secrets / "FOOTFALL_TELEMETRY__HEADERS").write_text(f'{{"authorization": "{SECRET}"}}')
    return made


def taken(file, environ):
    """The settings, or the faults, checked for what all of them must be."""
    settings, faults = load_lenient(file, environ)
    if not faults:
        assert settings == load(file, environ)
        assert SECRET not in f"{settings!r} {settings}"
        check_sound(settings)
        return settings
    with pytest.raises(ConfigError) as caught:
        load(file, environ)
    assert list(caught.value.problems) == faults
    assert SECRET not in str(caught.value)
    for fault in faults:
        check_told(fault, file, environ)
    return faults


def check_told(fault, file, environ):
    """It has a place that is there, and says something."""
    assert fault.message.strip()
    if fault.where.startswith(str(file)):
        place = PLACE.match(fault.where.removeprefix(str(file)))
        assert place is None or 1 <= int(place[1]) <= file.read_bytes().count(b"\n") + 1
    elif fault.where.startswith("environment variable "):
        told = fault.where.removeprefix("environment variable ")
        assert told in environ or told.partition(" (")[0] in environ
    else:
        assert fault.where.startswith(("folder ", f"file {file.parent}"))


def check_sound(settings):
    """What the rest of the agent takes for granted."""
    assert settings.location.strip()
    assert settings.environment.strip()
    for one in (settings.journeys, settings.state, settings.secrets_dir):
        assert one.is_absolute()
        str(one / "x").encode()
    assert all(map(NAME.fullmatch, [*settings.sites, *settings.journey]))
    for site in settings.sites.values():
        assert any(covers(pattern, site.url) for pattern in site.first_party)
    telemetry, artifacts, workers = settings.telemetry, settings.artifacts, settings.workers
    for seconds in (telemetry.interval, telemetry.spool_age, artifacts.max_age, workers.max_age):
        assert 0 < seconds <= 3660 * 86_400
    for size in (telemetry.spool_bytes, artifacts.max_bytes, workers.max_memory):
        assert 0 < size <= 2**60
    assert 1 <= workers.count <= 1000
    assert 1 <= workers.max_runs <= 1_000_000
    assert 0 <= settings.server.port <= 65_535
    for header in (settings.identity.header, *telemetry.headers):
        assert re.fullmatch(r"[!-9;-~]+", header)


def check_journeys(settings, defined):
    """Every journey fits its interval and reaches its worker as it is, or the reasons are told."""
    try:
        journeys = resolve(settings, defined, interval_of)
    except ConfigError as caught:
        told = caught
    else:
        assert [journey.name for journey in journeys] == [one.name for one in defined]
        for journey in journeys:
            assert journey.timeout > 0
            assert journey.grace >= 1
            assert journey.timeout + journey.grace <= journey.interval
            assert math.isfinite(journey.interval)
            walk = Walk("run", journey, 1, "0a" * 16, "0b" * 8, "", "", record_trace=True)
            assert TO_WORKER.validate_json(TO_WORKER.dump_json(walk)) == walk
        return
    assert told.problems
    assert all(problem.message.strip() for problem in told.problems)
    assert SECRET not in str(told)


@effort(150)
@given(documents(), environments, definitions)
def test_any_document_is_taken_whole_or_refused_with_reasons(folder, document, environ, defined):
    """No document and no environment ends in another exception, a leak or half a truth."""
    file = folder / "config.toml"
    file.write_text(document[0], "utf-8")
    found = taken(file, {"FOOTFALL_SECRETS_DIR": str(folder / "secrets"), **environ})
    if isinstance(found, Settings):
        check_journeys(found, defined)


@effort(100)
@given(documents(spoilt=st.integers(1, 2)))
def test_a_fault_in_a_document_is_told_at_the_line_of_its_key(folder, document):
    """Whatever stands above it; of a key that is missing, at the line of its table."""
    text, places = document
    file = folder / "config.toml"
    file.write_text(text, "utf-8")
    found = taken(file, {})
    lines = {dotted(path): line for path, line in places.items()}
    for fault in [] if isinstance(found, Settings) else found:
        line, key = PLACE.match(fault.where.removeprefix(str(file))).groups()
        above = [one for one in lines if key == one or key.startswith((f"{one}.", f"{one}["))]
        assert not key or int(line) == lines[max(above, key=len)]


put = st.one_of(
    st.binary(min_size=1, max_size=4),
    st.sampled_from(
        [b"[", b"]", b'"', b"#", b"=", b"\n", b"\n[[x]]\n", b"{", b"'''", b"0x", b"\0"]
    ),
)
place = st.integers(0, len(EXAMPLE))
changes = st.lists(
    st.one_of(
        st.tuples(place, st.just(0), put),
        st.tuples(place, st.integers(1, 200), st.just(b"")),
        st.tuples(place, st.just(1), put),
    ),
    max_size=4,
)


@effort(150)
@given(changes, st.booleans())
def test_any_bytes_are_settings_or_faults(folder, changes, opened):
    """The example, with all of its keys or those it sets, cut and overwritten anywhere."""
    content = EXAMPLE
    for at, gone, instead in changes:
        content = content[:at] + instead + content[at + gone :]
    if opened:
        content = re.sub(rb"(?m)^#(?=[a-z\[])", b"", content)
    file = folder / "config.toml"
    file.write_bytes(content)
    found = taken(file, {})
    assert changes or isinstance(found, Settings)
