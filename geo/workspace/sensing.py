"""What drones added to the feet: each township's detection on foot, from the air, and both together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis.detection import season_pod
from geo.analysis.sensors import flight_pod
from geo.grid import Grid
from geo.settings import assumptions, to_mapping
from geo.store import grids
from geo.workspace.county import County
from geo.workspace.covering import measure_coverage

FIGURES = ("township_id", "name", "foot", "air", "together", "imaged")


@dataclass(frozen=True)
class SensingAnswer:
    """
    `townships` has `FIGURES`: detection by feet (the figure of `coverage`), by flights alone, by both together as
    1 - Π(1 - p) cell by cell, and the share of plantable ground some image shows well enough to count. `p_zero` does
    not use the flights. `flights` has one row per flight: its images and the km² that count.
    """

    as_of: datetime
    ledger_head: str | None
    assumptions: dict[str, Any]
    townships: pd.DataFrame
    flights: pd.DataFrame

    def json(self) -> dict[str, Any]:
        """One plain object."""
        tables = {name: getattr(self, name) for name in ("townships", "flights")}
        plain = {name: table.astype(object).where(table.notna(), None) for name, table in tables.items()}
        return {
            "as_of": self.as_of.isoformat(),
            "ledger_head": self.ledger_head,
            "assumptions": self.assumptions,
            **{name: table.to_dict("records") for name, table in plain.items()},
        }


def measure_sensors(county: County, *, as_of: datetime | None = None) -> SensingAnswer:
    """The season's flights up to a moment beside the feet; the grid ``air_pod`` is kept for the map."""
    moment = as_of or county.as_of()
    answer = measure_coverage(county, as_of=moment)
    terrain, settings = county.terrain(), county.settings
    images = _flown(county, moment)
    air, rows = np.zeros(terrain.elevation.frame.shape, np.float32), []
    for flight, held in images.groupby("flight_id", sort=True):
        one = flight_pod(gpd.GeoDataFrame(held), terrain, county.season, settings.sensors)
        air = season_pod([air, one])
        counted = float((one > 0.0).sum()) * (settings.cell_m / 1000.0) ** 2
        rows.append({"flight_id": flight, "images_n": len(held), "counted_km2": counted})
    grids.write_grid(county.path, "air_pod", Grid(air, terrain.elevation.frame))
    zones, risk = (grids.read_grid(county.path, name).values for name in ("zones", "risk"))
    foot = np.nan_to_num(grids.read_grid(county.path, "season_pod").values)
    n = len(answer.townships)
    townships = answer.townships[["township_id", "name"]].assign(
        foot=_mean(foot, zones, risk, n),
        air=_mean(air, zones, risk, n),
        together=_mean(season_pod([foot, air]), zones, risk, n),
        imaged=_mean((air > 0.0).astype(np.float32), zones, (risk > 0.0).astype(np.float32), n),
    )
    basis = assumptions(settings) | {"sensors": to_mapping(settings.sensors)}
    flights = pd.DataFrame(rows, columns=["flight_id", "images_n", "counted_km2"])
    return SensingAnswer(moment, answer.ledger_head, basis, townships[list(FIGURES)], flights)


def _flown(county: County, moment: datetime) -> gpd.GeoDataFrame:
    """The season's images up to a moment."""
    images = county.store.read("flights")
    return images[(images["taken_at"] >= county.season.bounds[0]) & (images["taken_at"] <= moment)]


def _mean(
    values: npt.NDArray[Any], zones: npt.NDArray[Any], weights: npt.NDArray[Any], n: int
) -> npt.NDArray[np.float64]:
    """Weighted mean of each of n zones (numbered from 1); NaN without weight."""
    flat, weight = zones.reshape(-1), weights.reshape(-1).astype(np.float64)
    whole = np.bincount(flat, weight, minlength=n + 1)[1:]
    part = np.bincount(flat, weight * values.reshape(-1), minlength=n + 1)[1:]
    return np.asarray(np.divide(part, whole, out=np.full(n, np.nan), where=whole > 0.0))
