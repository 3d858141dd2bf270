"""Routes drawn on the ground: each team's stops walked and timed leg by leg, its rows, and what is left out and why."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.analysis import routing, travel
from geo.analysis.requests import SweepRequest, ends_of, lines_of, must_of, places_of
from geo.analysis.targets import NAME_CHARS

Floats = npt.NDArray[np.float64]
UNMET = ("target_id", "name", "must", "reason")


@dataclass(frozen=True)
class Outing:
    """
    One team's day on the ground: rows of the targets in `order`, places base to base, seconds by leg and stop.

    `service_s` counts what is waited at a stop before its hours, too (`wait_s`).

    `heads` are where a team that is driven gets out and is picked up, each with the second of its day.
    """

    team: int
    route_id: str
    order: tuple[int, ...]
    gain: list[float]
    places: Floats
    line: shapely.LineString
    leg_s: Floats
    service_s: Floats
    wait_s: Floats
    heads: tuple[tuple[Floats, float], ...] = ()


def outing_of(
    request: SweepRequest,
    targets: pd.DataFrame,
    problem: routing.Problem,
    plans: tuple[tuple[int, ...], ...],
    team: int,
    before: tuple[int, ...],
) -> Outing:
    """A team's stops walked on the ground, timed again leg by leg; `before` are the stops of earlier days."""
    order = plans[team]
    earlier = (*before, *(stop for one in plans[:team] for stop in one))
    base = places_of(request.teams.iloc[[team]])
    entry, leaving = (np.vstack([base, ends[list(order)], base]) for ends in ends_of(targets))
    searched = [lines_of(targets)[stop] for stop in order]
    known_s = legs_s(problem, team, order)
    line, leg_s = _walk(request, entry, leaving, searched, known_s) if order else (entry, np.zeros(1))
    wait_s = np.array(routing.waits_of(replace(problem, closes=None), team, order, leg_s))  # late is no reason to leave
    service_s = problem.service[list(order)] + wait_s
    away_s = float(leg_s.sum() + service_s.sum())
    heads = _road_heads(request, line, base, away_s) if order else ()
    name = (request.day, request.township_id, str(request.teams["team_id"].iloc[team]))
    return Outing(
        team=team,
        route_id="-".join(part for part in name if part),
        order=order,
        gain=routing.gains(problem, order, earlier),
        places=entry,
        line=shapely.LineString(line),
        leg_s=leg_s,
        service_s=service_s,
        wait_s=wait_s,
        heads=heads,
    )


def route_row(request: SweepRequest, outing: Outing) -> dict[str, object]:
    return {
        "route_id": outing.route_id,
        "township_id": request.township_id,
        "team_id": str(request.teams["team_id"].iloc[outing.team]),
        "day": request.day,
        "walked_s": float(outing.leg_s.sum()),
        "service_s": float(outing.service_s.sum()),
        "length_m": float(outing.line.length),
        "expected_finds": float(sum(outing.gain)),
        "stops_n": len(outing.order),
    }


def stop_rows(request: SweepRequest, targets: pd.DataFrame, outing: Outing) -> list[dict[str, object]]:
    """Start, stops and end of an outing, in walking order, each with the second of arrival after setting out."""
    base = str(request.teams["name"].iloc[outing.team])
    listed = targets.iloc[list(outing.order)]
    arrive_s = np.r_[0.0, np.cumsum(outing.leg_s) + np.r_[0.0, np.cumsum(outing.service_s)]]
    arrive_s[1:-1] += outing.wait_s  # a stop is reached when its work begins
    names = [base, *listed["name"].map(str), base]
    code = _code(request, outing.team)
    columns = {
        "kind": ["start", *listed["kind"], "end"],
        "label": names,
        "reason": [None, *listed["reason"], None],
        "arrive_s": arrive_s.tolist(),
        "target_id": [None, *listed["target_id"], None],
        "gain": [0.0, *outing.gain, 0.0],
        "geometry": shapely.points(outing.places).tolist(),
    }
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    for (place, second), label, at in zip(outing.heads, ("下车点", "上车点"), (1, len(rows)), strict=False):
        head = {"kind": "road_head", "label": label, "reason": None, "arrive_s": second, "target_id": None, "gain": 0.0}
        rows.insert(at, head | {"geometry": shapely.Point(place)})
    return [
        row
        | {"name": f"{n:02d}{code} {_short(str(row['label']))}".strip(), "stop_id": f"{outing.route_id}-{n:02d}"}
        | {"route_id": outing.route_id, "order_n": n}
        for n, row in enumerate(rows)
    ]


def _road_heads(request: SweepRequest, line: Floats, base: Floats, away_s: float) -> tuple[tuple[Floats, float], ...]:
    """Where a driven team gets out and is picked up, each with the second of its day; none where it is not driven."""
    way = request.approach
    if way is None:
        return ()
    row, col = way.frame.cells(line[:, 0], line[:, 1])
    off = np.flatnonzero(~way.road[row, col])
    off = off[(off > 0) & (off < len(line) - 1)]
    if not len(off) or off[0] < 2 or off[-1] > len(line) - 3:
        return ()
    out, back = line[off[0] - 1], line[off[-1] + 1]
    there_s = float(travel.times(way, base, out[None])[0, 0])
    home_s = float(travel.times(way, back[None], base)[0, 0])
    return (out, there_s), (back, away_s - home_s)


def legs_s(problem: routing.Problem, team: int, route: tuple[int, ...]) -> list[float]:
    """Seconds of each leg as the search priced it: base to first stop, stop to stop, last stop to base."""
    if not route:
        return []
    between = [float(problem.leg[a, b]) for a, b in pairwise(route)]
    return [float(problem.out[team, route[0]]), *between, float(problem.back[route[-1], team])]


def _walk(
    request: SweepRequest, entry: Floats, leaving: Floats, searched: list[Floats | None], known_s: list[float]
) -> tuple[Floats, Floats]:
    """The least-cost line through the stops in order, with what is walked at each, and seconds by leg."""
    lines: list[Floats] = []
    seconds: list[float] = []
    for n, at_most in enumerate(known_s):
        ends = n == 0 or n == len(known_s) - 1
        ground = request.approach if request.approach is not None and ends else request.surface
        line, took = travel.path(ground, leaving[n], entry[n + 1], limit_s=at_most + 1.0)
        stop = searched[n] if n < len(searched) else None
        lines += [line] if stop is None else [line, stop]
        seconds.append(took)
    walked = np.vstack(lines)
    fresh = np.r_[True, (np.diff(walked, axis=0) != 0).any(axis=1)]
    return walked[fresh], np.array(seconds)


def shut(request: SweepRequest, kept: pd.DataFrame, problem: routing.Problem) -> set[str]:
    """Targets whose hours no team can keep, even with nothing else to do."""
    held = [(n, str(one)) for n, one in enumerate(kept["target_id"]) if str(one) in request.windows]
    teams = range(len(problem.budget))
    return {
        name
        for n, name in held
        if not any(routing.seconds_of(problem, team, (n,)) <= problem.budget[team] for team in teams)
    }


def unmet_of(request: SweepRequest, targets: pd.DataFrame, planned: set[str], shut: set[str]) -> pd.DataFrame:
    """Must-visits left out, and all targets no team can walk to, each with its reason."""
    must = must_of(request, targets)
    opened = travel.is_open(request.surface, places_of(targets))
    ground = travel.regions(request.surface, places_of(targets))
    based = set(travel.regions(request.surface, places_of(request.teams)).tolist()) - {-1}
    forbidden = targets["target_id"].isin(list(request.forbidden)).to_numpy(bool)
    rows = []
    for i, target in enumerate(targets.itertuples()):
        walkable = bool(opened[i]) and int(ground[i]) in based
        if target.target_id in planned or (walkable and not must[i]) or (forbidden[i] and not must[i]):
            continue
        late = "window" if target.target_id in shut else "hours"
        reason = "forbidden" if forbidden[i] else "closed" if not opened[i] else late if walkable else "unreachable"
        rows.append((str(target.target_id), str(target.name), bool(must[i]), reason))
    return pd.DataFrame(rows, columns=list(UNMET))


def _code(request: SweepRequest, team: int) -> str:
    """The ASCII part of stop names: T, two signs of the team, month and day; unique among the plan's teams."""
    ids = [re.sub(r"[^A-Za-z0-9]", "", str(one)).upper()[-2:].rjust(2, "0") for one in request.teams["team_id"]]
    mark = ids[team] if ids.count(ids[team]) == 1 else f"{team + 1:02d}"
    if mark in ids[:team] + ids[team + 1 :]:
        mark = chr(ord("A") + team % 26) + mark[-1]
    return f"T{mark}{re.sub(r'[^0-9]', '', request.day)[-4:]}"


def _short(name: str) -> str:
    """At most ten characters, control signs removed."""
    return "".join(sign for sign in name if sign.isprintable()).strip()[:NAME_CHARS].strip()
