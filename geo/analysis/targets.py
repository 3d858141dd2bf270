"""What a day could visit: flagged parcels, later looks and sweep segments as tables of targets."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis import travel
from geo.analysis.sweeps import Ground, block_centres, block_values, sweep_of, walking_s
from geo.grid import Grid
from geo.layers import parcels as parcel_layer
from geo.settings import DetectionSettings, PlanningSettings

Floats = npt.NDArray[np.float64]

TARGETS = (
    "target_id", "kind", "name", "easting_m", "northing_m", "mass", "sweep_s", "must", "deadline", "reason",
)  # fmt: skip
"""
Columns of a targets table. Optional: `pod`, how surely a stop finds what is there (default 1); `line` (n, 2), what is
walked at the stop, entered at its first point and left at its last (default: the place itself).
"""
SHORTEST_S = 300.0
"""A block that takes less than five minutes is no segment of its own."""
WAY_SHARE = 0.2
"""Share of the way there and back counted against a segment: about five are walked in one outing."""
NAME_CHARS = 10
"""Full-width characters of a stop's name after its ASCII id; handhelds cut the rest."""


def budget_s(settings: PlanningSettings) -> float:
    """
    Seconds of walking and searching in a team's day: reserve and rest kept back.

    >>> budget_s(PlanningSettings(hours=7.0, reserve=0.15))
    21420.0
    >>> budget_s(PlanningSettings(hours=7.0, reserve=0.15, rest_min=30.0))
    19620.0
    """
    return max(0.0, settings.hours * (1.0 - settings.reserve) * 3600.0 - 60.0 * settings.rest_min)


def _targets(table: gpd.GeoDataFrame, columns: dict[str, object]) -> pd.DataFrame:
    place = table.geometry.representative_point()
    values = {"easting_m": place.x.to_numpy(), "northing_m": place.y.to_numpy(), **columns}
    return pd.DataFrame(values, index=table.index, columns=list(TARGETS)).reset_index(drop=True)


def _column(table: gpd.GeoDataFrame, name: str, default: object) -> pd.Series:
    if name not in table:
        return pd.Series(default, index=table.index)
    values: pd.Series = table[name] if default is None else table[name].fillna(default)
    return values


def parcel_targets(parcels: gpd.GeoDataFrame, settings: PlanningSettings) -> pd.DataFrame:
    """Parcels still open, each a must-visit until its deadline; those without a place are left out."""
    due = parcels[parcels["status"].isin(parcel_layer.OPEN) & parcels.geometry.notna() & ~parcels.geometry.is_empty]
    values = {
        "target_id": due["parcel_id"].to_numpy(),
        "kind": "parcel",
        "name": [str(one)[-NAME_CHARS:].lstrip("-_ ") for one in due["parcel_id"]],
        "mass": _column(due, "suspicion", settings.unjudged_suspicion).to_numpy(float),
        "sweep_s": settings.service_min * 60.0,
        "must": True,
        "deadline": _column(due, "deadline", None).to_numpy(),
        "reason": _column(due, "reason", "").to_numpy(),
    }
    return _targets(due, values)


def recheck_targets(parcels: gpd.GeoDataFrame, settings: PlanningSettings) -> pd.DataFrame:
    """Plots whose later look is due: must-visits like flagged ones."""
    values = {
        "target_id": parcels["parcel_id"].to_numpy(),
        "kind": "recheck",
        "name": [str(one)[-NAME_CHARS:].lstrip("-_ ") for one in parcels["parcel_id"]],
        "mass": settings.unjudged_suspicion,
        "sweep_s": settings.service_min * 60.0,
        "must": True,
        "deadline": None,
        "reason": "",
    }
    return _targets(parcels, values)


def courtyard_targets(villages: gpd.GeoDataFrame, mass: float, settings: PlanningSettings) -> pd.DataFrame:
    """
    Courtyards not yet entered, by village, as many as a team enters at one time.

    Parameters
    ----------
    villages
        ``village_id, name, left_n`` (courtyards not entered, above 0) with a place.
    mass
        Expected plots in all of them together.
    """
    left = villages["left_n"].to_numpy(float)
    taken = np.minimum(left, settings.courtyards_n)
    values = {
        "target_id": [f"Y{one}" for one in villages["village_id"]],
        "kind": "courtyard",
        "name": [f"{name}{int(n)}户" for name, n in zip(villages["name"], taken, strict=True)],
        "mass": mass * taken / max(float(left.sum()), 1.0),
        "sweep_s": taken * settings.courtyard_min * 60.0,
        "must": False,
        "deadline": None,
        "reason": [f"{int(n)}/{int(whole)}" for n, whole in zip(taken, left, strict=True)],
    }
    return _targets(villages, values)


def sweep_targets(
    ground: Ground,
    surface: travel.CostSurface,
    bases: Floats,
    settings: PlanningSettings,
    detection: DetectionSettings,
    *,
    first_block: tuple[int, int] = (0, 0),
    approach: travel.CostSurface | None = None,
) -> pd.DataFrame:
    """
    The blocks worth sweeping as targets with a `line`, best finds per hour first, a share of the way there counted.

    Parameters
    ----------
    bases
        Where teams start, (n, 2) metres; a block nobody can walk to is left out.
    first_block
        Row and column of the ground's first block in the county's, so that a segment keeps its id in every plan.
    approach
        The ground with roads at a car's speed, where teams are driven out; None: they walk.
    """
    finds, seconds = block_values(ground, settings, detection.search_speed_kmh)
    worth = np.divide(finds, seconds, out=np.zeros_like(finds), where=seconds >= SHORTEST_S).ravel()
    best = np.flatnonzero(worth > 0)  # all of them: what is richest may lie where nobody gets to in a day
    centre = block_centres(finds.shape, ground, settings)[best]
    away_s = travel.times(approach or surface, np.unique(bases, axis=0), centre).min(axis=0, initial=np.inf)
    yields = finds.ravel()[best] / (seconds.ravel()[best] + WAY_SHARE * 2.0 * away_s)
    rows = []
    for n in np.argsort(-yields, kind="stable")[: settings.sweeps_n]:
        row, col = divmod(int(best[n]), finds.shape[1])
        sweep = sweep_of(ground, (row, col), settings, detection) if yields[n] > 0 else None
        if sweep is None or not travel.is_open(surface, sweep.line).all():
            continue
        name = f"{first_block[0] + row:03d}{first_block[1] + col:03d}"
        rows.append(
            {
                "target_id": f"S{name}",
                "kind": "sweep",
                "name": f"踏查{name}",
                "easting_m": sweep.line[0, 0],
                "northing_m": sweep.line[0, 1],
                "mass": float(finds.ravel()[best[n]]),
                "sweep_s": sweep.seconds,
                "must": False,
                "deadline": None,
                "reason": "",
                "line": sweep.line,
            }
        )
    return pd.DataFrame(rows, columns=[*TARGETS, "line"])


def with_rings(
    targets: pd.DataFrame, surface: travel.CostSurface, elevation: Grid, settings: PlanningSettings, speed_kmh: float
) -> pd.DataFrame:
    """
    Targets that are places, with what is searched there in its minutes: the place, a ring round it, the place again.

    The ring is a square; it and the ways from the place to its corner and back are what is walked at search speed in
    `service_min`. None on closed ground.
    """
    side = speed_kmh * 1000.0 / 60.0 * settings.service_min / (4.0 + np.sqrt(2.0))
    square = np.array([(0, 0), (-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1), (0, 0)]) * side / 2
    lines: list[Floats | None] = []
    seconds = []
    for place, least_s in zip(targets[["easting_m", "northing_m"]].to_numpy(float), targets["sweep_s"], strict=True):
        ring = place + square
        walkable = bool(travel.is_open(surface, ring).all()) and bool(elevation.frame.holds(*ring.T).all())
        lines.append(ring if walkable else None)
        seconds.append(max(float(least_s), walking_s(ring, elevation, settings, speed_kmh) if walkable else 0.0))
    shown = pd.Series(lines, index=targets.index, dtype=object)
    return targets.assign(sweep_s=np.array(seconds, float), line=shown)


def lines_to_see(targets: pd.DataFrame) -> list[Floats]:
    """What is walked at each target; two metres across the place where nothing is."""
    place = targets[["easting_m", "northing_m"]].to_numpy(float)
    spot = np.array([[-1.0, 0.0], [1.0, 0.0]])
    return [one if isinstance(one, np.ndarray) else place[n] + spot for n, one in enumerate(targets["line"])]
