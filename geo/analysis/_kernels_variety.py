"""
The compiled walk among plans of like worth; `geo.analysis.variety` says what it means.

Arguments are those of `_kernels_routing`: stops 0 … n-1, the base at index n of its own cost matrix.
"""

import numpy as np
from numba import njit

from geo.analysis._kernels_routing import TINY_S, away_s, copy_into, put_at, take_out, turn_round

MOST_TRIED = 3
"""At most so many stops are taken out in one turn, and as many others tried in their place."""


@njit(cache=True)
def look(stop, held, miss, first, cells, seers_first, seers, seers_pod, mass, bound_cell):
    """
    Bring `miss` of the cells a stop sees up to date after `held[stop]` changed.

    Answers what is found more, in cells that are not bound to must-visits and in those that are.
    """
    free, bound = 0.0, 0.0
    for j in range(first[stop], first[stop + 1]):
        cell = cells[j]
        now = 1.0
        for k in range(seers_first[cell], seers_first[cell + 1]):
            if held[seers[k]]:
                now *= 1.0 - seers_pod[k]
        if bound_cell[cell]:
            bound += mass[cell] * (miss[cell] - now)
        else:
            free += mass[cell] * (miss[cell] - now)
        miss[cell] = now
    return free, bound


@njit(cache=True)
def put_anywhere(
    routes, lengths, stop, held, allowed, cost, base, budget, start, ready, latest, shortest, draw
):  # fmt: skip
    """
    Put a stop into a place that keeps every hour and budget, drawn at random; the shortest detour where `shortest`.

    Answers whether there was one.
    """
    count, team_at, place_at, least = 0, -1, -1, np.inf
    for team in range(len(lengths)):
        if not allowed[team, stop]:
            continue
        for place in range(lengths[team] + 1):
            put_at(routes[team], lengths[team], stop, place)
            took = away_s(routes[team], lengths[team] + 1, cost[base[team]], start[team], ready, latest)
            for i in range(place, lengths[team]):
                routes[team, i] = routes[team, i + 1]
            if took > budget[team] - TINY_S:
                continue
            count += 1
            if shortest:
                extra = took - away_s(routes[team], lengths[team], cost[base[team]], start[team], ready, latest)
                chosen = extra < least
                least = min(least, extra)
            else:
                chosen = draw.random() * count < 1.0
            if chosen:
                team_at, place_at = team, place
    if team_at < 0:
        return False
    put_at(routes[team_at], lengths[team_at], stop, place_at)
    lengths[team_at] += 1
    held[stop] = True
    return True


@njit(cache=True)
def disturb(
    routes, lengths, held, allowed, cost, base, budget, start, ready, latest, draw
):  # fmt: skip
    """One random change: a span walked backwards, two teams' days exchanged, or stops moved and others tried."""
    teams, stops = len(lengths), len(held)
    kind, team = draw.random(), int(draw.random() * teams)
    if kind < 0.25:
        if lengths[team] > 1:
            i, j = int(draw.random() * lengths[team]), int(draw.random() * lengths[team])
            if draw.random() < 0.5:
                i, j = 0, lengths[team] - 1
            turn_round(routes[team], min(i, j), max(i, j))
    elif kind < 0.4 and teams > 1:
        other = (team + 1 + int(draw.random() * (teams - 1))) % teams
        kept, n = routes[team].copy(), lengths[team]
        routes[team, : lengths[other]], lengths[team] = routes[other, : lengths[other]], lengths[other]
        routes[other, :n], lengths[other] = kept[:n], n
    else:
        tried = np.empty(2 * MOST_TRIED, np.int64)
        n = 0
        for _ in range(1 + int(draw.random() * MOST_TRIED)):
            total = lengths.sum()
            if total == 0:
                break
            pick, at = int(draw.random() * total), 0
            while pick >= lengths[at]:
                pick -= lengths[at]
                at += 1
            tried[n] = routes[at, pick]
            n += 1
            take_out(routes, lengths, at, pick, held)
        for _ in range(MOST_TRIED):
            stop = int(draw.random() * stops)
            if not held[stop]:
                tried[n] = stop
                n += 1
        for i in range(n - 1, -1, -1):
            k = int(draw.random() * (i + 1))
            tried[i], tried[k] = tried[k], tried[i]
            if not held[tried[i]]:
                put_anywhere(
                    routes, lengths, tried[i], held, allowed, cost, base, budget, start, ready, latest, False, draw
                )


@njit(cache=True)
def in_hours(routes, lengths, allowed, cost, base, budget, start, ready, latest):
    """Whether every team may take its stops and is back in time."""
    for team in range(len(lengths)):
        for i in range(lengths[team]):
            if not allowed[team, routes[team, i]]:
                return False
        took = away_s(routes[team], lengths[team], cost[base[team]], start[team], ready, latest)
        if lengths[team] and took > budget[team] - TINY_S:
            return False
    return True


@njit(cache=True)
def roam(
    routes, lengths, turns, share, allowed, cost, base, budget, start, ready, latest,
    first, cells, seers_first, seers, seers_pod, mass, bound_cell, bonus, draw,
):  # fmt: skip
    """
    Walk at random, in place, among plans within hours and budgets that find at most `share` less than this one.

    That holds of cells bound to must-visits and of all others each for itself, and the must-visits met are worth no
    less, but for as little as the finds may be.
    """
    held, was = np.zeros(len(bonus), np.bool_), np.zeros(len(bonus), np.bool_)
    for team in range(len(lengths)):
        for i in range(lengths[team]):
            held[routes[team, i]] = True
    miss = np.ones(len(mass))
    free_spare, bound_spare = 0.0, 0.0
    for stop in range(len(bonus)):
        if held[stop]:
            free, bound = look(stop, held, miss, first, cells, seers_first, seers, seers_pod, mass, bound_cell)
            free_spare += share * free
            bound_spare += share * bound
    must_spare = free_spare + bound_spare
    trial, trial_n = routes.copy(), lengths.copy()
    for _ in range(turns):
        for team in range(len(lengths)):
            trial_n[team] = lengths[team]
            copy_into(trial[team], routes[team], lengths[team])
        copy_into(was, held, len(held))
        disturb(trial, trial_n, held, allowed, cost, base, budget, start, ready, latest, draw)
        fits = in_hours(trial, trial_n, allowed, cost, base, budget, start, ready, latest)
        more_free, more_bound, met = 0.0, 0.0, 0.0
        if fits:
            for stop in range(len(bonus)):
                if held[stop] != was[stop]:
                    free, bound = look(stop, held, miss, first, cells, seers_first, seers, seers_pod, mass, bound_cell)
                    more_free += free
                    more_bound += bound
                    met += bonus[stop] if held[stop] else -bonus[stop]
        if fits and more_free >= -free_spare and more_bound >= -bound_spare and met >= -must_spare:
            free_spare += more_free
            bound_spare += more_bound
            must_spare += met
            for team in range(len(lengths)):
                lengths[team] = trial_n[team]
                copy_into(routes[team], trial[team], trial_n[team])
            continue
        for stop in range(len(bonus)):
            if held[stop] != was[stop]:
                held[stop] = was[stop]
                if fits:
                    look(stop, held, miss, first, cells, seers_first, seers, seers_pod, mass, bound_cell)


@njit(cache=True)
def fill(
    routes, lengths, allowed, cost, base, budget, start, ready, latest,
    first, cells, seers_first, seers, seers_pod, pod, mass, bound_cell, draw,
):  # fmt: skip
    """Put in, where it costs least time, whatever still fits, the stop that finds most first; in place."""
    stops = allowed.shape[1]
    held, full = np.zeros(stops, np.bool_), np.zeros(stops, np.bool_)
    for team in range(len(lengths)):
        for i in range(lengths[team]):
            held[routes[team, i]] = True
    miss = np.ones(len(mass))
    for stop in range(stops):
        if held[stop]:
            look(stop, held, miss, first, cells, seers_first, seers, seers_pod, mass, bound_cell)
    while True:
        best, most = -1, 0.0
        for stop in range(stops):
            if held[stop] or full[stop]:
                continue
            gain = 0.0
            for j in range(first[stop], first[stop + 1]):
                gain += mass[cells[j]] * miss[cells[j]] * pod[j]
            if gain > most:
                best, most = stop, gain
        if best < 0:
            return
        if put_anywhere(routes, lengths, best, held, allowed, cost, base, budget, start, ready, latest, True, draw):
            look(best, held, miss, first, cells, seers_first, seers, seers_pod, mass, bound_cell)
        else:
            full[best] = True
