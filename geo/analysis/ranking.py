"""Places in an order known only within intervals: whoever cannot be told apart shares them."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def rank_ranges(low: Floats, high: Floats) -> tuple[Ints, Ints]:
    """
    First and last place each could have, the largest first; 0 for what has no interval (NaN).

    One stands before another only where its whole interval lies above the other's. So places inside the error are
    ties: both rows show the same range of places, and nobody is ranked by chance.

    Parameters
    ----------
    low, high
        (n,) ends of the intervals.

    Examples
    --------
    >>> first, last = rank_ranges(np.array([0.5, 0.1, 0.2]), np.array([0.6, 0.3, 0.4]))
    >>> first.tolist(), last.tolist()
    ([1, 2, 2], [1, 3, 3])
    """
    known = np.isfinite(low) & np.isfinite(high)
    first, last = np.zeros(len(low), np.int64), np.zeros(len(low), np.int64)
    below, above = np.sort(low[known]), np.sort(high[known])
    n = int(known.sum())
    first[known] = 1 + n - np.searchsorted(below, high[known], side="right")
    last[known] = n - np.searchsorted(above, low[known], side="left")
    return first, last
