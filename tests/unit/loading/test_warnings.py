"""What works but is probably not meant is told with its place, and what is meant is not."""

from __future__ import annotations

import pytest

from agent.config import load
from agent.core.model import Definition
from agent.loading.warnings import others_can_read, warnings

SITE = """
[sites.shop]
url = "http://127.0.0.1:{port}"
first_party = ["http://127.0.0.1:{port}"]
"""


@pytest.fixture
def place(tmp_path):
    """A folder that every user may enter, up to the root."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == tmp_path.stat().st_uid:
            folder.chmod(folder.stat().st_mode | 0o111)
    if not all(folder.stat().st_mode & 0o001 for folder in tmp_path.parents):
        pytest.skip("others can't enter the temporary folder of this system")
    return tmp_path


def told(folder, text="", definitions=(), **environ):
    file = folder / "config.toml"
    (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
    file.write_text(f'secrets_dir = "secrets"\n{text}')
    settings = load(file, environ)
    found = warnings(settings, definitions, environ)
    return [(one.where.rpartition("/")[2], one.message) for one in found]


def secret(place, name, mode):
    file = place / name
    file.write_text("secret of sixteen letters")
    file.chmod(mode)
    return file


def test_nothing_is_said_of_what_is_meant(place):
    """A plain configuration, without any secret."""
    assert told(place, SITE.format(port=8443)) == []


@pytest.mark.parametrize("port", [22, 6000, 6667, 10080])
def test_a_port_that_browsers_refuse(place, port):
    """Once for a site, at its address, with what to do."""
    ((where, message),) = told(place, SITE.format(port=port))
    assert where == "config.toml:4 sites.shop.url"
    assert f"browsers refuse port {port}" in message
    assert f'args = ["--explicitly-allowed-ports={port}"]' in message


def test_a_port_that_was_allowed(place):
    """By the argument that the warning names."""
    allowed = '[browser]\nargs = ["--explicitly-allowed-ports=22,6667"]\n'
    assert told(place, allowed + SITE.format(port=6667)) == []


def test_a_pattern_on_such_a_port(place):
    """At the list that holds it, though the site's own address is fine."""
    one, other = "http://127.0.0.1:8000", "http://127.0.0.1:6667"
    text = f'[sites.shop]\nurl = "{one}"\nfirst_party = ["{one}", "{other}"]\n'
    ((where, _),) = told(place, text)
    assert where == "config.toml:4 sites.shop.first_party"


def test_proxies_that_cannot_be_used(place):
    """By the variable's name."""
    ((where, message),) = told(place, ALL_PROXY="socks5://127.0.0.1:1080")
    assert where == "environment variable ALL_PROXY"
    assert "SOCKS" in message


def test_what_a_journeys_source_warns_of(place):
    """As the worker told it."""
    from agent.core.errors import Problem

    one = Definition("buy", "shop", "a.py", 1, warnings=[Problem("journeys/a.py:7", "twice")])
    assert told(place, definitions=[one]) == [("a.py:7", "twice")]


@pytest.mark.parametrize(("mode", "known"), [(0o604, True), (0o600, False), (0o640, False)])
def test_secrets_that_others_can_read(place, mode, known):
    """Files in the secrets folder, once for the folder."""
    (place / "secrets").mkdir()
    (place / "secrets").chmod(0o711)
    for name in ("A", "B"):
        secret(place / "secrets", name, mode)
    found = told(place)
    assert [where for where, _ in found] == (["secrets"] if known else [])
    assert all("A and 1 more" in message and "`chmod o= " in message for _, message in found)


def test_a_closed_folder_keeps_what_is_in_it(place):
    """A readable file below a folder that others can't enter is not readable for them."""
    (place / "secrets").mkdir(mode=0o700)
    secret(place / "secrets", "A", 0o644)
    assert told(place) == []
    assert not others_can_read(place / "secrets" / "A")
    assert not others_can_read(place / "nowhere")


@pytest.mark.parametrize("text", ['server.token = "0123456789abcdef"\n', ""])
def test_a_token_in_a_readable_configuration(place, text):
    """Told of the file, where that holds the token itself."""
    file = place / "config.toml"
    file.touch()
    file.chmod(0o644)
    found = told(place, text, FOOTFALL_TELEMETRY__HEADERS='{"authorization": "x"}')
    assert [where for where, _ in found] == (["config.toml:2 server.token"] if text else [])
    file.chmod(0o600)
    assert told(place, text) == []


def test_keys_that_journeys_and_variables_name(place):
    """A client's key, a saved session, the exporter's key."""
    key, state = secret(place, "a.key", 0o644), secret(place, "user.json", 0o644)
    context = {
        "client_certificates": [{"origin": "https://a", "certPath": "x", "keyPath": str(key)}],
        "storage_state": str(state),
    }
    one = Definition("buy", "shop", "a.py", 3, context=context)
    found = told(place, definitions=[one], OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY=str(key))
    variable = "environment variable OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY"
    assert [where for where, _ in found] == [variable, "a.py:3", "a.py:3"]
    assert [str(key) in message for _, message in found] == [True, True, False]


@pytest.mark.parametrize(
    ("argument", "what"),
    [
        ("--proxy-server=http://proxy:1", "set browser.proxy"),
        ("--user-agent=Mine", "the agent sets its own"),
        ("--user-data-dir=/tmp/x", "fresh profile"),
    ],
)
def test_arguments_that_do_less_than_they_say(place, argument, what):
    """Each with its place in the list; others are nobody's business."""
    ((where, message),) = told(place, f'[browser]\nargs = ["--lang=de", "{argument}"]\n')
    assert where == "config.toml:3 browser.args[1]"
    assert what in message


@pytest.mark.parametrize("key", ['executable = "/nowhere/chrome"', 'executable = "/"'])
def test_a_browser_that_is_not_there(place, key):
    """By its key."""
    ((where, message),) = told(place, f"[browser]\n{key}\n")
    assert where == "config.toml:3 browser.executable"
    assert "is not an executable file" in message


def test_a_secrets_folder_that_is_not_there(place):
    """Where it was asked for: journeys would miss their secrets at each run."""
    file = place / "config.toml"
    file.write_text('secrets_dir = "nowhere"\n')
    (found,) = warnings(load(file, {}), (), {})
    assert found.where.endswith("config.toml:1 secrets_dir")
    assert str(place / "nowhere") in found.message
    file.write_text("")
    assert warnings(load(file, {}), (), {}) == []
