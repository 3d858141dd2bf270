"""Loops over cells for ``zonal`` and ``absence``. Lengths in cells, row and column centres at whole numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
TOUCH = 1e-9  # cells: a centre at exactly the buffer's distance counts as inside


@njit(cache=True, inline="always")
def _row_interval(row: float, x0: float, y0: float, x1: float, y1: float, radius: float):
    """Columns (low, high) at which the line of centres `row` lies within `radius` of the segment; low > high: none."""
    low, high = np.inf, -np.inf
    for x, y in ((x0, y0), (x1, y1)):
        rise = row - y
        if abs(rise) <= radius:
            half = np.sqrt(radius * radius - rise * rise)
            low, high = min(low, x - half), max(high, x + half)
    dx, dy = x1 - x0, y1 - y0
    length2 = dx * dx + dy * dy
    if length2 == 0.0:
        return low, high
    # The straight flank: |perpendicular| <= radius and foot between the ends, each an interval of columns.
    length = np.sqrt(length2)
    rise = row - y0
    begin, end = -np.inf, np.inf
    if dy != 0.0:
        one = x0 + (rise * dx - radius * length) / dy
        two = x0 + (rise * dx + radius * length) / dy
        begin, end = min(one, two), max(one, two)
    elif abs(rise) > radius:
        return low, high
    if dx != 0.0:
        one = x0 - rise * dy / dx
        two = x0 + (length2 - rise * dy) / dx
        begin, end = max(begin, min(one, two)), min(end, max(one, two))
    elif rise * dy < 0.0 or rise * dy > length2:
        return low, high
    if begin <= end:
        low, high = min(low, begin), max(high, end)
    return low, high


@njit(cache=True)
def count_edges(segments: Array, radius: float, top: int, edges: Array) -> None:
    """Add +1 where a capsule's run of columns begins and -1 past its end, for rows `top`… of `edges` (rows, cols+1)."""
    rows, cols = edges.shape[0], edges.shape[1] - 1
    reach = radius + TOUCH
    for k in range(segments.shape[0]):
        x0, y0, x1, y1 = segments[k, 0], segments[k, 1], segments[k, 2], segments[k, 3]
        first = max(int(np.ceil(min(y0, y1) - reach)), top)
        last = min(int(np.floor(max(y0, y1) + reach)), top + rows - 1)
        for row in range(first, last + 1):
            low, high = _row_interval(float(row), x0, y0, x1, y1, reach)
            if low > high or high < 0.0 or low > cols - 1:
                continue
            left, right = max(int(np.ceil(low)), 0), min(int(np.floor(high)), cols - 1)
            if left <= right:
                edges[row - top, left] += 1
                edges[row - top, right + 1] -= 1


@njit(cache=True)
def fill_runs(edges: Array, mask: Array) -> None:
    """Cells covered by at least one run."""
    for row in range(mask.shape[0]):
        depth = 0
        for col in range(mask.shape[1]):
            depth += edges[row, col]
            mask[row, col] = depth > 0


@njit(cache=True)
def stamp_days(segments: Array, days: Array, radius: float, first_day: Array, passed: Array) -> None:
    """`passed` becomes 1 on the first day (> 0) a cell is reached and 2 on any other."""
    rows, cols = passed.shape
    reach = radius + TOUCH
    for k in range(segments.shape[0]):
        x0, y0, x1, y1 = segments[k, 0], segments[k, 1], segments[k, 2], segments[k, 3]
        top = max(int(np.ceil(min(y0, y1) - reach)), 0)
        bottom = min(int(np.floor(max(y0, y1) + reach)), rows - 1)
        for row in range(top, bottom + 1):
            low, high = _row_interval(float(row), x0, y0, x1, y1, reach)
            if low > high or high < 0.0 or low > cols - 1:
                continue
            for col in range(max(int(np.ceil(low)), 0), min(int(np.floor(high)), cols - 1) + 1):
                if passed[row, col] == 0:
                    passed[row, col] = 1
                    first_day[row, col] = days[k]
                elif first_day[row, col] != days[k]:
                    passed[row, col] = 2


@njit(cache=True)
def sum_zones(
    zones: Array, risk: Array, pod: Array, near: Array, wide: Array, passed: Array, limits: Array, sums: Array
) -> None:
    """
    Add to `sums` (zones, 10): cells, plantable, near, wide, POD, RR, RR·POD, watched, blind, watched and passed twice.

    Plantable cells are those with RR > 0; `limits` = (watched POD, blind POD).
    """
    for row in range(zones.shape[0]):
        for col in range(zones.shape[1]):
            zone = zones[row, col] - 1
            if zone < 0:
                continue
            sums[zone, 0] += 1.0
            weight = risk[row, col]
            if weight <= 0.0:
                continue
            chance = pod[row, col]
            sums[zone, 1] += 1.0
            sums[zone, 2] += near[row, col]
            sums[zone, 3] += wide[row, col]
            sums[zone, 4] += chance
            sums[zone, 5] += weight
            sums[zone, 6] += weight * chance
            if chance >= limits[0]:
                sums[zone, 7] += 1.0
                if passed[row, col] > 1:
                    sums[zone, 9] += 1.0
            elif chance < limits[1]:
                sums[zone, 8] += 1.0


@njit(cache=True)
def sum_weights(zones: Array, risk: Array, totals: Array) -> None:
    """Add RR of each zone to `totals` (zones,)."""
    for row in range(zones.shape[0]):
        for col in range(zones.shape[1]):
            zone = zones[row, col] - 1
            if zone >= 0 and risk[row, col] > 0.0:
                totals[zone] += risk[row, col]


@njit(cache=True)
def look(
    hazard: Array,
    zones: Array,
    parents: Array,
    risk: Array,
    carried: Array,
    scale: Array,
    levels: Array,
    sensed: Array,
    now: Array,
    rest: Array,
    mass: Array,
    pattern: Array,
    alone: Array,
    missed: Array,
    bins: Array,
) -> None:
    """
    One period's looks, the last period first: what a plot that stands since then has escaped.

    `scale` = (availability, hazard units per nat, place value of this period in `pattern`, 1 for the last period);
    `levels` the hazards in nats at which a level begins; `sensed` (rows, cols) what this period's second sensors have
    missed, (0, 0) for none. Per cell `now` is the last period's POD on foot, `rest` what sensors and the feet of the
    periods before the last one down to this one have missed, `mass` gains RR·carried·rest. Per zone `alone` gains
    RR·POD of this period alone and `missed` RR·rest·(1 - now); per parent `bins` (parents, levels, 2) RR and
    RR·(1 - e^-H).
    """
    last, place, sensors = scale[3] > 0.0, int(scale[2]), sensed.shape[0] > 0
    for row in range(zones.shape[0]):
        for col in range(zones.shape[1]):
            zone, weight = zones[row, col] - 1, risk[row, col]
            if zone < 0 or weight <= 0.0:
                continue
            parent, units = parents[zone], hazard[row, col]
            past = 1.0  # the sensors
            if sensors:
                past = np.float64(sensed[row, col])
                rest[row, col] *= past
            chance = 0.0
            if units > 0:
                nats = units / scale[1]
                seen = -np.expm1(-nats)
                level = 1
                while level <= levels.shape[0] and nats >= levels[level - 1]:
                    level += 1
                pattern[row, col] += level * place
                bins[parent, level, 0] += weight
                bins[parent, level, 1] += weight * seen
                chance = scale[0] * seen
                if last:
                    now[row, col] = chance
                else:
                    rest[row, col] *= 1.0 - chance
            alone[zone] += weight * (1.0 - (1.0 - chance) * past)
            missed[zone] += weight * rest[row, col] * (1.0 - now[row, col])
            mass[row, col] += weight * carried[parent] * rest[row, col]


@njit(cache=True)
def count_patterns(pattern: Array, zones: Array, parents: Array, risk: Array, sensed: Array, table: Array) -> None:
    """Add RR, times what the sensors have missed (`sensed`, (0, 0) for none), to `table` (parents, patterns)."""
    sensors = sensed.shape[0] > 0
    for row in range(zones.shape[0]):
        for col in range(zones.shape[1]):
            zone = zones[row, col] - 1
            if zone >= 0 and risk[row, col] > 0.0:
                weight = np.float64(risk[row, col])
                if sensors:
                    weight *= sensed[row, col]
                table[parents[zone], pattern[row, col]] += weight


@njit(cache=True)
def escaped(weights: Array, levels: Array, seen: Array, availability: Array, out: Array) -> None:
    """
    Add to `out` (periods, factors, availabilities) the RR of what stands since each period and is still unseen.

    `weights` (patterns, periods) RR times what sensors have missed since each period, `levels` (patterns, periods)
    uint8, `seen` (periods, levels, factors) = 1 - e^-(factor·H).
    """
    periods, factors = seen.shape[0], seen.shape[2]
    for k in range(weights.shape[0]):
        for f in range(factors):
            for a in range(availability.shape[0]):
                left = 1.0
                for period in range(periods - 1, -1, -1):
                    if levels[k, period] > 0:
                        left *= 1.0 - availability[a] * seen[period, levels[k, period], f]
                    out[period, f, a] += weights[k, period] * left


@njit(cache=True)
def rank_unseen(
    mass: Array,
    now: Array,
    zones: Array,
    parents: Array,
    cover: Array,
    elevation: Array,
    calendar: Array,
    scale: Array,
    bins: Array,
) -> None:
    """
    Cells by u = mass·(a - POD), what an endless search could still find there: number, Σu and Σln u into `bins`
    (parents, covers, stages, bins, 3).

    `calendar` = day, days per 100 m, then the day on which each stage begins at 1,000 m;
    `scale` = (availability, ln u of the first bin, bins per e-fold).
    """
    last, stages = bins.shape[3] - 1, bins.shape[2]
    for row in range(zones.shape[0]):
        for col in range(zones.shape[1]):
            zone, kind = zones[row, col] - 1, int(cover[row, col]) - 1
            if zone < 0 or mass[row, col] <= 0.0 or kind < 0 or kind >= bins.shape[1]:
                continue
            local = calendar[0] - (elevation[row, col] - 1000.0) / 100.0 * calendar[1]
            stage = 0
            for later in range(1, stages):
                if local >= calendar[2 + later]:
                    stage = later
            worth = mass[row, col] * max(scale[0] - now[row, col], 1e-12)
            level = np.log(worth)
            place = min(max(int(np.floor((level - scale[1]) * scale[2])), 0), last)
            parent = parents[zone]
            bins[parent, kind, stage, place, 0] += 1.0
            bins[parent, kind, stage, place, 1] += worth
            bins[parent, kind, stage, place, 2] += level
