"""Gates played through in no time: the real votes and the real order of walks, dice for a site.

Failures come alone, and in blips: moments in which whatever is walked fails. ``share`` of the
walks of a good release fail so, half by one and half by the other.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.gate import GateVerdict
from agent.gates.ballot import Ballot
from agent.gates.poll import Poll
from agent.gates.sequential_test import scale

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIRM_AFTER = 3.0
_SPREAD = 0.2
"""By which share a walk takes longer or shorter than a second."""
_BLIP = 1.0
"""Seconds that a blip lasts."""


@dataclass(frozen=True)
class Site:
    """How the journeys of a gate behave."""

    share: float = 0.02
    """Of the walks of a good release, those that fail."""
    known: float | None = None
    """The share that the gate holds them to; None: the true one."""
    broken: float = 0.0
    """The share of walks that fail at the first of the journeys, besides; 0: it is good."""
    journeys: int = 1
    seats: int = 2
    """Walks at once."""
    blips: bool = True
    confirm_after: float = CONFIRM_AFTER


@dataclass(frozen=True)
class Outcome:
    """What a gate came to, and after how many walks of the first journey that count."""

    verdict: GateVerdict
    walks: int


def play(site: Site, dice: random.Random) -> Outcome:
    """Play one gate to its end."""
    names = [str(number) for number in range(site.journeys)]
    held = scale(site.share if site.known is None else site.known, site.journeys)
    poll = Poll({name: Ballot(held, site.confirm_after) for name in names})
    blip = _blips(site, dice)
    now, ending = 0.0, list[tuple[float, float, str, bool]]()
    while poll.verdict is GateVerdict.PENDING:
        while len(ending) < site.seats and (name := poll.next(now, names)):
            poll.ballots[name].under_way += 1
            until = now + dice.uniform(1 - _SPREAD, 1 + _SPREAD)
            fails = dice.random() < site.share * (0.5 if site.blips else 1.0)
            fails |= name == "0" and dice.random() < site.broken
            heapq.heappush(ending, (until, now, name, fails))
        due = poll.next_at(now, names)
        if ending and (due is None or len(ending) == site.seats or ending[0][0] <= due):
            now, began, name, fails = heapq.heappop(ending)
            ballot = poll.ballots[name]
            ballot.under_way -= 1
            if fails or blip(began, now):
                ballot.failed(began, now)
            else:
                ballot.passed(began)
        else:
            assert due is not None, "nothing goes on, and nothing is decided"
            now = due
    return Outcome(poll.verdict, poll.ballots["0"].counted)


def share_of(site: Site, gates: int, seed: int, what: Callable[[Outcome], bool]) -> float:
    """Return the share of so many gates of which something is so."""
    dice = random.Random(seed)
    return sum(what(play(site, dice)) for _ in range(gates)) / gates


def rolled_back(outcome: Outcome) -> bool:
    """Whether the release is rolled back."""
    return outcome.verdict is GateVerdict.FAIL


def by_the_second(outcome: Outcome) -> bool:
    """Whether it is, by the second walk that counts."""
    return rolled_back(outcome) and outcome.walks == 2


def _blips(site: Site, dice: random.Random) -> Callable[[float, float], bool]:
    """Return what says whether a blip hit a walk."""
    if not site.blips:
        return lambda _began, _ended: False
    # A walk of a second is hit by those that begin within it, or up to their length before.
    rate = site.share / 2 / (1.0 + _BLIP)
    begun: list[float] = [-_BLIP + dice.expovariate(rate)]

    def hit(began: float, ended: float) -> bool:
        while begun[-1] < ended:
            begun.append(begun[-1] + dice.expovariate(rate))
        return any(at < ended and at + _BLIP > began for at in begun)

    return hit


@dataclass(frozen=True)
class Bound:
    """A promise: of how many gates something is so, at the least or at the most."""

    name: str
    site: Site
    what: Callable[[Outcome], bool]
    least: float = 0.0
    most: float = 1.0

    def holds(self, share: float) -> bool:
        """Whether a share keeps it."""
        return self.least <= share <= self.most


BOUNDS = (
    Bound("good, 2 % flaky: rolled back", Site(), rolled_back, most=0.005),
    Bound("good, 5 % flaky: rolled back", Site(0.05), rolled_back, most=0.03),
    Bound("good, 5 % flaky, held to 2 %: rolled back", Site(0.05, 0.02), rolled_back, most=0.03),
    Bound("broken: found by the second walk", Site(broken=1.0), by_the_second, least=0.99),
    Bound("half broken: rolled back", Site(broken=0.5), rolled_back, least=0.9),
    Bound("10 journeys, good: rolled back", Site(journeys=10), rolled_back, most=0.01),
    Bound(
        "10 journeys, one broken: found by its second walk",
        Site(journeys=10, broken=1.0),
        by_the_second,
        least=0.99,
    ),
    Bound(
        "10 journeys, one half broken: rolled back",
        Site(journeys=10, broken=0.5),
        rolled_back,
        least=0.9,
    ),
)
"""What is promised of gates."""
