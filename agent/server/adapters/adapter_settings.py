"""What the adapters go by, as the configuration has it now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Canary:
    """Where a site's canary answers, and the headers that lead to it."""

    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """The tools' secrets, "" where there is none, and which site a deploy is of."""

    argo_rollouts: str = field(default="", repr=False)
    flagger: str = field(default="", repr=False)
    github: str = field(default="", repr=False)
    cdevents: str = field(default="", repr=False)
    github_deploys: Mapping[str, str] = field(default_factory=dict)
    """Sites by ``owner/repository:environment``."""
    github_release: Literal["sha", "ref", "none"] = "sha"
    """What a deployment calls its release; ``none``: not what the site does."""
    cdevents_deploys: Mapping[str, str] = field(default_factory=dict)
    """Sites by ``environment:service``."""
    canaries: Mapping[str, Canary] = field(default_factory=dict)
    """By site."""
