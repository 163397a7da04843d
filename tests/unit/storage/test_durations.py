"""A bounded histogram: whatever it is fed, medians and percentiles are within 5 %."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agent.storage.durations import bucket_of, quantile


@given(
    st.lists(st.floats(0.001, 70_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 1.0])
)
def test_a_share_is_told_within_five_per_cent(seconds, share):
    """By the nearest rank, as a person would count it off; told in whole milliseconds."""
    told = quantile(Counter(map(bucket_of, seconds)), share)
    exact = sorted(seconds)[max(0, -int(-share * len(seconds) // 1) - 1)]
    assert abs(told - exact) <= 0.05 * exact + 0.0006


@given(st.floats(allow_nan=False, min_value=0))
def test_there_are_few_buckets(seconds):
    """Whatever took however long, none at all included."""
    assert 0 <= int(bucket_of(seconds)) <= 190


@given(st.lists(st.lists(st.floats(0.01, 100), max_size=30), max_size=5))
def test_stretches_add_up(parts):
    """What is counted apart and added is what is counted at once."""
    whole = Counter(bucket_of(one) for part in parts for one in part)
    added = Counter()
    for part in parts:
        added.update(Counter(map(bucket_of, part)))
    assert added == whole


def test_nothing_took_no_time():
    """Without a duration there is no median."""
    assert quantile({}, 0.5) is None
