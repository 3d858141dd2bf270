"""
The compiled inner loop of route search; `geo.analysis.routing` says what it means.

Stops are numbered 0 … n-1, a base stands at index n of its own cost matrix: `cost[b, i, j]` is the seconds from i to
j with the service at j, `base[team]` the matrix a team uses. A plan is `routes` (teams, n) with `lengths` (teams,).

Where stops have hours of their own (`timed`), a team that sets out at `start` is done with stop i at `ready[i]` or
later (it waits) and at `latest[i]` at the latest; the home's `latest` does not count, the budget does.
"""

import numpy as np
from numba import njit

TINY_S = 1e-6


@njit(cache=True)
def copy_into(to, source, n):
    """The first `n` of `source` into `to`: a slice would take seconds to compile, for the sentence it can fail with."""
    for i in range(n):
        to[i] = source[i]


@njit(cache=True)
def route_s(route, length, cost):
    """Seconds of one team's day: walking and service, base to base."""
    home = cost.shape[0] - 1
    if length == 0:
        return 0.0
    total = cost[home, route[0]] + cost[route[length - 1], home]
    for i in range(1, length):
        total += cost[route[i - 1], route[i]]
    return total


@njit(cache=True)
def away_s(route, length, cost, start, ready, latest):
    """Seconds of one team's day, waiting included; infinite where it comes too late to a stop."""
    home = cost.shape[0] - 1
    now, last = start, home
    for i in range(length):
        now = max(now + cost[last, route[i]], ready[route[i]])
        if now > latest[route[i]] + TINY_S:
            return np.inf
        last = route[i]
    return now + cost[last, home] - start if length else 0.0


@njit(cache=True)
def slacks(route, length, cost, start, budget, ready, latest, done, until):
    """When each stop of a route is done (`done`), and when it may be done at the latest (`until`), both by place."""
    home = cost.shape[0] - 1
    now, last = start, home
    for i in range(length):
        now = max(now + cost[last, route[i]], ready[route[i]])
        done[i] = now
        last = route[i]
    by = start + budget
    for i in range(length - 1, -1, -1):
        after = route[i + 1] if i + 1 < length else home
        by = min(by - cost[route[i], after], latest[route[i]])
        until[i] = by


@njit(cache=True)
def place_in_time(route, length, stop, cost, start, budget, ready, latest, done, until):
    """Extra seconds (walking, and waiting for the stop) and place of the cheapest insertion every hour allows."""
    home = cost.shape[0] - 1
    extra, place = np.inf, 0
    for k in range(length + 1):
        left = route[k - 1] if k > 0 else home
        right = route[k] if k < length else home
        come = (done[k - 1] if k > 0 else start) + cost[left, stop]
        leave = max(come, ready[stop])
        by = until[k] if k < length else start + budget
        if leave > latest[stop] + TINY_S or leave + cost[stop, right] > by - TINY_S:
            continue
        here = cost[left, stop] + cost[stop, right] - (cost[left, right] if length else 0.0) + leave - come
        if here < extra:
            extra, place = here, k
    return extra, place


@njit(cache=True)
def places_in_time(
    route, length, held, allowed, cost, start, budget, ready, latest, extra, place, done, until
):  # fmt: skip
    """`place_in_time` of every stop nobody holds, into one team's `extra` and `place`."""
    slacks(route, length, cost, start, budget, ready, latest, done, until)
    for stop in range(len(held)):
        if not held[stop] and allowed[stop]:
            extra[stop], place[stop] = place_in_time(
                route, length, stop, cost, start, budget, ready, latest, done, until
            )


@njit(cache=True)
def see(stop, held, miss, gain, first, cells, pod, seers_first, seers, seers_pod, mass):
    """
    Bring `miss` of the cells a stop sees, and `gain` of all who see them, up to date after `held[stop]` changed.

    Each cell's product is taken anew over the held stops, so that nothing drifts.
    """
    for j in range(first[stop], first[stop + 1]):
        cell = cells[j]
        now = 1.0
        for k in range(seers_first[cell], seers_first[cell + 1]):
            if held[seers[k]]:
                now *= 1.0 - seers_pod[k]
        change = mass[cell] * (now - miss[cell])
        miss[cell] = now
        for k in range(seers_first[cell], seers_first[cell + 1]):
            gain[seers[k]] += change * seers_pod[k]


@njit(cache=True)
def fill_gains(held, miss, gain, first, cells, pod, mass, bonus):
    """Chance per cell that nobody sees what is there, and what each stop sees of it, from scratch."""
    miss[:] = 1.0
    for stop in range(len(held)):
        if held[stop]:
            for j in range(first[stop], first[stop + 1]):
                miss[cells[j]] *= 1.0 - pod[j]
    for stop in range(len(held)):
        gain[stop] = bonus[stop]
        for j in range(first[stop], first[stop + 1]):
            gain[stop] += mass[cells[j]] * miss[cells[j]] * pod[j]


@njit(cache=True)
def worth(held, miss, spent, mass, bonus, per_second):
    """True detection plus bonuses, less a hair per second so that equal plans prefer the shorter."""
    total = 0.0
    for cell in range(len(mass)):
        total += mass[cell] * (1.0 - miss[cell])
    for stop in range(len(held)):
        if held[stop]:
            total += bonus[stop]
    return total - per_second * spent.sum()


@njit(cache=True)
def turn_round(route, i, j):
    """Walk places i … j backwards."""
    while i < j:
        route[i], route[j] = route[j], route[i]
        i += 1
        j -= 1


@njit(cache=True)
def two_opt(route, length, cost):
    """Reverse stretches while that saves seconds on directed times; true when anything changed."""
    home = cost.shape[0] - 1
    changed, improved = False, True
    while improved:
        improved = False
        for i in range(length - 1):
            before = route[i - 1] if i > 0 else home
            forth, back = 0.0, 0.0
            for j in range(i + 1, length):
                forth += cost[route[j - 1], route[j]]
                back += cost[route[j], route[j - 1]]
                after = route[j + 1] if j + 1 < length else home
                saved = cost[before, route[i]] + forth + cost[route[j], after]
                saved -= cost[before, route[j]] + back + cost[route[i], after]
                if saved > TINY_S:
                    turn_round(route, i, j)
                    improved = True
                    changed = True
                    forth, back = 0.0, 0.0
                    for k in range(i + 1, j + 1):
                        forth += cost[route[k - 1], route[k]]
                        back += cost[route[k], route[k - 1]]
    return changed


@njit(cache=True)
def move_stretch(route, length, cost):
    """Move one stretch of up to three stops to the best other place of its route; true when that saved seconds."""
    home = cost.shape[0] - 1
    for size in range(1, min(3, length - 1) + 1):
        for i in range(length - size + 1):
            before = route[i - 1] if i > 0 else home
            after = route[i + size] if i + size < length else home
            head, tail = route[i], route[i + size - 1]
            freed = cost[before, head] + cost[tail, after] - cost[before, after]
            top, best = TINY_S, -1
            for k in range(length + 1):
                if i <= k <= i + size:
                    continue
                left = route[k - 1] if k > 0 else home
                right = route[k] if k < length else home
                saved = freed - (cost[left, head] + cost[tail, right] - cost[left, right])
                if saved > top:
                    top, best = saved, k
            if best >= 0:
                stretch = route[i : i + size].copy()
                if best > i:
                    route[i : best - size] = route[i + size : best].copy()
                    route[best - size : best] = stretch
                else:
                    route[best + size : i + size] = route[best:i].copy()
                    route[best : best + size] = stretch
                return True
    return False


@njit(cache=True)
def shorten(route, length, cost):
    """Reversals and moved stretches until neither helps; the route is changed in place, its seconds returned."""
    two_opt(route, length, cost)
    while move_stretch(route, length, cost):
        two_opt(route, length, cost)
    return route_s(route, length, cost)


@njit(cache=True)
def shortened(route, length, cost, budget, timed, start, ready, latest):
    """`shorten`, undone where the shorter way comes too late somewhere; the seconds of the day."""
    if not timed:
        return shorten(route, length, cost)
    before = route[:length].copy()
    was = away_s(route, length, cost, start, ready, latest)
    shorten(route, length, cost)
    now = away_s(route, length, cost, start, ready, latest)
    if now <= was and now <= budget:
        return now
    copy_into(route, before, length)
    return was


@njit(cache=True)
def cheapest_place(route, length, stop, cost):
    """Extra seconds and place of the cheapest insertion of a stop."""
    home = cost.shape[0] - 1
    extra, place, left = np.inf, 0, home
    for k in range(length + 1):
        right = route[k] if k < length else home
        here = cost[left, stop] + cost[stop, right] - (cost[left, right] if length else 0.0)
        if here < extra:
            extra, place = here, k
        left = right
    return extra, place


@njit(cache=True)
def take_out(routes, lengths, team, place, held):
    held[routes[team, place]] = False
    for i in range(place, lengths[team] - 1):
        routes[team, i] = routes[team, i + 1]
    lengths[team] -= 1


@njit(cache=True)
def destroy(routes, lengths, held, touched, near, draw, most):
    """Take out a stretch of one route, most stops near a place (`near`: nearest first), or a random few."""
    total = lengths.sum()
    if total == 0:
        return
    count = min(total, 1 + int(draw.random() * most))
    kind = draw.random()
    pick = int(draw.random() * total)
    team = 0
    while pick >= lengths[team]:
        pick -= lengths[team]
        team += 1
    if kind < 0.35:
        start = min(pick, max(0, lengths[team] - count))
        touched[team] = True
        for _ in range(min(count, lengths[team] - start)):
            take_out(routes, lengths, team, start, held)
    elif kind < 0.8:
        seed = routes[team, pick] if kind < 0.6 else int(draw.random() * len(held))
        for k in range(near.shape[1]):
            stop = near[seed, k]
            if held[stop] and draw.random() < 0.8:
                for t in range(len(lengths)):
                    for i in range(lengths[t]):
                        if routes[t, i] == stop:
                            touched[t] = True
                            take_out(routes, lengths, t, i, held)
                            break
                count -= 1
                if count == 0:
                    return
    else:
        for _ in range(count):
            pick = int(draw.random() * lengths.sum())
            team = 0
            while pick >= lengths[team]:
                pick -= lengths[team]
                team += 1
            touched[team] = True
            take_out(routes, lengths, team, pick, held)


@njit(cache=True)
def repair(
    routes, lengths, spent, held, miss, gain, touched, allowed, cost, base, budget, timed, start, ready, latest,
    first, cells, pod, seers_first, seers, seers_pod, mass, extra, place, draw,
):  # fmt: skip
    """Put in the stop with the best marginal gain per extra second (random exponent) until nothing fits."""
    stops, teams = len(held), len(lengths)
    exponent = 0.7 + 1.8 * draw.random()
    least = 1e-9 * budget.max()
    taste = np.empty(stops)
    prize = np.zeros(stops)
    done, until = np.empty(stops), np.empty(stops)
    for stop in range(stops):
        taste[stop] = 0.9 + 0.2 * draw.random()
        if not held[stop] and gain[stop] > 0.0:
            prize[stop] = (gain[stop] * taste[stop]) ** exponent
    for team in range(teams):
        if touched[team] and timed:
            places_in_time(
                routes[team], lengths[team], held, allowed[team], cost[base[team]], start[team], budget[team],
                ready, latest, extra[team], place[team], done, until,
            )  # fmt: skip
        elif touched[team]:
            for stop in range(stops):
                if not held[stop] and allowed[team, stop]:
                    extra[team, stop], place[team, stop] = cheapest_place(
                        routes[team], lengths[team], stop, cost[base[team]]
                    )
    while True:
        top, best, best_team = 0.0, -1, -1
        for team in range(teams):
            slack = 1e300 if timed else budget[team] - spent[team] - TINY_S
            for stop in range(stops):
                if held[stop] or not allowed[team, stop] or not extra[team, stop] <= slack:
                    continue
                score = prize[stop] / max(extra[team, stop], least)
                if score > top:
                    top, best, best_team = score, stop, team
        if best < 0:
            return
        if timed:
            put_at(routes[best_team], lengths[best_team], best, place[best_team, best])
            lengths[best_team] += 1
            held[best] = True
            spent[best_team] = away_s(
                routes[best_team], lengths[best_team], cost[base[best_team]], start[best_team], ready, latest
            )
            places_in_time(
                routes[best_team], lengths[best_team], held, allowed[best_team], cost[base[best_team]],
                start[best_team], budget[best_team], ready, latest, extra[best_team], place[best_team], done, until,
            )  # fmt: skip
        else:
            put_in(routes, lengths, held, extra, place, allowed, best, best_team, cost[base[best_team]])
            spent[best_team] += extra[best_team, best]
        see(best, held, miss, gain, first, cells, pod, seers_first, seers, seers_pod, mass)
        for j in range(first[best], first[best + 1]):
            for k in range(seers_first[cells[j]], seers_first[cells[j] + 1]):
                other = seers[k]
                if not held[other]:
                    prize[other] = (max(gain[other], 0.0) * taste[other]) ** exponent


@njit(cache=True)
def put_at(route, length, stop, at):
    """Insert a stop into a route at a place."""
    for i in range(length, at, -1):
        route[i] = route[i - 1]
    route[at] = stop


@njit(cache=True)
def put_in(routes, lengths, held, extra, place, allowed, stop, team, cost):
    """Insert a stop at its cheapest place; all other stops' cheapest places in that route are kept up to date."""
    route, at = routes[team], place[team, stop]
    home = cost.shape[0] - 1
    put_at(route, lengths[team], stop, at)
    lengths[team] += 1
    held[stop] = True
    length = lengths[team]
    left = route[at - 1] if at > 0 else home
    right = route[at + 1] if at + 1 < length else home
    for other in range(len(held)):
        if held[other] or not allowed[team, other]:
            continue
        if place[team, other] == at:
            extra[team, other], place[team, other] = cheapest_place(route, length, other, cost)
            continue
        if place[team, other] > at:
            place[team, other] += 1
        ahead = cost[left, other] + cost[other, stop] - cost[left, stop]
        behind = cost[stop, other] + cost[other, right] - cost[stop, right]
        if ahead < extra[team, other]:
            extra[team, other], place[team, other] = ahead, at
        if behind < extra[team, other]:
            extra[team, other], place[team, other] = behind, at + 1


@njit(cache=True)
def search(
    routes, lengths, best_routes, best_lengths, iterations, warmth, most,
    allowed, cost, base, near, budget, timed, start, ready, latest,
    first, cells, pod, seers_first, seers, seers_pod, mass, bonus, hurry, hair, draw,
):  # fmt: skip
    """
    Large-neighbourhood search at one temperature, in place.

    `routes` (teams, stops) and `lengths` hold the current plan, `best_routes` and `best_lengths` the best so far.
    A second costs `hurry` of value where the current plan is chosen, `hair` where the best one is.
    """
    teams, stops = len(lengths), len(bonus)
    miss, gain = np.ones(len(mass)), np.zeros(stops)
    held = np.zeros(stops, np.bool_)
    spent = np.empty(teams)
    for team in range(teams):
        for i in range(best_lengths[team]):
            held[best_routes[team, i]] = True
        spent[team] = away_s(best_routes[team], best_lengths[team], cost[base[team]], start[team], ready, latest)
    fill_gains(held, miss, gain, first, cells, pod, mass, bonus)
    best = worth(held, miss, spent, mass, bonus, hair)
    held[:] = False
    for team in range(teams):
        for i in range(lengths[team]):
            held[routes[team, i]] = True
        spent[team] = away_s(routes[team], lengths[team], cost[base[team]], start[team], ready, latest)
    fill_gains(held, miss, gain, first, cells, pod, mass, bonus)
    current = worth(held, miss, spent, mass, bonus, hurry)
    trial, trial_n = routes.copy(), lengths.copy()
    trial_held, trial_spent, trial_miss, trial_gain = held.copy(), spent.copy(), miss.copy(), gain.copy()
    extra, place = np.full((teams, stops), np.inf), np.zeros((teams, stops), np.int64)
    touched, before = np.zeros(teams, np.bool_), lengths.copy()
    for _ in range(iterations):
        for team in range(teams):
            trial_n[team], trial_spent[team] = lengths[team], spent[team]
            copy_into(trial[team], routes[team], lengths[team])
        copy_into(trial_held, held, stops)
        copy_into(trial_miss, miss, len(mass))
        copy_into(trial_gain, gain, stops)
        touched[:] = False
        destroy(trial, trial_n, trial_held, touched, near, draw, most)
        for team in range(teams):
            if touched[team]:
                for i in range(lengths[team]):
                    if not trial_held[routes[team, i]]:
                        see(
                            routes[team, i], trial_held, trial_miss, trial_gain,
                            first, cells, pod, seers_first, seers, seers_pod, mass,
                        )  # fmt: skip
                trial_spent[team] = shortened(
                    trial[team], trial_n[team], cost[base[team]], budget[team], timed, start[team], ready, latest
                )
        touched[:] = True
        while touched.any():
            copy_into(before, trial_n, teams)
            repair(
                trial, trial_n, trial_spent, trial_held, trial_miss, trial_gain, touched, allowed, cost, base, budget,
                timed, start, ready, latest, first, cells, pod, seers_first, seers, seers_pod, mass, extra, place, draw,
            )  # fmt: skip
            for team in range(teams):
                touched[team] = trial_n[team] != before[team]
                if touched[team]:
                    trial_spent[team] = shortened(
                        trial[team], trial_n[team], cost[base[team]], budget[team], timed, start[team], ready, latest
                    )
        value = worth(trial_held, trial_miss, trial_spent, mass, bonus, hurry)
        if value >= current + warmth * np.log(max(draw.random(), 1e-300)):
            for team in range(teams):
                lengths[team], spent[team] = trial_n[team], trial_spent[team]
                copy_into(routes[team], trial[team], trial_n[team])
            copy_into(held, trial_held, stops)
            copy_into(miss, trial_miss, len(mass))
            copy_into(gain, trial_gain, stops)
            current = value
        exact = value + (hurry - hair) * trial_spent.sum()
        if exact > best:
            for team in range(teams):
                best_lengths[team] = trial_n[team]
                copy_into(best_routes[team], trial[team], trial_n[team])
            best = exact
    return best
