"""
Is it right as often as it says? Simulated seasons against a separate walker, by tenths of the said probability.

``python -m benchmarks.calibration [--seasons N] [--seed S] [--quick] [--json] [--plot FILE.png]``

Each season is a made-up county of 20 small townships on rough ground. Teams walk 5 to 10 tracks in each, some of them
again and again over the same blocks, some into the neighbour's ground; effort runs from none to enough for a
sensitivity of .9. Plots are hidden at continuous positions drawn from the model's own prior: standing from the start,
or planted in a month with that month's chance, on cells by their relative risk. Whether anybody finds one is decided by
`walk_past` below, which shares nothing with the engine: float64 steps of one second along the walked path, its own
line of sight over its own bilinear ground, its own law; each month's looks find an available plot only. Where nothing
was found, the program's ``p_zero`` is set against whether nothing stands.

Dice are spread evenly (a Kronecker sequence over the township-seasons in order of what was said), which leaves every
single die fair and takes most of the luck out of the sums: what remains is the model's own error.

Every tenth with at least 300 township-seasons passes when its mean said probability lies in the 95 % Clopper-Pearson
interval of the observed share; so does the tenth around .9, .85 to .95, which must hold 300. Exit code 1 otherwise.
JSON: ``{seasons_n, townships_n, township_seasons_n, found_n, seed, priors, sensitivity_range, sensitivity_mean,
walker_mean, tenths: [{low, high, n, said, observed, ci_low, ci_high, counted, passed}], around_90: {…},
enough_around_90, passed, seconds}``; the two means are the program's and the walker's for the same ground.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from numba import njit, prange
from scipy.special import betaincinv

from geo.analysis import coverage
from geo.analysis.absence import assess
from geo.analysis.pieces import walked_pieces
from geo.analysis.priority import relative_risk
from geo.analysis.standing import arrivals, introductions
from geo.grid import Frame, Grid
from geo.layers.terrain import COVER_NAMES, Cover, Terrain
from geo.season import CHINA, Season
from geo.settings import AbsenceSettings, Settings

Floats = npt.NDArray[np.float64]

SIDE, ROWS, COLS, MARGIN = 100, 4, 5, 25  # cells of a township, townships, cells around the county
CELL_M, FIX_S = 10.0, 20.0
PRIORS = (0.9, 0.5, 0.7, 0.9, 0.6, 0.8)
LEAST_N = 300
EFFORT_KM = ((0.0, 8.0), (8.0, 80.0), (80.0, 280.0), (300.0, 900.0))  # kilometres walked in a township in a season
EFFORT_SHARES = (0.2, 0.35, 0.37, 0.08)
SEASON = Season(2026)
GOLDEN = (0.7548776662466927, 0.5698402909980532)  # 1/x and 1/x² for x³ = x + 1: two sequences that stay even together


@dataclass(frozen=True)
class County:
    """Made-up ground: heights, cover and relative risk on one frame, and the township of each cell."""

    terrain: Terrain
    risk: Grid
    zones: Grid


@dataclass(frozen=True)
class Walks:
    """Walked paths: fixes (n, 2) metres, their UTC seconds, track and month, and per track the speed, km/h."""

    places: Floats
    seconds: Floats
    track: npt.NDArray[np.int64]
    month: npt.NDArray[np.int64]
    speed_kmh: Floats


def noise(rng: np.random.Generator, shape: tuple[int, int], wavelength: float) -> Floats:
    """Smooth noise of mean 0 and standard deviation 1; wavelength in cells."""
    turns = np.hypot(*np.meshgrid(np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1]), indexing="ij"))
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * np.exp(-0.5 * (turns * wavelength / 2.0) ** 2)
    smooth = np.fft.irfft2(spectrum, s=shape)
    return np.asarray((smooth - smooth.mean()) / smooth.std())


def make_county(rng: np.random.Generator, settings: Settings) -> County:
    """Ridges of some 150 m with a rough skin, patches of cover, and risks by the model's own rule."""
    shape = (ROWS * SIDE + 2 * MARGIN, COLS * SIDE + 2 * MARGIN)
    frame = Frame(0.0, shape[0] * CELL_M, CELL_M, *shape, pyproj.CRS.from_epsg(4544))
    height = 1100.0 + 70.0 * noise(rng, shape, 70.0) + 18.0 * noise(rng, shape, 22.0) + 2.0 * noise(rng, shape, 7.0)
    kinds = np.array([Cover.OPEN, Cover.CROPS, Cover.SCRUB, Cover.FOREST], np.uint8)
    patches = noise(rng, shape, 25.0)
    cover = kinds[np.searchsorted([-0.5, 0.2, 1.0], patches)]
    terrain = Terrain(Grid(height.astype(np.float32), frame), Grid(cover, frame), CELL_M)
    row, col = np.indices(shape)
    r, c = (row - MARGIN) // SIDE, (col - MARGIN) // SIDE
    inside = (r >= 0) & (r < ROWS) & (c >= 0) & (c < COLS)
    zones = Grid(np.where(inside, r * COLS + c + 1, 0).astype(np.int16), frame)
    spots = rng.uniform(MARGIN * CELL_M, (MARGIN + SIDE * ROWS) * CELL_M, (15, 2))
    risk = relative_risk(
        terrain,
        settings=settings.priority,
        edges=gpd.GeoSeries([shapely.box(*frame.bounds).buffer(-MARGIN * CELL_M).exterior], crs=frame.crs),
        spots=gpd.GeoSeries(shapely.points(spots), crs=frame.crs),
    )
    return County(terrain, risk, zones)


def make_walks(rng: np.random.Generator, frame: Frame, months_n: int) -> Walks:
    """5 to 10 tracks in each township: rows of lines over blocks, of which some are walked again in other months."""
    parts: list[tuple[Floats, int, float]] = []
    for zone in range(ROWS * COLS):
        corner = np.array([MARGIN + zone % COLS * SIDE, MARGIN + zone // COLS * SIDE]) * CELL_M
        low = np.array([corner[0], frame.north_m - corner[1] - SIDE * CELL_M])
        tracks_n = int(rng.integers(5, 11))
        total_m = 1000.0 * float(rng.choice([rng.uniform(low, high) for low, high in EFFORT_KM], p=EFFORT_SHARES))
        blocks = low + rng.uniform(0.0, SIDE * CELL_M, (3, 2))
        again = rng.random() < 0.5
        for length in rng.dirichlet(np.full(tracks_n, 2.0)) * total_m:
            centre = blocks[rng.integers(3)] if again else low + rng.uniform(0.0, SIDE * CELL_M, 2)
            speed = float(rng.uniform(0.6, 1.8))
            line = hatch(rng, centre, length, frame)
            parts.append((along(line, FIX_S * speed / 3.6), int(rng.integers(months_n)), speed))
    places = np.concatenate([path for path, _, _ in parts])
    counts = [len(path) for path, _, _ in parts]
    month = np.repeat([m for _, m, _ in parts], counts)
    track = np.repeat(np.arange(len(parts)), counts)
    begin = (
        np.array([start.timestamp() for start in SEASON.bounds])[month]
        + rng.uniform(0, 20 * 86400.0, len(parts))[track]
    )
    nth = np.arange(len(track)) - np.repeat(np.cumsum(counts) - counts, counts)
    return Walks(places, begin + nth * FIX_S, track, month, np.array([speed for _, _, speed in parts]))


def hatch(rng: np.random.Generator, centre: Floats, length_m: float, frame: Frame) -> Floats:
    """Vertices of back-and-forth lines over a block, layer upon layer under new headings, until the length is used."""
    side, vertices, left = float(rng.uniform(250.0, 900.0)), [], max(length_m, 60.0)
    while left > 0.0:
        spacing, turn = float(rng.uniform(12.0, 60.0)), rng.uniform(0.0, 2.0 * np.pi)
        offsets = np.arange(-side / 2.0, side / 2.0, spacing) + rng.uniform(0.0, spacing)
        offsets = offsets[: max(int(left / (side + spacing)) + 1, 1)]
        ends = np.stack([np.full(len(offsets), -side / 2.0), np.full(len(offsets), side / 2.0)], axis=1)
        ends[1::2] = ends[1::2, ::-1]
        flat = np.stack([ends.ravel(), np.repeat(offsets, 2)], axis=1)
        spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        vertices.append(centre + flat @ spin)
        left -= len(offsets) * (side + spacing)
    west, south, east, north = frame.bounds
    room = 2.0 * CELL_M
    return np.clip(np.concatenate(vertices), [west + room, south + room], [east - room, north - room])


def along(line: Floats, step_m: float) -> Floats:
    """Points every `step_m` along a line, its start included."""
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    stops = np.arange(0.0, max(at[-1], step_m * 2.5), step_m)
    return np.stack([np.interp(stops, at, line[:, 0]), np.interp(stops, at, line[:, 1])], axis=1)


@njit(cache=True)
def ground(heights: Floats, east: float, south: float) -> float:
    """Bilinear height between cell centres; `east`, `south` in cells from the centre of the first."""
    col, row = (
        min(max(int(np.floor(east)), 0), heights.shape[1] - 2),
        min(max(int(np.floor(south)), 0), heights.shape[0] - 2),
    )
    x, y = min(max(east - col, 0.0), 1.0), min(max(south - row, 0.0), 1.0)
    upper = heights[row, col] * (1.0 - x) + heights[row, col + 1] * x
    lower = heights[row + 1, col] * (1.0 - x) + heights[row + 1, col + 1] * x
    return float(upper * (1.0 - y) + lower * y)


@njit(cache=True)
def in_sight(heights: Floats, e0: float, s0: float, z0: float, e1: float, s1: float, z1: float) -> bool:
    """Whether the straight line between two points (cells; metres of height) clears the ground, looked at every 4 m."""
    steps = int(np.ceil(np.hypot(e1 - e0, s1 - s0) / 0.4))
    for k in range(1, steps):
        share = k / steps
        if ground(heights, e0 + (e1 - e0) * share, s0 + (s1 - s0) * share) > z0 + (z1 - z0) * share + 1e-9:
            return False
    return True


@njit(cache=True, parallel=True)
def walk_past(  # type: ignore[no-untyped-def]
    heights,
    plots,
    widths,
    starts,
    later_days,
    begin,
    places,
    seconds,
    track,
    month,
    factor,
    eye_m,
    target_m,
    reach_m,
    step_s,
):
    """
    Hazard of each plot in each month (plots, months) from everybody walking by, second by second.

    `plots` (n, 2) in cells; `widths` (n, stages) sweep width of the plot's cover; `places` (fixes, 2) in cells.
    """
    hazards = np.zeros((plots.shape[0], starts.shape[0] + 8))
    steps = places[1:] - places[:-1]
    lengths = np.hypot(steps[:, 0], steps[:, 1]) * 10.0
    for n in prange(plots.shape[0]):
        e1, s1 = plots[n, 0], plots[n, 1]
        foot = ground(heights, e1, s1)
        for k in range(places.shape[0] - 1):
            length = lengths[k]
            if max(abs(e1 - places[k, 0]), abs(s1 - places[k, 1])) * 10.0 > reach_m + length:
                continue  # too far one way already: most fixes, and no root to take
            if track[k + 1] != track[k] or factor[track[k]] <= 0.0:
                continue
            de, ds = steps[k, 0], steps[k, 1]
            if np.hypot(e1 - places[k, 0], s1 - places[k, 1]) * 10.0 > reach_m + length or length == 0.0:
                continue
            day = np.floor((seconds[k] - begin) / 86400.0) - (foot - 1000.0) / 100.0 * later_days
            stage = 0
            for later in range(1, starts.shape[0]):
                if day >= starts[later]:
                    stage = later
            width = widths[n, stage]
            seen_in = int((seconds[k + 1] - seconds[k]) / step_s + 0.5)
            for second in range(seen_in):
                share = (second + 0.5) / seen_in
                e0, s0 = places[k, 0] + de * share, places[k, 1] + ds * share
                away = np.hypot(e1 - e0, s1 - s0) * 10.0
                if away > reach_m:
                    continue
                z0, z1 = ground(heights, e0, s0) + eye_m, foot + target_m
                if in_sight(heights, e0, s0, z0, e1, s1, z1):
                    near = max(away, width / 10.0)
                    law = width * width / (8.0 * np.pi * near * near * near)
                    hazards[n, month[k]] += law * length / seen_in * factor[track[k]]
    return hazards


def hide(rng: np.random.Generator, county: County, worlds_n: int) -> Floats:
    """`worlds_n` places per township by risk, anywhere in a cell: (townships × worlds, 2) in cells from the first."""
    places = []
    for zone in range(1, ROWS * COLS + 1):
        held = np.flatnonzero(county.zones.values.ravel() == zone)
        heap = np.cumsum(county.risk.values.ravel()[held].astype(float))
        dice = (rng.permutation(worlds_n) + rng.random(worlds_n)) / worlds_n
        cell = held[np.searchsorted(heap, dice * heap[-1], side="right")]
        row, col = np.divmod(cell, county.zones.frame.cols)
        places.append(np.stack([col, row], axis=1) + rng.uniform(-0.5, 0.5, (worlds_n, 2)))
    return np.concatenate(places)


def hazard_grids(county: County, walks: Walks, settings: Settings) -> list[tuple[int, Grid]]:
    """The program's own hazard of each month, the last first."""
    fixes = pd.DataFrame(
        {"track": walks.track, "part": walks.track, "easting_m": walks.places[:, 0], "northing_m": walks.places[:, 1],
         "seconds": walks.seconds}
    )  # fmt: skip
    pieces = walked_pieces(fixes, np.ones(len(walks.speed_kmh), bool), settings.detection)
    month = SEASON.period_of(pd.Series(pd.to_datetime(pieces.seconds, unit="s", utc=True)))
    grids = []
    for number in sorted(set(month.tolist()), reverse=True):
        grid = Grid(np.zeros(county.zones.frame.shape, np.int32), county.zones.frame)
        coverage.accumulate(grid, pieces.take(month == number), county.terrain, SEASON, settings.detection)
        grids.append((number, grid))
    return grids


def settings_of(prior: float) -> Settings:
    """The program's own settings with another prior; courtyards left out, as nobody enters one here."""
    return Settings(absence=AbsenceSettings(prior=prior, courtyard_share=0.0, draws=20))


def one_season(rng: np.random.Generator, prior: float, worlds_n: int) -> pd.DataFrame:
    """Per township and hidden world: what is said if nothing is found, and the chance of a find since each month."""
    settings, months_n = settings_of(prior), int(rng.integers(3, len(SEASON.months) + 1))
    county = make_county(rng, settings)
    frame = county.zones.frame
    walks = make_walks(rng, frame, months_n)
    said = assess(
        hazard_grids(county, walks, settings), zone_ids=[str(n) for n in range(ROWS * COLS)], zones=county.zones,
        risk=county.risk, terrain=county.terrain, season=SEASON, settings=settings,
        as_of=SEASON.bounds[months_n] - timedelta(minutes=1), rng=rng, has_tracks=np.ones((ROWS * COLS, 5), bool),
    ).townships  # fmt: skip
    plots = hide(rng, county, worlds_n)
    hazards = walker(county, walks, plots, settings)[:, :months_n]
    seen = settings.detection.availability * -np.expm1(-hazards)
    free, came = arrivals(prior, introductions(settings.absence, len(SEASON.months))[:months_n])
    escaped = np.cumprod((1.0 - seen)[:, ::-1], axis=1)[:, ::-1]
    table = {
        "said": np.repeat(said["p_zero"].to_numpy(float), worlds_n),
        "detection": np.repeat(said["detection"].to_numpy(float), worlds_n),
        "free": float(free),
    }
    for period in range(len(SEASON.months)):
        inside = period < months_n
        table[f"came_{period}"] = float(came[period]) if inside else 0.0
        table[f"found_{period}"] = 1.0 - escaped[:, period] if inside else 0.0
    return pd.DataFrame(table)


def walker(county: County, walks: Walks, plots: Floats, settings: Settings) -> Floats:
    """`walk_past` with this county's ground and the settings' beliefs."""
    frame, knobs = county.zones.frame, settings.detection
    names = {number: name for name, number in COVER_NAMES.items()}
    row, col = np.round(plots[:, 1]).astype(int), np.round(plots[:, 0]).astype(int)
    widths = np.array([knobs.sweep_width_m[names[Cover(kind)]] for kind in county.terrain.cover.values[row, col]])
    places = np.stack(
        [(walks.places[:, 0] - frame.west_m) / CELL_M - 0.5, (frame.north_m - walks.places[:, 1]) / CELL_M - 0.5],
        axis=1,
    )
    slowed = np.minimum(1.0, knobs.search_speed_kmh / walks.speed_kmh) * (walks.speed_kmh <= knobs.top_speed_kmh)
    new_year = datetime(SEASON.year, 1, 1, tzinfo=CHINA).timestamp()
    return np.asarray(
        walk_past(
            county.terrain.elevation.values.astype(np.float64), plots, widths, SEASON.stage_start_days(),
            SEASON.days_per_100_m, new_year, places, walks.seconds, walks.track, walks.month, slowed, knobs.eye_m,
            knobs.target_m, knobs.reach_m, 1.0,
        )
    )  # fmt: skip


def roll(worlds: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Whether a plot stands and was found: columns said, stands, found; the dice even in order of what was said."""
    ordered = worlds.sort_values("said", kind="stable").reset_index(drop=True)
    nth = np.arange(len(ordered))
    dice = [(rng.random() + nth * step) % 1.0 for step in GOLDEN]
    names = [name for name in ordered if str(name).startswith("came_")]
    heap = ordered["free"].to_numpy()[:, None] + np.cumsum(ordered[names].to_numpy(), axis=1)
    stands = dice[0] >= ordered["free"].to_numpy()
    since = np.minimum((dice[0][:, None] >= heap).sum(axis=1), len(names) - 1)
    chance = ordered[[f"found_{period}" for period in range(len(names))]].to_numpy()[nth, since]
    return pd.DataFrame({"said": ordered["said"], "stands": stands, "found": stands & (dice[1] < chance)})


def tenth(said: Floats, truth: npt.NDArray[np.bool_], low: float, high: float) -> dict[str, Any]:
    """One tenth of the said probability against the observed share, with its 95 % Clopper-Pearson interval."""
    held = (said >= low) & ((said < high) | ((high >= 1.0) & (said <= 1.0)))
    n, right = int(held.sum()), int(truth[held].sum())
    if n == 0:
        return {"low": low, "high": high, "n": 0, "counted": False, "passed": True}
    below = 0.0 if right == 0 else float(betaincinv(right, n - right + 1, 0.025))
    above = 1.0 if right == n else float(betaincinv(right + 1, n - right, 0.975))
    mean = float(said[held].mean())
    answer = {"low": low, "high": high, "n": n, "said": mean, "observed": right / n, "ci_low": below, "ci_high": above}
    return answer | {"counted": n >= LEAST_N, "passed": n < LEAST_N or below <= mean <= above}


def judge(rolled: pd.DataFrame) -> dict[str, Any]:
    """Every tenth, and the one around .9, of the township-seasons without a find."""
    quiet = rolled[~rolled["found"]]
    said, truth = quiet["said"].to_numpy(float), ~quiet["stands"].to_numpy(bool)
    tenths = [tenth(said, truth, k / 10.0, (k + 1) / 10.0) for k in range(10)]
    around = tenth(said, truth, 0.85, 0.95)
    enough = bool(around["counted"] and tenths[9]["counted"])
    passed = enough and all(one["passed"] for one in [*tenths, around])
    return {"tenths": tenths, "around_90": around, "enough_around_90": enough, "passed": passed}


def run(seasons_n: int, seed: int, *, worlds_n: int) -> dict[str, Any]:
    """All seasons of one seed, and the verdict."""
    rng, begun = np.random.default_rng(seed), time.process_time()
    worlds = pd.concat(
        [one_season(rng, PRIORS[number % len(PRIORS)], worlds_n) for number in range(seasons_n)], ignore_index=True
    )
    rolled = roll(worlds, rng)
    return {
        "seasons_n": seasons_n,
        "townships_n": seasons_n * ROWS * COLS,
        "township_seasons_n": len(worlds),
        "found_n": int(rolled["found"].sum()),
        "seed": seed,
        "priors": sorted(set(PRIORS)),
        "sensitivity_range": [float(worlds["detection"].min()), float(worlds["detection"].max())],
        "sensitivity_mean": float(worlds["detection"].mean()),
        "walker_mean": float(worlds["found_0"].mean()),
        **judge(rolled),
        "seconds": time.process_time() - begun,
    }


def draw(answer: dict[str, Any], file: Path) -> None:
    """The reliability plot: said against observed, with the intervals."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    held = [one for one in answer["tenths"] if one["counted"]]
    said, observed = ([one[name] for one in held] for name in ("said", "observed"))
    bars = [[one["observed"] - one["ci_low"] for one in held], [one["ci_high"] - one["observed"] for one in held]]
    figure, axes = plt.subplots(figsize=(5.2, 4.8), dpi=110)
    axes.plot([0, 1], [0, 1], color="0.6", lw=1, label="right as often as said")
    axes.errorbar(said, observed, yerr=bars, fmt="o", ms=5, capsize=3, color="#1f5f8b", label="observed, 95 % interval")
    for one in held:
        axes.annotate(
            f"n={one['n']}", (one["said"], one["observed"]), textcoords="offset points", xytext=(8, -11), size=7
        )
    axes.set(xlim=(0.3, 1.0), ylim=(0.3, 1.0), xlabel="said: nothing stands undetected", ylabel="observed share")
    axes.set_title(f"{answer['township_seasons_n']:,} simulated township-seasons, seed {answer['seed']}", size=9)
    axes.legend(loc="upper left", frameon=False, fontsize=8)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Software": None})
    plt.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.calibration", description="is it right as often as it says?")
    parser.add_argument("--seasons", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--worlds", type=int, default=12, help="hidden worlds per township and season")
    parser.add_argument("--quick", action="store_true", help="8 seasons of 30 worlds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args(arguments)
    seasons_n, worlds_n = (8, 30) if options.quick else (options.seasons, options.worlds)
    answer = run(seasons_n, options.seed, worlds_n=worlds_n)
    if options.plot:
        draw(answer, options.plot)
    if options.json:
        print(json.dumps(answer))
    else:
        for one in [*answer["tenths"], answer["around_90"]]:
            if one["n"]:
                print(f"{one['low']:.2f}-{one['high']:.2f}  n {one['n']:5d}  said {one['said']:.3f}  observed "
                      f"{one['observed']:.3f}  [{one['ci_low']:.3f}, {one['ci_high']:.3f}]  "
                      f"{'ok' if one['passed'] else 'BAD'}{'' if one['counted'] else ' (too few)'}")  # fmt: skip
        print(f"sensitivity {answer['sensitivity_mean']:.4f}, by the walker {answer['walker_mean']:.4f}")
        print("passed" if answer["passed"] else "FAILED", f"{answer['seconds']:.0f} s")
    return 0 if answer["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
