"""Where the next hour of looking is worth most, and how many hours a goal still takes, travel left out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.analysis import _kernels_zonal as kernels
from geo.grid import Grid
from geo.layers.terrain import COVER_NAMES, PLANTABLE, Terrain
from geo.season import Season, Stage
from geo.settings import DetectionSettings

LOWEST_LEVEL, BINS_PER_FOLD, BINS = -44.0, 48.0, 2048
STEPS = 100

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Unseen:
    """
    What an endless search could still find, one row of bins of u per zone × cover × stage.

    u of a cell is the chance that a plot stands there, escaped so far, and would be found in this period's next look:
    mass·(a - POD). `bins` (zones, covers, stages, bins, 3): number of cells, Σu, Σln u; `rates` (covers, stages):
    hazard added to a cell per hour of search in it, W·v/A (random search within the cell).
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
    chance, rate = np.asarray(prior, float), rates(areas_km2, widths_m, speed_kmh)
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
    return times, success(prior, areas_km2, widths_m, speed_kmh, times)


def rates(areas_km2: npt.ArrayLike, widths_m: npt.ArrayLike, speed_kmh: float) -> Floats:
    """Hazard per hour of search in each region, r = W·v/A."""
    return np.asarray(np.asarray(widths_m, float) / 1000.0 * speed_kmh / np.asarray(areas_km2, float))


def success(
    prior: npt.ArrayLike, areas_km2: npt.ArrayLike, widths_m: npt.ArrayLike, speed_kmh: float, hours: npt.ArrayLike
) -> float:
    """
    Chance of success of given hours per region, Σ p_i(1 - e^(-r_i t_i)).

    >>> round(success([0.5, 0.3, 0.2], [1, 1, 2], [20, 20, 10], 1.0, [25.0, 15.0, 10.0]), 6)
    0.284243
    """
    rate = rates(areas_km2, widths_m, speed_kmh)
    return float(np.sum(np.asarray(prior, float) * -np.expm1(-rate * np.asarray(hours, float))))


def search_rates(settings: DetectionSettings, cell_m: float) -> Floats:
    """Hazard per hour of search in one cell, W·v/A, of each plantable cover and stage, shape (3, 3)."""
    names = {number: name for name, number in COVER_NAMES.items()}
    widths = np.array([settings.sweep_width_m.get(names[cover], (0.0,) * len(Stage)) for cover in PLANTABLE], float)
    return np.asarray(widths * settings.search_speed_kmh * 1000.0 / cell_m**2, float)


def unseen(
    mass: npt.NDArray[np.float32],
    now: npt.NDArray[np.float32],
    *,
    zones: Grid,
    parents: npt.NDArray[np.int64],
    zones_n: int,
    terrain: Terrain,
    season: Season,
    day: float,
    settings: DetectionSettings,
) -> Unseen:
    """
    `Unseen` of one period: `mass` per cell what stands there but for this period's looks, `now` this period's POD.

    `day` after 1 January gives the growth stage; `zones`, `parents` as in `looks.sum_looks`. Sorting cells by u alone
    loses nothing: an hour in a cell is worth r·u, and bringing it down to λ takes ln(r·u/λ)/r hours. Only the one bin
    in which λ falls is taken at its mean.
    """
    bins = np.zeros((zones_n, len(PLANTABLE), len(Stage), BINS, 3))
    calendar = np.array([day, season.days_per_100_m, *season.stage_start_days()])
    scale = np.array([settings.availability, LOWEST_LEVEL, BINS_PER_FOLD])
    elevation, cover = terrain.elevation.values, terrain.cover.values
    kernels.rank_unseen(mass, now, zones.values, parents, cover, elevation, calendar, scale, bins)
    return Unseen(bins, search_rates(settings, zones.frame.cell_m))


def hours_needed(left: Unseen, zone: int, gain: float) -> float:
    """
    Fewest hours of search in the zone's cells that find `gain` of Σu; infinite where it cannot be had.

    Every cell above the level λ is searched down to it: Σ (r·u - λ)/r = gain, found by bisection on ln λ, and the time
    is Σ ln(r·u/λ)/r.
    """
    if gain <= 0.0:
        return 0.0
    held = _Ranked.of(left, zone)
    if gain >= held.total.sum():
        return float("inf")
    return held.hours(_bisect(held.gained, gain, held.ends))


def gain_of(left: Unseen, zone: int, hours: float, *, cover: int | None = None) -> float:
    """
    Most of Σu that `hours` of search can find in the zone, or in one of its plantable covers (0, 1, 2).
    """
    held = _Ranked.of(left, zone, cover)
    if hours <= 0.0 or not len(held.total):
        return 0.0
    return held.gained(_bisect(held.hours, hours, held.ends))


@dataclass(frozen=True)
class _Ranked:
    """The bins of one zone that can be searched: cells, Σu, Σln u, hazard per hour, and ln(r·u) at their mean."""

    number: Floats
    total: Floats
    logs: Floats
    rates: Floats
    tops: Floats

    @classmethod
    def of(cls, left: Unseen, zone: int, cover: int | None = None) -> "_Ranked":
        some = slice(None) if cover is None else slice(cover, cover + 1)
        table = left.bins[zone, some].reshape(-1, 3)
        rates = np.repeat(left.rates[some].reshape(-1), BINS)
        held = (table[:, 0] > 0.0) & (rates > 0.0)
        number, total, logs = table[held].T
        return cls(number, total, logs, rates[held], np.log(rates[held]) + np.log(total / number))

    @property
    def ends(self) -> tuple[float, float]:
        """ln λ at which everything, and at which nothing, is worth searching."""
        return float(self.tops.min()) - 60.0, float(self.tops.max())

    def gained(self, level: float) -> float:
        """Σu found when every cell is searched down to ln λ = `level`."""
        some = self.tops > level
        return float(np.sum(self.total[some] - self.number[some] * np.exp(level) / self.rates[some]))

    def hours(self, level: float) -> float:
        """The hours that takes."""
        some = self.tops > level
        each = self.logs[some] + self.number[some] * (np.log(self.rates[some]) - level)
        return float(np.sum(each / self.rates[some]))


def _bisect(falling: Callable[[float], float], goal: float, ends: tuple[float, float]) -> float:
    low, high = ends
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if falling(middle) >= goal:
            low = middle
        else:
            high = middle
    return low
