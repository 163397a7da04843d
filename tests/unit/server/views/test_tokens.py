"""Colours: what is read has 4.5:1 on every ground it stands on, and what is drawn 3:1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.server import views

SHEET = (Path(views.__file__).parent / "static" / "tokens.css").read_text()
GROUNDS = (
    "ground",
    "raised",
    "sunk",
    "fail-ground",
    "flaky-ground",
    "unknown-ground",
    "rest-ground",
)
INKS = ("ink", "quiet", "link", "fail", "flaky", "unknown", "rest")
MARKS = ("pass", "focus")


def colours(scheme: str) -> dict[str, str]:
    """The colours of a scheme; dark ones stand in for those of before."""
    light, dark = SHEET.split("@media")
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    return found | (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark)) if scheme == "dark" else {}
    )


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme) -> None:
    """Each ink on each ground, by the reader's scheme."""
    found = colours(scheme)
    poor = [
        f"{mark} on {ground}: {ratio:.2f}"
        for least, marks in ((4.5, INKS), (3.0, MARKS))
        for mark in marks
        for ground in GROUNDS
        if (ratio := contrast(found[mark], found[ground])) < least
    ]
    assert poor == []
