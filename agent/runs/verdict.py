"""What a run comes to, from its attempts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.errors import ErrorType
    from agent.core.results import Attempt


@dataclass(frozen=True, slots=True)
class Verdict:
    """A run's result, the attempt that decided it, and the attempt whose error it carries."""

    result: Result
    decided_by: int
    error_type: ErrorType | None = None
    error: str = ""


def wants_another(attempts: Sequence[Attempt], *, confirm: bool, room: bool) -> bool:
    """Whether a second attempt is due.

    A target's failure is confirmed where that is allowed; what could not be measured is
    tried once more where the slot has room.
    """
    if len(attempts) != 1:
        return False
    match attempts[0].result:
        case Result.FAIL:
            return confirm
        case Result.NOT_MEASURED:
            return room
        case _:
            return False


def decide(attempts: Sequence[Attempt]) -> Verdict:
    """Judge a run.

    ============== ======================= ============== ================
    attempt 1      attempt 2               result         error of attempt
    ============== ======================= ============== ================
    pass           none                    pass           none
    fail           pass                    flaky          1
    fail           fail, or none           fail           1
    fail           not_measured            not_measured   2
    not_measured   pass, fail              pass, fail     2
    not_measured   not_measured, or none   not_measured   the last
    ============== ======================= ============== ================
    """
    first, last = attempts[0], attempts[-1]
    decided_by = len(attempts) - 1
    match first.result, last.result:
        case Result.FAIL, Result.PASS:
            return _with(Result.FLAKY, decided_by, first)
        case Result.FAIL, Result.FAIL:
            return _with(Result.FAIL, decided_by, first)
        case _, result:
            return _with(result, decided_by, last)


def _with(result: Result, decided_by: int, blamed: Attempt) -> Verdict:
    return Verdict(result, decided_by, blamed.error_type, blamed.error)
