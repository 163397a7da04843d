"""The replicas that share a location."""

from __future__ import annotations

from typing import Literal, TypedDict

ReplicaState = Literal["heard", "draining", "lost", "left", "unknown"]
"""``lost`` was heard and is not, ``left`` drained; ``unknown``: the one that tells of it hears
nobody, since the server of ``queue.url`` is away."""


class ReplicaDocument(TypedDict):
    """One of the replicas that share a location, or one that did."""

    replica: str
    """Its ``service.instance.id``."""
    name: str
    here: bool
    """Whether it is the one that answers."""
    state: ReplicaState
    address: str
    version: str
    workers: int
    free: int
    journeys: str
    """The digest of its journeys."""
    behind: bool
    """Whether others' journeys are walked, so that it walks nothing."""
    since: str
    heard_at: str
    clock_ahead: float
    """Seconds by which its clock is before that of the server of ``queue.url``."""


class MadeByDocument(TypedDict):
    """The replica that made a run and keeps its evidence, where another one tells of it."""

    replica: str
    name: str
    state: ReplicaState
    address: str
    """Empty where it can't be asked, as ``run``, the address of the run's page there."""
    run: str
