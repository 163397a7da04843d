"""Getting in: by whatever the server asks for, and what is said where it doesn't let one in."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import structlog

from agent.core.clock import SystemClock
from agent.queue.nats.endpoint import Endpoint
from agent.queue.nats.location import opened
from tests.support.authority import Authority
from tests.support.nats_server import NatsServer, OldNatsServer
from tests.support.nkeys import Operator
from tests.support.replica_queue import WITHIN
from tests.support.service import free_port

SECRET = "n0t-t0-be-told"


@asynccontextmanager
async def connecting(endpoint, location="eu", environment="test"):
    """A location's store, and all that is logged meanwhile."""
    with structlog.testing.capture_logs() as logs:
        async with opened(endpoint, location, environment, SystemClock()) as made:
            yield made.store, logs


async def comes(endpoint):
    """Whether the server lets one in, and keys can be written then."""
    async with connecting(endpoint) as (store, logs), asyncio.timeout(WITHIN):
        await store.until_connected()
        await store.put("leader", b"one")
    assert SECRET not in str(logs)
    assert SECRET not in repr(endpoint)
    return True


async def trouble(endpoint, **settings):
    """Why the server does not let one in, as it is told once, with nothing secret."""
    async with connecting(endpoint, **settings) as (store, logs), asyncio.timeout(WITHIN):
        while not any(one["event"] == "queue.away" for one in logs):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert not store.connected
        told = store.trouble
    (line,) = [one for one in logs if one["event"] == "queue.away"]
    assert line["reason"] == told
    assert SECRET not in str(logs)
    assert SECRET not in repr(endpoint)
    return told


async def test_a_token_lets_one_in():
    """As a key of its own, or where other clients have it, in the address."""
    async with NatsServer(f'authorization {{ token: "{SECRET}" }}') as server:
        assert await comes(Endpoint(server.url, token=SECRET))
        assert await comes(Endpoint(server.url.replace("//", f"//{SECRET}@")))
        wrong = await trouble(Endpoint(server.url, token=SECRET + "?"))
        assert wrong == "the server did not accept the token"
        assert (await trouble(Endpoint(server.url))).startswith("the server wants credentials")


async def test_a_user_and_a_password_let_one_in():
    """Written as addresses write them; the shown address has neither."""
    user = f'authorization {{ users: [{{ user: "a b", password: "{SECRET}/?@" }}] }}'
    async with NatsServer(user) as server:
        url = server.url.replace("//", f"//a%20b:{SECRET}%2F%3F%40@")
        endpoint = Endpoint(url)
        assert endpoint.addresses == (server.url,)
        assert await comes(endpoint)
        told = await trouble(Endpoint(server.url.replace("//", f"//a%20b:{SECRET}@")))
        assert told == "the server did not accept the user and password of `queue.url`"


async def test_a_credentials_file_lets_one_in(tmp_path):
    """That of the server's operator; another's does not, and a file that is none is told."""
    operator = Operator()
    file, other, none = (tmp_path / name for name in ("a.creds", "b.creds", "c.creds"))
    file.write_text(operator.credentials())
    other.write_text(Operator().credentials())
    none.write_text("nothing of the kind\n")
    async with NatsServer(operator.settings) as server:
        assert await comes(Endpoint(server.url, credentials=str(file)))
        told = await trouble(Endpoint(server.url, credentials=str(other)))
        assert told == f"the server did not accept the credentials of {other}"
        # A file that is replaced by one that is none, while the agent runs.
        endpoint = Endpoint(server.url, credentials=str(other))
        other.write_text("nothing of the kind\n")
        assert "no USER NKEY SEED" in await trouble(endpoint)
    with pytest.raises(ValueError, match=r"c\.creds is no credentials file"):
        Endpoint("nats://127.0.0.1:1", credentials=str(none))


async def test_an_authority_of_ones_own_is_trusted_where_it_is_named(tmp_path):
    """Not without, and nothing that claims to be encrypted goes in clear."""
    authority = Authority(tmp_path / "ca.pem")
    chain, key = authority.files("127.0.0.1", folder=tmp_path)
    tls = f'tls {{ cert_file: "{chain}", key_file: "{key}" }}'
    token = f'authorization {{ token: "{SECRET}" }}'
    async with NatsServer(f"{tls}\n{token}") as server:
        url = server.url.replace("nats:", "tls:")
        assert await comes(Endpoint(url, token=SECRET, ca=authority.file))
        assert await comes(Endpoint(server.url, token=SECRET, ca=authority.file))
        told = await trouble(Endpoint(url, token=SECRET))
        assert "its certificate is not trusted" in told
        assert "`queue.ca`" in told
    async with NatsServer(token) as server:
        url = server.url.replace("nats:", "tls:")
        told = await trouble(Endpoint(url, token=SECRET, ca=authority.file))
        assert told == "the server does not encrypt, and `queue.url` says tls://"
    with pytest.raises(ValueError, match="no certificate in PEM"):
        Endpoint(url, ca=str(key))


async def test_what_is_no_server_of_the_kind_is_told():
    """Nobody there, somebody else, a server without JetStream, and one that says nothing."""
    assert await trouble(Endpoint(f"nats://127.0.0.1:{free_port()}")) == "connection refused"
    async with NatsServer(jetstream=False) as server:
        assert "JetStream does not answer there: it is not enabled" in await trouble(
            Endpoint(server.url)
        )
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"nats://127.0.0.1:{mute.getsockname()[1]}"
        assert await trouble(Endpoint(url)) == "no answer within 2 s"


@pytest.mark.server
async def test_a_server_that_is_too_old_is_told():
    """With what is needed, since an old one would take everything and let nothing expire."""
    async with OldNatsServer() as old:
        told = await trouble(Endpoint(old.url))
    assert told == "NATS 2.9 is too old: 2.11 or later is needed"


async def test_two_environments_share_no_location(nats):
    """Their slots have the same ids: one would walk the other's."""
    async with connecting(Endpoint(nats.url), environment="production") as (store, _):
        async with asyncio.timeout(WITHIN):
            await store.until_connected()
        told = await trouble(Endpoint(nats.url), environment="staging")
        assert 'belongs to the environment "production"' in told


@pytest.mark.parametrize(
    "location", ["eu-west-1", "EU West (Frankfurt)", "a.b*c>d", "büro/1", "x" * 300]
)
async def test_a_location_may_have_any_name(nats, location):
    """Also where the server could not call anything by it."""
    async with (
        connecting(Endpoint(nats.url), location=location) as (store, _),
        asyncio.timeout(WITHIN),
    ):
        await store.until_connected()
        await store.put("leader", b"one")
        assert (await store.get("leader")).value == b"one"


async def test_another_server_of_the_cluster_is_tried(nats):
    """The next one, for as long as one of them is away."""
    gone = free_port()
    endpoint = Endpoint(f"nats://127.0.0.1:{gone},{nats.url}")
    assert endpoint.addresses == (f"nats://127.0.0.1:{gone}", nats.url)
    assert await comes(endpoint)


async def test_what_an_operator_has_set_is_left_as_it_is(nats):
    """What the agent needs is put right, and nothing else."""
    async with connecting(Endpoint(nats.url)) as (store, _), asyncio.timeout(WITHIN):
        await store.until_connected()
        session = store._uplink.session
        info = await session.ask_stream("STREAM.INFO.FOOTFALL_eu")
        changed = {**info["config"], "max_msgs": 5, "max_bytes": 10_000_000}
        await session.ask_stream("STREAM.UPDATE.FOOTFALL_eu", changed)
    async with connecting(Endpoint(nats.url)) as (store, _), asyncio.timeout(WITHIN):
        await store.until_connected()
        config = (await store._uplink.session.ask_stream("STREAM.INFO.FOOTFALL_eu"))["config"]
    assert (config["max_msgs"], config["max_bytes"]) == (10_000, 10_000_000)
