"""What ``/api/v1/incidents/{number}/notes`` takes."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from agent.server.body import Body
from agent.server.pause_body import Line

_LONGEST = 2000


def _readable(text: str) -> str:
    if not text.replace("\n", "").replace("\t", "").isprintable():
        raise ValueError("must be text, in lines, without anything that steers a terminal")
    return text


class NoteBody(Body):
    """What a person adds to an incident, and who does."""

    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=_LONGEST),
        AfterValidator(_readable),
    ]
    who: Line = "somebody, by the API"
