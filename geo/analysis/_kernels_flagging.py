"""The compiled loop of `geo.analysis.flagging`."""

import numpy as np
from numba import njit


@njit(cache=True)
def deviations(value, wanted, reach, smallest):
    """Robust deviations of the wanted cells from the finite values within `reach` cells; 0 elsewhere."""
    rows, cols = value.shape
    found = np.zeros((rows, cols), np.float32)
    around = np.empty((2 * reach + 1) ** 2, np.float64)
    for r in range(rows):
        for c in range(cols):
            if not wanted[r, c]:
                continue
            n = 0
            for i in range(max(r - reach, 0), min(r + reach + 1, rows)):
                for j in range(max(c - reach, 0), min(c + reach + 1, cols)):
                    if (i != r or j != c) and np.isfinite(value[i, j]):
                        around[n] = value[i, j]
                        n += 1
            if n < 8:
                continue
            middle = np.median(around[:n])
            spread = 1.4826 * np.median(np.abs(around[:n] - middle))
            found[r, c] = (value[r, c] - middle) / max(spread, smallest)
    return found
