"""Protection rules: GitHub is answered by the App, for its own repository, with few reports."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from agent.core.gate import GateOrder
from agent.gates.telling.github_app import GitHubApp
from agent.gates.telling.protection_rules import ProtectionRules
from agent.server.adapters.github import Deployment
from agent.server.control import Refused
from tests.support.deploy_tools import Judged

KEY = generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
DEPLOYMENT = Deployment("acme/shop", 4493385896, "production", 12345678)
ORDER = GateOrder("shop", source="github")
TOKENS = "/app/installations/12345678/access_tokens"
RULE = "/repos/acme/shop/actions/runs/4493385896/deployment_protection_rule"
TOKEN = (201, b'{"token": "ghs_16C7e42F292c6912E7", "expires_at": "2027-01-15T09:00:00Z"}', {})


@pytest.fixture
def judged():
    return Judged()


@pytest.fixture
async def rules(receiver, poster, clock, judged):
    app = GitHubApp(receiver.url, "Iv23liAbCdEf", PEM)
    rules = ProtectionRules(judged, lambda: app, poster, clock)
    yield rules
    await rules.end()


async def reported(receiver, count):
    """Wait until so many reports have arrived, and return them."""
    return [json.loads(one.body) for one in await receiver.requests(count, RULE)]


@pytest.mark.parametrize(("verdict", "state"), [("pass", "approved"), ("fail", "rejected")])
async def test_a_verdict_approves_or_rejects(receiver, rules, judged, verdict, state):
    """Once, however often the rule is asked for, with the reasons."""
    receiver.answers.extend([TOKEN] * 2)
    judged.verdict = verdict
    for _ in range(3):
        rules.judge(DEPLOYMENT, ORDER, "a" * 64)
    (told,) = await reported(receiver, 1)
    assert told == {
        "environment_name": "production",
        "state": state,
        "comment": f"Footfall: {verdict}. 5 of 5 walks passed",
    }
    assert [one.path for one in receiver.received] == [TOKENS, RULE]
    assert judged.orders == [ORDER]


async def test_the_app_shows_who_it_is_and_asks_for_little(receiver, rules, clock):
    """By a token that it signed, for ten minutes at the most; what it gets is for this repository
    and for deployments alone."""
    receiver.answers.append(TOKEN)
    rules.judge(DEPLOYMENT, ORDER, "a" * 64)
    await reported(receiver, 1)
    asked, told = receiver.received
    text, _, signature = asked.headers["Authorization"].removeprefix("Bearer ").rpartition(".")
    KEY.public_key().verify(decoded(signature), text.encode(), PKCS1v15(), SHA256())
    head, claims = (json.loads(decoded(part)) for part in text.split("."))
    assert head == {"alg": "RS256", "typ": "JWT"}
    assert claims["iss"] == "Iv23liAbCdEf"
    assert claims["iat"] <= clock.wall() < claims["exp"] <= claims["iat"] + 600
    assert json.loads(asked.body) == {
        "repositories": ["shop"],
        "permissions": {"deployments": "write"},
    }
    assert told.headers["Authorization"] == "Bearer ghs_16C7e42F292c6912E7"
    assert told.headers["X-GitHub-Api-Version"] == "2022-11-28"


async def test_without_a_verdict_it_waits_for_a_person(receiver, rules, judged, clock):
    """Three gates, each told of without a state: neither approved nor rejected; and no more than
    the ten reports that GitHub takes, of 1,024 characters."""
    receiver.answers.extend([TOKEN, (204, b"", {})] * 3)
    judged.verdict, judged.reasons = "error", ["browser did not start\x1b[31m" * 200]
    rules.judge(DEPLOYMENT, ORDER, "a" * 64)
    told = await reported(receiver, 3)
    assert [one.keys() for one in told] == [{"environment_name", "comment"}] * 3
    assert all(len(one["comment"]) <= 1024 for one in told)
    assert "\x1b" not in told[0]["comment"]
    assert "in a minute" in told[0]["comment"]
    assert "A person has to decide" in told[2]["comment"]
    assert (len(judged.orders), clock.sleeps) == (3, [60, 60])


async def test_a_trouble_that_passes_ends_in_a_verdict(receiver, rules, judged):
    """A gate that can't be asked for is one without a verdict."""
    receiver.answers.extend([TOKEN, (204, b"", {})] * 2)
    judged.refuses = Refused(409, "every journey is paused")
    rules.judge(DEPLOYMENT, ORDER, "a" * 64)
    await reported(receiver, 1)
    judged.refuses = None
    told = await reported(receiver, 2)
    assert "every journey is paused" in told[0]["comment"]
    assert told[1]["state"] == "approved"


async def test_what_github_refuses_costs_this_one_alone(receiver, rules):
    """An installation that isn't there is no trouble of the next deployment."""
    receiver.answers.extend([(404, b"{}", {}), TOKEN, (204, b"", {})])
    rules.judge(DEPLOYMENT, ORDER, "a" * 64)
    await receiver.requests(1)
    rules.judge(DEPLOYMENT, ORDER, "b" * 64)
    (told,) = await reported(receiver, 1)
    assert told["state"] == "approved"


async def test_without_an_app_nothing_can_be_answered(poster, clock, judged):
    """It is said which keys to set."""
    rules = ProtectionRules(judged, lambda: None, poster, clock)
    assert "gate.github.app and gate.github.key" in rules.trouble()


def test_the_key_is_never_shown():
    """Whoever prints the App."""
    assert "PRIVATE KEY" not in repr(GitHubApp("https://api.github.com", "x", PEM))


def decoded(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
