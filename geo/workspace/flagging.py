"""Scenes in, candidate parcels kept: gathers the windows, asks the rule, and records what is new."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.errors import FormatError
from geo.formats import raster
from geo.grid import Frame
from geo.layers.scenes import Window
from geo.ledger import Entry
from geo.satellite import Flagged, flag_parcels
from geo.settings import FlaggingSettings
from geo.store import Change
from geo.workspace.county import County

Progress = Callable[[str, int, int], None]
CORE_CELLS = 2048
HIGHEST_INDEX = 1.5
"""A vegetation index lies within -1 and 1; a scene beyond this is something else, or scaled."""


@dataclass(frozen=True)
class Scene:
    """One dated image: its NDVI in one band, or red and near infrared in two (`bands`, counted from 1)."""

    path: Path
    day: date
    bands: tuple[int, ...] = (1,)


@dataclass(frozen=True)
class FlagAnswer:
    """
    What a flagging run gave. Nothing is claimed about how many of the candidates are right.

    `added` are the parcels that were new, `known_n` candidates already kept, `outside_n` those in no township.
    """

    as_of: datetime
    ledger_head: str | None
    settings: FlaggingSettings
    found: Flagged
    added: gpd.GeoDataFrame
    known_n: int
    outside_n: int

    def json(self) -> dict[str, Any]:
        """Plain values: counts, the ground nobody could judge, and each new parcel with its reason."""
        listed = pd.DataFrame(self.added.drop(columns="geometry"))
        names = ["parcel_id", "township_id", "scene_id", "suspicion", "reason", "accuracy_m"]
        return {
            "as_of": self.as_of.isoformat(),
            "ledger_head": self.ledger_head,
            "assumptions": {"flagging": json.loads(json.dumps(asdict(self.settings)))},
            "scenes": [day.isoformat() for day in self.found.scenes],
            "seen_km2": round(self.found.seen_km2, 3),
            "unseen_km2": round(self.found.unseen_km2, 3),
            "candidates_n": len(self.found.parcels),
            "added_n": len(self.added),
            "known_n": self.known_n,
            "outside_n": self.outside_n,
            "accuracy": None,
            "parcels": listed[names].astype(object).where(listed[names].notna(), None).to_dict("records"),
        }


def flag_scenes(
    county: County, scenes: Sequence[Scene], *, now: datetime, progress: Progress | None = None
) -> FlagAnswer:
    """
    Candidates from two or more dated scenes, kept as parcels with one ledger entry; running it again adds nothing.

    Raises
    ------
    GeoError
        ``scenes_few`` without a scene in flower and an earlier one; `FormatError` for a file that is no index image.
    """
    settings = county.settings.flagging
    ordered = sorted(scenes, key=lambda scene: (scene.day, scene.path.name))
    found = flag_parcels(
        _windows(county.frame, ordered, settings, progress), season=county.season, settings=settings, flagged_at=now
    )
    inside = _in_townships(found.parcels, county.store.read("townships"), {s.day.isoformat(): s.path for s in ordered})
    known = set(county.store.read("parcels")["parcel_id"])
    added = inside[~inside["parcel_id"].isin(known)].reset_index(drop=True)
    if len(added):
        files = [{"file": s.path.name, "sha256": _digest(s.path), "day": s.day.isoformat()} for s in ordered]
        body = {"scenes": files, "rule": json.loads(json.dumps(asdict(settings))), "added_n": len(added)}
        county.store.append(Entry("flag", body), Change("parcels", added), now=now)
    head = county.store.head()
    counts = (len(inside) - len(added), len(found.parcels) - len(inside))
    return FlagAnswer(now, head.hash if head else None, settings, found, added, *counts)


def _windows(
    frame: Frame, scenes: Sequence[Scene], settings: FlaggingSettings, progress: Progress | None
) -> Iterator[Window]:
    """The county in windows whose halo is wider than the surroundings the rule looks at."""
    halo = 2 * int(np.ceil(settings.surroundings_m / frame.cell_m)) + 1
    corners = [(r, c) for r in range(0, frame.rows, CORE_CELLS) for c in range(0, frame.cols, CORE_CELLS)]
    empty = {scene.path.name for scene in scenes}
    for number, (row, col) in enumerate(corners):
        if progress:
            progress(f"{number + 1}/{len(corners)}", number, len(corners))
        top, left = max(row - halo, 0), max(col - halo, 0)
        bottom, right = min(row + CORE_CELLS, frame.rows), min(col + CORE_CELLS, frame.cols)
        tile = frame.window(top, left, min(bottom + halo, frame.rows) - top, min(right + halo, frame.cols) - left)
        index = np.stack([_index(scene, tile) for scene in scenes])
        empty -= {scene.path.name for scene, one in zip(scenes, index, strict=True) if np.isfinite(one).any()}
        core = (row - top, col - left, bottom - top, right - left)
        yield Window(tuple(scene.day for scene in scenes), index.astype(np.float32), tile, core)
    if empty:
        raise FormatError("raster_outside", file="、".join(sorted(empty)))


def _index(scene: Scene, tile: Frame) -> npt.NDArray[np.float32]:
    """NDVI of a scene on a tile, NaN where it has none; 0/0 between two dark bands has none."""
    whole = max(tile.shape)
    _, values = next(raster.windows([scene.path], tile, bands=scene.bands, tile_cells=whole))
    if len(scene.bands) == 1:
        index: npt.NDArray[np.float32] = values[0, 0]
    else:
        red, infrared = values[0]
        total = red + infrared
        index = np.divide(infrared - red, total, out=np.full_like(total, np.nan), where=total > 0)
    if np.nanmax(np.abs(index), initial=0.0) > HIGHEST_INDEX:
        raise FormatError("index_range", file=scene.path.name, high=HIGHEST_INDEX)
    return index


def _in_townships(found: gpd.GeoDataFrame, townships: gpd.GeoDataFrame, files: dict[str, Path]) -> gpd.GeoDataFrame:
    """The candidates that lie in a township, with its id and the scene's file; a shared line goes to the first."""
    points = found.geometry.representative_point()
    position, row = townships.sindex.query(points, predicate="intersects")
    first = pd.Series(row, index=position).groupby(level=0).min() if len(position) else pd.Series(dtype="int64")
    inside = found.loc[first.index]
    owner = townships["township_id"].to_numpy(dtype=object)[first.to_numpy(dtype=np.int64)]
    return inside.assign(township_id=owner, source_id=[files[day].name for day in inside["scene_id"]])


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
