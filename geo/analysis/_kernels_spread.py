"""
Hazard of walked pieces on the cells in sight, sixteen cells side by side. Lengths in cells unless said otherwise.

A run is what one track walks in one observer's cell. For the inverse cube its share on a target is the integral of
r^-3 along it, taken in one of four ways by the target's distance d from the middle of the observer's cell:

- own cell, and every cell the clamp circle can reach: every case of the law, float64 (`clamped_piece`);
- near: the closed form L (r0 + r1) / (r0 r1 (r0 r1 + a.b)) per piece. From outside the cell a piece is seen under at
  most 90 degrees, so a.b >= 0 and nothing cancels in float32;
- far: |d - s|^-3 = sum of |s|^n C_n(cos) / d^(n+3) with Gegenbauer's C_n of index 3/2, so the integral is the moments
  of the run in its cell times tables that depend on d only. Moments add up, so cutting a piece in two changes nothing;
  as |C_n| <= (n+1)(n+2)/2 and |s| <= half a diagonal, the rest of the sum is bounded (`coverage._rest`) and the
  order by distance keeps it below 1e-3 of the value even with all of the run in the worst corner;
- ring: cells that the reach cuts through. The piece is cut exactly; along what is left r^-3 is a polynomial in
  r^2 - middle^2 of degree five and two Gauss points integrate it (rest below 1e-3).

The sum over a track is float64, in the order of the runs; the sweep width of the target comes in once at the end.
"""

import math

import numpy as np

from geo.analysis._kernels import compiled
from geo.analysis._kernels_lanes import (
    LANES,
    add_where,
    base,
    bits_of,
    expand,
    fused,
    larger,
    load,
    pick,
    put,
    root,
    smaller,
    spread,
    store,
)
from geo.analysis._kernels_sight import lean_program, see

INVERSE_CUBE, GAUSSIAN = 0, 1
MOST_NAT = 32.0  # per track and cell: exp(-32) is nothing, and 1,000 such tracks still fit into int32
UNITS = 65536.0
BLOCK = 32  # cells along a side of what is rounded and handed over in one piece
MOMENTS = (
    (0, 0), (1, 0), (2, 0), (0, 2), (0, 1), (1, 1), (3, 0), (1, 2), (2, 1), (0, 3), (4, 0),
    (2, 2), (0, 4), (3, 1), (1, 3), (5, 0), (3, 2), (1, 4), (4, 1), (2, 3), (0, 5),
)  # fmt: skip
TERMS = {2: 6, 3: 10, 5: 21}
_GAUSS3 = math.sqrt(0.6)
_GAUSS2 = np.float32(0.5 / math.sqrt(3.0))


@compiled
def clamped_piece(ax, ay, bx, by, inner, reach):
    """Integral of max(r, inner)^-3 along the piece a-b (seen from the target), cut at the reach; inner > 0."""
    length = math.sqrt((bx - ax) ** 2 + (by - ay) ** 2)
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
def _cube(h, s0, s1):
    r0, r1 = math.sqrt(h * h + s0 * s0), math.sqrt(h * h + s1 * s1)
    below = abs(s0) * r1 + abs(s1) * r0
    if s0 * s1 >= 0.0:
        return abs(s1 - s0) * abs(s1 + s0) / (r0 * r1 * below)
    return below / (h * h * r0 * r1)


@compiled
def gauss_piece(ax, ay, bx, by, sigma, reach):
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
def width_at(ground, calendar, row, col, day):
    """Sweep width of a target cell on a day, in cells: cover x growth stage at that height; 0 for voids."""
    cover, table, starts, stages, per_100_m = calendar
    at = row * ground[2] + col
    z = np.float64(pick(ground[3], at))
    local = day - (z - 1000.0) / 100.0 * per_100_m
    stage = 0
    for k in range(1, stages):
        if local >= pick(starts, k):
            stage = k
    return pick(table, pick(cover, at) * stages + stage) if z == z else 0.0


@compiled
def _moments(pieces, n0, n1):
    """Integrals of x^p y^q along a run, p and q as in `MOMENTS`: three Gauss points are exact to degree five."""
    m0 = m1 = m2 = m3 = m4 = m5 = m6 = m7 = m8 = m9 = m10 = 0.0
    m11 = m12 = m13 = m14 = m15 = m16 = m17 = m18 = m19 = m20 = 0.0
    for k in range(n0, n1):
        ax, ay, bx, by, weight = _piece(pieces, k)
        length = weight * math.sqrt((bx - ax) ** 2 + (by - ay) ** 2)
        for g in range(3):
            w = length * (4.0 / 9.0 if g == 1 else 5.0 / 18.0)
            x = 0.5 * (ax + bx) + (g - 1) * 0.5 * _GAUSS3 * (bx - ax)
            y = 0.5 * (ay + by) + (g - 1) * 0.5 * _GAUSS3 * (by - ay)
            xx, xy, yy = x * x, x * y, y * y
            wxx, wxy, wyy = w * xx, w * xy, w * yy
            m0 += w
            m1 += w * x
            m2 += wxx
            m3 += wyy
            m4 += w * y
            m5 += wxy
            m6 += wxx * x
            m7 += wyy * x
            m8 += wxx * y
            m9 += wyy * y
            m10 += wxx * xx
            m11 += wxx * yy
            m12 += wyy * yy
            m13 += wxx * xy
            m14 += wyy * xy
            m15 += wxx * xx * x
            m16 += wxx * yy * x
            m17 += wyy * yy * x
            m18 += wxx * xx * y
            m19 += wxx * yy * y
            m20 += wyy * yy * y
    return m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20


@compiled
def _piece(pieces, k):
    """Both ends and the weight of a sub-piece."""
    ends = pieces[0]
    return pick(ends, 4 * k), pick(ends, 4 * k + 1), pick(ends, 4 * k + 2), pick(ends, 4 * k + 3), pick(pieces[1], k)


@compiled
def _wide(value):
    return spread(np.float32(value))


@compiled
def _near_values(values, shape, pieces, n0, n1):
    """Closed form for the cells near the observer, sixteen at a time."""
    xs, ys, count, _ = shape[0]
    for at in range(0, count, LANES):
        x, y = load(xs, at), load(ys, at)
        total = _wide(0.0)
        for k in range(n0, n1):
            px, py, qx, qy, weight = _piece(pieces, k)
            length = weight * math.sqrt((qx - px) ** 2 + (qy - py) ** 2)
            ax, ay, bx, by = _wide(px) - x, _wide(py) - y, _wide(qx) - x, _wide(qy) - y
            r0, r1 = root(fused(ax, ax, ay * ay)), root(fused(bx, bx, by * by))
            both = r0 * r1
            total += _wide(length) * (r0 + r1) / (both * fused(ax, bx, fused(ay, by, both)))
        store(values, at, total)


@compiled
def _ring_values(values, shape, pieces, n0, n1, any_seen, lane):
    """Cells that the reach cuts through: the part of each piece within reach, two Gauss points."""
    xs, ys, count, _ = shape[1]
    begin, (reach, curve) = shape[0][2], shape[3]
    zero, half, square, middle = _wide(0.0), _wide(0.5), _wide(reach * reach), spread(pick(curve, 6))
    c0, c1, c2 = spread(pick(curve, 0)), spread(pick(curve, 1)), spread(pick(curve, 2))
    c3, c4, c5 = spread(pick(curve, 3)), spread(pick(curve, 4)), spread(pick(curve, 5))
    for at in range(0, count, LANES):
        if not (pick(any_seen, at // LANES) >> lane) & 1:
            continue
        x, y = load(xs, at), load(ys, at)
        total = zero
        for k in range(n0, n1):
            px, py, qx, qy, weight = _piece(pieces, k)
            dx, dy = qx - px, qy - py
            length = max(math.sqrt(dx * dx + dy * dy), 1e-30)
            ux, uy = _wide(dx / length), _wide(dy / length)
            ax, ay = _wide(px) - x, _wide(py) - y
            s0, h = fused(ax, ux, ay * uy), ax * uy - ay * ux
            chord = root(larger(square - h * h, zero))
            low, high = larger(s0, zero - chord), smaller(s0 + _wide(length), chord)
            held = larger(high - low, zero)
            mean, apart = (low + high) * half, held * spread(_GAUSS2)
            s, t = mean - apart, mean + apart
            level = fused(h, h, zero - middle)
            v, w = fused(s, s, level), fused(t, t, level)
            one = fused(fused(fused(fused(fused(c5, v, c4), v, c3), v, c2), v, c1), v, c0)
            two = fused(fused(fused(fused(fused(c5, w, c4), w, c3), w, c2), w, c1), w, c0)
            total += (one + two) * held * _wide(0.5 * weight)
        store(values, begin + at, total)


@compiled
def _far_values(tables, at, terms, m):
    """Moments times tables for sixteen cells of a row: what is even and what is odd in the row's offset."""
    even = load(tables, at) * m[0]
    odd = load(tables, at + 4 * LANES) * m[4]
    even = fused(load(tables, at + 1 * LANES), m[1], even)
    odd = fused(load(tables, at + 5 * LANES), m[5], odd)
    even = fused(load(tables, at + 2 * LANES), m[2], even)
    even = fused(load(tables, at + 3 * LANES), m[3], even)
    if terms > 6:
        even = fused(load(tables, at + 6 * LANES), m[6], even)
        odd = fused(load(tables, at + 8 * LANES), m[8], odd)
        even = fused(load(tables, at + 7 * LANES), m[7], even)
        odd = fused(load(tables, at + 9 * LANES), m[9], odd)
    if terms > 10:
        even = fused(load(tables, at + 10 * LANES), m[10], even)
        odd = fused(load(tables, at + 13 * LANES), m[13], odd)
        even = fused(load(tables, at + 11 * LANES), m[11], even)
        odd = fused(load(tables, at + 14 * LANES), m[14], odd)
        even = fused(load(tables, at + 12 * LANES), m[12], even)
        even = fused(load(tables, at + 15 * LANES), m[15], even)
        odd = fused(load(tables, at + 18 * LANES), m[18], odd)
        even = fused(load(tables, at + 16 * LANES), m[16], even)
        odd = fused(load(tables, at + 19 * LANES), m[19], odd)
        even = fused(load(tables, at + 17 * LANES), m[17], even)
        odd = fused(load(tables, at + 20 * LANES), m[20], odd)
    return even, odd


@compiled
def _spread_run(flat, start, stride, seen, any_seen, lane, half, shape, pieces, n0, n1, values):
    """Add the integral of r^-3 along a run to every cell in sight but the clamped ones. `start`: its first cell."""
    tables, table_at, terms, masks, places = shape[2]
    _near_values(values, shape, pieces, n0, n1)
    _ring_values(values, shape, pieces, n0, n1, any_seen, lane)
    n = _moments(pieces, n0, n1)
    m = (
        _wide(n[0]), _wide(n[1]), _wide(n[2]), _wide(n[3]), _wide(n[4]), _wide(n[5]), _wide(n[6]),
        _wide(n[7]), _wide(n[8]), _wide(n[9]), _wide(n[10]), _wide(n[11]), _wide(n[12]), _wide(n[13]),
        _wide(n[14]), _wide(n[15]), _wide(n[16]), _wide(n[17]), _wide(n[18]), _wide(n[19]), _wide(n[20]),
    )  # fmt: skip
    side = 2 * half + 1
    blocks = (side + LANES - 1) // LANES
    for i in range(half + 1):
        for b in range(blocks):
            below, above = half + i, half - i
            hit = bits_of(seen, below * side + b * LANES, lane)
            mirrored = bits_of(seen, above * side + b * LANES, lane) if i else np.uint16(0)
            if hit | mirrored == 0:
                continue
            k = i * blocks + b
            even = odd = _wide(0.0)
            if pick(terms, k) > 0:
                even, odd = _far_values(tables, pick(table_at, k), pick(terms, k), m)
            down, up = below * blocks + b, above * blocks + b
            value = even + odd + _listed(values, masks, places, down)
            add_where(flat, start + below * stride + b * LANES, hit, value)
            if mirrored:
                value = even - odd + _listed(values, masks, places, up)
                add_where(flat, start + above * stride + b * LANES, mirrored, value)


@compiled
def _listed(values, masks, places, k):
    """Near and ring cells of one row and block, each in its lane."""
    out = expand(values, pick(places, 2 * k + 1), pick(masks, 2 * k + 1))
    if pick(masks, 2 * k):
        out += expand(values, pick(places, 2 * k), pick(masks, 2 * k))
    return out


@compiled
def _spread_slowly(
    flat, start, stride, seen, lane, half, offsets, pieces, n0, n1, law, ground, calendar, row, col, day
):
    """Every case of the law, one cell at a time. `row`, `col`: observer in the terrain."""
    model, reach, share, _ = law
    side = 2 * half + 1
    for n in range(offsets[1]):
        i, j = pick(offsets[0], 2 * n), pick(offsets[0], 2 * n + 1)
        if not (pick(seen, (half + i) * side + half + j) >> lane) & 1:
            continue
        width = width_at(ground, calendar, row + i, col + j, day)
        if width == 0.0:
            continue
        total = 0.0
        for k in range(n0, n1):
            ax, ay, bx, by, weight = _piece(pieces, k)
            if model == INVERSE_CUBE:
                total += weight * clamped_piece(ax - j, ay - i, bx - j, by - i, share * width, reach)
            else:
                total += weight * gauss_piece(ax - j, ay - i, bx - j, by - i, share * width, reach)
        at = start + (half + i) * stride + half + j
        put(flat, at, pick(flat, at) + total)


@compiled
def _touch(touched, across, row, col, half):
    """Mark the blocks that a window around an observer in the scratch may write to."""
    wide = (2 * half + LANES) // LANES * LANES
    for a in range((row - half) // BLOCK, (row + half) // BLOCK + 1):
        for b in range((col - half) // BLOCK, (col - half + wide - 1) // BLOCK + 1):
            put(touched, a * across + b, np.uint8(1))


@compiled
def _widths(line, ground, calendar, row, col, day):
    """`width_at` of the cells of a block's row that lie in the terrain, in steps the compiler can do side by side."""
    cover, table, starts, stages, per_100_m = calendar
    local, width = line
    at = row * ground[2] + col
    first, last = max(-col, 0), min(ground[2] - col, BLOCK)
    for j in range(first, last):
        z = np.float64(pick(ground[3], at + j))
        put(local, j, day - (z - 1000.0) / 100.0 * per_100_m)
    for j in range(first, last):
        here = pick(local, j)
        stage = 0
        for k in range(1, stages):
            stage = k if here >= pick(starts, k) else stage
        put(width, j, pick(table, pick(cover, at + j) * stages + stage) if here == here else 0.0)


@compiled
def _nats(line, scratch, place, ground, calendar, law, row, col, box, day):
    """
    Hazard of a block's row with the targets' sweep widths of that day, into the first of `line`; 0 outside the box.

    The scratch is 0 afterwards. False where there was nothing to do.
    """
    nat, width = line
    some = 0
    for j in range(BLOCK):
        some += pick(scratch, place + j) > 0.0
    if some == 0:
        return False
    first, last = max(box[1] - col, 0), min(box[3] - col, BLOCK)
    if box[0] <= row < box[2]:
        _widths(line, ground, calendar, row, col, day)
    else:
        first, last = 0, 0
    for j in range(BLOCK):
        held = pick(scratch, place + j) if first <= j < last else 0.0
        wide = pick(width, j) if first <= j < last else 0.0
        if law[0] == INVERSE_CUBE:
            wide *= wide
        else:
            wide = 1.0 if wide > 0.0 else 0.0
        put(nat, j, held * law[3] * wide)
    for j in range(BLOCK):
        put(scratch, place + j, 0.0)
    return True


@compiled
def _settle(lean, sizes, law, origin, box, day):
    """The end of a day within a track: into the total with that day's sweep widths, the scratch to 0."""
    ground, calendar, scratch, total, touched, line = lean
    stride, down, across = sizes
    for a in range(down):
        for b in range(across):
            if pick(touched, a * across + b):
                for r in range(a * BLOCK, (a + 1) * BLOCK):
                    place = r * stride + b * BLOCK
                    row, col = origin[0] + r, origin[1] + b * BLOCK
                    if _nats(line, scratch, place, ground, calendar, law, row, col, box, day):
                        for j in range(BLOCK):
                            put(total, place + j, pick(total, place + j) + pick(line[0], j))


@compiled
def _hand_over(lean, sizes, law, origin, box, day, settled, where, units, n):
    """The end of a track: every touched block in whole units from the n-th place on, scratch and total to 0."""
    ground, calendar, scratch, total, touched, line = lean
    stride, down, across = sizes
    for a in range(down):
        for b in range(across):
            if not pick(touched, a * across + b):
                continue
            put(touched, a * across + b, np.uint8(0))
            where[n, 0], where[n, 1] = origin[0] + a * BLOCK, origin[1] + b * BLOCK
            out = base(units[n])
            for i in range(BLOCK):
                place = (a * BLOCK + i) * stride + b * BLOCK
                row, col = origin[0] + a * BLOCK + i, origin[1] + b * BLOCK
                some = _nats(line, scratch, place, ground, calendar, law, row, col, box, day)
                if not (some or settled):
                    for j in range(BLOCK):
                        put(out, i * BLOCK + j, np.int32(0))
                    continue
                for j in range(BLOCK):
                    nat = pick(line[0], j) if some else 0.0
                    if settled:
                        nat += pick(total, place + j)
                        put(total, place + j, 0.0)
                    put(out, i * BLOCK + j, np.int32(np.rint(min(nat, MOST_NAT) * UNITS)))
            n += 1
    return n


@compiled
def _lean_shape(shape, offsets):
    """`_far_field.window_shape` as bare pointers."""
    tables, table_at, terms, masks, places, lists, counts, reach, curve = shape
    near = (base(lists[0]), base(lists[1]), counts[0], base(lists[2]))
    ring = (base(lists[3]), base(lists[4]), counts[1], base(lists[5]))
    far = (base(tables), base(table_at), base(terms), base(masks), base(places))
    return (near, ring, far, (reach, base(curve))), (base(offsets), len(offsets))


@compiled
def _spread_batch(batch, n, day, origin, lean, law, heights, half, sizes):
    """Sixteen runs or fewer of one day: what their observers see, then each run on its cells. Pointers only."""
    ground, calendar, program, shape, offsets, pieces, begin, room, flat, touched = lean
    stride, across = sizes
    rows, cols, runs = batch
    patch, seen, values, any_seen = room
    see(ground, (rows, cols), n, half, heights, program, patch, seen)
    _, _, ring, listed = shape[1]
    for at in range(0, ring, LANES):
        some = np.uint16(0)
        for k in range(at, at + LANES):
            some |= pick(seen, pick(listed, k))
        put(any_seen, at // LANES, some)
    for lane in range(n):
        row, col = pick(rows, lane), pick(cols, lane)
        r, c = row - origin[0], col - origin[1]
        n0, n1 = pick(begin, 5 * pick(runs, lane)), pick(begin, 5 * pick(runs, lane) + 5)
        start = (r - half) * stride + c - half
        _touch(touched, across, r, c, half)
        if shape[0][2] > 0:
            _spread_run(flat, start, stride, seen, any_seen, lane, half, shape, pieces, n0, n1, values)
        _spread_slowly(
            flat, start, stride, seen, lane, half, offsets, pieces, n0, n1, law, ground, calendar, row, col, day
        )


@compiled
def spread_tracks(ground, box, runs, ends, weights, program, shape, offsets, law, heights, half, room):
    """
    Hazard of some tracks on the cells of a box, in whole units, as blocks that may overlap.

    Parameters
    ----------
    ground
        Surface that hides, elevation, cover, widths by cover and stage (cells), stage starts (days), days per 100 m.
    box
        Top, left, bottom, right of the targets asked for, in the terrain's cells.
    runs
        int64 (n + 1, 5): first sub-piece, row, column, track, day, tracks together; the last row only ends the one
        before it.
    ends, weights
        Sub-pieces from the middle of their observer's cell, (m, 4) in cells, and the share of the hazard that counts.
    room
        `coverage._room`: zeros, and zeros again afterwards.

    Returns
    -------
    tuple
        Row and column of the first cell of each block, int64 (k, 2), and its units, int32 (k, 32, 32).
    """
    surface, elevation, cover, table, starts, per_100_m = ground
    scratch, total, touched, batch, patch, seen, values, line, any_seen = room
    margin = 2 * half + LANES
    most = (scratch.shape[0] - 2 * margin) // BLOCK * BLOCK
    land = (base(surface), elevation.shape[0], elevation.shape[1], base(elevation))
    calendar = (base(cover), base(table), base(starts), len(starts), per_100_m)
    window, slow = _lean_shape(shape, offsets)
    work = ((base(patch[0]), base(patch[1]), base(patch[2])), base(seen), base(values), base(any_seen))
    pieces = (base(ends), base(weights))
    lean = (land, calendar, lean_program(program), window, slow, pieces, base(runs), work, base(scratch), base(touched))
    sizes = (scratch.shape[1], touched.shape[1])
    sums = (land, calendar, base(scratch), base(total), base(touched), (base(line[0]), base(line[1])))
    blocks = (scratch.shape[1], touched.shape[0], touched.shape[1])
    rows, cols, chosen = batch
    lanes = (base(rows), base(cols), base(chosen))
    where, units = np.empty((64, 2), np.int64), np.empty((64, BLOCK, BLOCK), np.int32)
    count = begin = 0
    while begin < len(runs) - 1:
        end = begin
        top, left, bottom, right = elevation.shape[0], elevation.shape[1], 0, 0
        while end < len(runs) - 1 and runs[end, 3] == runs[begin, 3]:
            top, bottom = min(top, runs[end, 1] - half), max(bottom, runs[end, 1] + half + 1)
            left, right = min(left, runs[end, 2] - half), max(right, runs[end, 2] + half + 1)
            end += 1
        top, left, bottom, right = max(top, box[0]), max(left, box[1]), min(bottom, box[2]), min(right, box[3])
        for part_top in range(top, bottom, most):
            for part_left in range(left, right, most):
                part = (part_top, part_left, min(part_top + most, bottom), min(part_left + most, right))
                origin = (part_top - margin, part_left - margin)
                settled, n, day = False, 0, runs[begin, 4]
                for at in range(begin, end):
                    r, c = runs[at, 1], runs[at, 2]
                    if not (part[0] - half <= r < part[2] + half and part[1] - half <= c < part[3] + half):
                        continue
                    if n == LANES or (n > 0 and runs[at, 4] != day):
                        _spread_batch(lanes, n, day, origin, lean, law, heights, half, sizes)
                        n = 0
                    if runs[at, 4] != day:
                        _settle(sums, blocks, law, origin, part, day)
                        settled, day = True, runs[at, 4]
                    rows[n], cols[n], chosen[n] = r, c, at
                    n += 1
                if n > 0:
                    _spread_batch(lanes, n, day, origin, lean, law, heights, half, sizes)
                more = count + np.sum(touched)
                if more > len(where):
                    where, units = _longer(where, more, count), _longer(units, more, count)
                count = _hand_over(sums, blocks, law, origin, part, day, settled, where, units, count)
        begin = end
    return where[:count], units[:count]


@compiled
def _longer(array, least, held):
    """A copy with room for twice as much, the first `held` rows filled."""
    out = np.empty((2 * least, *array.shape[1:]), array.dtype)
    to, source = out.reshape(-1), array.reshape(-1)
    for k in range(held * (len(to) // len(out))):  # a slice would take seconds to compile
        to[k] = source[k]
    return out


@compiled
def add_blocks(hazard, corner, where, units, sign):
    """Add (or take away) blocks on a raster whose first cell is `corner` of the terrain; what lies outside is 0."""
    rows, cols = hazard.shape
    for k in range(len(where)):
        top, left = where[k, 0] - corner[0], where[k, 1] - corner[1]
        first, last = max(-left, 0), min(cols - left, BLOCK)
        for i in range(max(-top, 0), min(rows - top, BLOCK)):
            for j in range(first, last):
                hazard[top + i, left + j] += sign * units[k, i, j]
