"""What drones and satellites added to the feet: each township's detection on foot, from the air, and both together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis.detection import pod, season_pod
from geo.grid import Grid
from geo.settings import assumptions
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County
from geo.workspace.covering import measure_coverage
from geo.workspace.effort import Overhead

FIGURES = ("township_id", "name", "foot", "air", "together", "imaged")


@dataclass(frozen=True)
class SensingAnswer:
    """
    `townships` has `FIGURES`: detection by feet and lookouts alone, by flights and passes alone, by both together as
    1 - Π(1 - p) cell by cell (the figure of `coverage`, which `p_zero` rests on), and the share of plantable ground
    some image shows well enough to count. `flights` and `passes` have one row each: images or pixel, and the km² that
    count.
    """

    as_of: datetime
    ledger_head: str | None
    assumptions: dict[str, Any]
    townships: pd.DataFrame
    flights: pd.DataFrame
    passes: pd.DataFrame

    def json(self) -> dict[str, Any]:
        """One plain object."""
        tables = {name: getattr(self, name) for name in ("townships", "flights", "passes")}
        plain = {name: table.astype(object).where(table.notna(), None) for name, table in tables.items()}
        return {
            "as_of": self.as_of.isoformat(),
            "ledger_head": self.ledger_head,
            "assumptions": self.assumptions,
            **{name: table.to_dict("records") for name, table in plain.items()},
        }


def measure_sensors(county: County, *, as_of: datetime | None = None) -> SensingAnswer:
    """The season's flights and passes up to a moment beside the feet; the grid ``air_pod`` is kept for the map."""
    moment = as_of or county.as_of()
    answer = measure_coverage(county, as_of=moment)
    a, months = county.settings.detection.availability, [f"{y}-{m:02d}" for y, m in county.season.months]
    zones, risk, together = (grids.read_grid(county.path, name) for name in ("zones", "risk", "season_pod"))
    air, foot = (np.zeros(zones.frame.shape, np.float32) for _ in range(2))
    for month in months:
        foot = season_pod([foot, pod(grids.read_grid(county.path, f"hazard_{month}").values, a)])
        seen = effort.air_grid(county, month)
        air = air if seen is None else season_pod([air, seen])
    grids.write_grid(county.path, "air_pod", Grid(air, zones.frame))
    n, ground = len(answer.townships), (zones.values, risk.values)
    townships = answer.townships[["township_id", "name"]].assign(
        foot=_mean(foot, *ground, n),
        air=_mean(air, *ground, n),
        together=_mean(np.nan_to_num(together.values), *ground, n),
        imaged=_mean((air > 0.0).astype(np.float32), zones.values, (risk.values > 0.0).astype(np.float32), n),
    )
    overhead = effort.overhead_until(county, moment)
    flights, passes = _counted(county, overhead)
    return SensingAnswer(
        moment, answer.ledger_head, assumptions(county.settings), townships[list(FIGURES)], flights, passes
    )


def _counted(county: County, overhead: Overhead) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every flight and every pass with the km² of plantable ground it shows well enough to count."""
    km2 = (county.settings.cell_m / 1000.0) ** 2
    looks = overhead.looks(county, county.terrain()) if len(overhead.flights) + len(overhead.passes) else iter(())
    counted = {name: float((seen > 0.0).sum()) * km2 for name, seen in looks}
    flights = [
        {"flight_id": name, "images_n": len(images), "counted_km2": counted.get(str(name), 0.0)}
        for name, images in overhead.flights.groupby("flight_id", sort=True)
    ]
    passes = [
        {"pass_id": row["pass_id"], "pixel_m": row["pixel_m"], "counted_km2": counted.get(row["pass_id"], 0.0)}
        for row in pd.DataFrame(overhead.passes.drop(columns="geometry")).to_dict("records")
    ]
    return (
        pd.DataFrame(flights, columns=["flight_id", "images_n", "counted_km2"]),
        pd.DataFrame(passes, columns=["pass_id", "pixel_m", "counted_km2"]),
    )


def _mean(
    values: npt.NDArray[Any], zones: npt.NDArray[Any], weights: npt.NDArray[Any], n: int
) -> npt.NDArray[np.float64]:
    """Weighted mean of each of n zones (numbered from 1); NaN without weight."""
    flat, weight = zones.reshape(-1), weights.reshape(-1).astype(np.float64)
    whole = np.bincount(flat, weight, minlength=n + 1)[1:]
    part = np.bincount(flat, weight * values.reshape(-1), minlength=n + 1)[1:]
    return np.asarray(np.divide(part, whole, out=np.full(n, np.nan), where=whole > 0.0))
