"""The releases of sites that went out."""

from __future__ import annotations

from typing import TypedDict


class DeployDocument(TypedDict):
    """A release of a site that went out."""

    site: str
    release: str
    at: str
    """When it did, or first answered a walk where nobody announced it."""
    source: str
    """``api``, the adapter of a deploy tool, or ``walk``: seen by walks and announced by nobody."""
    url: str | None
    seen_at: str | None
    """When it first answered a walk of the schedule; None: not yet, or the site doesn't say."""


class DeploysDocument(TypedDict):
    """``/api/v1/deploys``."""

    at: str
    deploys: list[DeployDocument]
    """The newest first."""


class NearDeploy(DeployDocument):
    """A release that went out within the hour before something began, or as it did."""

    seconds: float
    """From the deploy until it began; below zero where it came just after."""
    told: str
    """``12 s after release 1.4.3``."""
