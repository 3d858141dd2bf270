"""How far a township's detection hangs on the elevation model: the same walks on smoother ground, as a range."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from geo.analysis import coverage
from geo.analysis.detection import pod, season_pod
from geo.analysis.smoothing import block_mean, moving_mean
from geo.grid import Grid
from geo.layers.terrain import Terrain
from geo.settings import assumptions
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County
from geo.workspace.covering import measure_coverage

FIGURES = ("township_id", "name", "detection", "mean_3x3", "block_30m", "low", "high")


@dataclass(frozen=True)
class DemRange:
    """`townships` has `FIGURES`: detection of foot tracks on the model as it is and on two smoother ones, and ends."""

    as_of: datetime
    ledger_head: str | None
    assumptions: dict[str, Any]
    townships: pd.DataFrame

    def json(self) -> dict[str, Any]:
        """One plain object."""
        rows = self.townships.astype(object).where(self.townships.notna(), None).to_dict("records")
        plain = {"as_of": self.as_of.isoformat(), "ledger_head": self.ledger_head, "assumptions": self.assumptions}
        return plain | {"townships": rows}


def measure_dem_range(county: County, *, as_of: datetime | None = None) -> DemRange:
    """Detection of the season's foot tracks on the ground as it is, on 3 x 3 means, on 30 m blocks, and the range."""
    moment = as_of or county.as_of()
    answer = measure_coverage(county, as_of=moment)
    tracks, terrain = effort.tracks_until(county, moment), county.terrain()
    grounds = {"detection": terrain, "mean_3x3": moving_mean(terrain), "block_30m": block_mean(terrain)}
    figures = {name: _detection(county, tracks, ground, len(answer.townships)) for name, ground in grounds.items()}
    table = pd.DataFrame(figures)
    townships = answer.townships[["township_id", "name"]].reset_index(drop=True).join(table)
    ends = townships.assign(low=table.min(axis=1), high=table.max(axis=1))
    return DemRange(moment, answer.ledger_head, assumptions(county.settings), ends[list(FIGURES)])


def _detection(county: County, tracks: Any, terrain: Terrain, n: int) -> Any:
    """ΣRR·POD/ΣRR of each township on one ground; the stages stay those of the heights given."""
    settings, frame = county.settings.detection, terrain.elevation.frame
    pieces, period = effort.pieces_of(county, tracks)
    seen = np.zeros(frame.shape, np.float32)
    for month in range(len(county.season.months)):
        hazard = Grid(np.zeros(frame.shape, np.int32), frame)
        coverage.accumulate(hazard, pieces.take(period == month), terrain, county.season, settings)
        seen = season_pod([seen, pod(hazard.values, settings.availability)])
    zones, risk = (grids.read_grid(county.path, name).values.reshape(-1) for name in ("zones", "risk"))
    whole = np.bincount(zones, risk, minlength=n + 1)[1:]
    part = np.bincount(zones, risk * seen.reshape(-1), minlength=n + 1)[1:]
    return np.divide(part, whole, out=np.full(n, np.nan), where=whole > 0.0)
