"""`footfall keys new`: a key that nobody else can read, and a directory that is believed."""

from __future__ import annotations

import json
import stat
import tomllib
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from agent.cli.keys import DIRECTORY, new
from agent.cli.main import app
from agent.core.errors import ConfigError
from agent.keys.pem import read_keys
from agent.signing.signer import Signer
from agent.verify import Reason, Verifier

NOW = 1_700_000_000.5
DAY = 86_400
HOST = "shop.example.com"


@pytest.fixture
def out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "deep" / "keys"


def listed(out):
    return json.loads((out / DIRECTORY).read_text())["keys"]


def signers(out):
    """What signs with each key, the oldest first."""
    return [Signer(read_keys(file), "https://example.com/") for file in sorted(out.glob("*.pem"))]


def verdict(out, signer, now):
    headers = signer.sign(HOST, now).headers
    return Verifier(out / DIRECTORY, clock=lambda: now).verify(headers, HOST)


def test_the_first_key(out) -> None:
    """The private file is the owner's alone, and the directory says all of the public key."""
    new(out, 2, NOW)
    (file,) = out.glob("*.pem")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (jwk,) = listed(out)
    (signer,) = signers(out)
    assert set(jwk) == {"kid", "kty", "crv", "x", "use", "nbf", "exp"}
    assert jwk["kid"] == signer.key_id
    assert (jwk["kty"], jwk["crv"], jwk["use"]) == ("OKP", "Ed25519", "sig")
    assert (jwk["nbf"], jwk["exp"]) == (int(NOW), int(NOW) + 365 * DAY)
    assert {path.name for path in out.iterdir()} == {file.name, DIRECTORY}


def test_what_is_signed_is_verified(out) -> None:
    """Key and directory fit: from the moment they are made until the key expires."""
    new(out, 2, NOW)
    (signer,) = signers(out)
    for now in (NOW, NOW + 364 * DAY):
        assert verdict(out, signer, now).verified
    assert verdict(out, signer, NOW + 365 * DAY).reason is Reason.KEY_NOT_VALID


def test_changing_the_key(out) -> None:
    """A second run lists both keys, and both are believed; a third drops the first."""
    new(out, 2, NOW)
    before = (out / DIRECTORY).read_text()
    (first,) = out.glob("*.pem")
    content = first.read_bytes()
    new(out, 2, NOW + DAY)
    assert listed(out)[0] == json.loads(before)["keys"][0]
    assert first.read_bytes() == content
    both = signers(out)
    assert [verdict(out, one, NOW + DAY).verified for one in both] == [True, True]
    new(out, 2, NOW + 2 * DAY)
    assert [jwk["kid"] for jwk in listed(out)] == [one.key_id for one in signers(out)[1:]]
    assert verdict(out, both[0], NOW + 2 * DAY) is None


@pytest.mark.parametrize(("keep", "left"), [(1, 1), (3, 3), (9, 4)])
def test_how_many_are_kept(out, keep, left) -> None:
    """The directory lists as many as asked for, the newest ones."""
    for number in range(4):
        new(out, keep, NOW + number)
    assert [jwk["nbf"] for jwk in listed(out)] == [int(NOW) + n for n in range(4 - left, 4)]


def test_expired_keys_go(out) -> None:
    """A key that is past its end isn't published again."""
    new(out, 9, NOW)
    new(out, 9, NOW + 366 * DAY)
    assert [jwk["nbf"] for jwk in listed(out)] == [int(NOW) + 366 * DAY]


def test_never_over_a_key(out) -> None:
    """A key that is there is not written over, and the directory stays as it is."""
    new(out, 2, NOW)
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ConfigError, match="is there already"):
        new(out, 2, NOW + 0.4)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"keys": 1}',
        '{"keys": [1]}',
        '{"keys": [{"kty": "RSA"}]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}',
        json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "d": "A" * 43}]}),
        json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "exp": "soon"}]}),
    ],
)
def test_a_directory_that_is_none(out, content) -> None:
    """What can't be added to is left as it is, and no key is made that nobody would know."""
    out.mkdir(parents=True)
    (out / DIRECTORY).write_text(content)
    with pytest.raises(ConfigError, match="left as it is"):
        new(out, 2, NOW)
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [(DIRECTORY, content)]


def test_a_folder_that_is_none(tmp_path) -> None:
    """A folder that can't be made is an error of usage."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        new(tmp_path / "file" / "keys", 2, NOW)


def test_what_is_printed(out, capsys) -> None:
    """The text names both files, the address and type to publish by, and a key for the config;
    never the key itself."""
    new(out, 2, NOW)
    printed = capsys.readouterr().out
    (file,) = out.glob("*.pem")
    assert f"Wrote deep/keys/{DIRECTORY}: 1 public key" in printed
    assert f"https://HOST/.well-known/{DIRECTORY}" in printed
    assert f"application/{DIRECTORY}+json" in printed
    shown = printed[printed.index("[identity]") :].splitlines()[:2]
    assert tomllib.loads("\n".join(shown)) == {
        "identity": {"signing_key": f"deep/keys/{file.name}"}
    }
    assert f"{datetime.fromtimestamp(NOW + 365 * DAY, UTC):%Y-%m-%d}" in printed
    assert not any(line in printed for line in file.read_text().splitlines())
    new(out, 2, NOW + 1)
    assert "delete their private files" in capsys.readouterr().out
    new(out, 2, NOW + 2)
    assert "Dropped from it: 1" in capsys.readouterr().out


def test_the_command(out) -> None:
    """The command makes a key in the folder named, or in ``keys``."""
    runner = CliRunner()
    assert runner.invoke(app, ["keys", "new", "--out", str(out), "--keep", "3"]).exit_code == 0
    assert len(listed(out)) == 1
    assert runner.invoke(app, ["keys", "new"]).exit_code == 0
    assert len(listed(out.parent.parent / "keys")) == 1
    refused = runner.invoke(app, ["keys", "new", "--out", str(out), "--keep", "0"])
    assert isinstance(refused.exception, ConfigError)
