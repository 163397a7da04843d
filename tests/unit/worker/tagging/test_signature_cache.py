"""Signatures on the worker's side: at hand, renewed in time, never waited for long."""

import asyncio

import pytest

from agent.worker.tagging.identity import Identity
from agent.worker.tagging.signature_cache import RequestSignature, SignatureCache

SHOP = "https://shop.example.com/cart?x=1"
NAME = "shop.example.com"


class Supervisor:
    """Answers nothing by itself; ``now`` is the time for both sides."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 1000.0

    def proofs(self, first: RequestSignature | None = None) -> SignatureCache:
        return SignatureCache({NAME: first} if first else {}, self.asked.append, lambda: self.now)


@pytest.fixture
def supervisor():
    return Supervisor()


def proof(word: str, expires: float) -> RequestSignature:
    return RequestSignature({"Signature": word}, expires)


async def test_what_the_walk_began_with_is_used_without_asking(supervisor):
    """No request to a known origin waits, or costs a word over the pipe."""
    proofs = supervisor.proofs(first=proof("one", 1300))
    assert await proofs.of(SHOP) == {"Signature": "one"}
    assert supervisor.asked == []


async def test_a_signature_is_renewed_before_its_end_while_it_still_serves(supervisor):
    """Near its end another is asked for once, and requests go on with the one there is."""
    proofs = supervisor.proofs(first=proof("one", 1300))
    supervisor.now = 1275.0
    assert await proofs.of(SHOP) == {"Signature": "one"}
    assert await proofs.of(SHOP) == {"Signature": "one"}
    assert supervisor.asked == [NAME]
    proofs.take(NAME, proof("two", 1575))
    assert await proofs.of(SHOP) == {"Signature": "two"}
    supervisor.now = 1550.0
    await proofs.of(SHOP)
    assert supervisor.asked == [NAME, NAME]


async def test_requests_to_an_unknown_host_wait_for_one_answer(supervisor):
    """All that leave meanwhile share it, and one that is given up takes nothing from others."""
    proofs = supervisor.proofs()
    asking = [asyncio.create_task(proofs.of(SHOP)) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.sleep(0)
    proofs.take(NAME, proof("one", 1300))
    assert await asyncio.gather(*asking[1:]) == [{"Signature": "one"}] * 2
    assert supervisor.asked == [NAME]


async def test_a_supervisor_that_does_not_answer_means_unsigned(supervisor, monkeypatch):
    """A request leaves without a signature rather than not at all, and the next ones don't
    wait again; a later answer is used."""
    monkeypatch.setattr("agent.worker.tagging.signature_cache._WAIT", 0.01)
    proofs = supervisor.proofs()
    assert await proofs.of(SHOP) == {}
    supervisor.now += 5
    assert await proofs.of(SHOP) == {}
    assert supervisor.asked == [NAME]
    proofs.take(NAME, proof("late", 1300))
    assert await proofs.of(SHOP) == {"Signature": "late"}


async def test_an_expired_signature_is_not_sent(supervisor, monkeypatch):
    """One that nobody would believe is no better than none."""
    monkeypatch.setattr("agent.worker.tagging.signature_cache._WAIT", 0.01)
    proofs = supervisor.proofs(first=proof("one", 1300))
    supervisor.now = 1298.0
    assert await proofs.of(SHOP) == {}


async def test_a_refusal_is_not_asked_for_again_at_once(supervisor):
    """Where the supervisor signs nothing, not every request asks it."""
    proofs = supervisor.proofs()
    asking = asyncio.create_task(proofs.of(SHOP))
    await asyncio.sleep(0)
    proofs.take(NAME, RequestSignature({}, 0))
    assert await asking == {}
    assert await proofs.of(SHOP) == {}
    assert supervisor.asked == [NAME]
    supervisor.now += 20
    asking = asyncio.create_task(proofs.of(SHOP))
    await asyncio.sleep(0)
    proofs.take(NAME, proof("one", 1300))
    assert await asking == {"Signature": "one"}


def test_a_page_that_signs_for_itself_keeps_its_signature():
    """Two signatures of one name would break the site's own."""
    identity = Identity("buy", "run-1", "a" * 32, "X-Synthetic-Journey", lambda: "c" * 16)
    ours = {"Signature": "ours", "Signature-Input": "ours", "Signature-Agent": "ours"}
    headers, _ = identity.tag({"signature": "theirs"}, ours)
    assert {name: headers[name] for name in headers if "sig" in name.lower()} == {
        "signature": "theirs"
    }
    headers, _ = identity.tag({"Accept": "*/*"}, ours)
    assert ours.items() <= headers.items()
