"""A rewritten assert is the author's own, and says what it saw."""

from __future__ import annotations

import pytest

from agent.worker.asserts import EXPLAIN, explain, rewritten


def run(source: str) -> dict[str, object]:
    scope: dict[str, object] = {EXPLAIN: explain}
    exec(compile(rewritten(source.encode(), "one.py"), "one.py", "exec"), scope)
    return scope


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("assert 1 + 1 == 3", "2 == 3"),
        ("assert 1 + 1 == 3, f'{1} and {1}'", "1 and 1\n2 == 3"),
        ("assert 'a' not in 'abc'", "'a' not in 'abc'"),
        ("assert None is not None", "None is not None"),
        ("assert not [1]", "not [1]"),
        ("assert ''", "'' is not true"),
        ("assert False, 'no good'", "no good"),
        ("assert [], 'none'", "none\n[] is not true"),
        ("assert 1 < 3 < 2", "False is not true"),
        ("assert all(one > 1 for one in [1, 2])", "False is not true"),
    ],
)
def test_values(line: str, says: str) -> None:
    """The values stand after the author's message, each evaluated once."""
    with pytest.raises(AssertionError) as raised:
        run(line)
    assert str(raised.value) == says


def test_each_side_is_evaluated_once() -> None:
    """An assert that passes does what it did before, and keeps nothing."""
    scope = run("seen = []\nassert seen.append(1) is None\nassert len(seen) == 1\n")
    assert scope["seen"] == [1]
    assert [value for name, value in scope.items() if name.startswith("@footfall_")] == [
        explain,
        None,
        None,
        None,
        None,
    ]


def test_what_cannot_be_shown() -> None:
    """A value whose repr fails, or is long, does not hide that the assert failed."""
    with pytest.raises(AssertionError) as raised:
        run("class Bad:\n    def __repr__(self): 1 / 0\nassert Bad() == 'x' * 9999")
    assert "repr raised ZeroDivisionError" in str(raised.value)
    assert len(str(raised.value)) < 1200


def test_a_call_that_nobody_awaited() -> None:
    """A coroutine is no value to compare: that is the script's fault, not the site's."""
    with pytest.raises(TypeError, match="title was not awaited"):
        run("async def title(): ...\nassert title() == 'Shop'")


def test_no_names_are_left_in_a_class() -> None:
    """A class's own asserts stay as they are: what they keep would be its attributes."""
    scope = run("class One:\n    assert 1 == 1\n")
    assert not [name for name in vars(scope["One"]) if "footfall" in name]  # type: ignore[arg-type]
