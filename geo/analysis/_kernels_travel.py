"""
The compiled inner loop of walking times; `geo.analysis.travel` says what it means.

Dijkstra's search on a sparse graph (`first`, `goals`, `seconds`: rows as scipy's csr holds them), with buckets instead
of a heap (Dial 1969): each holds the cells of a span shorter than the shortest move, so that none of them can better
another and their order does not matter. Least sums are least sums: the numbers are those of any other Dijkstra search,
to the last bit. The buckets are a ring longer than the longest move; a cell stands in one, linked both ways.
"""

import numpy as np
from numba import njit

NOBODY = np.int32(-1)


@njit(cache=True, nogil=True)
def search(first, goals, seconds, source, limit_s, per_s, wanted, wanted_n, reached, before, heads, after, ahead):
    """
    Fill `reached` (seconds from `source` to each cell) and `before` (the cell walked from; empty: not kept).

    Ends when all `wanted_n` cells marked in `wanted` are settled: other cells may then hold more than their least. With
    no cell wanted, all within `limit_s` are settled. `heads`, `after` and `ahead` are room for the ring.
    """
    reached[:] = np.inf
    heads[:] = NOBODY
    mask = len(heads) - 1
    reached[source] = 0.0
    heads[0] = source
    after[source] = ahead[source] = NOBODY
    waiting, left, bucket = 1, wanted_n, 0
    while waiting:
        cell = heads[bucket]
        if cell == NOBODY:
            bucket = (bucket + 1) & mask
            continue
        follower = after[cell]
        heads[bucket] = follower
        if follower != NOBODY:
            ahead[follower] = NOBODY
        waiting -= 1
        if wanted_n and wanted[cell]:
            left -= 1
            if left == 0:
                return
        now = reached[cell]
        for edge in range(first[cell], first[cell + 1]):
            goal = goals[edge]
            then = now + seconds[edge]
            known = reached[goal]
            if then >= known or then > limit_s:
                continue
            reached[goal] = then
            if len(before):
                before[goal] = cell
            new = int(then * per_s) & mask
            if known < np.inf:
                old = int(known * per_s) & mask
                if old == new:
                    continue
                follower, leader = after[goal], ahead[goal]
                if leader == NOBODY:
                    heads[old] = follower
                else:
                    after[leader] = follower
                if follower != NOBODY:
                    ahead[follower] = leader
            else:
                waiting += 1
            follower = heads[new]
            after[goal], ahead[goal] = follower, NOBODY
            if follower != NOBODY:
                ahead[follower] = goal
            heads[new] = goal


@njit(cache=True, nogil=True)
def search_each(first, goals, seconds, sources, targets, limit_s, per_s, ring):
    """Seconds from each source to each target, (sources, targets)."""
    n = len(first) - 1
    found = np.full((len(sources), len(targets)), np.inf)
    wanted = np.zeros(n, np.uint8)
    wanted_n = 0
    for i in range(len(targets)):
        if not wanted[targets[i]]:
            wanted[targets[i]] = 1
            wanted_n += 1
    reached, before, heads = np.empty(n), np.empty(0, np.int32), np.empty(ring, np.int32)
    after, ahead = np.empty(n, np.int32), np.empty(n, np.int32)
    for i in range(len(sources)):
        search(
            first, goals, seconds, sources[i], limit_s, per_s, wanted, wanted_n, reached, before, heads, after, ahead
        )
        for j in range(len(targets)):
            found[i, j] = reached[targets[j]]
    return found
