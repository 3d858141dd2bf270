"""
Exact R3 line of sight, sixteen observers side by side.

Heights above the eye and slopes are float32, every comparison is checked against a bound of their error, and a ray on
which any comparison was closer than that is walked again in float64. So each answer is that of float64. With
u = 2^-24 and S the largest |rise| / distance of a window's cells:

- a rise is (z - z_observer) - eye, two roundings and that of `eye`: within 2 u (|rise| + eye);
- a crossing lies a cell or more from the eye and its two cells at most one cell further, so |rise| / distance to the
  crossing is at most 2 S; a slope is low * A + high * B with A + B = 1 / distance, both rounded to float32: within
  (4 + 2) u 2 S + 2 u eye / cell;
- the target's slope adds target * A, two roundings more.

Both sides together stay within 28 u S + 8 u (eye + target) / cell; `_DOUBT` u (S + (eye + target) / cell) is used.
"""

import numpy as np

from geo.analysis._kernels import compiled
from geo.analysis._kernels_lanes import (
    LANES,
    absolute,
    at_least,
    base,
    fused,
    larger,
    load,
    pick,
    put,
    smaller,
    spread,
    turn,
)

_DOUBT = np.float32(32.0 / 2.0**24)


@compiled
def lean_program(program):
    """`visibility.ray_program` as bare pointers, and the number of rays; the caller keeps the arrays alive."""
    begin, near, far, low, high, places, share, inverse, distance = program
    rays = len(begin) - 1
    fast = (base(near), base(far), base(low), base(high))
    return base(begin), rays, fast, base(inverse), (base(places), base(share), base(distance))


@compiled
def see(ground, observers, n, half, heights, program, room, seen):
    """
    What up to sixteen observers see: `seen` (side * side + 16,) uint16, one bit per observer.

    Parameters
    ----------
    ground
        Pointer to float32 heights of what hides, metres, NaN where void; rows; columns; pointer to those of the floor
        that observers stand on.
    observers
        Pointers to the `n` observers' rows and columns.
    heights
        Eye and target above ground and the cell, metres.
    program
        `lean_program`.
    room
        Pointers to 16 (side * side + 16) float32, aligned to 64 bytes, to 16 int64 and to 32 float32.
    """
    patch = room[0]
    side = 2 * half + 1
    _load_windows(ground, observers, n, half, heights[0], room)
    least = spread(np.float32((heights[0] + heights[1]) / heights[2]))
    steepest = spread(np.float32(0.0))
    for k in range(side * side):
        steepest = larger(absolute(load(patch, k * LANES)) * spread(pick(program[3], k)), steepest)
    doubt = (least + steepest) * spread(_DOUBT)
    _cast(ground, observers, n, half, heights, program, patch, doubt, seen)
    own = half * side + half
    zero = load(patch, own * LANES)
    put(seen, own, at_least(zero, zero))


@compiled
def _load_windows(ground, observers, n, half, eye, room):
    """Heights above each observer's eye, the observers in the lanes; NaN outside the raster and in voids."""
    patch, starts, less = room
    elevation, down, across, floor = ground
    side = 2 * half + 1
    blocks = (side + LANES - 1) // LANES
    inside = True
    for lane in range(LANES):
        at = min(lane, n - 1)
        row, col = pick(observers[0], at), pick(observers[1], at)
        put(less, lane, pick(floor, row * across + col))
        put(less, LANES + lane, np.float32(eye))
        start = (row - half) * across + col - half
        put(starts, lane, start)
        inside &= row >= half and row + half < down and col >= half and col + half < across
        inside &= start + 2 * half * across + blocks * LANES <= down * across
    if inside:
        for i in range(side):
            for b in range(blocks):
                turn(elevation, starts, i * across + b * LANES, less, patch, (i * side + b * LANES) * LANES)
        return
    for lane in range(LANES):
        at = min(lane, n - 1)
        for i in range(side):
            for j in range(side):
                z = np.float32(_height(ground, pick(observers[0], at) - half + i, pick(observers[1], at) - half + j))
                put(patch, (i * side + j) * LANES + lane, (z - pick(less, lane)) - pick(less, LANES + lane))


@compiled
def _slope(patch, low, high, low_share, high_share):
    return fused(load(patch, high), high_share, load(patch, low) * low_share)


@compiled
def _meet(patch, at, per_m, aim, top, least, seen, goal):
    """A target's cell: is it seen, by how much, and how steep is its ground."""
    rise = load(patch, at)
    line = fused(rise, per_m, aim)
    put(seen, goal, at_least(line, top))
    return larger(rise * per_m, top), smaller(absolute(line - top), least)


@compiled
def _cast(ground, observers, n, half, heights, program, patch, doubt, seen):
    """Running maximum slope along every ray, targets tested as the ray reaches them; eight mirrored rays at a time."""
    begin, rays = program[0], program[1]
    near, far, low_share, high_share = program[2]
    centre = half * (2 * half + 1) + half
    eye = centre * LANES
    below, wide = spread(np.float32(-np.inf)), spread(np.float32(np.inf))
    reach = spread(np.float32(heights[1]))
    for ray in range(rays):
        t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = below
        g0 = g1 = g2 = g3 = g4 = g5 = g6 = g7 = wide
        for k in range(pick(begin, ray), pick(begin, ray + 1)):
            a, share = spread(pick(low_share, k)), pick(high_share, k)
            m0, m1, m2, m3 = pick(near, 4 * k), pick(near, 4 * k + 1), pick(near, 4 * k + 2), pick(near, 4 * k + 3)
            if share < 0.0:
                n0, n1, n2, n3 = m0 // LANES, m1 // LANES, m2 // LANES, m3 // LANES
                aim = reach * a
                t0, g0 = _meet(patch, eye + m0, a, aim, t0, g0, seen, centre + n0)
                t1, g1 = _meet(patch, eye - m0, a, aim, t1, g1, seen, centre - n0)
                t2, g2 = _meet(patch, eye + m1, a, aim, t2, g2, seen, centre + n1)
                t3, g3 = _meet(patch, eye - m1, a, aim, t3, g3, seen, centre - n1)
                t4, g4 = _meet(patch, eye + m2, a, aim, t4, g4, seen, centre + n2)
                t5, g5 = _meet(patch, eye - m2, a, aim, t5, g5, seen, centre - n2)
                t6, g6 = _meet(patch, eye + m3, a, aim, t6, g6, seen, centre + n3)
                t7, g7 = _meet(patch, eye - m3, a, aim, t7, g7, seen, centre - n3)
            else:
                b = spread(share)
                f0, f1, f2, f3 = pick(far, 4 * k), pick(far, 4 * k + 1), pick(far, 4 * k + 2), pick(far, 4 * k + 3)
                t0 = larger(_slope(patch, eye + m0, eye + f0, a, b), t0)
                t1 = larger(_slope(patch, eye - m0, eye - f0, a, b), t1)
                t2 = larger(_slope(patch, eye + m1, eye + f1, a, b), t2)
                t3 = larger(_slope(patch, eye - m1, eye - f1, a, b), t3)
                t4 = larger(_slope(patch, eye + m2, eye + f2, a, b), t4)
                t5 = larger(_slope(patch, eye - m2, eye - f2, a, b), t5)
                t6 = larger(_slope(patch, eye + m3, eye + f3, a, b), t6)
                t7 = larger(_slope(patch, eye - m3, eye - f3, a, b), t7)
        closest = smaller(smaller(smaller(g0, g1), smaller(g2, g3)), smaller(smaller(g4, g5), smaller(g6, g7)))
        if at_least(doubt, closest) != 0:
            view = (ground, observers, n, half, heights, program, seen)
            _settle(view, ray, 0, at_least(doubt, g0))
            _settle(view, ray, 1, at_least(doubt, g1))
            _settle(view, ray, 2, at_least(doubt, g2))
            _settle(view, ray, 3, at_least(doubt, g3))
            _settle(view, ray, 4, at_least(doubt, g4))
            _settle(view, ray, 5, at_least(doubt, g5))
            _settle(view, ray, 6, at_least(doubt, g6))
            _settle(view, ray, 7, at_least(doubt, g7))


@compiled
def _settle(view, ray, image, unsure):
    """Walk a ray again for every observer whose bit is set."""
    ground, observers, n, half, heights, program, seen = view
    for lane in range(n):
        if (unsure >> lane) & 1:
            row, col = pick(observers[0], lane), pick(observers[1], lane)
            _walk_again(ground, row, col, half, heights, program, ray, image, lane, seen)


@compiled
def _walk_again(ground, row, col, half, heights, program, ray, image, lane, seen):
    """One ray of one observer in float64, term by term as the definition has it."""
    begin, (places, shares, distances) = program[0], program[4]
    flip = -1 if image & 1 else 1
    side = 2 * half + 1
    eye = np.float64(pick(ground[3], row * ground[2] + col)) + heights[0]
    top = -np.inf
    bit = np.uint16(1 << lane)
    for k in range(pick(begin, ray), pick(begin, ray + 1)):
        r0, c0 = _image(pick(places, 4 * k), pick(places, 4 * k + 1), image >> 1, flip)
        r1, c1 = _image(pick(places, 4 * k + 2), pick(places, 4 * k + 3), image >> 1, flip)
        height, share, distance = _height(ground, row + r0, col + c0), pick(shares, k), pick(distances, k)
        if share < 0.0:
            goal = (half + r0) * side + half + c0
            clear = (height + heights[1] - eye) / distance >= top
            before = pick(seen, goal)
            put(seen, goal, before | bit if clear else before & ~bit)
        else:
            height += share * (_height(ground, row + r1, col + c1) - height)
        slope = (height - eye) / distance
        top = slope if slope > top else top


@compiled
def _image(major, minor, kind, flip):
    """Row and column of a place of the first octant in one of its images, as `visibility.ray_program` numbers them."""
    minor = -minor if kind & 1 else minor
    return (flip * minor, flip * major) if kind & 2 else (flip * major, flip * minor)


@compiled
def _height(ground, row, col):
    if 0 <= row < ground[1] and 0 <= col < ground[2]:
        return np.float64(pick(ground[0], row * ground[2] + col))
    return np.nan


@compiled
def see_all(surface, floor, rows, cols, half, heights, program, room, seen):
    """`see` for any number of observers, sixteen to a row of `seen`; `room` as in `see`, but arrays."""
    ground = (base(surface), surface.shape[0], surface.shape[1], base(floor))
    lean, work = lean_program(program), (base(room[0]), base(room[1]), base(room[2]))
    for k in range(len(seen)):
        at, n = rows[k * LANES : (k + 1) * LANES], min(LANES, len(rows) - k * LANES)
        there = cols[k * LANES : (k + 1) * LANES]
        see(ground, (base(at), base(there)), n, half, heights, lean, work, base(seen[k]))
