"""What the API tells of one attempt: when each thing happened in it, and its evidence."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from agent.server.artifacts import link

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.server.documents.attempt_evidence import AttemptDocument, PageErrorDocument, StepSpan

_NOTES = "failure.json"


def attempt_document(
    number: int, told: Mapping[str, Any], seen: Mapping[str, Any], notes: Mapping[str, Any]
) -> AttemptDocument:
    """Put together what the public form of a run tells of an attempt, and all else that is kept.

    ``seen`` is its part of the waterfall and ``notes`` its ``failure.json``; either may be gone.
    """
    artifacts = told["artifacts"]
    return {
        "number": number,
        "result": told["result"],
        "error_type": told["error_type"],
        "error": told["error"],
        # Runs of an earlier version have none.
        "place": told.get("place"),
        "started_at": seen.get("started_at"),
        "duration": told["duration"],
        "steps": seen.get("steps") or [_untimed(step) for step in told["steps"]],
        "requests": seen.get("requests", []),
        "requests_cut": seen.get("requests_cut", False),
        "third_parties": seen.get("third_parties", []),
        "screenshot": _link(artifacts, "screenshot.png"),
        "trace": _link(artifacts, "trace.zip"),
        "title": _text(notes.get("title")),
        "url": _text(notes.get("url")),
        "console": _texts(notes.get("console")),
        "page_errors": _page_errors(notes.get("page_errors")),
        "failed_requests": _texts(notes.get("failed_requests")),
        "missing": _texts(notes.get("missing")),
    }


def read_notes(folder: Path, artifacts: Sequence[str]) -> dict[str, Any]:
    """Return what an attempt's ``failure.json`` says; nothing where it is not kept, or no longer.

    It was written where other people's code runs, so it may be anything.
    """
    path = _of(artifacts, _NOTES)
    if path is None:
        return {}
    try:
        notes = json.loads((folder / path).read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return notes if isinstance(notes, dict) else {}


def screenshot_of(run: Mapping[str, Any]) -> str | None:
    """Return the address of a run's picture; None: there is none."""
    return _link(run["artifacts"], "screenshot.png")


def _untimed(step: Mapping[str, Any]) -> StepSpan:
    return {
        "name": step["name"],
        "result": step["result"],
        "start": None,
        "duration": step["duration"],
        "depth": 0,
        "slow": None,
        "optional": False,
        "span_id": None,
    }


def _of(artifacts: Sequence[str], name: str) -> str | None:
    return next((path for path in artifacts if PurePosixPath(path).name == name), None)


def _link(artifacts: Sequence[str], name: str) -> str | None:
    path = _of(artifacts, name)
    return None if path is None else link(path)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _page_errors(value: object) -> list[PageErrorDocument]:
    listed = value if isinstance(value, list) else []
    return [
        {
            "error": str(one.get("error", "")),
            "at": str(one.get("at", "")),
            "party": str(one.get("party", "")),
            "times": times if isinstance(times := one.get("times"), int) else 1,
        }
        for one in listed
        if isinstance(one, dict)
    ]
