"""Places inside the error are ties."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.analysis.ranking import rank_ranges

ends = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted), max_size=8)


@given(ends)
def test_a_place_is_sure_only_against_intervals_that_lie_wholly_apart(pairs: list[list[int]]):
    low, high = (np.array([pair[k] for pair in pairs], float) for k in (0, 1))
    first, last = rank_ranges(low, high)
    for n in range(len(pairs)):
        assert first[n] == 1 + sum(low[k] > high[n] for k in range(len(pairs)))
        assert last[n] == len(pairs) - sum(high[k] < low[n] for k in range(len(pairs)))


def test_overlapping_intervals_share_their_places_and_the_unknown_has_none():
    first, last = rank_ranges(np.array([0.1, np.nan, 0.2, 0.7]), np.array([0.3, np.nan, 0.4, 0.9]))
    assert first.tolist() == [2, 0, 2, 1]
    assert last.tolist() == [3, 0, 3, 1]
