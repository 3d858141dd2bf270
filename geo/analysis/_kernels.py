"""Compiled inner loops of pieces, visibility and coverage. Lengths are exempt from the budgets, tests are not."""

import math
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

compiled: Any = nb.njit(cache=True, nogil=True, error_model="numpy")


@compiled
def keep_walk(
    part: Ints, east: Floats, north: Floats, seconds: Floats, shortest: float, gap_s: float, gap_m: float
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Positions of fixes kept, and whether each is joined by walking to the one kept before it."""
    kept = np.empty(len(part), np.int64)
    joined = np.zeros(len(part), np.bool_)
    n = 0
    for i in range(len(part)):
        broken = i == 0 or part[i] != part[i - 1]
        if not broken:
            step = math.hypot(east[i] - east[i - 1], north[i] - north[i - 1])
            silence = seconds[i] - seconds[i - 1]
            broken = not (0.0 <= silence <= gap_s and step <= gap_m)
        if not broken:
            last = kept[n - 1]
            if math.hypot(east[i] - east[last], north[i] - north[last]) < shortest:
                continue
        kept[n] = i
        joined[n] = not broken
        n += 1
    return kept[:n].copy(), joined[:n].copy()


@compiled
def sustained_speed(
    east: Floats, north: Floats, seconds: Floats, joined: npt.NDArray[np.bool_], window_s: float
) -> Floats:
    """Mean speed, m/s, over the window around the middle of the piece that ends at each fix; 0 at a chain's start."""
    n = len(east)
    walked = np.zeros(n)
    first = np.zeros(n, np.int64)
    last = np.zeros(n, np.int64)
    for i in range(1, n):
        if joined[i]:
            walked[i] = walked[i - 1] + math.hypot(east[i] - east[i - 1], north[i] - north[i - 1])
            first[i] = first[i - 1]
        else:
            first[i] = i
    for i in range(n - 1, -1, -1):
        last[i] = last[i + 1] if i + 1 < n and joined[i + 1] else i
    speed = np.zeros(n)
    low = high = 0
    for i in range(1, n):
        if not joined[i]:
            continue
        middle = 0.5 * (seconds[i - 1] + seconds[i])
        begin = max(middle - 0.5 * window_s, seconds[first[i]])
        end = min(middle + 0.5 * window_s, seconds[last[i]])
        low, high = max(low, first[i]), max(high, first[i])
        while low + 1 < last[i] and seconds[low + 1] <= begin:
            low += 1
        while high + 1 < last[i] and seconds[high + 1] < end:
            high += 1
        metres = _walked_at(walked, seconds, high, end) - _walked_at(walked, seconds, low, begin)
        speed[i] = metres / (end - begin) if end > begin else np.inf
    return speed


@compiled
def _walked_at(walked: Floats, seconds: Floats, i: int, moment: float) -> float:
    """Metres walked at a moment between fixes i and i + 1."""
    span = seconds[i + 1] - seconds[i]
    share = (moment - seconds[i]) / span if span > 0.0 else 0.0
    metres: float = walked[i] + min(max(share, 0.0), 1.0) * (walked[i + 1] - walked[i])
    return metres


@compiled
def cut_at_cells(
    u0: Floats, v0: Floats, u1: Floats, v1: Floats, factor: Floats, track: Ints, day: Ints, rows: int, cols: int
) -> tuple[Floats, Floats, Ints]:
    """
    Cut pieces at cell boundaries. Ends are in cells (column u, row v) of a frame of `rows` x `cols`.

    Returns ends (n, 4) in cells from the centre of the observer's cell, factors (n,), and per run of neighbouring
    sub-pieces of one track, day and cell, (m + 1, 5): first sub-piece, row, column, track, day; the last row ends the
    last run and belongs to no track. Outside the frame and what counts nothing is dropped.
    """
    most = 1
    for i in range(len(u0)):
        most += int(abs(math.floor(u1[i]) - math.floor(u0[i])) + abs(math.floor(v1[i]) - math.floor(v0[i]))) + 2
    weights, ends, runs = np.empty(most), np.empty((most, 4)), np.empty((most, 5), np.int64)
    n = m = 0
    for i in range(len(u0)):
        if factor[i] == 0.0:
            continue
        du, dv = u1[i] - u0[i], v1[i] - v0[i]
        step_u, step_v = 1 if du > 0.0 else -1, 1 if dv > 0.0 else -1
        line_u = math.floor(u0[i]) + 1.0 if du > 0.0 else math.ceil(u0[i]) - 1.0
        line_v = math.floor(v0[i]) + 1.0 if dv > 0.0 else math.ceil(v0[i]) - 1.0
        here, at_u, at_v = 0.0, u0[i], v0[i]
        while here < 1.0:
            cross_u = (line_u - u0[i]) / du if du != 0.0 else 2.0
            cross_v = (line_v - v0[i]) / dv if dv != 0.0 else 2.0
            there = min(cross_u, cross_v, 1.0)
            to_u = u1[i] if there >= 1.0 else u0[i] + there * du
            to_v = v1[i] if there >= 1.0 else v0[i] + there * dv
            if cross_u <= there:
                to_u = line_u
                line_u += step_u
            if cross_v <= there:
                to_v = line_v
                line_v += step_v
            if there > here:
                col, row = int(math.floor(0.5 * (at_u + to_u))), int(math.floor(0.5 * (at_v + to_v)))
                if 0 <= col < cols and 0 <= row < rows:
                    same = m > 0 and runs[m - 1, 3] == track[i] and runs[m - 1, 4] == day[i]
                    if not (same and runs[m - 1, 1] == row and runs[m - 1, 2] == col):
                        runs[m, 0], runs[m, 1], runs[m, 2], runs[m, 3], runs[m, 4] = n, row, col, track[i], day[i]
                        m += 1
                    weights[n] = factor[i]
                    ends[n, 0], ends[n, 1] = at_u - (col + 0.5), at_v - (row + 0.5)
                    ends[n, 2], ends[n, 3] = to_u - (col + 0.5), to_v - (row + 0.5)
                    n += 1
            here, at_u, at_v = there, to_u, to_v
    runs[m, 0], runs[m, 1], runs[m, 2], runs[m, 3], runs[m, 4] = n, -1, -1, -1, 0
    return ends[:n].copy(), weights[:n].copy(), runs[: m + 1].copy()
