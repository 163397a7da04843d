"""Posting: tried again while it may help, for a bounded time, and to nobody else."""

from __future__ import annotations

import pytest

from agent.gates.telling.poster import Posted
from tests.support.receiver import Receiver


async def test_it_is_tried_again_while_that_may_help(receiver, poster, clock):
    """From 500 on and where it is too much; the pauses grow."""
    receiver.answers.extend([(503, b"", {}), (429, b"", {}), (201, b"taken", {})])
    posted = await poster.post(f"{receiver.url}/hook", b"{}", {"X-Own": "1"})
    assert posted == Posted(3, answer=b"taken")
    assert clock.sleeps == [1, 3]
    assert {(one.path, one.body, one.headers["X-Own"]) for one in receiver.received} == {
        ("/hook", b"{}", "1")
    }


async def test_it_is_given_up_after_five_times(receiver, poster, clock):
    """With what was answered last."""
    receiver.answers.extend([(500, b"no", {})] * 9)
    posted = await poster.post(f"{receiver.url}/hook", b"{}", {})
    assert posted == Posted(5, "127.0.0.1 answered 500", b"no")
    assert sum(clock.sleeps) == 40
    assert len(receiver.received) == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_a_refusal_is_final(receiver, poster, status):
    """It would be the same again."""
    receiver.answers.append((status, b"", {}))
    posted = await poster.post(receiver.url, b"{}", {})
    assert (posted.tries, posted.error) == (1, f"127.0.0.1 answered {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(receiver, poster, status):
    """Else the signature or the token would go to whom the answer names."""
    async with Receiver() as other:
        receiver.answers.append((status, b"", {"Location": f"{other.url}/elsewhere"}))
        posted = await poster.post(receiver.url, b"{}", {"Authorization": "Bearer secret"})
        assert other.received == []
    assert (posted.tries, "not followed" in posted.error) == (1, True)


async def test_nobody_there_is_told_without_the_address(receiver, poster):
    """Its path may be the secret."""
    async with Receiver() as gone:
        url = f"{gone.url}/services/T000/B000/XXXX"
    posted = await poster.post(url, b"{}", {})
    assert posted.tries == 5
    assert posted.error.startswith("127.0.0.1 can't be reached")
    assert "XXXX" not in posted.error


async def test_a_giant_answer_is_not_read_to_its_end(receiver, poster):
    """Nor kept."""
    receiver.answers.append((200, b"x" * 10_000_000, {}))
    posted = await poster.post(receiver.url, b"{}", {})
    assert posted.error == ""
    assert len(posted.answer) < 100_000
