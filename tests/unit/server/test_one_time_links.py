"""Links that sign somebody in: once, for a minute, and few at a time."""

from __future__ import annotations

from agent.server.one_time_links import OneTimeLinks


class Now:
    now = 100.0

    def __call__(self):
        return self.now


async def test_it_works_once_and_for_a_minute():
    """Whoever comes later, or second, has nothing."""
    now = Now()
    links = OneTimeLinks(now)
    first, second = await links.make(), await links.make()
    assert not await links.spend("")
    assert not await links.spend(first[:-1])
    now.now += 59
    assert await links.spend(first)
    assert not await links.spend(first)
    now.now += 1
    assert not await links.spend(second)


async def test_few_wait_at_a_time():
    """The oldest goes first."""
    links = OneTimeLinks(Now())
    made = [await links.make() for _ in range(20)]
    assert [await links.spend(code) for code in made] == [False] * 4 + [True] * 16
