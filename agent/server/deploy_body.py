"""What ``POST /api/v1/deploys`` takes."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from agent.server.body import Body
from agent.server.pause_body import Line, Moment

LONGEST_SITE = 200
"""Characters of a site's name."""
_LONGEST_RELEASE = 200


def _release(text: str) -> str:
    if len(text) > _LONGEST_RELEASE:
        raise ValueError(f"must be {_LONGEST_RELEASE} characters or less")
    return text


def _web(text: str) -> str:
    if not text.startswith(("https://", "http://")) or not text.isprintable() or " " in text:
        raise ValueError('must be a web address, such as "https://ci.example.com/deploys/42"')
    return text


class DeployBody(Body):
    """A release that went out."""

    site: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SITE)]
    release: Annotated[Line, AfterValidator(_release)]
    at: Moment | None = None
    url: Annotated[str, StringConstraints(max_length=2000), AfterValidator(_web)] | None = None
