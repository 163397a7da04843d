"""Secrets: where they come from, and that they are never shown."""

import json

import pytest

from agent.config import Settings, load, secret_reader
from agent.core.errors import ConfigError

TOKEN = "c2VjcmV0LXRva2Vu"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "secrets"
    path.mkdir()
    return path


@pytest.fixture
def reader(folder):
    def make(environ):
        return secret_reader(Settings(secrets_dir=folder), environ)

    return make


@pytest.fixture
def config(tmp_path, folder):
    def write(text):
        file = tmp_path / "config.toml"
        file.write_text(f'secrets_dir = "secrets"\n{text}')
        return file

    return write


def test_the_variable_wins_over_the_file(reader, folder):
    """FOOTFALL_SECRET_<NAME> comes first, then the file <NAME>."""
    (folder / "PW").write_text("from the file")
    assert reader({"FOOTFALL_SECRET_PW": "from the variable"})("PW") == "from the variable"
    assert reader({})("PW") == "from the file"


def test_one_newline_at_the_end_of_a_file_is_not_part_of_the_secret(reader, folder):
    """Editors add one newline; any more belongs to the secret."""
    (folder / "PW").write_text(" two\nlines \n\n")
    assert reader({})("PW") == " two\nlines \n"


def test_a_changed_file_is_read_anew(reader, folder):
    """A rotated secret reaches the next run without a restart."""
    read = reader({})
    (folder / "PW").write_text("old")
    assert read("PW") == "old"
    (folder / "PW").write_text("new")
    assert read("PW") == "new"


def test_a_missing_secret_names_both_places(reader, folder):
    """Whoever reads the error knows which variable or file to provide."""
    with pytest.raises(ConfigError) as caught:
        reader({})("SHOP_PW")
    assert "FOOTFALL_SECRET_SHOP_PW" in str(caught.value)
    assert str(folder / "SHOP_PW") in str(caught.value)


def test_a_secret_that_cannot_be_read_says_why(reader, folder):
    """A folder, or bytes that are no text, in the secret's place."""
    (folder / "PW").mkdir()
    (folder / "KEY").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="directory"):
        reader({})("PW")
    with pytest.raises(ConfigError, match="UTF-8"):
        reader({})("KEY")


def test_a_variable_that_is_no_text_says_so_and_nothing_else(reader):
    """Bytes that aren't UTF-8 could not cross the pipe; the message doesn't repeat them."""
    with pytest.raises(ConfigError, match="FOOTFALL_SECRET_PW is not UTF-8") as caught:
        reader({"FOOTFALL_SECRET_PW": TOKEN + "\udcff"})("PW")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../PW", "/etc/passwd", "", "pw", "P W", "PW\n", "FOOTFALL_TELEMETRY__HEADERS"]
)
def test_a_name_leads_nowhere_but_to_a_journeys_own_secrets(reader, folder, name):
    """No path, and none of the agent's own credentials, can be had by name."""
    (folder.parent / "PW").write_text("outside")
    (folder / "FOOTFALL_TELEMETRY__HEADERS").write_text("{}")
    with pytest.raises(ConfigError, match="capital letters"):
        reader({})(name)


def test_the_secrets_folder_wins_over_the_variables(config, folder):
    """The credentials of the collector can stand in a file named like their variable."""
    file = config('[telemetry.headers]\nAuthorization = "file"\nx-tenant = "shop"\n')
    environ = {"FOOTFALL_TELEMETRY__HEADERS__AUTHORIZATION": "variable"}
    headers = load(file, environ).telemetry.headers
    assert headers["authorization"].get_secret_value() == "variable"

    (folder / "FOOTFALL_TELEMETRY__HEADERS").write_text(json.dumps({"Authorization": TOKEN}) + "\n")
    headers = load(file, {}).telemetry.headers
    assert {name: value.get_secret_value() for name, value in headers.items()} == {
        "authorization": TOKEN,
        "x-tenant": "shop",
    }


def test_the_secrets_folder_gives_the_servers_token(config, folder):
    """Over the variable and the file, without the newline that an editor added."""
    (folder / "FOOTFALL_SERVER__TOKEN").write_text(TOKEN + "\n")
    file = config('[server]\ntoken = "of-the-file-itself"\n')
    settings = load(file, {"FOOTFALL_SERVER__TOKEN": "of-the-variable-alone"})
    assert settings.server.token.get_secret_value() == TOKEN
    assert TOKEN not in f"{settings!r} {settings.model_dump()}"


def test_the_secrets_folder_gives_secrets_only(config, folder):
    """What is no secret belongs where it is seen; a file in the folder doesn't change it."""
    (folder / "FOOTFALL_LOCATION").write_text("here")
    with pytest.raises(ConfigError, match="not a key that the secrets folder may give"):
        load(config(""), {})


def test_a_loaded_secret_shows_as_stars(config):
    """No way of printing the settings shows a secret, wherever it came from."""
    settings = load(
        config(f'[telemetry.headers]\nauthorization = "Bearer {TOKEN}"\n'),
        {"FOOTFALL_TELEMETRY__HEADERS__X_KEY": TOKEN},
    )
    assert settings.telemetry.headers["x_key"].get_secret_value() == TOKEN
    shown = [
        repr(settings),
        str(settings),
        f"{settings.telemetry}",
        str(settings.model_dump()),
        settings.model_dump_json(),
        repr(settings.__dict__),
        repr(settings.where("telemetry", "headers", "authorization")),
    ]
    for text in shown[:-1]:
        assert "***" in text
    assert TOKEN not in "".join(shown)


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        (f'[telemetry]\nheaders = "{TOKEN}"\n', {}),
        (f'telemetry = "{TOKEN}"\n', {}),
        (f'[telemetry]\nheaders = ["{TOKEN}"]\n', {}),
        (f'[telemetry.headers]\nauthorization = ["{TOKEN}"]\n', {}),
        (f'[telemetry.headers]\nauthorization = "{TOKEN}\\n"\n', {}),
        (f'[telemetry.headers]\n"bad name" = "{TOKEN}"\n', {}),
        (f'[telemetry]\nheadrs = {{ authorization = "{TOKEN}" }}\n', {}),
        (f'[telemetry]\ntoken = "{TOKEN}"\n', {}),
        (f'[telemetry.headers]\nauthorization = "{TOKEN}\n', {}),
        (f"[telemetry.headers]\nauthorization = {TOKEN}\n", {}),
        (f'[telemetry]\nendpoint = "https://me:{TOKEN}@otlp.example.com"\n', {}),
        (f'[telemetry]\nendpoint = "https://me:{TOKEN}@otlp.example.com:port"\n', {}),
        (f'[identity]\ninfo_url = "ftp://me:{TOKEN}@example.com"\n', {}),
        ("", {"FOOTFALL_TELEMETRY__HEADERS": f"authorization={TOKEN}"}),
        ("", {"FOOTFALL_TELEMETRY__HEADERS": f'{{"authorization": ["{TOKEN}"]}}'}),
        ("", {"FOOTFALL_TELEMETRY": f'{{"headers": "{TOKEN}"'}),
        ("", {"FOOTFALL_TELEMETRY__HEADERS__AUTHORIZATION": f"{TOKEN}\nX: y"}),
        ("", {"FOOTFALL_TELEMETRY__TOKEN": TOKEN}),
        ("", {"FOOTFALL_TOKEN": TOKEN}),
    ],
)
def test_no_fault_repeats_a_secret(config, text, environ):
    """However a secret is given wrongly, the error names its place and not its value."""
    with pytest.raises(ConfigError) as caught:
        load(config(text), environ)
    assert caught.value.problems
    chain, error = "", caught.value
    while error is not None:
        chain += f"{error!r} {error} "
        error = error.__cause__
    assert TOKEN not in chain


def test_a_faulty_secrets_file_is_named_and_not_shown(config, folder):
    """The error names the file by its path; what stands in it stays there."""
    file = folder / "FOOTFALL_TELEMETRY__HEADERS"
    file.write_text(TOKEN)
    with pytest.raises(ConfigError) as caught:
        load(config(""), {})
    [problem] = caught.value.problems
    assert problem.where == f"file {file}"
    assert TOKEN not in str(caught.value)
