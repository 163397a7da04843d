"""A declaration as data: the journeys that it makes, or what of it would not reach a walk."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.core.errors import Problem
from agent.core.model import Definition, StepLimit
from agent.core.units import parse_limit
from agent.core.values import trouble
from agent.worker.context_check import check_context
from agent.worker.fail_on_check import check_fail_on
from agent.worker.variants import over, variants_of, wrong_variants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agent.authoring import Declaration
    from agent.core.model import FailOn
    from agent.worker.journey_source import JourneySource
    from agent.worker.variants import Variant


@dataclass(frozen=True, slots=True)
class Definitions:
    """Those of one declaration, in ``file`` below ``folder``."""

    folder: Path
    file: str
    declaration: Declaration
    source: JourneySource

    def made(self) -> tuple[list[Definition], list[Problem]]:
        """Return the journeys, none where something is wrong; and all that is."""
        one = self.declaration
        fail_on, unknown = check_fail_on(one.fail_on)
        limits, problems = self._step_limits()
        faults = [
            *wrong_variants(one),
            *(("fail_on", word, why) for word, why in unknown),
            *_untellable("params", one.params),
        ]
        context, wrong = self._context(one.context)
        faults += [("context", name, why) for name, why in wrong]
        if faults:
            return [], [*problems, *(self._problem(*fault) for fault in faults)]
        made = []
        for variant in variants_of(one):
            options, wrong = self._context(over(context, variant.options))
            told = _untellable(variant.key, variant.params)
            why = [f"{name!r}: {why}" for name, why in wrong]
            why += [f"params {name!r}: {why}" for _, name, why in told]
            problems += [self._problem("variants", variant.key, one) for one in why]
            made.append(self._definition(variant, options, limits, fail_on))
        if problems:
            # Those of one variant are told once, on however many sites it is walked.
            return [], list(dict.fromkeys(problems))
        made[0].warnings.extend(self._warnings())
        return made, []

    def _definition(
        self,
        variant: Variant,
        context: dict[str, Any],
        limits: tuple[StepLimit, ...],
        fail_on: tuple[FailOn, ...],
    ) -> Definition:
        one = self.declaration
        return Definition(
            name=variant.name,
            base=one.name if variant.name != one.name else "",
            site=variant.site,
            file=self.file,
            line=one.line,
            summary=(inspect.getdoc(one.function) or "").partition("\n")[0],
            owner=one.owner,
            runbook=one.runbook,
            severity=one.severity,
            every=one.every,
            timezone=one.timezone,
            timeout=one.timeout,
            confirm=one.confirm,
            slow=one.slow,
            every_failing=one.every_failing,
            step_limits=limits,
            params={**one.params, **variant.params},
            context=context,
            fail_on=fail_on,
            browser=one.browser,
            public=one.public,
        )

    def _context(self, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        folder = (self.folder / self.file).parent
        return check_context(options, folder, browser=self.declaration.browser)

    def _warnings(self) -> Iterator[Problem]:
        for line, name in self.source.repeated_steps():
            why = (
                f"journey {self.declaration.name}: a second step is called {name!r}; they count "
                "as two in their order. Name it after what the customer does there"
            )
            yield Problem(self._where(line), why)

    def _step_limits(self) -> tuple[tuple[StepLimit, ...], list[Problem]]:
        limits, problems = [], []
        for line, name, text in self.source.step_limits():
            try:
                limit = parse_limit(text)
            except ValueError as error:
                why = f"journey {self.declaration.name}: step {name!r}: slow: {error}"
                problems.append(Problem(self._where(line), why))
            else:
                limits += [StepLimit(name, line, limit)] if limit is not None else []
        return tuple(limits), problems

    def _problem(self, option: str, key: str, why: str) -> Problem:
        where = self._where(self.source.line_of(option, key))
        return Problem(where, f"journey {self.declaration.name}: {option} {key!r}: {why}")

    def _where(self, line: int) -> str:
        return f"{self.folder.name}/{self.file}:{line}"


def _untellable(option: str, params: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the parameters whose value would change on its way to a walk."""
    return [(option, name, why) for name, value in params.items() if (why := trouble(value))]
