"""The compiled loops of `geo.analysis.blind_spots`."""

import numpy as np
from numba import njit


@njit(cache=True)
def relabel(label, key, number, block, used):
    """Final numbers in place of component labels; within a block, cells of one large component and key share one."""
    rows, cols = label.shape
    for top in range(0, rows, block):
        for left in range(0, cols, block):
            first, count = used, 0
            held = np.empty((block * block, 2), np.int64)
            for r in range(top, min(top + block, rows)):
                for c in range(left, min(left + block, cols)):
                    given = number[label[r, c]]
                    if given < 0:
                        k = count - 1
                        while k >= 0 and (held[k, 0] != label[r, c] or held[k, 1] != key[r, c]):
                            k -= 1
                        if k < 0:
                            held[count, 0], held[count, 1] = label[r, c], key[r, c]
                            k, count = count, count + 1
                        given = first + k + 1
                    label[r, c] = given
            used = first + count
    return label


@njit(cache=True)
def sums(spot, mass, hours, near):
    """Per spot: cells, mass, hours, cells near a line, top, left, bottom, right, flat index of its heaviest cell."""
    found = np.zeros((spot.max() if spot.size else 0, 10))
    found[:, 4:6], found[:, 6:8], found[:, 9] = np.inf, -1.0, -np.inf
    for r in range(spot.shape[0]):
        for c in range(spot.shape[1]):
            if spot[r, c] > 0:
                one = found[spot[r, c] - 1]
                one[0] += 1.0
                one[1] += mass[r, c]
                one[2] += hours[r, c]
                one[3] += near[r, c]
                one[4], one[5] = min(one[4], r), min(one[5], c)
                one[6], one[7] = max(one[6], r), max(one[7], c)
                if mass[r, c] > one[9]:
                    one[8], one[9] = r * spot.shape[1] + c, mass[r, c]
    return found
