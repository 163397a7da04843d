"""`identity.signing_key`: read when the configuration is, or refused."""

import pytest

from agent.cli.keys import make
from agent.config import load
from agent.core.errors import ConfigError

INFO_URL = 'info_url = "https://www.shop.example/synthetic"\n'


@pytest.fixture
def config(tmp_path):
    def write(key):
        file = tmp_path / "config.toml"
        file.write_text(f'[identity]\nsigning_key = "{key}"\n{INFO_URL}')
        return file

    return write


def test_without_one_nothing_is_signed(tmp_path):
    """The default is off."""
    file = tmp_path / "config.toml"
    file.write_text("")
    assert load(file, {}).signing_keys == ()


def test_the_file_is_relative_to_the_configuration(config, tmp_path):
    """As every other path in it; a variable may name it too."""
    made = make(tmp_path / "keys", 1, 1_790_000_000.0)
    settings = load(config(f"keys/{made.key.name}"), {})
    assert settings.identity.signing_key == str(made.key)
    assert len(settings.signing_keys) == 1
    named = load(config("none.pem"), {"FOOTFALL_IDENTITY__SIGNING_KEY": str(made.key)})
    assert len(named.signing_keys) == 1


def test_a_copy_of_the_settings_still_signs(config, tmp_path):
    """What a session changes about the settings is not the key."""
    made = make(tmp_path / "keys", 1, 1_790_000_000.0)
    settings = load(config(made.key), {})
    assert settings.model_copy(update={"location": "x"}).signing_keys == settings.signing_keys


@pytest.mark.parametrize("content", [None, "", "garbled", "half"])
def test_a_bad_key_is_refused_by_file_and_key_and_never_quoted(config, tmp_path, content):
    """Missing, empty or damaged: the message names the key of the configuration, and the file."""
    made = make(tmp_path / "keys", 1, 1_790_000_000.0)
    pem = made.key.read_text()
    secret = pem.splitlines()[1]
    bad = tmp_path / "bad.pem"
    if content is not None:
        text = {"garbled": pem.replace(secret, secret[:-9] + "AAAAAAAA="), "half": secret}
        bad.write_text(text.get(content, ""))
    with pytest.raises(ConfigError) as caught:
        load(config("bad.pem"), {})
    (problem,) = caught.value.problems
    assert "config.toml:2 identity.signing_key" in problem.where
    assert str(bad) in problem.message
    assert secret[8:24] not in str(problem)


@pytest.mark.parametrize("given", ["", 'info_url = "https://example.com/bot"\n'])
def test_a_key_needs_a_directory_of_ones_own(config, tmp_path, given):
    """Signatures that point at an address which is nobody's are refused, with what to set; a
    fault of the address itself is told once, and without a key any may stand."""
    made = make(tmp_path / "keys", 1, 1_790_000_000.0)
    file = config(made.key)
    text = file.read_text()
    file.write_text(text.replace(INFO_URL, given))
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    (problem,) = caught.value.problems
    assert "identity.info_url" in problem.where
    assert "config.toml:3" in problem.where or not given
    assert "https://www.YOUR-SHOP.com/synthetic" in problem.message
    file.write_text(text.replace(INFO_URL, 'info_url = "www.shop.example"\n'))
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert len(caught.value.problems) == 1
    file.write_text(f"[identity]\n{given}")
    assert load(file, {}).signing_keys == ()


@pytest.mark.parametrize("given", ["file", "variable"])
def test_a_key_with_calls_alone_held_is_refused_at_its_line(config, tmp_path, given):
    """An edge that wants signatures wants them on every file: both keys are named, and the cure."""
    made = make(tmp_path / "keys", 1, 1_790_000_000.0)
    file, variables = config(made.key), {"FOOTFALL_IDENTITY__HOLD": "calls"}
    if given == "file":
        file.write_text(f'{file.read_text()}hold = "calls"\n')
        variables = {}
    with pytest.raises(ConfigError) as caught:
        load(file, variables)
    (problem,) = caught.value.problems
    where = "config.toml:4 identity.hold" if given == "file" else "FOOTFALL_IDENTITY__HOLD"
    assert where in problem.where
    assert "config.toml:2 identity.signing_key" in problem.message
    assert '"auto" or "all"' in problem.message


@pytest.mark.parametrize(
    ("given", "keyed", "held"),
    [
        ("auto", False, "calls"),
        ("auto", True, "all"),
        ("all", False, "all"),
        ("all", True, "all"),
        ("calls", False, "calls"),
    ],
)
def test_what_is_held(config, tmp_path, given, keyed, held):
    """``auto`` is every request where they are signed, and else those that are no files."""
    made = make(tmp_path / "keys", 1, 1_790_000_000.0)
    file = config(made.key if keyed else "")
    file.write_text(f'{file.read_text()}hold = "{given}"\n')
    assert load(file, {}).hold == held


def test_what_is_held_has_three_names(config):
    """Any other is refused at its line."""
    file = config("")
    file.write_text(f'{file.read_text()}hold = "everything"\n')
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert "config.toml:4 identity.hold" in str(caught.value)
