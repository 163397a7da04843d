"""Other versions of what the site consists of: its release, its scripts, its styles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.difference import Change
from agent.core.outline import Version
from agent.runs.comparing.found import Found, Rank
from agent.runs.comparing.passes import COMES_BACK, asked_for, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.core.outline import Asked, Outline
    from agent.runs.comparing.passes import Passes

_NONE = "none"
_TAG = "ETag {}"
_SIZE = "{} bytes"


def release(failed: Outline, passes: Passes) -> Iterator[Found]:
    """Yield that another release answered."""
    before = passes.settled(lambda walk: walk.release)
    now = failed.release
    if not before or not now or now == before:
        return
    if not passes.comes_and_goes(lambda walk: walk.release, now):
        line = f"another release answered: {now}, before {before}"
        yield Found(Rank.RELEASE, Change("release", line, "release", before, now))


def scripts(failed: Outline, passes: Passes) -> Iterator[Found]:
    """Yield that scripts and styles have other versions: those of a kind in one."""
    raised = {one.at: one.error for one in failed.raised if one.at}
    changed = [one for one in failed.asked if one.version and _other_version(one, passes)]
    blamed = [one for one in changed if _address(one) in raised]
    own = [one for one in changed if one.own and one.kind == "script"]
    # The one that raised an error names the cause better than the first that was asked for.
    first = [*blamed, *(one for one in own if one not in blamed)]
    if first:
        yield Found(Rank.SCRIPT, _of_scripts(first, passes, raised.get(_address(first[0]), "")))
    rest = [one for one in changed if one not in first]
    if rest:
        yield Found(Rank.LOOKS, _of_scripts(rest, passes, ""))


def changed_scripts(failed: Outline, passes: Passes) -> set[str]:
    """Return the addresses of those that have another version."""
    return {_address(one) for one in failed.asked if one.version and _other_version(one, passes)}


def _of_scripts(changed: Sequence[Asked], passes: Passes, error: str) -> Change:
    first = changed[0]
    before, now = _shown(first, passes)
    noun = "script" if first.kind == "script" else "style sheet"
    more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
    raises = f"; it raises {error}" if error else ""
    line = f"{noun} {_address(first)} has another version{more}: {now}, before {before}{raises}"
    return Change("script", line, _address(first), before, now)


def _other_version(one: Asked, passes: Passes) -> bool:
    now = one.version
    if now is None or not any(kind_of(answer) == "2xx" for answer in one.answers):
        return False
    what = one.what
    if not all(what in asked_for(walk) for walk in passes.recent):
        return False
    if passes.comes_and_goes(lambda walk: _version(walk, what), now):
        return False
    tag = passes.settled(lambda walk: _version(walk, what).tag)
    # The same content under another address: a cache-buster, or a release that left it alone.
    return not (tag and tag == now.tag) and next(_differing(what, now, passes), None) is not None


def _differing(what: str, now: Version, passes: Passes) -> Iterator[tuple[str, str]]:
    """Yield each sign that all passes had the same and the walk has not: before, and now."""
    for sign, value in _signs(now).items():
        before = passes.settled(lambda walk, sign=sign: _signs(_version(walk, what))[sign])  # type: ignore[misc]
        if before is None or before == value:
            continue
        if sign in {_TAG, _SIZE} and not (before and value):
            continue  # not told this time
        if sign == _SIZE and passes.changes(lambda walk: _version(walk, what).size) >= COMES_BACK:
            continue  # as of a script that is written anew for each who asks
        shown = [sign.format(text) if text else _NONE for text in (before, value)]
        yield shown[0], shown[1]


def _signs(version: Version) -> dict[str, str]:
    return {"{}": version.name, "?{}": version.query, _TAG: version.tag, _SIZE: version.size}


def _version(walk: Outline, what: str) -> Version:
    versions = (one.version for one in walk.asked if one.what == what)
    return next((one for one in versions if one), Version())


def _shown(one: Asked, passes: Passes) -> tuple[str, str]:
    """Return what tells the two versions apart: before, and now."""
    return next(_differing(one.what, one.version or Version(), passes), (_NONE, _NONE))


def _address(one: Asked) -> str:
    return one.what.partition(" ")[2]
