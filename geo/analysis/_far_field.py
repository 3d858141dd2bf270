"""Tables of the far field: which cell of a window is integrated how, and the series of r^-3. Lengths in cells."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.analysis._kernels_lanes import LANES
from geo.analysis._kernels_spread import MOMENTS, TERMS
from geo.analysis.visibility import aligned

Floats = npt.NDArray[np.float64]

HALF_DIAGONAL = 0.7072
RELATIVE_ERROR = 1e-3
SHORTEST_FAST_REACH = 10.0


@lru_cache(maxsize=8)
def window_shape(reach: float, half: int, clamp: int, by_series: bool) -> tuple[tuple[Any, ...], npt.NDArray[np.int64]]:
    """
    How every cell of an observer's window is integrated.

    Parameters
    ----------
    reach
        Beyond this nothing is seen.
    half
        Cells from the observer to the edge of its window.
    clamp
        Cells within this many rows and columns may lie in a clamp circle.
    by_series
        Whether the law is the inverse cube; another one is integrated case by case everywhere.

    Returns
    -------
    tuple
        What `spread_tracks` calls `shape` and `offsets`: the cells that take every case of the law, int64 (n, 2).
        A reach too short for the series leaves all cells to the latter.
    """
    down, right = np.mgrid[-half : half + 1, -half : half + 1]
    away = np.hypot(down, right)
    exact = np.maximum(abs(down), abs(right)) <= clamp
    held = away <= reach + HALF_DIAGONAL
    nearest = _nearest(max(TERMS))
    fast = by_series and reach >= SHORTEST_FAST_REACH and clamp + 1 < nearest < reach - HALF_DIAGONAL
    near = held & (away < nearest) & ~exact & fast
    ring = held & (away > reach - HALF_DIAGONAL) & fast
    far = held & ~(near | ring | exact) & fast
    tables, table_at, terms = _tables(far, half)
    masks, places, lists, counts = _listed(near, ring, half)
    shape = (tables, table_at, terms, masks, places, lists, counts, float(reach), _curve(reach))
    chosen = held & exact if fast else held
    return shape, np.ascontiguousarray(np.column_stack([down[chosen], right[chosen]]), np.int64)


def rest(order: int, distance: npt.ArrayLike) -> Floats:
    """
    Bound of the relative error when the series of |d - s|^-3 ends at an order and |s| is up to half a diagonal.

    The terms left out are at most (n + 1)(n + 2) / 2 (s/d)^n / d^3, the value is at least (d + s)^-3. [D]

    >>> [round(float(rest(n, d)), 5) for n, d in ((2, 16.5), (3, 8.7), (5, 4.4))]
    [0.00095, 0.00093, 0.00095]
    """
    share = HALF_DIAGONAL / np.asarray(distance, float)
    n = np.arange(order + 1, order + 60)
    tail = ((n + 1) * (n + 2) / 2 * share[..., None] ** n).sum(axis=-1)
    return np.asarray(tail * (1.0 + share) ** 3)


def _nearest(order: int) -> float:
    """The distance from which a series up to an order is good enough."""
    steps = np.arange(1.0, 100.0, 0.01)
    return float(steps[rest(order, steps) <= RELATIVE_ERROR][0])


def _tables(far: npt.NDArray[np.bool_], half: int) -> tuple[Any, ...]:
    """Coefficients of the moments for every row from the observer's downwards and sixteen columns at a time."""
    blocks = -(-(2 * half + 1) // LANES)
    wide = np.zeros((half + 1, blocks * LANES), bool)
    wide[:, : 2 * half + 1] = far[half:]
    down, right = np.mgrid[0 : half + 1, -half : blocks * LANES - half]
    series = np.where(wide[None], _series(np.where(wide, right, 1), np.where(wide, down, 1)), 0.0)
    nearest = {order: _nearest(order) for order in TERMS}
    away = np.where(wide, np.hypot(down, right), np.inf)
    parts: list[npt.NDArray[np.float32]] = []
    at, terms, size = [], [], 0
    for row in range(half + 1):
        for b in range(blocks):
            cells = slice(b * LANES, (b + 1) * LANES)
            closest = away[row, cells].min()
            count = min((TERMS[order] for order in TERMS if closest >= nearest[order]), default=0)
            count = count if np.isfinite(closest) else 0
            at.append(size)
            terms.append(count)
            parts.append(series[:count, row, cells].astype(np.float32).ravel())
            size += count * LANES
    whole = aligned(size)
    whole[:] = np.concatenate(parts)
    return whole, np.array(at), np.array(terms)


def _series(right: npt.NDArray[Any], down: npt.NDArray[Any]) -> Floats:
    """
    Coefficient of x^p y^q, p and q as in `MOMENTS`, in |d - (x, y)|^-3 for d = (right, down); first axis the moments.

    |d - s|^-3 = sum of P_n(s) / |d|^(n+3), where n P_n = (2 n + 1) (s.d/|d|) P_(n-1) - (n + 1) |s|^2 P_(n-2).
    """
    away = np.hypot(right, down)
    top = max(p + q for p, q in MOMENTS)
    before = np.zeros((top + 1, top + 1, *away.shape))
    now = before.copy()
    now[0, 0] = 1.0
    out = np.zeros((len(MOMENTS), *away.shape))
    for n in range(top + 1):
        if n:
            after = np.zeros_like(now)
            after[1:] += (2 * n + 1) / n * right / away * now[:-1]
            after[:, 1:] += (2 * n + 1) / n * down / away * now[:, :-1]
            after[2:] -= (n + 1) / n * before[:-2]
            after[:, 2:] -= (n + 1) / n * before[:, :-2]
            before, now = now, after
        for k, (p, q) in enumerate(MOMENTS):
            if p + q == n:
                out[k] = now[p, q] / away ** (n + 3)
    return out


def _listed(near: npt.NDArray[np.bool_], ring: npt.NDArray[np.bool_], half: int) -> tuple[Any, ...]:
    """
    Near and ring cells as lists, and which of them each row and block of sixteen columns holds from where on.

    The lists run down one block after the other, so that sixteen neighbours are often all in sight or all hidden.
    """
    side = 2 * half + 1
    blocks = -(-side // LANES)
    masks, places = np.zeros((side, blocks, 2), np.uint16), np.zeros((side, blocks, 2), np.int64)
    lists, counts, begin = [], [], 0
    for kind, cells in enumerate((near, ring)):
        wide = np.zeros((side, blocks * LANES), bool)
        wide[:, :side] = cells
        flags = wide.reshape(side, blocks, LANES)
        masks[..., kind] = (flags << np.arange(LANES)).sum(axis=-1)
        inside = flags.sum(axis=-1).T.ravel()
        places[..., kind] = (begin + np.cumsum(inside) - inside).reshape(blocks, side).T
        b, rows, cols = np.nonzero(flags.transpose(1, 0, 2))
        cols += b * LANES
        count = -(-len(rows) // LANES) * LANES
        for places_of in (cols, rows):
            padded = aligned(count)
            padded[:] = 2.0 * half
            padded[: len(rows)] = places_of - half
            lists.append(padded)
        flat = np.full(count, side * side)
        flat[: len(rows)] = rows * side + cols
        lists.append(flat)
        counts.append(count)
        begin += count
    return masks.ravel(), places.ravel(), tuple(lists), tuple(counts)


def _curve(reach: float) -> npt.NDArray[np.float32]:
    """Powers 0 to 5 of r^-3 in r^2 - middle^2 over the ring, then middle^2."""
    inner = max(reach - 2.0 * HALF_DIAGONAL, 0.5 * reach)
    middle = 0.5 * (inner**2 + reach**2)
    powers, value = [], middle**-1.5
    for k in range(6):
        powers.append(value)
        value *= (-1.5 - k) / (k + 1) / middle
    return np.array([*powers, middle], np.float32)
