"""Who is speaking: the resource that stands on every span, log record and metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource

from agent.core import names

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ResourceInfo:
    """What the agent knows about itself. ``instance_id`` is lasting: that of the state folder."""

    version: str
    instance_id: str
    environment: str
    location: str


def describe(info: ResourceInfo, environment: Mapping[str, str]) -> Resource:
    """Return the resource; what ``environment`` (from ``OTEL_*``) says wins."""
    own = {
        names.SERVICE_NAME: "footfall",
        names.SERVICE_VERSION: info.version,
        names.SERVICE_INSTANCE: info.instance_id,
        names.DEPLOYMENT: info.environment,
    }
    return Resource({key: value for key, value in {**own, **environment}.items() if value})
