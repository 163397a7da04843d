"""CDEvents: deploys of services that are ours are judged, in either mode of CloudEvents."""

from __future__ import annotations

import json

import pytest

from tests.support.deploy_tools import SECRETS, binary, service_event, structured

PATH = "/api/v1/gates/cdevents"
SHOWN = {"Authorization": f"Bearer {SECRETS['cdevents']}"}


async def sent(served, body, headers, shown=SHOWN):
    async with served.session.post(PATH, data=body, headers=headers | shown) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("mode", [binary, structured])
@pytest.mark.parametrize("kind", ["deployed", "upgraded", "rolledback"])
async def test_a_deploy_is_judged(served, judged, mode, kind):
    """202 at once with the gate's address; the same event again, in the other mode too, is the same
    gate."""
    gate = {"gate": "1", "address": "/api/v1/gates/1"}
    for way in (mode, mode, binary, structured):
        assert await sent(served, *way(service_event(kind))) == (202, gate)
    (order,) = judged.orders
    release = "sha256:0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa"
    assert (order.site, order.release, order.source) == ("shop", release, "cdevents")
    assert (order.url, dict(order.headers)) == ("", {})
    assert judged.deploys == [("shop", release, "cdevents")]


RELEASES = {
    "pkg:oci/shop@sha256%3A0b31?repository_url=ghcr.io/acme&tag=1.4.3": "1.4.3",
    "pkg:npm/%40acme/shop@1.4.3": "1.4.3",
    "pkg:golang/github.com/acme/shop@v1.4.3#cmd/shop": "v1.4.3",
    "pkg:generic/shop": "",
    "shop-1.4.3": "shop-1.4.3",
}


@pytest.mark.parametrize("artifact", RELEASES)
async def test_the_release_is_the_artifacts(served, judged, artifact):
    """The tag of its package URL, or the version; one that has neither is any release."""
    await sent(served, *binary(service_event(artifactId=artifact)))
    assert judged.orders[0].release == RELEASES[artifact]


@pytest.mark.parametrize(
    "event",
    [
        service_event("published"),
        service_event("removed"),
        service_event(environment={"id": "staging"}),
        service_event() | {"subject": service_event()["subject"] | {"id": "other"}},
    ],
)
async def test_what_is_none_of_ours_is_taken_and_ignored(served, judged, event):
    """With the reason: a sink gets whatever there is."""
    status, told = await sent(served, *structured(event))
    assert (status, list(told)) == (202, ["ignored"])
    assert judged.orders == []


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"Authorization": "Bearer wrong-0123456789abcdef"},
        {"Authorization": f"Bearer {SECRETS['github']}"},
        {"X-Token": SECRETS["cdevents"]},
    ],
)
async def test_only_its_own_token_lets_it_in(served, judged, shown):
    """Before anything is read of the event."""
    status, told = await sent(served, *binary(service_event()), shown)
    assert status == 401
    assert "gate.cdevents.token" in told["error"]
    assert judged.orders == []


def without(mapping, name):
    return {key: value for key, value in mapping.items() if key != name}


async def test_what_is_no_cloudevent_is_refused(served, judged):
    """With what is missing; a batch isn't taken."""
    body, headers = binary(service_event())
    text = body.decode()
    wrong = [
        (422, body, without(headers, "ce-specversion")),
        (422, body, headers | {"ce-specversion": "0.3"}),
        (422, body, headers | {"ce-type": "dev.cdevents.service.removed.0.3.0"}),
        (415, body, headers | {"Content-Type": "text/plain"}),
        (415, b"[]", {"Content-Type": "application/cloudevents-batch+json"}),
        (400, b"[]", headers),
        (400, b'{"context": ', headers),
        (400, b"[" * 200_000, headers),
        (413, b" " * (256 * 1024 + 1), headers),
        (400, text.replace('{"context"', '{"context": 1, "context"').encode(), headers),
        (422, json.dumps({"context": "x", "subject": 1}).encode(), headers),
        (422, *binary(service_event(artifactId="pkg:oci/shop@1%0a2"))),
        (422, *binary(service_event(artifactId=["1.4.3"]))),
        (422, *binary(service_event(environment="test123"))),
    ]
    for status, sent_body, sent_headers in wrong:
        answered, told = await sent(served, sent_body, sent_headers)
        assert answered == status, (sent_body[:80], told)
        assert len(told["error"]) < 300
    assert judged.orders == []
