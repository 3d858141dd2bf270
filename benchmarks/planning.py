"""
Outcome on hidden truth: plots found by our plans against three habits, at equal team-hours.

``python -m benchmarks.planning --seeds N --json`` makes N small demo counties at the start of their season, plans one
day in April for one team of each township, and lets a walker of this file's own walk every route past hidden plots:
steps of 3 m, the inverse-cube law from each step to each plot, his own line of sight over the elevation model, dice
for every plot. The plots are many draws of the demo's own truth (``--draws`` seasons), at continuous places; no grid
and no figure of the planner decides a find. All teams have the same hours:

- ``plan``: our plan (due parcels first, then segments);
- ``flagged``: nearest flagged parcel next, then nearest random segment;
- ``random``: twelve segments drawn uniformly from all plantable ground, nearest next;
- ``as_walked``: the township's own tracks of the season, as recorded, until the hours are spent;
- ``historic``: nearest flagged parcel, then nearest historic spot, then nearest random segment; not one of the three
  habits the ratio is taken over, for it knows where plots are likelier; its own ratio is printed beside.

Prints ``{seeds, ratio_vs_best_median, ratios, ratio_vs_historic_median, share_of_bound_median, shares_of_bound, found,
plots, hours, cpu_s}``:
`ratios` is our finds over the best of the three in each county, `found` all finds by method, `share_of_bound` what
our plans expect over what they could without any walking (science of search: no-travel allocation). Counties where
none of the three found anything count with their smallest possible denominator, one find.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo import demo, patrol
from geo.analysis import priority, travel, zonal
from geo.analysis.detection import sweep_widths
from geo.analysis.routing import with_own_cells
from geo.analysis.sweeps import Ground, block_values, densified, sweep_of, views_of
from geo.analysis.targets import TARGETS, lines_to_see, sweep_targets, with_rings
from geo.demo import DemoCounty
from geo.demo.truth import truth_table
from geo.grid import Grid
from geo.layers.terrain import COVER_NAMES, Terrain
from geo.season import Season
from geo.settings import Settings

Floats = npt.NDArray[np.float64]
DAY, NOON_S, DAY_N = "2026-04-12", 1_775_966_400.0, 101.5
STEP_M, REACH_M, EYE_M, PLANT_M = 3.0, 150.0, 1.6, 0.8
METHODS = ("plan", "flagged", "random", "as_walked", "historic")
HABITS = {
    "flagged": ("parcel", "random"),
    "random": ("random",),
    "historic": ("parcel", "history", "random"),
}
RANDOM_N, PLANNING_CELLS, MARGIN = 12, 4, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=100, help="first seed")
    parser.add_argument("--draws", type=int, default=150, help="hidden seasons per county")
    parser.add_argument("--iterations", type=int, default=12_000)
    parser.add_argument("--quick", action="store_true", help="two counties, few draws")
    parser.add_argument("--plot", type=Path, help="draw the ratios into this PNG")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.quick:
        asked.seeds, asked.draws, asked.iterations = min(asked.seeds, 2), min(asked.draws, 40), 4_000
    begin = time.process_time()
    rows = []
    for seed in range(asked.first, asked.first + asked.seeds):
        rows.append(one_county(seed, asked.draws, asked.iterations))
        if not asked.json:
            print(seed, rows[-1], flush=True)
    ratios = [row["plan"] / max(1, *(row[name] for name in METHODS[1:4])) for row in rows]
    answer = {
        "seeds": asked.seeds,
        "ratio_vs_best_median": median(ratios),
        "ratios": ratios,
        "ratio_vs_historic_median": median(row["plan"] / max(1, row["historic"]) for row in rows),
        "share_of_bound_median": median(row["share_of_bound"] for row in rows),
        "shares_of_bound": [row["share_of_bound"] for row in rows],
        "found": {name: sum(row[name] for row in rows) for name in METHODS},
        "plots": sum(row["plots"] for row in rows),
        "hours": rows[0]["hours"],
        "cpu_s": time.process_time() - begin,
    }
    if asked.plot:
        draw(ratios, answer["shares_of_bound"], asked.plot)
    print(json.dumps(answer) if asked.json else answer)


def draw(ratios: list[float], shares: list[float], file: Path) -> None:
    """The ratios of all counties in order with their median, and the shares of the bound beside."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, values, goal, title in (
        (left, ratios, 1.5, "finds of the plan / best of three habits"),
        (right, shares, None, "expected / bound without travel"),
    ):
        axes.bar(range(len(values)), sorted(values), color="#0072B2", width=0.9)
        axes.axhline(median(values), color="#D55E00", label=f"median {median(values):.2f}")
        if goal:
            axes.axhline(goal, color="black", linestyle=":", label=f"goal {goal}")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel(f"{len(values)} counties, in order", fontsize=8)
        axes.legend(fontsize=8)
    figure.savefig(file, dpi=110)


def one_county(seed: int, draws: int, iterations: int) -> dict[str, Any]:
    """Finds by method in one county, all townships and draws together."""
    made, rng = demo.make("small", seed), np.random.default_rng(seed)
    settings, season = Settings(), Season(2026)
    terrain = Terrain(made.elevation, made.cover, 10.0)
    plots = hidden_plots(made, draws, rng)
    walker = Walker(terrain, plots, season, settings)
    mass = start_of_season(made, terrain, settings)
    found = {name: np.zeros(len(plots)) for name in METHODS}
    expected, most, hours = 0.0, 0.0, 0.0
    for number, township in enumerate(made.townships.itertuples()):
        ours, habits = requests(made, terrain, mass, number, settings, season, rng)
        ours = replace(ours, seed=seed, iterations=iterations)
        plan = patrol.plan_sweep(ours)
        expected, most, hours = expected + plan.expected, most + plan.bound, plan.budget_h
        walks = {"plan": list(outings(plan, ours))}
        for name in HABITS:
            order = nearest_next(habits, name)
            walks[name] = list(outings(patrol.arranged(habits, {str(habits.teams["team_id"].iloc[0]): order}), habits))
        walks["as_walked"] = list(recorded(made, str(township.township_id), plan.budget_h * 3600.0))
        for name, lines in walks.items():
            for place, seconds in lines:
                found[name] += walker.hazard(place, seconds)
    row: dict[str, Any] = {"plots": len(plots), "hours": hours, "share_of_bound": expected / most}
    dice = rng.random(len(plots))
    for name, hazard in found.items():
        row[name] = int((dice < settings.detection.availability * -np.expm1(-hazard)).sum())
    return row


def hidden_plots(made: DemoCounty, draws: int, rng: np.random.Generator) -> Floats:
    """Places of the plots of many seasons, (n, 2) metres, by the demo's own law."""
    history = made.leads.geometry[made.leads["kind"] == "历史点位"].dropna()
    homes = made.villages.geometry.dropna()
    tables = [truth_table(made.townships, made.cover, history, homes, rng) for _ in range(draws)]
    return shapely.get_coordinates(pd.concat([table.geometry for table in tables]).to_numpy())


def start_of_season(made: DemoCounty, terrain: Terrain, settings: Settings) -> Grid:
    """Expected plots per cell before anybody walked: each township's even chance of one, by relative risk."""
    leads = made.leads[made.leads.geometry.notna()]
    historic = leads["kind"] == "历史点位"
    risk = priority.relative_risk(
        terrain,
        settings=settings.priority,
        edges=made.townships.boundary,
        spots=leads[historic].geometry,
        leads=leads[~historic].geometry,
        walk_m=priority.walking_metres(
            terrain,
            roads=made.roads,
            villages=made.villages.geometry,
            planning=settings.planning,
            cell_m=settings.priority.remote_cell_m,
        ),
    )
    zones = zonal.zone_grid(made.townships, terrain.elevation.frame)
    nothing = Grid(np.zeros(risk.frame.shape, np.float32), risk.frame)
    return priority.posterior_mass(risk, nothing, zones=zones, present=np.full(len(made.townships), 0.5))


def requests(
    made: DemoCounty,
    terrain: Terrain,
    mass: Grid,
    number: int,
    settings: Settings,
    season: Season,
    rng: np.random.Generator,
) -> tuple[patrol.SweepRequest, patrol.SweepRequest]:
    """Our planner's request for a township, and one over the places the habits choose from."""
    township = made.townships.iloc[number]
    window, rows, cols = around(mass, township.geometry.bounds)
    local = Terrain(
        Grid(terrain.elevation.values[rows, cols], window), Grid(terrain.cover.values[rows, cols], window), 10.0
    )
    zones = zonal.zone_grid(made.townships, window).values == number + 1
    own = Grid(np.where(zones, mass.values[rows, cols], 0.0).astype(np.float32), window)
    width = sweep_widths(local, season, settings.detection, day=DAY_N)
    ground = Ground(local, own, width)
    surface = travel.cost_surface(local, made.roads, settings.planning)
    office = made.offices[made.offices["township_id"] == township["township_id"]].geometry.iloc[0]
    teams = pd.DataFrame([{"team_id": "A", "name": "A", "easting_m": office.x, "northing_m": office.y}])
    flagged = made.parcels[made.parcels["township_id"] == township["township_id"]]
    due = patrol.parcel_targets(flagged, settings.planning)
    ring = (surface, local.elevation, settings.planning, settings.detection.search_speed_kmh)
    swept = sweep_targets(ground, surface, np.array([[office.x, office.y]]), settings.planning, settings.detection)
    ours = pd.concat([one for one in (with_rings(due, *ring), swept) if len(one)], ignore_index=True)
    views = views_of(lines_to_see(ours), ground, season, settings.detection, noon_s=NOON_S, cells=PLANNING_CELLS)
    views = with_own_cells(views, due["mass"].to_numpy(float), settings.detection.availability)
    request = patrol.SweepRequest(
        day=DAY, surface=surface, teams=teams, targets=ours, settings=settings.planning, views=views
    )
    spots = made.leads[(made.leads["kind"] == "历史点位") & made.leads.geometry.notna()]
    spots = spots[spots.geometry.within(township.geometry)]
    old = spot_targets(spots, settings)
    chosen = [with_rings(due, *ring), with_rings(old, *ring), random_segments(ground, surface, settings, rng)]
    places = pd.concat([one for one in chosen if len(one)], ignore_index=True).assign(must=False)
    habits = replace(request, targets=places, views=None)
    return request, replace(habits, matrix=patrol.travel_matrix(habits))


def around(grid: Grid, bounds: tuple[float, float, float, float]) -> tuple[Any, slice, slice]:
    west, south, east, north = bounds
    (top, bottom), (left, right) = grid.frame.cells([west, east], [north, south])
    row, col = max(int(top) - MARGIN, 0), max(int(left) - MARGIN, 0)
    cut = grid.frame.window(row, col, int(bottom) + MARGIN - row, int(right) + MARGIN - col)
    return cut, slice(row, row + cut.rows), slice(col, col + cut.cols)


def spot_targets(spots: gpd.GeoDataFrame, settings: Settings) -> pd.DataFrame:
    """Historic spots as places to look at, for the habit that goes to them."""
    place = spots.geometry
    told = {"target_id": spots["lead_id"], "kind": "history", "name": "", "easting_m": place.x, "northing_m": place.y}
    told |= {"mass": 0.1, "sweep_s": settings.planning.service_min * 60.0, "must": False, "deadline": None}
    return pd.DataFrame(told | {"reason": ""}, columns=list(TARGETS)).reset_index(drop=True)


def random_segments(
    ground: Ground, surface: travel.CostSurface, settings: Settings, rng: np.random.Generator
) -> pd.DataFrame:
    """Blocks drawn uniformly among all with plantable ground worth five minutes."""
    _, seconds = block_values(ground, settings.planning, settings.detection.search_speed_kmh)
    held = np.argwhere(seconds >= 300.0)
    rows = []
    for block in rng.permutation(held)[: 4 * RANDOM_N]:
        sweep = sweep_of(ground, (int(block[0]), int(block[1])), settings.planning, settings.detection)
        if sweep is None or not travel.is_open(surface, sweep.line).all() or len(rows) == RANDOM_N:
            continue
        east, north = sweep.line[0]
        rows.append((f"R{len(rows)}", "random", "", east, north, 0.0, sweep.seconds, False, None, "", sweep.line))
    return pd.DataFrame(rows, columns=[*TARGETS, "line"])


def nearest_next(request: patrol.SweepRequest, habit: str) -> list[str]:
    """Targets in the order of a habit: of the first kind that is left, the nearest that still fits in the day."""
    kinds = HABITS[habit]
    way, targets = request.matrix or patrol.travel_matrix(request), request.targets
    order: list[int] = []
    spent_s = 0.0
    for kind in kinds:
        left = set(np.flatnonzero(targets["kind"] == kind).tolist())
        while left:
            here = way.leg[order[-1]] if order else way.out[0]
            best = min(left, key=lambda one: here[one])
            left.discard(best)
            need = here[best] + float(targets["sweep_s"].iloc[best])
            if spent_s + need + way.back[best, 0] <= request.budget_s:
                order.append(best)
                spent_s += need
    return [str(targets["target_id"].iloc[one]) for one in order]


def outings(plan: patrol.Plan, request: patrol.SweepRequest) -> Iterator[tuple[Floats, Floats]]:
    """Places and seconds of each route: Tobler's speed off paths on the way, search speed on what is searched."""
    searched = {
        (*a, *b)
        for line in request.targets["line"]
        if isinstance(line, np.ndarray)
        for a, b in zip(line[:-1].tolist(), line[1:].tolist(), strict=True)
    }
    for route in plan.routes.geometry:
        points = shapely.get_coordinates(route)
        lines, seconds = [points[:1]], [np.zeros(1)]
        for a, b in zip(points[:-1].tolist(), points[1:].tolist(), strict=True):
            dense = densified(np.array([a, b]), STEP_M)
            length = np.hypot(*np.diff(dense, axis=0).T)
            slowest_kmh = 1.0 if (*a, *b) in searched else 3.0
            lines.append(dense[1:])
            seconds.append(seconds[-1][-1] + np.cumsum(length * 3.6 / slowest_kmh))
        yield np.vstack(lines), np.concatenate(seconds)


def recorded(made: DemoCounty, township_id: str, hours_s: float) -> Iterator[tuple[Floats, Floats]]:
    """The township's foot tracks, earliest first, until the hours are spent."""
    mine = made.tracks[(made.tracks["township_id"] == township_id) & (made.tracks["mode"] == "foot")]
    left_s = hours_s
    for line in mine.sort_values("started_at").geometry:
        values = shapely.get_coordinates(line, include_z=True, include_m=True)
        seconds = values[:, 3] - values[0, 3]
        held = seconds <= left_s
        if left_s <= 0 or held.sum() < 2:
            return
        left_s -= float(seconds[held][-1])
        yield values[held, :2], seconds[held]


class Walker:
    """Who walks past the hidden plots: what he might have seen of each, in nats, by his own law and line of sight."""

    def __init__(self, terrain: Terrain, plots: Floats, season: Season, settings: Settings) -> None:
        self.heights, self.frame = terrain.elevation.values.astype(float), terrain.elevation.frame
        self.plots, self.tree, self.settings = plots, cKDTree(plots), settings.detection
        row, col = self.frame.cells(plots[:, 0], plots[:, 1])
        kind, stage = terrain.cover.values[row, col], season.stage_of(DAY_N, self.heights[row, col])
        widths = {int(COVER_NAMES[name]): table for name, table in self.settings.sweep_width_m.items()}
        pairs = zip(kind.tolist(), np.asarray(stage).tolist(), strict=True)
        self.width = np.array([widths.get(k, (0.0, 0.0, 0.0))[int(s)] for k, s in pairs])

    def hazard(self, place: Floats, seconds: Floats) -> Floats:
        """Nats by plot along one walk; `place` (n, 2) metres, `seconds` (n,)."""
        steps, metres, share = self._steps(place, seconds)
        total = np.zeros(len(self.plots))
        near = self.tree.query_ball_point(steps, REACH_M)
        who = np.repeat(np.arange(len(steps)), [len(one) for one in near])
        plot = np.concatenate([np.asarray(one, int) for one in near]) if len(near) else np.zeros(0, int)
        alive = (share[who] > 0) & (self.width[plot] > 0)
        who, plot = who[alive], plot[alive]
        if len(who):
            seen = self._sees(steps[who], self.plots[plot])
            width = self.width[plot]
            away = np.maximum(np.hypot(*(steps[who] - self.plots[plot]).T), width / 10.0)
            nats = width**2 / (8.0 * np.pi * away**3) * metres[who] * share[who] * seen
            np.add.at(total, plot, nats)
        return total

    def _steps(self, place: Floats, seconds: Floats) -> tuple[Floats, Floats, Floats]:
        """Middles of short steps, their metres, and the share of the law that counts at their speed."""
        length = np.hypot(*np.diff(place, axis=0).T)
        run, marks = np.r_[0.0, np.cumsum(length)], np.diff(seconds)
        count = np.maximum(1, np.ceil(length / STEP_M)).astype(int)
        which = np.repeat(np.arange(len(length)), count)
        inside = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        part = (inside + 0.5) / count[which]
        steps = place[which] + (place[which + 1] - place[which]) * part[:, None]
        window = np.interp(np.clip(seconds + 30.0, None, seconds[-1]), seconds, run)
        window -= np.interp(np.clip(seconds - 30.0, seconds[0], None), seconds, run)
        span = np.clip(seconds + 30.0, None, seconds[-1]) - np.clip(seconds - 30.0, seconds[0], None)
        kmh = (window / np.maximum(span, 1e-9) * 3.6)[which]
        slow = self.settings.search_speed_kmh
        share = np.where(kmh > self.settings.top_speed_kmh, 0.0, slow / np.maximum(kmh, slow))
        stood = (marks > self.settings.longest_gap_s) | (length > self.settings.longest_gap_m)
        return steps, length[which] / count[which], np.where(stood[which], 0.0, share)

    def _sees(self, eye: Floats, plot: Floats) -> npt.NDArray[np.bool_]:
        """Whether the straight line from eye to plant clears the ground, tested every tenth of the way."""
        top, foot = self._at(eye) + EYE_M, self._at(plot) + PLANT_M
        clear = np.ones(len(eye), bool)
        for part in np.linspace(0.05, 0.95, 19):
            ground = self._at(eye + (plot - eye) * part)
            clear &= ~(ground > top + (foot - top) * part)
        return clear

    def _at(self, place: Floats) -> Floats:
        """Height between cell centres, metres."""
        down = np.clip((self.frame.north_m - place[:, 1]) / self.frame.cell_m - 0.5, 0, self.frame.rows - 1.001)
        right = np.clip((place[:, 0] - self.frame.west_m) / self.frame.cell_m - 0.5, 0, self.frame.cols - 1.001)
        r, c = down.astype(int), right.astype(int)
        a, b, h = down - r, right - c, self.heights
        upper = h[r, c] * (1 - b) + h[r, c + 1] * b
        return np.asarray(upper * (1 - a) + (h[r + 1, c] * (1 - b) + h[r + 1, c + 1] * b) * a)


if __name__ == "__main__":
    main()
