"""What the gauges read at one moment: of journeys, of the spool, of the agent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import structlog

from agent.core import names
from agent.storage import certificates
from agent.storage.certificates import MOST_TOLD
from agent.storage.journey_state import JourneyState
from agent.telemetry.catalogue import CATALOGUE, Kind
from agent.telemetry.metrics import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.core.model import Journey
    from agent.schedule.suspensions import Mark
    from agent.storage.certificates import Known
    from agent.telemetry.delivery.signals import Signal
    from agent.telemetry.delivery.spool import Backlog

Told: TypeAlias = "Callable[[Journey, JourneyState], Mapping[Mark, bool]]"
"""Tells what suspends a journey, and what did of late."""
Read: TypeAlias = Callable[[], Iterable[tuple[Mapping[str, str], float]]]
"""Gives a gauge's values: pairs of attributes and value."""

_log = structlog.get_logger(__name__)


class Gauges:
    """The journeys that are watched, and what the composition root has to tell."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._journeys: tuple[Journey, ...] = ()
        self._gap: Callable[[Journey], float] = _interval
        self._suspended: Told = _never
        self._reads: dict[str, Read] = {}
        self._left_out = 0

    def watch(
        self, journeys: Sequence[Journey], gap: Callable[[Journey], float] | None = None
    ) -> None:
        """Replace the journeys that have gauges; disabled ones have none."""
        self._journeys = tuple(journey for journey in journeys if journey.enabled)
        self._gap = gap or _interval

    def tell_suspended(self, told: Told) -> None:
        """Have this asked at every reading for what suspends a journey."""
        self._suspended = told

    def add(self, name: str, read: Read) -> None:
        """Have ``read`` asked at every reading.

        Raises:
            ValueError: the catalogue has no gauge of that name.

        """
        metric = CATALOGUE.get(name)
        if metric is None or metric.kind is not Kind.GAUGE:
            raise ValueError(f"{name} is no gauge of the catalogue. Add it there first.")
        self._reads[name] = read

    def read(
        self,
        states: Mapping[str, JourneyState],
        known: Sequence[Known],
        backlog: Mapping[Signal, Backlog],
        now: float,
        steady: float,
    ) -> tuple[Reading, ...]:
        """Read all gauges at Unix time ``now``; what waits is as old as ``steady`` time says."""
        return (
            *self._of_journeys(states, now),
            *self._of_certificates(known, now),
            *_of_spool(backlog, steady),
            *self._of_agent(),
        )

    def _of_journeys(self, states: Mapping[str, JourneyState], now: float) -> Iterator[Reading]:
        for journey in self._journeys:
            attributes = {
                names.JOURNEY: journey.name,
                names.SITE: journey.site.name,
                names.LOCATION: self._location,
            }
            yield Reading(names.INTERVAL, attributes, self._gap(journey))
            state = states.get(journey.name)
            yield from self._of_suspended(journey, state or JourneyState(), attributes)
            if state is None:
                continue
            if state.last_run is not None:
                yield Reading(names.LAST_RUN, attributes, state.last_run)
            if state.last_success is not None:
                yield Reading(names.LAST_SUCCESS, attributes, state.last_success)
            up = state.is_up(journey.interval, now)
            if up is not None:
                yield Reading(names.UP, attributes, int(up))
                yield Reading(names.CONSECUTIVE_FAILURES, attributes, state.consecutive_failures)
                yield Reading(names.CONSECUTIVE_SLOW, attributes, state.consecutive_slow)

    def _of_suspended(
        self, journey: Journey, state: JourneyState, attributes: Mapping[str, str]
    ) -> Iterator[Reading]:
        for mark, holds in self._suspended(journey, state).items():
            what = {
                names.REASON: mark.cause.value,
                names.MODE: mark.mode.value,
                names.END: "open" if mark.is_open else "set",
            }
            yield Reading(names.SUSPENDED, {**attributes, **what}, int(holds))

    def _of_certificates(self, known: Sequence[Known], now: float) -> Iterator[Reading]:
        told = certificates.of_journeys(known, self._journeys, now)
        left_out = max(0, len(told) - MOST_TOLD)
        if left_out > self._left_out:
            _log.warning("certificates.left_out", action="collect", hosts=left_out)
        self._left_out = left_out
        for one in told[:MOST_TOLD]:
            attributes = {names.HOST: one.certificate.host}
            yield Reading(names.TLS_EXPIRY, attributes, one.certificate.ends_at)
            yield Reading(names.TLS_LIFETIME, attributes, one.certificate.lifetime)

    def _of_agent(self) -> list[Reading]:
        readings: list[Reading] = []
        for name, read in self._reads.items():
            try:
                readings += [Reading(name, attributes, value) for attributes, value in read()]
            except Exception:  # noqa: BLE001 - one gauge must not take the other metrics with it
                _log.exception("gauge.unreadable", action="collect", metric=name)
        return readings


def _of_spool(backlog: Mapping[Signal, Backlog], now: float) -> Iterator[Reading]:
    for signal, waiting in backlog.items():
        attributes = {names.SIGNAL: signal.value}
        age = max(0.0, now - waiting.oldest_at) if waiting.oldest_at is not None else 0.0
        yield Reading(names.SPOOL_ITEMS, attributes, waiting.items)
        yield Reading(names.SPOOL_BYTES, attributes, waiting.size)
        yield Reading(names.SPOOL_OLDEST_AGE, attributes, age)


def _never(_: Journey, __: JourneyState) -> Mapping[Mark, bool]:
    return {}


def _interval(journey: Journey) -> float:
    return journey.interval
