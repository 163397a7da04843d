"""A run, over or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from agent.core.difference import ChangeDocument
    from agent.server.documents.attempt_evidence import AttemptDocument
    from agent.server.documents.deploys import NearDeploy
    from agent.server.documents.replicas import MadeByDocument


class LiveStep(TypedDict):
    """A step of the public run object: ``result`` is pass, fail or skipped."""

    name: str
    result: str
    duration: float | None


class LiveAttempt(TypedDict):
    """What is over of an attempt that goes on."""

    steps: list[LiveStep]


class LastPass(TypedDict):
    """The last run before this one that passed; its picture where one was kept."""

    run_id: str
    started_at: str
    duration: float
    screenshot: str | None


class RunDocument(TypedDict):
    """``/runs/{id}`` and ``/api/v1/runs/{id}``: a run, over or not.

    Of one that is ``skipped`` there is ``reason``; of one by hand that is ``waiting`` or
    ``running`` what has happened so far; all the others only of one that has ``ended``.
    """

    run_id: str
    journey: str
    trigger: str
    state: Literal["waiting", "running", "skipped", "ended"]
    reason: NotRequired[str]
    asked_at: NotRequired[str]
    step: NotRequired[str | None]
    attempts: NotRequired[list[LiveAttempt]]
    run: NotRequired[dict[str, Any]]
    """The public run object, as ``/api/v1/runs`` lists it."""
    links: NotRequired[dict[str, str]]
    """The address of each artifact."""
    walks: NotRequired[list[AttemptDocument]]
    """Each attempt, and what was seen in it."""
    decided_by: NotRequired[int]
    """Index into ``walks`` of the attempt that decided."""
    failed_step: NotRequired[str | None]
    changes: NotRequired[list[ChangeDocument]]
    """What is different from the last passes, the likeliest cause first."""
    compared_with: NotRequired[int]
    """How many passes that were, five at most; 0: none were known."""
    last_pass: NotRequired[LastPass | None]
    previous: NotRequired[str | None]
    """Id of the journey's run before this one, as ``next``."""
    next: NotRequired[str | None]
    incident: NotRequired[int | None]
    """Number of the incident that it was part of."""
    deploy: NotRequired[NearDeploy | None]
    """The release that it began after, if one went out shortly before."""
    trace_link: NotRequired[str | None]
    """Where ``[links] trace`` leads for it."""
    made_by: NotRequired[MadeByDocument]
    """The replica that has its evidence, where that is another one."""
