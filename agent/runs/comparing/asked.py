"""Requests that came to something else, or to nothing, and those that are new or gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agent.core.difference import Change, ChangeKind
from agent.core.origins import origin_of
from agent.core.outline import NO_ANSWER
from agent.runs.comparing.found import Found, Rank
from agent.runs.comparing.passes import asked_for, came_to, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.core.outline import Asked, Outline
    from agent.runs.comparing.passes import Passes

_SLOWER: Final = 3.0
_SLOWER_BY: Final = 1.0
"""A factor, and seconds, by which an answer takes longer than any of the passes' to be told."""
_HANGS: Final = 2.0
_HANGS_FOR: Final = 1.0
"""The same for one that never came, and seconds at least."""
_PER_STEP: Final = frozenset({"document", "call"})


@dataclass
class AskedChanges:
    """Looks through the requests of a walk that failed."""

    failed: Outline
    passes: Passes
    _broken: set[str] = field(default_factory=set)
    """What came to something else: what is missing or new on such a page is its consequence."""
    _others: set[str] = field(default_factory=set)
    """Third parties' origins that were told."""

    def find(self) -> Iterator[Found]:
        """Yield what is different, each rank in the order of the walk."""
        for one in self.failed.asked:
            yield from self._answers(one)
        yield from self._origins()
        new, missing = list(self._new()), list(self._missing())
        yield from self._moved(new, missing)

    # Answers

    def _answers(self, one: Asked) -> Iterator[Found]:
        if one.kind == "other":
            yield from self._failed_picture(one)
            return
        base = self._base(one)
        if not base - {NO_ANSWER}:
            return
        news = [
            answer
            for answer in one.answers
            if answer != NO_ANSWER and kind_of(answer) not in base and self._is_news(one, answer)
        ]
        if news:
            self._broken.add(one.what)
            before = self._before(one)
            line = f"{one.what} {_came(news[-1])}, before it {_came(before)}"
            kind: ChangeKind = "redirect" if _leads(news[-1]) else "answer"
            yield from self._told(one, kind, line, before, news[-1])
            return
        hangs = NO_ANSWER in one.answers and NO_ANSWER not in base
        usual = self._usual_seconds(one)
        long = (
            max(_HANGS * usual, _HANGS_FOR) if hangs else max(_SLOWER * usual, usual + _SLOWER_BY)
        )
        if one.seconds >= long:
            self._broken |= {one.what} if hangs else set()
            took = (
                f"had no answer for {one.seconds:.1f} s" if hangs else f"took {one.seconds:.1f} s"
            )
            before = f"{max(usual, 0.01):.2f} s"
            line = f"{one.what} {took}, before {before} at most"
            yield from self._told(one, "slow", line, before, f"{one.seconds:.2f} s")

    def _told(
        self, one: Asked, kind: ChangeKind, line: str, before: str, now: str
    ) -> Iterator[Found]:
        if one.own:
            rank = self._rank(one, kind, now)
            yield Found(rank, Change(kind, line, one.what, before, now, self._step(one)))
            return
        origin = origin_of(one.what.partition(" ")[2])
        if origin not in self._others:
            self._others.add(origin)
            host = origin.partition("://")[2]
            line = f"third party {host}: {line.replace(origin, '', 1)}"
            change = Change("third_party", line, one.what, before, now, self._step(one))
            yield Found(Rank.THIRD_PARTY, change)

    def _rank(self, one: Asked, kind: ChangeKind, now: str) -> Rank:
        by_server = kind != "answer" or not now.isdigit() or now >= "500"
        return Rank.SERVER if by_server and one.step >= len(self.failed.steps) else Rank.SITE

    def _base(self, one: Asked) -> frozenset[str]:
        """Return the answers that are known of such a request; none where it isn't known."""
        step = one.step if one.kind in _PER_STEP else None
        here = self.passes.settled(lambda walk: came_to(walk, one.what, step))
        if here:
            return here
        walks = [came_to(walk, one.what) for walk in self.passes.recent]
        return frozenset().union(*walks) if all(walks) else frozenset()

    def _is_news(self, one: Asked, answer: str) -> bool:
        kind = kind_of(answer)
        return not self.passes.comes_and_goes(
            lambda walk: kind in came_to(walk, one.what), now=True
        )

    def _before(self, one: Asked) -> str:
        """Return the answer to such a request in the newest pass, of the same step if there is."""
        alike = [other for other in self.passes.recent[0].asked if other.what == one.what]
        alike.sort(key=lambda other: other.step != one.step)
        answers = (answer for other in alike for answer in other.answers)
        return next((answer for answer in answers if answer != NO_ANSWER), NO_ANSWER)

    def _usual_seconds(self, one: Asked) -> float:
        return max(
            other.seconds
            for walk in self.passes.kept
            for other in walk.asked
            if other.what == one.what
        )

    def _failed_picture(self, one: Asked) -> Iterator[Found]:
        if one.what in self.passes.in_any(asked_for) or not one.answers:
            return
        now = one.answers[-1]
        line = f"{one.what} {_came(now)}, before it did not fail"
        yield Found(Rank.LOOKS, Change("answer", line, one.what, "", now, self._step(one)))

    def _origins(self) -> Iterator[Found]:
        """Yield third parties that fail as such, whatever was asked of them."""
        for origin, failure in self.failed.others.items():
            before = self.passes.settled(lambda walk, origin=origin: walk.others.get(origin))  # type: ignore[misc]
            if failure and before == "" and origin not in self._others:
                host = origin.partition("://")[2]
                line = f"third party {host}: every request {_came(failure)}, before some did well"
                yield Found(Rank.THIRD_PARTY, Change("third_party", line, origin, "", failure))

    # New and gone

    def _new(self) -> Iterator[Asked]:
        known, fresh = self.passes.in_any(asked_for), set[str]()
        for one in self.failed.asked:
            if one.kind == "other" or one.what in known | fresh:
                continue
            if set(one.answers) == {NO_ANSWER} and one.seconds < _HANGS_FOR:
                continue  # given up by its page, as any may be
            fresh.add(one.what)
            follows = one.page in fresh or one.page in self._broken
            if follows or self.passes.varies_beside(one) or self._came_and_went(one, now=True):
                continue
            yield one

    def _missing(self) -> Iterator[Asked]:
        known = self.passes.in_all(_places) - set(_places(self.failed))
        asked = asked_for(self.failed)
        here = len(self.failed.steps)
        if any(_names(walk)[:here] != _names(self.failed) for walk in self.passes.recent):
            return  # another way, or another journey by now
        gone = set[str]()
        for one in self.passes.recent[0].asked:
            if _place(one) not in known or one.step > here or one.what in gone:
                continue
            if one.what in asked and not (one.kind in _PER_STEP and one.page == self._stuck_on()):
                continue  # elsewhere: a page may be left before it asks
            gone.add(one.what)
            follows = one.page and (one.page not in asked or one.page in self._broken)
            if follows or one.kind == "other" or set(one.answers) == {NO_ANSWER}:
                continue
            if self.passes.varies_beside(one) or self._came_and_went(one, now=False):
                continue
            yield one
            if one.step == here:
                # What came after it in the step that failed was not reached.
                return

    def _stuck_on(self) -> str | None:
        """Return the page that the walk waited on in vain: it had time to ask for everything."""
        steps = self.failed.steps
        if steps and steps[-1].seconds is not None:
            return None
        pages = (one.what for one in reversed(self.failed.asked) if one.kind == "document")
        return next(pages, None)

    def _came_and_went(self, one: Asked, *, now: bool) -> bool:
        return self.passes.comes_and_goes(lambda walk: _place(one) in _places(walk), now, times=1)

    def _moved(self, new: list[Asked], missing: list[Asked]) -> Iterator[Found]:
        """Yield what is new and gone; a page in another one's place is one change."""
        left = {one.page: one for one in reversed(missing) if one.kind == "document"}
        for one in new:
            answer = next((text for text in reversed(one.answers) if text != NO_ANSWER), NO_ANSWER)
            came = f", which {_came(answer)}" if kind_of(answer) != "2xx" and answer else ""
            gone = left.get(one.page) if one.kind == "document" and one.own else None
            if gone is not None:
                missing = [other for other in missing if other is not gone]
                after = f"after {one.page} " if one.page else ""
                line = f"{after}came {one.what}{came}, before {gone.what}".lstrip()
                change = Change("moved", line, one.what, gone.what, answer, self._step(one))
                yield Found(Rank.SITE, change)
                continue
            rank = Rank.REQUEST if one.own or one.kind != "style" else Rank.LOOKS
            line = f"{one.what} is new{came}"
            yield Found(rank, Change("new", line, one.what, "", answer, self._step(one)))
        for one in missing:
            answer = next(iter(one.answers), "")
            rank = Rank.NOT_REACHED if one.kind == "document" else Rank.REQUEST
            line = f"{one.what} was no longer asked for"
            yield Found(rank, Change("missing", line, one.what, answer, "", self._step(one)))

    def _step(self, one: Asked) -> str:
        steps = self.failed.steps
        return steps[one.step - 1].name if 0 < one.step <= len(steps) else ""


def _names(walk: Outline) -> list[str]:
    return [one.name for one in walk.steps]


def _place(one: Asked) -> tuple[str, str]:
    """Return what was asked for, and on which page; of files where they were first."""
    return one.what, one.page


def _places(walk: Outline) -> list[tuple[str, str]]:
    return [_place(one) for one in walk.asked]


def _leads(answer: str) -> bool:
    return answer[:1] == "3" and " " in answer


def _came(answer: str) -> str:
    """Return what a request came to, as the end of a sentence."""
    status, _, target = answer.partition(" ")
    if _leads(answer):
        return f"led to {target} ({status})"
    if answer.isdigit():
        return f"answered {answer}"
    return f"failed ({answer})" if answer else "had no answer"
