"""What a picture must not show: the fields that hold what nobody else may read.

Painted over are password fields, also those that a page turned into plain ones, and wherever a
secret of the journey stands in a field or in an element that can be edited, as the agent, the
page or a password manager put it there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import Error

if TYPE_CHECKING:
    from playwright.async_api import Frame, Locator, Page

    from agent.core.redact import Redactor

_PRIVATE = (
    "input[type=password], input[autocomplete*=password], input[autocomplete=one-time-code],"
    " input[name*=passw i], input[id*=passw i], input[name*=pwd i], input[id*=pwd i]"
)
_FIELDS = "input, textarea, select"
_EDITED = "[contenteditable]:not([contenteditable=false])"
_MOST_FRAMES = 30
_MOST_FIELDS = 30
"""Fields of a frame that are looked into; of more than that all are painted over."""


class NotLookedAt(Exception):
    """The page did not say what stands in its fields, and the journey used a secret."""


async def hidden_fields(page: Page, redactor: Redactor, limit: float) -> list[Locator]:
    """Return what is to be painted over, looking for ``limit`` seconds at each frame.

    A frame that hangs isn't waited for: it would cost the whole picture. Without a secret it
    shows dots; with one it is painted over.

    Raises:
        NotLookedAt: the page itself hangs.

    """
    frames = page.frames[:_MOST_FRAMES]
    found = await asyncio.gather(*(_in_time(frame, redactor, limit) for frame in frames))
    if redactor and found[0] is None:
        raise NotLookedAt("the page did not tell what stands in its fields")
    hidden = [locator for locators in found for locator in locators or ()]
    unseen = len(page.frames) > _MOST_FRAMES or None in found
    return [*hidden, page.locator("iframe, frame")] if redactor and unseen else hidden


async def _in_time(frame: Frame, redactor: Redactor, limit: float) -> list[Locator] | None:
    try:
        async with asyncio.timeout(limit):
            return await _of_frame(frame, redactor)
    except (Error, TimeoutError):
        return None


async def _of_frame(frame: Frame, redactor: Redactor) -> list[Locator]:
    # Playwright asks these of its own isolated world: the page's scripts have no say in it.
    private = frame.locator(_PRIVATE)
    hidden = [private] if await private.count() else []
    if not redactor:
        return hidden
    for selector, of in ((_FIELDS, "input_value"), (_EDITED, "text_content")):
        fields = frame.locator(selector)
        count = await fields.count()
        if count > _MOST_FIELDS:
            hidden.append(fields)
            continue
        each = [fields.nth(number) for number in range(count)]
        texts = await asyncio.gather(*(getattr(one, of)() for one in each))
        hidden += [one for one, text in zip(each, texts, strict=True) if _tells(text, redactor)]
    return hidden


def _tells(text: str | None, redactor: Redactor) -> bool:
    return bool(text) and redactor.tells(str(text))
