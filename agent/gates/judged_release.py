"""Which release answered the walks of a gate, and whether that is the one that is judged. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from agent.core.model import Site


class Releases:
    """Holds the walks of a gate to the release ``wanted``; "" is whichever answers.

    ``told`` is whether the configuration says how the site tells.
    """

    def __init__(self, wanted: str, *, told: bool) -> None:
        self._wanted = wanted
        self._told = told
        self._met: tuple[str, ...] = ()
        """What answered last that was another one."""
        self.seen = False
        """Whether the one that is wanted has answered a whole walk."""
        self.unknown = False
        """Whether a walk counts of which nobody knows what answered it."""
        self._refused = False

    @property
    def missing(self) -> bool:
        """Whether walks came to something, and none was answered by the one that is judged."""
        return self._refused and not self.seen

    @property
    def words(self) -> str:
        """Say what answers in its stead, as far as that is known."""
        return f"still {_and(self._met)}" if self._met else "no document said which release answers"

    def refuses(self, met: Collection[str], *, passed: bool) -> str:
        """Return why a walk that these releases answered doesn't count; "": it does."""
        why = self._refuses(met, passed=passed)
        self._refused |= bool(why)
        return why

    def _refuses(self, met: Collection[str], *, passed: bool) -> str:
        if not self._wanted:
            return ""
        if set(met) == {self._wanted}:
            self.seen = True
            return ""
        if met:
            self._met = tuple(sorted(met))
            return f"{_and(self._met)} answered"
        if not self._told:
            self.unknown = True
            return ""
        # An error page of a proxy names no release. It counts once the new one is there.
        if self.seen and not passed:
            return ""
        return "no document said which release answered"


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(names)


def tells(site: Site) -> bool:
    """Whether the configuration says how a site tells which release answers."""
    return bool(site.release.header or site.release.meta)
