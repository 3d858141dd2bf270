"""Where the next hour of looking is worth most, and how many hours a goal still takes, travel left out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.analysis import _kernels_zonal as kernels
from geo.analysis.detection import HAZARD_UNITS
from geo.grid import Grid
from geo.layers.terrain import COVER_NAMES, PLANTABLE, Terrain
from geo.season import Season, Stage
from geo.settings import DetectionSettings

LOWEST_LEVEL, BINS_PER_FOLD, BINS = -24.0, 64.0, 2048
STEPS = 100

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Unseen:
    """
    What remains to be seen, one row of bins of u = RR·e^-H per zone × cover × stage.

    `bins` (zones, covers, stages, bins, 3): number of cells, Σu, Σln u; `rates` (covers, stages): hazard added to a
    cell per hour of search in it, W·v/A (random search within the cell).
    """

    bins: Floats
    rates: Floats


def allocate(
    prior: npt.ArrayLike, areas_km2: npt.ArrayLike, widths_m: npt.ArrayLike, speed_kmh: float, hours: float
) -> tuple[Floats, float]:
    """
    Hours per region that maximise Σ p_i(1 - e^(-r_i t_i)) within `hours`, and the chance of success it reaches.

    r = W·v/A and t_i = max(0, ln(p_i r_i/λ)/r_i) (Charnes & Cooper 1958; Stone 1975). Exact: regions are opened in the
    order of p·r, and λ follows in closed form. Travel is left out, so no route can do better.

    >>> times, found = allocate([0.5, 0.3, 0.2], [1, 1, 2], [20, 20, 10], 1.0, 50.0)
    >>> times.round(6).tolist(), round(found, 6)
    ([37.770641, 12.229359, 0.0], 0.330183)
    """
    chance = np.asarray(prior, float)
    rate = np.asarray(widths_m, float) / 1000.0 * speed_kmh / np.asarray(areas_km2, float)
    value = chance * rate
    times = np.zeros(len(chance))
    order = np.argsort(-value, kind="stable")
    order = order[value[order] > 0.0]
    for opened in range(len(order), 0, -1):
        some = order[:opened]
        level = (np.sum(np.log(value[some]) / rate[some]) - hours) / np.sum(1.0 / rate[some])
        if np.log(value[some[-1]]) >= level:
            times[some] = (np.log(value[some]) - level) / rate[some]
            break
    return times, float(np.sum(chance * (1.0 - np.exp(-rate * times))))


def search_rates(settings: DetectionSettings, cell_m: float) -> Floats:
    """Hazard per hour of search in one cell, W·v/A, of each plantable cover and stage, shape (3, 3)."""
    names = {number: name for name, number in COVER_NAMES.items()}
    widths = np.array([settings.sweep_width_m.get(names[cover], (0.0,) * len(Stage)) for cover in PLANTABLE], float)
    return np.asarray(widths * settings.search_speed_kmh * 1000.0 / cell_m**2, float)


def unseen(
    hazard: Grid,
    *,
    zones: Grid,
    zones_n: int,
    risk: Grid,
    terrain: Terrain,
    season: Season,
    day: float,
    settings: DetectionSettings,
) -> Unseen:
    """
    `Unseen` of one period: `hazard` int32 units of 1/65536 nat, `day` after 1 January for the growth stage.

    Sorting cells by u alone loses nothing: an hour in a cell is worth r·u, and bringing it down to λ takes
    ln(r·u/λ)/r hours. Only the one bin in which λ falls is taken at its mean.
    """
    bins = np.zeros((zones_n, len(PLANTABLE), len(Stage), BINS, 3))
    calendar = np.array([day, season.days_per_100_m, *season.stage_start_days()])
    scale = np.array([float(HAZARD_UNITS), LOWEST_LEVEL, BINS_PER_FOLD])
    elevation, cover = terrain.elevation.values, terrain.cover.values
    kernels.rank_unseen(hazard.values, zones.values, risk.values, cover, elevation, calendar, scale, bins)
    return Unseen(bins, search_rates(settings, hazard.frame.cell_m))


def hours_needed(left: Unseen, zone: int, gain: float) -> float:
    """
    Fewest hours of search in the zone's cells that add `gain` to Σ RR·(1 - e^-H); infinite where it cannot be had.

    Every cell above the level λ is searched down to it: Σ (r·u - λ)/r = gain, found by bisection on ln λ, and the time
    is Σ ln(r·u/λ)/r.
    """
    if gain <= 0.0:
        return 0.0
    table = left.bins[zone].reshape(-1, BINS, 3)
    rates = np.repeat(left.rates.reshape(-1), BINS)
    number, total, logs = table[..., 0].ravel(), table[..., 1].ravel(), table[..., 2].ravel()
    held = (number > 0.0) & (rates > 0.0)
    number, total, logs, rates = number[held], total[held], logs[held], rates[held]
    if gain >= total.sum():
        return float("inf")
    tops = np.log(rates) + np.log(total / number)

    def gained(level: float) -> float:
        some = tops > level
        return float(np.sum(total[some] - number[some] * np.exp(level) / rates[some]))

    level = _bisect(gained, gain, (float(tops.min()) - 60.0, float(tops.max())))
    some = tops > level
    return float(np.sum((logs[some] + number[some] * (np.log(rates[some]) - level)) / rates[some]))


def _bisect(falling: Callable[[float], float], goal: float, ends: tuple[float, float]) -> float:
    low, high = ends
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if falling(middle) >= goal:
            low = middle
        else:
            high = middle
    return low
