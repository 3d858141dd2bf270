"""What a township's or a border strip's figure rests on: every track, when, how near, in whose sight, worth what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.analysis import attribution, zonal
from geo.analysis import lookouts as watching
from geo.analysis.attribution import Area, Glance, Part
from geo.analysis.pieces import Pieces
from geo.errors import StoreError
from geo.grid import Frame
from geo.layers.terrain import Terrain
from geo.season import CHINA
from geo.settings import assumptions
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County
from geo.workspace.covering import measure_borders, measure_coverage
from geo.workspace.effort import Overhead

LOOKS = (
    "track_id", "team_id", "township_id", "mode", "day", "months", "nearest_m", "searched_m", "within_km2",
    "reached_km2", "units", "share", "lost",
)  # fmt: skip
"""Columns of `AreaEvidence.tracks`."""


@dataclass(frozen=True)
class AreaEvidence:
    """
    The tracks behind one figure.

    Parameters
    ----------
    what, id, name
        ``township`` or ``border``, its id and name.
    detection
        Σw·POD/Σw over its plantable cells; w is the relative risk in a township, 1 in a strip. None: nothing there
        can be planted.
    units
        The area's hazard, units of 1/65536 nat, summed over its cells and periods: the sum of the tracks' `units`.
    tracks
        One row per track within reach, the most valuable first, with `LOOKS`: nearest distance to the area (or the
        edge) and metres walked searching, both over the whole track; plantable km² within reach and, of those, km² it
        added anything to (the rest was hidden, or it was too fast); `share`: its part of the detection, shares add
        up to it; `lost`: what the detection would fall by without it. A lookout, a flight and a pass are rows too,
        their id as `track_id`, mode ``lookout``, ``drone`` or ``satellite``; the last two have a share but no units.
    figures
        What the table of townships or edges says of it.
    """

    what: str
    id: str
    name: str | None
    as_of: datetime
    ledger_head: str | None
    assumptions: dict[str, Any]
    detection: float | None
    units: int
    cells_n: int
    plantable_km2: float
    tracks: pd.DataFrame
    figures: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """The explanation as one plain object."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "tracks"}
        held = self.tracks.astype(object).where(self.tracks.notna(), None)
        return plain | {"as_of": self.as_of.isoformat(), "tracks": held.to_dict("records")}


def evidence_of_township(county: County, township_id: str, *, as_of: datetime | None = None) -> AreaEvidence:
    """
    Which tracks a township's detection rests on.

    Raises
    ------
    StoreError
        Where there is no such township, or no terrain.
    """
    moment = as_of or county.as_of()
    townships = county.store.read("townships").reset_index(drop=True)
    found = townships.index[townships["township_id"] == township_id]
    if not len(found):
        raise StoreError("township_unknown", value=township_id)
    answer = measure_coverage(county, as_of=moment)
    zones, risk = (grids.read_grid(county.path, name) for name in ("zones", "risk"))
    cells = np.flatnonzero(zones.values.reshape(-1) == int(found[0]) + 1)
    area = Area(cells, risk.values.reshape(-1)[cells].astype(np.float64), zones.frame)
    figures = next(row for row in answer.json()["townships"] if row["township_id"] == township_id)
    shape, name = townships.geometry[found[0]], str(townships["name"][found[0]])
    return _explained(county, moment, ("township", township_id, name), area, shape, figures, answer.ledger_head)


def evidence_of_border(county: County, border_id: str, *, as_of: datetime | None = None) -> AreaEvidence:
    """Which tracks the strip of a jurisdiction edge was seen from; as `evidence_of_township`, every cell alike."""
    moment = as_of or county.as_of()
    answer = measure_borders(county, as_of=moment)
    edges, strips = effort.edges_and_strips(county)
    found = np.flatnonzero(edges["border_id"].to_numpy() == border_id)
    if not len(found):
        raise StoreError("border_unknown", value=border_id)
    measure_coverage(county, as_of=moment)
    cells = np.sort(strips.cells[strips.border == found[0]])
    plantable = county.terrain().plantable.reshape(-1)[cells]
    area = Area(cells, plantable.astype(np.float64), strips.frame)
    figures = next(row for row in answer.json()["borders"] if row["border_id"] == border_id)
    shape, name = edges.geometry.iloc[found[0]], f"{figures['township_name']} – {figures['neighbour_name'] or ''}"
    return _explained(county, moment, ("border", border_id, name), area, shape, figures, answer.ledger_head)


def _explained(
    county: County,
    moment: datetime,
    named: tuple[str, str, str],
    area: Area,
    shape: Any,
    figures: dict[str, Any],
    head: str | None,
) -> AreaEvidence:
    """The area's hazard as kept for the map, and each track's part in it."""
    terrain, settings = county.terrain(), county.settings.detection
    near = shapely.box(*area.window().bounds)
    tracks = effort.tracks_until(county, moment)
    within = tracks.sindex.query(near, predicate="dwithin", distance=settings.reach_m, sort=True)
    tracks = tracks.iloc[within].reset_index(drop=True)
    pieces, period = effort.pieces_of(county, tracks)
    lookouts, ground = effort.lookouts_until(county, moment), (area, terrain, county.season, settings)
    parts = list(attribution.parts_of(pieces, period, *ground))
    parts += watching.lookout_parts(lookouts, *ground, county.settings.lookouts, first=len(tracks))
    labels = [f"{year}-{month:02d}" for year, month in county.season.months]
    totals = np.stack([_kept(county, label, area) for label in labels])
    overhead, first = effort.overhead_until(county, moment), len(tracks) + len(lookouts)
    glances, glanced = _glances(county, overhead, terrain, area, labels, first=first)
    worth = attribution.attribute(parts, totals, area, availability=settings.availability, glances=glances)
    rows = [_look(tracks.iloc[[n]], [p for p in parts if p.source == n], pieces.take(pieces.track == n), area, shape,
                  reach_m=settings.reach_m, labels=labels) for n in range(len(tracks))]  # fmt: skip
    rows += [
        _watch(lookouts.iloc[n], [part for part in parts if part.source == len(tracks) + n], area, shape, labels)
        for n in range(len(lookouts))
    ]
    rows += glanced
    looks = pd.DataFrame(rows, columns=[name for name in LOOKS if name not in worth.columns]).join(worth)
    looks = looks[(looks["within_km2"] > 0.0) | (looks["reached_km2"] > 0.0)]
    looks = looks.fillna({"units": 0, "share": 0.0, "lost": 0.0}).astype({"units": "int64"})
    whole = float(area.weights.sum())
    missed = 1.0 - attribution.season_chance(totals, settings.availability)
    chance = 1.0 - missed * attribution.sensed_by(glances, area)
    return AreaEvidence(
        what=named[0],
        id=named[1],
        name=named[2],
        as_of=moment,
        ledger_head=head,
        assumptions=assumptions(county.settings),
        detection=float((area.weights * chance).sum() / whole) if whole > 0.0 else None,
        units=int(totals.sum(dtype=np.int64)),
        cells_n=len(area.cells),
        plantable_km2=float((area.weights > 0.0).sum()) * (area.frame.cell_m / 1000.0) ** 2,
        tracks=looks[list(LOOKS)].sort_values("share", ascending=False, kind="stable").reset_index(drop=True),
        figures=figures,
    )


def _kept(county: County, label: str, area: Area) -> npt.NDArray[np.int32]:
    """The month's hazard on the area's cells."""
    window = area.window()
    held, row, col = area.within(window)
    values: npt.NDArray[np.int32] = np.zeros(len(area.cells), np.int32)
    values[held] = grids.read_grid(county.path, f"hazard_{label}", window).values[row, col]
    return values


def _look(
    track: gpd.GeoDataFrame,
    parts: list[Part],
    pieces: Pieces,
    area: Area,
    shape: Any,
    *,
    reach_m: float,
    labels: list[str],
) -> dict[str, Any]:
    """One row of `LOOKS` without what the track was worth."""
    one, line, km2 = track.iloc[0], track.geometry.iloc[0], (area.frame.cell_m / 1000.0) ** 2
    held, row, col = area.within(_around(line, area.frame, reach_m))
    close = zonal.buffer_mask(track.geometry, _around(line, area.frame, reach_m), reach_m)[row, col]
    reached = np.unique(np.concatenate([np.zeros(0, np.int64), *(part.at for part in parts)]))
    return {
        "track_id": one["track_id"],
        "team_id": one["team_id"],
        "township_id": one["township_id"],
        "mode": str(one["mode"]),
        "day": f"{one['started_at'].astimezone(CHINA):%Y-%m-%d}",
        "months": [labels[part.period] for part in parts if len(part.at)],
        "nearest_m": float(shapely.distance(line, shape)),
        "searched_m": float((pieces.lengths() * pieces.factor).sum()),
        "within_km2": float((close & (area.weights[held] > 0.0)).sum()) * km2,
        "reached_km2": float((area.weights[reached] > 0.0).sum()) * km2,
    }


def _watch(lookout: Any, parts: list[Part], area: Area, shape: Any, labels: list[str]) -> dict[str, Any]:
    """One row of `LOOKS` for a lookout; what it saw is all that is known to be within its reach."""
    reached = np.unique(np.concatenate([np.zeros(0, np.int64), *(part.at for part in parts)]))
    km2 = float((area.weights[reached] > 0.0).sum()) * (area.frame.cell_m / 1000.0) ** 2
    return {
        "track_id": lookout["lookout_id"],
        "team_id": lookout["team_id"],
        "township_id": lookout["township_id"],
        "mode": "lookout",
        "day": f"{lookout['started_at'].astimezone(CHINA):%Y-%m-%d}",
        "months": [labels[part.period] for part in parts if len(part.at)],
        "nearest_m": float(shapely.distance(lookout["geometry"], shape)),
        "searched_m": 0.0,
        "within_km2": km2,
        "reached_km2": km2,
    }


def _glances(
    county: County, overhead: Overhead, terrain: Terrain, area: Area, labels: list[str], *, first: int
) -> tuple[list[Glance], list[dict[str, Any]]]:
    """Flights and passes that saw any of the area, numbered from `first`, and their rows of `LOOKS`."""
    glances: list[Glance] = []
    rows: list[dict[str, Any]] = []
    taken = overhead.taken()
    drones = set(overhead.flights["flight_id"])
    for name, seen in overhead.looks(county, terrain) if taken else ():
        chance = seen.reshape(-1)[area.cells].astype(np.float64)
        at = np.flatnonzero(chance)
        if not len(at):
            continue
        glances.append(Glance(first + len(glances), at, 1.0 - chance[at]))
        km2 = float((area.weights[at] > 0.0).sum()) * (area.frame.cell_m / 1000.0) ** 2
        period = int(county.season.period_of(pd.Series([taken[name]]))[0])
        rows.append(
            dict.fromkeys(LOOKS)
            | {
                "track_id": name,
                "mode": "drone" if name in drones else "satellite",
                "day": f"{taken[name].astimezone(CHINA):%Y-%m-%d}",
                "months": [labels[period]],
                "searched_m": 0.0,
                "within_km2": km2,
                "reached_km2": km2,
            }
        )
    return glances, rows


def _around(line: Any, frame: Frame, reach_m: float) -> Frame:
    """The window of the frame that holds everything within reach of a line."""
    west, south, east, north = shapely.bounds(line)
    top, left = (int(v) for v in frame.cells(west - reach_m, north + reach_m))
    bottom, right = (int(v) for v in frame.cells(east + reach_m, south - reach_m))
    top, left = max(top, 0), max(left, 0)
    return frame.window(top, left, max(bottom + 1 - top, 0), max(right + 1 - left, 0))
