"""What is on a page and nearly what a locator looked for, where that found nothing."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from agent.worker.browser.aria import AriaNode, nodes
from agent.worker.browser.raised import selector_of
from agent.worker.browser.selectors import ENTER_FRAME, Part, by, by_role, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from playwright.async_api import Frame, Locator, Page

_MOST = 4
"""Matches that are told."""
_MOST_LOOKED_AT = 2_000
_LONGEST = 80
"""Characters of a name or text that is told."""
_NEAR = 0.55
"""How much of a text has to be alike; with another role it has to be more."""
_VERY_NEAR = 0.75
_FIELDS = frozenset(
    {"checkbox", "combobox", "radio", "searchbox", "slider", "spinbutton", "switch", "textbox"}
)
_TEST_IDS = "(all, name) => all.slice(0, 500).map(one => one.getAttribute(name))"


async def near_matches(target: object, page: Page, snapshot: str, *, surely: bool) -> list[str]:
    """Say what is like that which a call on ``target`` looked for and did not find.

    ``snapshot`` is the page's, as roles and names; ``surely`` that it had not been found, and is
    not only missing now. Nothing is said of what is no locator.

    Raises:
        Error: the page is gone, or doesn't answer.

    """
    wanted = selector_of(target)
    frame = next((one for one in page.frames if wanted and one._impl_obj is wanted[0]), None)  # noqa: SLF001 - no public word
    if wanted is None or frame is None:
        return []
    parts = parts_of(wanted[1])
    if await frame.locator(wanted[1]).count():
        return [
            f"{_shown(parts)} is there now: it came after the wait was over; timeout=… waits longer"
        ] * surely
    found, missing = await _first_missing(frame, parts)
    scope = frame.locator(_joined(found)).first if found else None
    if scope is not None or frame is not page.main_frame:
        snapshot = await (scope or frame.locator("body")).aria_snapshot()
    near = list(dict.fromkeys(await _near(missing, snapshot, scope or frame)))[:_MOST]
    inside = f" in {_shown(found)}, which is there" if found else ""
    known = _known_role(missing)
    if not near and not inside and not known:
        return []
    listed = f"; nearest: {', '.join(near)}" if near else "; nothing there is like it"
    return [f"nothing matches {missing.shown}{inside}{known}{listed}"]


async def _first_missing(frame: Frame, parts: Sequence[Part]) -> tuple[Sequence[Part], Part]:
    """Return the longest beginning of a selector that is found, and the part that is not."""
    for end in range(len(parts) - 1, 0, -1):
        if parts[end - 1].selector == ENTER_FRAME:
            # A frame that is there: what lies in it can be looked at from its element alone.
            continue
        if await frame.locator(_joined(parts[:end])).count():
            inside = parts[end].selector == ENTER_FRAME and end + 1 < len(parts)
            return parts[: end + 1 if inside else end], parts[end + 1 if inside else end]
    return (), parts[0]


def _shown(parts: Sequence[Part]) -> str:
    return ".".join(one.shown for one in parts)


def _joined(parts: Sequence[Part]) -> str:
    joined = " >> ".join(one.selector for one in parts)
    return f"{joined} >> body" if parts[-1].selector == ENTER_FRAME else joined


async def _near(missing: Part, snapshot: str, scope: Frame | Locator) -> Iterable[str]:
    if missing.kind == "test_id":
        held = scope.locator(f"[{missing.attribute}]")
        ids = await held.evaluate_all(_TEST_IDS, missing.attribute)
        return (by("test_id", one) for one in _ranked(missing.text, [str(id_) for id_ in ids]))
    return near_in(missing, list(nodes(snapshot))[:_MOST_LOOKED_AT])


def near_in(missing: Part, seen: Sequence[AriaNode]) -> Iterator[str]:
    """Yield what in a snapshot is most like a part of a selector, as an author would find it."""
    if missing.kind == "role":
        yield from _near_role(missing, seen)
    elif missing.kind == "label":
        labels = [one.name for one in seen if one.role in _FIELDS and one.name]
        yield from (by("label", one) for one in _ranked(missing.text, labels) or _first(labels))
    elif missing.kind == "placeholder":
        held = [one.text for one in seen if one.role == "/placeholder"]
        held += [one.name for one in seen if one.role in {"searchbox", "textbox"} and one.name]
        yield from (by("placeholder", one) for one in _ranked(missing.text, held) or _first(held))
    elif missing.kind:
        texts = [text for one in seen for text in (one.name, one.text) if text]
        texts = [one for one in texts if not one.startswith("/")]
        yield from (by("text", one) for one in _ranked(missing.text, texts))


def _near_role(missing: Part, seen: Sequence[AriaNode]) -> Iterator[str]:
    if missing.role not in _roles():
        role = _ranked(missing.role, list(_roles()))[:1]
        missing = Part("", "role", role[0] if role else "", missing.text)
    same = [one for one in seen if one.role == missing.role]
    if not missing.text:
        yield from (by_role(one.role, _cut(one.name)) for one in same[:_MOST])
        return
    named = {one.name: one.role for one in reversed(seen) if one.name and one.role != missing.role}
    others = [name for name in _ranked(missing.text, list(named), _VERY_NEAR) if name]
    names = [one.name for one in same if one.name]
    ranked = _ranked(missing.text, names)
    # Very near by another role is nearer than hardly alike by the same one.
    if not ranked or _likeness(missing.text, ranked[0]) < _VERY_NEAR:
        yield from (by_role(named[name], name) for name in others)
    yield from (by_role(missing.role, name) for name in ranked or _first(names))
    yield from (by_role(named[name], name) for name in others)


def _known_role(missing: Part) -> str:
    if missing.kind != "role" or missing.role in _roles():
        return ""
    meant = _ranked(missing.role, list(_roles()))[:1]
    return f'; there is no role "{missing.role}"' + (f', but "{meant[0]}"' if meant else "")


@cache
def _roles() -> tuple[str, ...]:
    from playwright.async_api import Page

    roles: Any = get_type_hints(Page.get_by_role)["role"]
    return get_args(roles)


def _ranked(wanted: str, seen: Sequence[str], near: float = _NEAR) -> list[str]:
    """Return the texts that are like the wanted one, the most alike first."""
    scored = [(_likeness(wanted, one), one) for one in dict.fromkeys(map(_cut, seen))]
    best = sorted((one for one in scored if one[0] >= near), key=lambda one: -one[0])
    return [text for _, text in best[:_MOST]]


def _likeness(wanted: str, seen: str) -> float:
    wanted, seen = wanted[:_LONGEST].lower(), seen.lower()
    if wanted and seen and (wanted in seen or seen in wanted):
        return 0.9
    return SequenceMatcher(None, wanted, seen).ratio()


def _first(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(_cut, texts)))[:_MOST]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
