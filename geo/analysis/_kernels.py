"""Compiled inner loops of pieces, visibility and coverage. Lengths are exempt from the budgets, tests are not."""

import math

import numba as nb
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LANES = 32
INVERSE_CUBE, GAUSSIAN = 0, 1
MOST_NAT = 32.0  # per track and cell: exp(-32) is nothing, and 1,000 such tracks still fit into int32

compiled = nb.njit(cache=True, nogil=True, error_model="numpy")


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
    u0: Floats, v0: Floats, u1: Floats, v1: Floats, track: Ints, day: Ints, rows: int, cols: int
) -> tuple[Ints, Floats, Ints, Ints, Ints, Ints, Ints]:
    """
    Cut pieces at cell boundaries. Ends are in cells (column u, row v) of a frame of `rows` x `cols`.

    Returns piece (n,), ends (n, 4) in cells from the centre of the observer's cell, and per run of neighbouring
    sub-pieces of one track, day and cell: run_start (m+1,), row, col, track, day. Outside the frame is dropped.
    """
    most = 0
    for i in range(len(u0)):
        most += int(abs(math.floor(u1[i]) - math.floor(u0[i])) + abs(math.floor(v1[i]) - math.floor(v0[i]))) + 2
    piece = np.empty(most, np.int64)
    ends = np.empty((most, 4))
    run_start, run_row, run_col = np.empty(most + 1, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    run_track, run_day = np.empty(most, np.int64), np.empty(most, np.int64)
    n = m = 0
    for i in range(len(u0)):
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
                col, row = int(math.floor(0.5 * (at_u + to_u))), int(math.floor(0.5 * (at_v + to_v)))  # noqa: RUF046
                if 0 <= col < cols and 0 <= row < rows:
                    same = m > 0 and n > 0 and run_track[m - 1] == track[i] and run_day[m - 1] == day[i]
                    if not (same and run_row[m - 1] == row and run_col[m - 1] == col):
                        run_start[m], run_row[m], run_col[m] = n, row, col
                        run_track[m], run_day[m] = track[i], day[i]
                        m += 1
                    piece[n] = i
                    ends[n, 0], ends[n, 1] = at_u - (col + 0.5), at_v - (row + 0.5)
                    ends[n, 2], ends[n, 3] = to_u - (col + 0.5), to_v - (row + 0.5)
                    n += 1
            here, at_u, at_v = there, to_u, to_v
    run_start[m] = n
    return (
        piece[:n].copy(), ends[:n].copy(), run_start[: m + 1].copy(), run_row[:m].copy(), run_col[:m].copy(),
        run_track[:m].copy(), run_day[:m].copy(),
    )  # fmt: skip


@compiled
def jobs_by_tile(
    run_row: Ints, run_col: Ints, half: int, box: tuple[int, int, int, int], tile: int
) -> tuple[Ints, Ints]:
    """
    Which runs reach which tile of the box (top, left, bottom, right rows and columns), in order of the runs.

    Returns start (tiles+1,) and run (jobs,); tiles count along rows of tiles.
    """
    top, left, bottom, right = box
    down, across = (bottom - top + tile - 1) // tile, (right - left + tile - 1) // tile
    start = np.zeros(down * across + 1, np.int64)
    run = np.empty(0, np.int64)
    for filling in range(2):
        for i in range(len(run_row)):
            if run_row[i] + half < top or run_row[i] - half >= bottom:
                continue
            if run_col[i] + half < left or run_col[i] - half >= right:
                continue
            first_down = max(run_row[i] - half - top, 0) // tile
            last_down = min((run_row[i] + half - top) // tile, down - 1)
            first_across = max(run_col[i] - half - left, 0) // tile
            last_across = min((run_col[i] + half - left) // tile, across - 1)
            for a in range(first_down, last_down + 1):
                for b in range(first_across, last_across + 1):
                    k = a * across + b
                    if filling == 0:
                        start[k + 1] += 1
                    else:
                        run[start[k]] = i
                        start[k] += 1
        if filling == 0:
            start = np.cumsum(start)
            run = np.empty(start[-1], np.int64)
    for k in range(len(start) - 1, 0, -1):
        start[k] = start[k - 1]
    start[0] = 0
    return start, run


@compiled
def load_patch(elevation, row, col, half, eye_m, patch, lane):  # type: ignore[no-untyped-def]
    """Heights above the observer's eye around a cell, into one lane; NaN outside the raster and in voids."""
    rows, cols = elevation.shape
    side = 2 * half + 1
    eye = np.float64(elevation[row, col]) + eye_m
    for i in range(side):
        r = row - half + i
        if r < 0 or r >= rows:
            for j in range(side):
                patch[i * side + j, lane] = np.nan
            continue
        for j in range(side):
            c = col - half + j
            patch[i * side + j, lane] = np.float64(elevation[r, c]) - eye if 0 <= c < cols else np.nan


@compiled
def cast_rays(patch, target_m, program, seen, n):  # type: ignore[no-untyped-def]
    """
    Exact R3 for `n` observers side by side: running maximum slope along every ray, targets tested as it reaches them.

    A crossing beside a void is NaN, compares false and so blocks nothing; a void target is never seen.
    """
    ray_start, first, second, share, inverse, target = program
    steepest = np.empty(LANES)
    for ray in range(len(ray_start) - 1):
        for lane in range(n):
            steepest[lane] = -np.inf
        for k in range(ray_start[ray], ray_start[ray + 1]):
            near, far, t, per_m, goal = first[k], second[k], share[k], inverse[k], target[k]
            if goal >= 0:
                for lane in range(n):
                    rise = patch[near, lane]
                    top = steepest[lane]
                    seen[goal, lane] = 1.0 if (rise + target_m) * per_m >= top else 0.0
                    slope = rise * per_m
                    steepest[lane] = slope if slope > top else top
            else:
                for lane in range(n):
                    low = patch[near, lane]
                    slope = (low + t * (patch[far, lane] - low)) * per_m
                    top = steepest[lane]
                    steepest[lane] = slope if slope > top else top


@compiled
def see_from(elevation, rows, cols, half, eye_m, target_m, program, seen):  # type: ignore[no-untyped-def]
    """Visibility from each observer cell: `seen` (n, side, side) uint8."""
    side = 2 * half + 1
    patch = np.full((side * side, LANES), np.nan)
    lanes = np.zeros((side * side, LANES))
    centre = half * side + half
    for base in range(0, len(rows), LANES):
        n = min(LANES, len(rows) - base)
        for lane in range(n):
            load_patch(elevation, rows[base + lane], cols[base + lane], half, eye_m, patch, lane)
        cast_rays(patch, target_m, program, lanes, n)
        for lane in range(n):
            lanes[centre, lane] = patch[centre, lane] == patch[centre, lane]
            for k in range(side * side):
                seen[base + lane, k // side, k % side] = lanes[k, lane]


@compiled
def cube_piece(ax, ay, bx, by, inner, reach):  # type: ignore[no-untyped-def]
    """Integral of max(r, inner)^-3 along the piece a-b (metres from the target), cut at the reach."""
    length = math.hypot(bx - ax, by - ay)
    if length == 0.0:
        return 0.0
    ux, uy = (bx - ax) / length, (by - ay) / length
    h = abs(ax * uy - ay * ux)
    if h >= reach:
        return 0.0
    half = math.sqrt(reach * reach - h * h)
    s0 = ax * ux + ay * uy
    s1 = min(s0 + length, half)
    s0 = max(s0, -half)
    if s1 <= s0:
        return 0.0
    if h >= inner:
        return _cube(h, s0, s1)
    chord = math.sqrt(inner * inner - h * h)
    total = max(min(s1, chord) - max(s0, -chord), 0.0) / (inner * inner * inner)
    if s0 < -chord:
        total += _cube(h, s0, min(s1, -chord))
    if s1 > chord:
        total += _cube(h, max(s0, chord), s1)
    return total


@compiled
def _cube(h, s0, s1):  # type: ignore[no-untyped-def]
    r0, r1 = math.hypot(h, s0), math.hypot(h, s1)
    below = abs(s0) * r1 + abs(s1) * r0
    if s0 * s1 >= 0.0:
        return abs(s1 - s0) * abs(s1 + s0) / (r0 * r1 * below)
    return below / (h * h * r0 * r1)


@compiled
def gauss_piece(ax, ay, bx, by, sigma, reach):  # type: ignore[no-untyped-def]
    """Half the difference of error functions times the fall across the piece, cut at the reach."""
    length = math.hypot(bx - ax, by - ay)
    if length == 0.0:
        return 0.0
    ux, uy = (bx - ax) / length, (by - ay) / length
    h = abs(ax * uy - ay * ux)
    if h >= reach:
        return 0.0
    half = math.sqrt(reach * reach - h * h)
    s0 = ax * ux + ay * uy
    s1 = min(s0 + length, half)
    s0 = max(s0, -half)
    if s1 <= s0:
        return 0.0
    turn = sigma * math.sqrt(2.0)
    return math.exp(-((h / turn) ** 2)) * 0.5 * (math.erf(s1 / turn) - math.erf(s0 / turn))


@compiled
def fill_widths(widths, elevation, cover, table, starts, day, per_100_m, top, left, box):  # type: ignore[no-untyped-def]
    """Sweep width, metres, of each target cell of a tile box: cover x growth stage at that day and height."""
    stages = len(starts)
    for r in range(box[0], box[2]):
        for c in range(box[1], box[3]):
            z = np.float64(elevation[top + r, left + c])
            local = day - (z - 1000.0) / 100.0 * per_100_m
            stage = 0
            for k in range(1, stages):
                if local >= starts[k]:
                    stage = k
            widths[r, c] = table[cover[top + r, left + c], stage] if z == z else 0.0


@compiled
def spread_run(  # type: ignore[no-untyped-def]
    scratch, widths, lanes, lane, work, box, row, col, half, discs, cell, ends, factors, n0, n1, law
):
    """
    Add the hazard of one run of sub-pieces to the tile's scratch. `row`, `col`: observer's cell in the tile.

    Cells wholly in reach and clear of every clamp circle take the closed form
    L (r0 + r1) / (r0 r1 (r0 r1 + a.b)) of the integral of r^-3, a row of targets at a time; the ring at the edge of
    the reach and the cells within `near` of the observer take every case of the law.
    """
    outer, safe, near = discs
    total, fast, rest = work
    model, reach, sigma_share, constant = law
    side = 2 * half + 1
    for i in range(side):
        r = row - half + i
        if r < box[0] or r >= box[2] or outer[i] < 0:
            continue
        c0, c1 = max(box[1], col - outer[i]), min(box[3], col + outer[i] + 1)
        width = c1 - c0
        some = 0.0
        for j in range(width):
            w = widths[r, c0 + j]
            given = lanes[i * side + c0 + j - col + half, lane]
            given *= constant * w * w if model == INVERSE_CUBE else constant * (w > 0.0)
            away = abs(c0 + j - col)
            slow = model != INVERSE_CUBE or away > safe[i] or (away <= near and abs(i - half) <= near)
            total[j], fast[j], rest[j] = 0.0, 0.0 if slow else given, given if slow else 0.0
            some += given
        if some == 0.0:
            continue
        tx, ty = (c0 - col) * cell, (i - half) * cell
        for k in range(n0, n1):
            factor = factors[k]
            ax, ay, bx, by = ends[k, 0] - tx, ends[k, 1] - ty, ends[k, 2] - tx, ends[k, 3] - ty
            length = factor * math.sqrt((bx - ax) ** 2 + (by - ay) ** 2)
            if length == 0.0:
                continue
            for j in range(width):
                px, qx = ax - j * cell, bx - j * cell
                r0, r1 = math.sqrt(px * px + ay * ay), math.sqrt(qx * qx + by * by)
                both = r0 * r1
                hit = fast[j] * length * (r0 + r1) / (both * (both + px * qx + ay * by))
                total[j] += hit if fast[j] > 0.0 else 0.0
            for j in range(width):
                if rest[j] > 0.0:
                    px, qx = ax - j * cell, bx - j * cell
                    wide = widths[r, c0 + j]
                    if model == INVERSE_CUBE:
                        total[j] += factor * rest[j] * cube_piece(px, ay, qx, by, 0.1 * wide, reach)
                    else:
                        total[j] += factor * rest[j] * gauss_piece(px, ay, qx, by, sigma_share * wide, reach)
        for j in range(width):
            scratch[r, c0 + j] += total[j]


@compiled
def cover_tile(  # type: ignore[no-untyped-def]
    hazard,
    offset,
    elevation,
    cover,
    tile_box,
    runs,
    run_start,
    run_row,
    run_col,
    run_track,
    run_day,
    ends,
    factors,
    table,
    starts,
    per_100_m,
    program,
    half,
    discs,
    cell,
    eye_m,
    target_m,
    law,
    sign,
):
    """
    Add (or take away) all runs that reach one tile. `tile_box`: top, left, bottom, right in the terrain's cells.

    Per track a float64 scratch is summed in the order of the runs, rounded once and added to the int32 raster;
    no cell outside the tile is written, so threads may own tiles.
    """
    top, left, bottom, right = tile_box
    side = 2 * half + 1
    centre = half * side + half
    scratch = np.zeros((bottom - top, right - left))
    widths = np.zeros((bottom - top, right - left))
    patch = np.full((side * side, LANES), np.nan)
    lanes = np.zeros((side * side, LANES))
    work = (np.zeros(side), np.zeros(side), np.zeros(side))
    units = 65536.0
    begin = 0
    while begin < len(runs):
        track = run_track[runs[begin]]
        end = begin
        box = np.array([bottom - top, right - left, 0, 0])
        while end < len(runs) and run_track[runs[end]] == track:
            r, c = run_row[runs[end]] - top, run_col[runs[end]] - left
            box[0], box[1] = min(box[0], r - half), min(box[1], c - half)
            box[2], box[3] = max(box[2], r + half + 1), max(box[3], c + half + 1)
            end += 1
        box[0], box[1] = max(box[0], 0), max(box[1], 0)
        box[2], box[3] = min(box[2], bottom - top), min(box[3], right - left)
        at = begin
        while at < end:
            day = run_day[runs[at]]
            n = 1
            while at + n < end and n < LANES and run_day[runs[at + n]] == day:
                n += 1
            if at == begin or day != run_day[runs[at - 1]]:
                fill_widths(widths, elevation, cover, table, starts, day, per_100_m, top, left, box)
            for lane in range(n):
                run = runs[at + lane]
                load_patch(elevation, run_row[run], run_col[run], half, eye_m, patch, lane)
            cast_rays(patch, target_m, program, lanes, n)
            for lane in range(n):
                lanes[centre, lane] = patch[centre, lane] == patch[centre, lane]
                run = runs[at + lane]
                row, col = run_row[run] - top, run_col[run] - left
                n0, n1 = run_start[run], run_start[run + 1]
                spread_run(
                    scratch, widths, lanes, lane, work, box, row, col, half, discs, cell, ends, factors, n0, n1, law
                )  # fmt: skip
            at += n
        for r in range(box[0], box[2]):
            for c in range(box[1], box[3]):
                nat = min(scratch[r, c], MOST_NAT)
                scratch[r, c] = 0.0
                if nat > 0.0:
                    hazard[top + r - offset[0], left + c - offset[1]] += sign * np.int32(np.rint(nat * units))
        begin = end
