"""How something that began near a deploy is told with it."""

from __future__ import annotations

import pytest

from agent.core.deploy import Deploy

AT = 1_800_000_000.0


@pytest.mark.parametrize(
    ("seconds", "source", "told"),
    [
        (12.4, "api", "12 s after release 1.4.3"),
        (0.0, "argo-rollouts", "0 s after release 1.4.3"),
        (119.0, "api", "119 s after release 1.4.3"),
        (840.0, "api", "14 min after release 1.4.3"),
        (-2.0, "api", "as release 1.4.3 came"),
        (-0.4, "walk", "as release 1.4.3 was first seen"),
        (12.0, "walk", "12 s after release 1.4.3 was first seen"),
    ],
)
def test_words(seconds: float, source: str, told: str) -> None:
    """To the second where it is near; what walks alone have seen is never called deployed."""
    assert Deploy("shop", "1.4.3", AT, source).before(AT + seconds) == told
