"""Web vitals, read in the page through buffered observers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeGuard

from playwright.async_api import Error

from agent.core import names
from agent.core.results import Vital

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Page

_LONGEST = 1e9
_READ_TIMEOUT = 0.3
"""Seconds: a page too busy to answer is not waited for."""

# What was painted, and how long a reaction took, is known once the browser has shown it. So a
# reading waits, a fifth of a second at most, for a document's first paint, and after somebody
# has acted for two frames: a fast reaction leaves no entry to wait for.
OBSERVE = """(() => {
  if (window !== window.top) return;
  const origin = performance.timeOrigin;
  const seen = {lcp: null, cls: 0, inp: null}, flush = [];
  let acted = false, awaited = false, shown;
  const paint = new Promise(done => { shown = done; });
  const watch = (type, each, more) => {
    try {
      const observer = new PerformanceObserver(list => list.getEntries().forEach(each));
      observer.observe({type, buffered: true, ...more});
      flush.push(() => observer.takeRecords().forEach(each));
    } catch (e) { /* this browser does not know it */ }
  };
  watch('largest-contentful-paint', e => { seen.lcp = e.startTime; });
  watch('paint', e => { if (e.name === 'first-contentful-paint') shown(); });
  watch('layout-shift', e => { if (!e.hadRecentInput) seen.cls += e.value; });
  watch('event', e => {
    if (e.interactionId) seen.inp = Math.max(seen.inp || 0, e.duration);
  }, {durationThreshold: 16});
  for (const type of ['pointerup', 'keydown'])
    addEventListener(type, () => { acted = true; }, {capture: true, passive: true});
  const {requestAnimationFrame: frame, setTimeout: later} = window;
  const frames = () => new Promise(done => frame(() => frame(() => later(done))));
  const atMost = what => Promise.race([what, new Promise(done => later(done, 200))]);
  Object.defineProperty(window, '__footfall_vitals', {value: async () => {
    if (!awaited) await atMost(acted ? paint.then(frames) : paint);
    else if (acted) await atMost(frames());
    awaited = true;
    acted = false;
    flush.forEach(each => each());
    const first = performance.getEntriesByName('first-contentful-paint')[0];
    const entry = performance.getEntriesByType('navigation')[0];
    // The page may have put anything in the place of what is asked here.
    const number = value => typeof value === 'number' ? value : null;
    return {origin: number(origin), lcp: number(seen.lcp), cls: number(seen.cls),
            inp: number(seen.inp), fcp: number(first && first.startTime),
            ttfb: number(entry && entry.responseStart)};
  }});
})()"""


class Vitals:
    """The last reading of each document that was shown."""

    def __init__(self) -> None:
        self._documents: dict[float, dict[str, Vital]] = {}

    async def read(self, page: Page, span_id: str) -> dict[str, float]:
        """Read the document that is shown now; to be called before it is left.

        Returns attributes for the span that is open, ``span_id``: what no earlier reading of
        that document had told.
        """
        if page.is_closed() or not page.url.startswith(("http:", "https:")):
            return {}
        try:
            async with asyncio.timeout(_READ_TIMEOUT):
                reading = await page.evaluate(
                    "window.__footfall_vitals && window.__footfall_vitals()"
                )
        except (Error, TimeoutError):
            return {}
        # It comes through the page's own world, so it may be anything at all.
        if not isinstance(reading, dict) or not _is_number(origin := reading.get("origin")):
            return {}
        known = self._documents.setdefault(origin, {})
        fresh = [
            vital
            for vital in _vitals(reading, span_id)
            if vital.vital not in known or known[vital.vital].value != vital.value
        ]
        known.update((vital.vital, vital) for vital in fresh)
        return {names.STEP_VITALS[vital.vital]: vital.value for vital in fresh}

    def collected(self) -> tuple[Vital, ...]:
        """Return the last readings of all documents."""
        return tuple(vital for known in self._documents.values() for vital in known.values())


def _vitals(reading: dict[str, Any], span_id: str) -> Iterator[Vital]:
    """Yield what was measured: milliseconds become seconds, ``cls`` stays a score."""
    for name in names.STEP_VITALS:
        if _is_sound(value := reading.get(name)):
            yield Vital(name, value if name == "cls" else value / 1000, span_id)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_sound(value: object) -> TypeGuard[float]:
    """Whether a page gave a number that can be one: its scripts may have replaced the clock."""
    return _is_number(value) and 0 <= value < _LONGEST
