"""The compiled inner loop of route search; `geo.analysis.routing` says what it means."""

import numpy as np
from numba import njit

TINY_S = 1e-6


@njit(cache=True)
def walk_s(route, length, team, out, leg, back, service):  # type: ignore[no-untyped-def]
    """Seconds of one team's day: walking and service, base to base."""
    if length == 0:
        return 0.0
    total = out[team, route[0]] + back[route[length - 1], team]
    for i in range(length):
        total += service[route[i]]
        if i > 0:
            total += leg[route[i - 1], route[i]]
    return total


@njit(cache=True)
def fill_miss(routes, lengths, miss, first, cells, pod):  # type: ignore[no-untyped-def]
    """Chance per cell that nobody on these routes sees what is there, from scratch (no drift)."""
    miss[:] = 1.0
    for team in range(len(lengths)):
        for i in range(lengths[team]):
            stop = routes[team, i]
            for j in range(first[stop], first[stop + 1]):
                miss[cells[j]] *= 1.0 - pod[j]


@njit(cache=True)
def gain_of(stop, miss, first, cells, pod, mass, bonus):  # type: ignore[no-untyped-def]
    """What a stop adds to what is already seen."""
    gain = bonus[stop]
    for j in range(first[stop], first[stop + 1]):
        gain += mass[cells[j]] * miss[cells[j]] * pod[j]
    return gain


@njit(cache=True)
def worth(routes, lengths, spent, miss, first, cells, pod, mass, bonus, per_second):  # type: ignore[no-untyped-def]
    """True detection plus bonuses, less a hair per second so that equal plans prefer the shorter."""
    total = 0.0
    for cell in range(len(mass)):
        total += mass[cell] * (1.0 - miss[cell])
    for team in range(len(lengths)):
        total -= per_second * spent[team]
        for i in range(lengths[team]):
            total += bonus[routes[team, i]]
    return total


@njit(cache=True)
def shorten(route, length, team, out, leg, back, service):  # type: ignore[no-untyped-def]
    """2-opt on directed times until no reversal helps; the route is changed in place, its seconds returned."""
    best = walk_s(route, length, team, out, leg, back, service)
    improved = True
    while improved:
        improved = False
        for i in range(length - 1):
            for j in range(i + 1, length):
                route[i : j + 1] = route[i : j + 1][::-1].copy()
                now = walk_s(route, length, team, out, leg, back, service)
                if now < best - TINY_S:
                    best = now
                    improved = True
                else:
                    route[i : j + 1] = route[i : j + 1][::-1].copy()
    return best


@njit(cache=True)
def take_out(routes, lengths, team, place, held):  # type: ignore[no-untyped-def]
    held[routes[team, place]] = False
    for i in range(place, lengths[team] - 1):
        routes[team, i] = routes[team, i + 1]
    lengths[team] -= 1


@njit(cache=True)
def destroy(routes, lengths, held, leg, draw):  # type: ignore[no-untyped-def]
    """Take out a stretch of one route, a neighbourhood of stops, or a random few."""
    total = lengths.sum()
    if total == 0:
        return
    most = max(3, int(0.4 * total))
    count = min(total, 1 + int(draw.random() * most))
    kind = draw.random()
    pick = int(draw.random() * total)
    team = 0
    while pick >= lengths[team]:
        pick -= lengths[team]
        team += 1
    if kind < 0.4:
        start = min(pick, max(0, lengths[team] - count))
        for _ in range(min(count, lengths[team] - start)):
            take_out(routes, lengths, team, start, held)
    elif kind < 0.75:
        seed = routes[team, pick]
        for _ in range(count):
            near, near_team, near_place = np.inf, -1, -1
            for t in range(len(lengths)):
                for i in range(lengths[t]):
                    stop = routes[t, i]
                    apart = 0.0 if stop == seed else (leg[seed, stop] + leg[stop, seed]) * (0.8 + 0.4 * draw.random())
                    if near_team < 0 or apart < near:
                        near, near_team, near_place = apart, t, i
            take_out(routes, lengths, near_team, near_place, held)
    else:
        for _ in range(count):
            pick = int(draw.random() * lengths.sum())
            team = 0
            while pick >= lengths[team]:
                pick -= lengths[team]
                team += 1
            take_out(routes, lengths, team, pick, held)


@njit(cache=True)
def repair(  # type: ignore[no-untyped-def]
    routes, lengths, spent, held, miss, allowed, out, leg, back, service, budget, first, cells, pod, mass, bonus, draw
):
    """Put in the stop with the best marginal gain per extra second (random exponent) until nothing fits."""
    exponent = 0.7 + 1.8 * draw.random()
    stops, teams = len(service), len(lengths)
    taste = np.empty(stops)
    gain = np.empty(stops)
    for stop in range(stops):
        taste[stop] = 0.9 + 0.2 * draw.random()
        gain[stop] = 0.0 if held[stop] else gain_of(stop, miss, first, cells, pod, mass, bonus)
    seen = np.zeros(len(mass), np.bool_)
    while True:
        top, best_stop, best_team, best_place, best_extra = -np.inf, -1, -1, -1, 0.0
        for stop in range(stops):
            if held[stop] or gain[stop] <= 0.0:
                continue
            price = exponent * np.log(gain[stop] * taste[stop])
            for team in range(teams):
                if not allowed[team, stop]:
                    continue
                n = lengths[team]
                for place in range(n + 1):
                    before = out[team, stop] if place == 0 else leg[routes[team, place - 1], stop]
                    after = back[stop, team] if place == n else leg[stop, routes[team, place]]
                    if n == 0:
                        saved = 0.0
                    elif place == 0:
                        saved = out[team, routes[team, 0]]
                    elif place == n:
                        saved = back[routes[team, n - 1], team]
                    else:
                        saved = leg[routes[team, place - 1], routes[team, place]]
                    extra = before + after - saved + service[stop]
                    if not spent[team] + extra <= budget[team] - TINY_S:
                        continue
                    score = price - np.log(max(extra, 1e-3))
                    if score > top:
                        top, best_stop, best_team, best_place, best_extra = score, stop, team, place, extra
        if best_stop < 0:
            return
        for i in range(lengths[best_team], best_place, -1):
            routes[best_team, i] = routes[best_team, i - 1]
        routes[best_team, best_place] = best_stop
        lengths[best_team] += 1
        spent[best_team] += best_extra
        held[best_stop] = True
        for j in range(first[best_stop], first[best_stop + 1]):
            miss[cells[j]] *= 1.0 - pod[j]
            seen[cells[j]] = True
        for stop in range(stops):
            if held[stop]:
                continue
            for j in range(first[stop], first[stop + 1]):
                if seen[cells[j]]:
                    gain[stop] = gain_of(stop, miss, first, cells, pod, mass, bonus)
                    break
        for j in range(first[best_stop], first[best_stop + 1]):
            seen[cells[j]] = False


@njit(cache=True)
def search(  # type: ignore[no-untyped-def]
    routes, lengths, best_routes, best_lengths, iterations, warmth, cooling,
    allowed, out, leg, back, service, budget, first, cells, pod, mass, bonus, per_second, draw,
):  # fmt: skip
    """
    Large-neighbourhood search with annealing, in place; `warmth` is the first temperature, times `cooling` each turn.

    `routes` (teams, stops) and `lengths` hold the current plan, `best_routes` and `best_lengths` the best so far.
    """
    teams, stops = len(lengths), len(service)
    miss = np.ones(len(mass))
    held = np.zeros(stops, np.bool_)
    spent = np.empty(teams)
    for team in range(teams):
        spent[team] = walk_s(routes[team], lengths[team], team, out, leg, back, service)
    fill_miss(routes, lengths, miss, first, cells, pod)
    current = worth(routes, lengths, spent, miss, first, cells, pod, mass, bonus, per_second)
    for team in range(teams):
        spent[team] = walk_s(best_routes[team], best_lengths[team], team, out, leg, back, service)
    fill_miss(best_routes, best_lengths, miss, first, cells, pod)
    best = worth(best_routes, best_lengths, spent, miss, first, cells, pod, mass, bonus, per_second)
    trial, trial_n = routes.copy(), lengths.copy()
    for _ in range(iterations):
        trial[:] = routes
        trial_n[:] = lengths
        held[:] = False
        for team in range(teams):
            for i in range(trial_n[team]):
                held[trial[team, i]] = True
        destroy(trial, trial_n, held, leg, draw)
        for _again in range(2):
            for team in range(teams):
                spent[team] = shorten(trial[team], trial_n[team], team, out, leg, back, service)
            fill_miss(trial, trial_n, miss, first, cells, pod)
            repair(
                trial, trial_n, spent, held, miss, allowed, out, leg, back, service, budget,
                first, cells, pod, mass, bonus, draw,
            )  # fmt: skip
        for team in range(teams):
            spent[team] = walk_s(trial[team], trial_n[team], team, out, leg, back, service)
        fill_miss(trial, trial_n, miss, first, cells, pod)
        value = worth(trial, trial_n, spent, miss, first, cells, pod, mass, bonus, per_second)
        if value >= current + warmth * np.log(max(draw.random(), 1e-300)):
            routes[:] = trial
            lengths[:] = trial_n
            current = value
        if value > best:
            best_routes[:] = trial
            best_lengths[:] = trial_n
            best = value
        warmth *= cooling
    return best
