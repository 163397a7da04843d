"""``[gate]``: who may ask for verdicts, and who is told of them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from agent.config import load
from agent.core.errors import ConfigError

SHOP = (
    '[sites.shop]\nurl = "https://shop.example.com"\nfirst_party = ["https://shop.example.com"]\n'
)
SECRET = "0123456789abcdef-secret"


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def loaded(tmp_path, text, environ=None):
    file = tmp_path / "config.toml"
    file.write_text(SHOP + text, "utf-8")
    return load(file, environ or {})


def test_without_it_nobody_may_ask_and_nobody_is_told(tmp_path):
    """No secret, no sink and no hook by default."""
    gate = loaded(tmp_path, "").gate
    assert not gate.argo_rollouts.token.get_secret_value()
    assert not gate.github.secret.get_secret_value()
    assert (gate.hook.url, gate.cdevents.sink, gate.github.app) == ("", "", "")
    assert gate.github.api == "https://api.github.com"


def test_secrets_come_from_their_folder_and_are_never_shown(tmp_path):
    """The App's key as it was downloaded, of several lines."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    key = pem(generate_private_key(65537, 2048))
    files = {
        "FOOTFALL_GATE__ARGO_ROLLOUTS__TOKEN": SECRET,
        "FOOTFALL_GATE__FLAGGER__TOKEN": SECRET,
        "FOOTFALL_GATE__GITHUB__SECRET": SECRET,
        "FOOTFALL_GATE__GITHUB__KEY": key,
        "FOOTFALL_GATE__CDEVENTS__TOKEN": SECRET,
        "FOOTFALL_GATE__CDEVENTS__SINK_TOKEN": SECRET,
        "FOOTFALL_GATE__HOOK__SECRET": SECRET,
        "FOOTFALL_GATE__CANARIES": f'{{"shop": {{"headers": {{"X-Canary": "{SECRET}"}}}}}}',
    }
    for name, value in files.items():
        (folder / name).write_text(value + "\n", "utf-8")
    text = '[gate.github]\napp = "Iv23liAbCdEf"\n[gate.hook]\nurl = "https://deploy.example.com"\n'
    file = tmp_path / "config.toml"
    file.write_text(f'secrets_dir = "secrets"\n{SHOP}{text}', "utf-8")
    settings = load(file, {})
    gate = settings.gate
    assert gate.github.key.get_secret_value().strip() == key.strip()
    assert gate.canaries["shop"].headers["x-canary"].get_secret_value() == SECRET
    for section in (gate.argo_rollouts.token, gate.flagger.token, gate.hook.secret):
        assert section.get_secret_value() == SECRET
    shown = repr(settings) + str(settings) + settings.model_dump_json()
    assert SECRET not in shown
    assert "PRIVATE KEY" not in shown


WRONG = {
    "too short a secret": ('[gate.flagger]\ntoken = "short"', "16 or more characters"),
    "a site that isn't there": (
        '[gate.github]\ndeploys = { "acme/shop:production" = "shp" }',
        "unknown site 'shp'. Known sites: shop",
    ),
    "an event's site that isn't there": (
        '[gate.cdevents]\ndeploys = { "production:shop" = "shp" }',
        "unknown site 'shp'",
    ),
    "a canary of no site": (
        '[gate.canaries.shp]\nurl = "https://c.example.com"',
        "unknown site 'shp'",
    ),
    "a deploy without environment": (
        '[gate.github]\ndeploys = { "acme/shop" = "shop" }',
        "must have a colon between two names",
    ),
    "an App without key": ('[gate.github]\napp = "Iv23liAbCdEf"', "without gate.github.key"),
    "a hook that is not signed": (
        '[gate.hook]\nurl = "https://deploy.example.com"',
        "without gate.hook.secret",
    ),
    "a secret for no hook": (f'[gate.hook]\nsecret = "{SECRET}"', "without gate.hook.url"),
    "a password in an address": (
        '[gate.cdevents]\nsink = "https://u:p4ssw0rd@sink.example.com"',
        "must not hold a user name or password",
    ),
    "no web address": ('[gate.hook]\nurl = "ftp://x"', "http:// or https://"),
    "no key": ('[gate.github]\napp = "x"\nkey = "secret-nonsense"', "a PEM file"),
    "a key of another kind": (
        f"[gate.github]\napp = 'x'\nkey = '''{pem(elliptic(SECP256R1()))}'''",
        "a PEM file",
    ),
    "a small key": (
        f"[gate.github]\napp = 'x'\nkey = '''{pem(generate_private_key(65537, 1024))}'''",
        "a PEM file",
    ),
    "an unknown tool": (f'[gate.spinnaker]\ntoken = "{SECRET}"', "unknown key"),
    "another name for a release": ('[gate.github]\nrelease = "tag"', "release"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_makes_no_sense_is_told_with_its_place(tmp_path, kind):
    """And quotes no secret."""
    text, why = WRONG[kind]
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, text)
    told = "\n".join(f"{one.where}: {one.message}" for one in raised.value.problems)
    assert why in told
    assert "config.toml:" in told
    for secret in (SECRET, "p4ssw0rd", "secret-nonsense", "PRIVATE KEY"):
        assert secret not in told
