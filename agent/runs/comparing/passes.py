"""What a journey's last passes had in common: only that counts as known.

What varied among them, as prices, recommendations, variants under test and cache-busters do, is
known to vary, and says nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

from agent.core.difference import ENOUGH

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from agent.core.outline import Asked, Outline

T = TypeVar("T")

COMES_BACK: Final = 2
"""Changes among the kept passes from which on a thing is one that comes and goes."""
_ALIKE: Final = 3
"""Addresses side by side that vary from which on whatever stands beside them does."""


@dataclass(frozen=True)
class Passes:
    """The passes that are kept, the newest first. The first five are those that are compared."""

    kept: Sequence[Outline]

    @cached_property
    def recent(self) -> Sequence[Outline]:
        """The last five, or as many as there are."""
        return self.kept[:ENOUGH]

    def settled(self, of: Callable[[Outline], T]) -> T | None:
        """Return what all of the last passes had the same; None where they had not."""
        first, *others = map(of, self.recent)
        return first if all(one == first for one in others) else None

    def in_all(self, of: Callable[[Outline], Iterable[T]]) -> set[T]:
        """Return what is among something in all of the last passes."""
        return set.intersection(*(set(of(one)) for one in self.recent))

    def in_any(self, of: Callable[[Outline], Iterable[T]]) -> set[T]:
        """Return what is among something in any of them."""
        return set.union(*(set(of(one)) for one in self.recent))

    def comes_and_goes(
        self, of: Callable[[Outline], Hashable], now: Hashable, times: int = COMES_BACK
    ) -> bool:
        """Whether what is ``now`` was so in a pass that is kept, and changed so many times.

        So a variant that few customers get is no news, though the last five had the other one;
        a release that is taken back is.
        """
        return now in map(of, self.kept) and self.changes(of) >= times

    def changes(self, of: Callable[[Outline], Hashable]) -> int:
        """Return how often something changed from one pass that is kept to the next."""
        return sum(1 for one, other in pairwise(map(of, self.kept)) if one != other)

    def varies_beside(self, asked: Asked) -> bool:
        """Whether the last passes asked for one thing or another in the same place."""
        return self._varying[_beside(asked)] >= _ALIKE

    @cached_property
    def _varying(self) -> Counter[tuple[str, str]]:
        """How many addresses of a kind and a folder some passes asked for, and some not."""

        def places(walk: Outline) -> set[tuple[str, tuple[str, str]]]:
            return {(one.what, _beside(one)) for one in walk.asked}

        return Counter(place for _, place in self.in_any(places) - self.in_all(places))


def asked_for(walk: Outline) -> set[str]:
    """Return everything that a walk asked for."""
    return {one.what for one in walk.asked}


def came_to(walk: Outline, what: str, step: int | None = None) -> frozenset[str]:
    """Return the kinds of answers that a walk got to a request, in one step or in all of it."""
    return frozenset(
        kind_of(answer)
        for one in walk.asked
        if one.what == what and step in {None, one.step}
        for answer in one.answers
    )


def kind_of(answer: str) -> str:
    """Return what of an answer is compared: of a good one that it is, of a redirect its target."""
    if len(answer) == len("200") and answer[:1] in {"1", "2"}:
        return "2xx"
    return "2xx" if answer == "304" else answer


def _beside(asked: Asked) -> tuple[str, str]:
    return asked.kind, asked.what.rstrip("/").rpartition("/")[0]
