"""Journeys as they will run: ``[journey.NAME]`` over ``@journey`` over ``[schedule]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from agent.config.timing import Given, Timing, misfits
from agent.core import titles
from agent.core.beacon_report import BeaconPolicy
from agent.core.errors import ConfigError, Problem
from agent.core.model import Cadence, Definition, Journey, ReleaseSource, Site
from agent.core.units import parse_cadence, parse_duration, parse_limit, parse_timezone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.config.settings import Settings

T = TypeVar("T")


def resolve(
    settings: Settings,
    definitions: Sequence[Definition],
    interval_of: Callable[[Cadence], float],
    *,
    complete: bool = True,
) -> list[Journey]:
    """Put the authors' definitions under the configuration, in the order given.

    Args:
        settings: the configuration.
        definitions: what discovery brought back; no journeys at all is no error.
        interval_of: the shortest gap of a cadence in seconds; it raises ``ValueError`` for a
            cron line that makes no sense.
        complete: whether every journey file could be read; where not, a ``[journey.NAME]``
            may belong to one that is missing.

    Journeys whose site was left out of the settings as faulty are left out too.

    Raises:
        ConfigError: with every fault of every journey, each with its file and line.

    """
    problems: list[Problem] = []
    journeys = []
    for definition in definitions:
        one = _Resolver(settings, definition, problems)
        if journey := one.resolve(interval_of):
            journeys.append(journey)
    known = {name for one in definitions for name in (one.name, one.base) if name}
    for name in settings.journey:
        if complete and name not in known:
            listed = f"known journeys: {', '.join(sorted(known))}" if known else "there are none"
            message = f"no journey is called {name!r}; {listed}. Rename or remove this section"
            problems.append(Problem(settings.where("journey", name), message))
    problems += _same_titles(settings, journeys)
    if problems:
        raise ConfigError(problems)
    return journeys


def _same_titles(settings: Settings, journeys: Sequence[Journey]) -> list[Problem]:
    """Return the public titles that mean more than one journey: the public knows them by these."""
    first: dict[str, Journey] = {}
    problems = []
    for journey in journeys:
        if not journey.public:
            continue
        other = first.setdefault(titles.id_of(journey.public), journey)
        if other != journey:
            message = (
                f"journey {journey.name}: {journey.public!r} is the public title of {other.name} "
                f"too, or looks like it; give it one of its own: [journey.{journey.name}] public"
            )
            where = f"{settings.journeys.name}/{journey.file}:{journey.line}"
            problems.append(Problem(where, message))
    return problems


def schedule_problems(settings: Settings, interval_of: Callable[[Cadence], float]) -> list[Problem]:
    """Return what is wrong with ``[schedule] every``, whether any journey goes by it or not."""
    schedule = settings.schedule
    try:
        interval_of(parse_cadence(schedule.every, schedule.timezone))
    except ValueError as error:
        return [Problem(settings.where("schedule", "every"), str(error))]
    return []


class _Resolver:
    """One journey on its way through the layers; faults are added to ``problems``."""

    def __init__(self, settings: Settings, definition: Definition, problems: list[Problem]) -> None:
        self._settings = settings
        self._definition = definition
        names = [definition.name, *([definition.base] if definition.base else [])]
        self._sections = [
            (name, settings.journey[name]) for name in names if name in settings.journey
        ]
        """Those of the configuration, a variant's own before the one of its base."""
        self._problems = problems
        self._found: list[Problem] = []
        self._unsure = False
        """Whether a faulty key was left out that this journey would have gone by."""
        self._where = f"{settings.journeys.name}/{definition.file}:{definition.line}"

    def resolve(self, interval_of: Callable[[Cadence], float]) -> Journey | None:
        """Return the journey, or None where faults were found."""
        try:
            return self._resolved(interval_of)
        finally:
            # Variants share what their declaration, or the section of all of them, gets wrong.
            self._problems += [one for one in self._found if one not in self._problems]

    def _resolved(self, interval_of: Callable[[Cadence], float]) -> Journey | None:
        definition = self._definition
        site = self._site()
        if not definition.owner.strip():
            self._fault('has no owner; write @journey(owner="…") with who answers when it fails')
        every = self._given("every", definition.every)
        cadence, interval = self._cadence(every, interval_of)
        timeout = self._timeout()
        grace = self._given("grace", None)
        slow = self._limit("slow", definition.slow)
        every_failing = self._every_failing()
        if interval is not None and timeout is not None and not self._unsure:
            timing = Timing(timeout, grace.value, interval, every, slow, every_failing)
            self._found.extend(misfits(definition, timing, self._settings.journeys.name))
        params = self._params()
        if site is None or cadence is None or interval is None or timeout is None:
            return None
        if self._found:
            return None
        return Journey(
            name=definition.name,
            site=site,
            file=definition.file,
            line=definition.line,
            cadence=cadence,
            interval=interval,
            timeout=timeout.value,
            grace=grace.value,
            confirm=self._given("confirm", definition.confirm).value,
            confirm_after=self._given("confirm_after", None).value,
            slow=slow.value,
            slow_steps=tuple(dict.fromkeys(step.name for step in definition.step_limits)),
            every_failing=every_failing.value,
            enabled=self._enabled(),
            summary=definition.summary,
            owner=definition.owner,
            runbook=definition.runbook,
            severity=definition.severity,
            params=params,
            configured_params=tuple(
                dict.fromkeys(key for _, one in self._sections for key in one.params)
            ),
            context=definition.context,
            fail_on=self._given("fail_on", definition.fail_on).value,
            base=definition.base,
            browser=definition.browser,
            popups=definition.popups,
            public=self._public(),
        )

    def _enabled(self) -> bool:
        said = (one.enabled for _, one in self._sections if "enabled" in one.model_fields_set)
        return next(said, True)

    def _public(self) -> str:
        """Return its title on the public page."""
        for _, section in self._sections:
            if section.public is not None:
                return section.public
        if why := titles.trouble(self._definition.public):
            self._fault(f"public: {why}")
        return self._definition.public

    def _given(self, key: str, authored: T | None) -> Given[Any]:
        """Return the value of ``key`` from the topmost layer that has one."""
        for name in filter(None, (self._definition.name, self._definition.base)):
            self._unsure |= self._settings.left_out("journey", name, key)
        for name, section in self._sections:
            configured = getattr(section, key, None)
            if configured is not None:
                return Given(configured, self._settings.where("journey", name, key))
        if authored is not None:
            return Given(authored, self._where)
        self._unsure |= self._settings.left_out("schedule", key)
        return Given(getattr(self._settings.schedule, key), self._settings.where("schedule", key))

    def _site(self) -> Site | None:
        name = self._definition.site
        section = self._settings.sites.get(name)
        if section is None and self._settings.left_out("sites", name):
            return None
        if section is None:
            sites = ", ".join(sorted(self._settings.sites)) or "none"
            self._fault(
                f"unknown site {name!r}; add [sites.{name}] to the configuration or correct "
                f"@journey(site=…), or sites=[…]. Known sites: {sites}"
            )
            return None
        general, own = self._settings.beacons, section.beacons
        # A site's own word for a vendor wins however the two are written.
        named = {vendor.casefold() for vendor in own.vendors}
        vendors = {k: v for k, v in general.vendors.items() if k.casefold() not in named}
        policy = BeaconPolicy(own.policy or general.policy, {**vendors, **own.vendors})
        told = ReleaseSource(**section.release.model_dump())
        return Site(name, section.url, section.first_party, policy, told)

    def _cadence(
        self, every: Given[str], interval_of: Callable[[Cadence], float]
    ) -> tuple[Cadence | None, float | None]:
        timezone = self._given("timezone", self._definition.timezone)
        try:
            parse_timezone(timezone.value)
        except ValueError as error:
            self._fault(f"timezone: {error}")
            return None, None
        try:
            cadence = parse_cadence(every.value, timezone.value)
            return cadence, interval_of(cadence)
        except ValueError as error:
            if every.where == self._where:
                self._fault(f"every: {error}")
            else:
                # A cron line in [schedule] is told once, however many journeys go by it.
                self._found.append(Problem(every.where, str(error)))
            return None, None

    def _timeout(self) -> Given[float] | None:
        authored = self._definition.timeout
        given = self._given("timeout", authored)
        if given.where != self._where or authored is None:
            return given
        try:
            seconds = parse_duration(authored)
        except ValueError as error:
            self._fault(f"timeout: {error}")
            return None
        if seconds == 0:
            self._fault("timeout: must be longer than 0s")
            return None
        return Given(seconds, self._where)

    def _limit(self, key: str, authored: str | None) -> Given[float | None]:
        """Return a limit in seconds; None: there is none."""
        given = self._given(key, authored)
        if given.where != self._where or authored is None:
            return Given(given.value or None, given.where)
        try:
            return Given(parse_limit(authored), self._where)
        except ValueError as error:
            self._fault(f"{key}: {error}")
            return Given(None, self._where)

    def _every_failing(self) -> Given[float | None]:
        given = self._limit("every_failing", self._definition.every_failing)
        if given.value is not None and given.value < 1:
            self._fault("every_failing: is too often; the shortest interval is 1s")
            return Given(None, given.where)
        return given

    def _params(self) -> dict[str, Any]:
        defaults = self._definition.params
        configured: dict[str, Any] = {}
        for section_name, section in reversed(self._sections):
            configured |= section.params
            for name, value in section.params.items():
                message = _wrong_param(name, value, defaults)
                if message:
                    where = self._settings.where("journey", section_name, "params", name)
                    self._found.append(Problem(where, message))
        return {**defaults, **configured}

    def _fault(self, message: str) -> None:
        name = self._definition.base or self._definition.name
        self._found.append(Problem(self._where, f"journey {name}: {message}"))


def _wrong_param(name: str, value: object, defaults: dict[str, Any]) -> str | None:
    """Say what is wrong with a configured parameter; None: nothing."""
    if name not in defaults:
        known = ", ".join(sorted(defaults)) or "none"
        return f"the journey declares no parameter {name!r}; it declares: {known}"
    default = defaults[name]
    number = isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool)
    if default is None or number or type(value) is type(default):
        return None
    return (
        f"must be of the same type as the journey's own {default!r} "
        f"({type(default).__name__}), not {type(value).__name__}; in a variable, write the whole "
        "params as JSON"
    )
