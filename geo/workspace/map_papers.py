"""Maps per township and joint notices per edge, gathered from the store and the measured grids."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import to_degrees
from geo.errors import LayerError, StoreError
from geo.grid import Grid
from geo.layers.borders import ENCLAVE, UNKNOWN
from geo.layers.parcels import Status
from geo.report.joint_notice import Joint, Side, joint_document
from geo.report.township_map import MARGIN_M, Sheet, township_map
from geo.season import CHINA
from geo.store import grids
from geo.words import Language
from geo.workspace.county import County
from geo.workspace.covering import measure_edges
from geo.workspace.effort import jurisdictions
from geo.workspace.fonts import chinese_font
from geo.workspace.ordering import round_of
from geo.workspace.papers import Progress, paper_of, quiet
from geo.workspace.progress import measure_progress

HISTORY = "历史点位"
STEP_M = 200.0
NEAR_M = 3000.0
SHOWN = ("villages", "leads", "parcels", "roads")
DONE = (Status.DISMISSED, Status.CLOSED)


def map_papers(
    county: County,
    number: int,
    *,
    as_of: datetime | None = None,
    townships: Sequence[str] | None = None,
    font: Path | None = None,
    language: Language = "zh",
    progress: Progress = quiet,
) -> dict[str, bytes]:
    """The A3 map of every township (or of those named) in a round, as PDF by file name."""
    face, moment = chinese_font(font), as_of or county.as_of()
    answer = measure_progress(county, as_of=moment, rounds=[round_of(county, number).number])
    paper = paper_of(county, "map_paper", moment, answer.ledger_head, round=number, language=language)
    edges = measure_edges(county, as_of=moment)
    units, held = jurisdictions(county), county.store.read("townships")
    states = answer.progress.cells.set_index("village_id")[["name", "state"]]
    tables = {layer: gpd.GeoDataFrame(county.store.read(layer)) for layer in SHOWN}
    files = {}
    for code in townships or ():
        if not (held["township_id"] == code).any():
            raise StoreError("township_unknown", value=code)
    chosen = held[held["township_id"].isin(list(townships))] if townships else held
    for n, (_, township) in enumerate(chosen.iterrows()):
        progress(township["name"], n, len(chosen))
        sheet = _sheet(county, township, units, edges, states, tables, moment)
        files[f"踏查图-{township['name']}.pdf"] = township_map(sheet, paper=paper, font=face, language=language)
    return files


def joint_papers(
    county: County,
    number: int,
    *,
    edges: Sequence[str] = (),
    as_of: datetime | None = None,
    language: Language = "zh",
) -> tuple[bytes, list[Joint]]:
    """
    交界联合踏查通知 for both sides of every edge between known units (or of those named), seen least first.

    Raises
    ------
    LayerError
        No such edge, or none with a known unit on both sides.
    """
    moment, round_ = as_of or county.as_of(), round_of(county, number)
    table = measure_edges(county, as_of=moment)
    known = table[~table["neighbour_id"].isin([UNKNOWN, ENCLAVE])]
    chosen = known[known["border_id"].isin(list(edges))] if edges else known
    if chosen.empty:
        raise LayerError("joint_none", edge="、".join(edges)) if edges else LayerError("joint_nowhere")
    villages = county.store.read("villages")
    placed = villages[villages.geometry.notna()]
    days = (round_.start.astimezone(CHINA), round_.stop.astimezone(CHINA) - timedelta(days=1))
    span = (f"{days[0]:%Y-%m-%d}", f"{days[1]:%Y-%m-%d}")
    order = chosen.assign(rank=pd.to_numeric(chosen["seen_by_neither"]).fillna(2.0))
    order = order.sort_values(["rank", "length_m"], ascending=[False, False], kind="stable")
    places = [_place(edge, placed) for _, edge in order.iterrows()]
    degrees = to_degrees(shapely.get_x(places), shapely.get_y(places), county.crs)
    joints = [
        _joint(edge, gpd.GeoDataFrame(placed), place, (float(east), float(north)), span)
        for (_, edge), place, east, north in zip(order.iterrows(), places, *degrees, strict=True)
    ]
    head = county.store.head()
    paper = paper_of(county, "joint_paper_title", moment, head.hash if head else None, language=language)
    return joint_document(joints, paper=paper, language=language), joints


def meeting_point(line: Any, one: Any, other: Any) -> Any:
    """
    The point of a line, among points 200 m apart, from which the farther of both sides' nearest villages is nearest.

    Parameters
    ----------
    one, other
        Village points of either side, arrays; may be empty. Without any, the middle of the longest piece.
    """
    pieces = [piece for piece in shapely.get_parts(shapely.line_merge(line)) if piece.length]
    longest = max(pieces, key=lambda piece: piece.length)
    if not len(one) and not len(other):
        return shapely.line_interpolate_point(longest, 0.5, normalized=True)
    steps = [np.linspace(0.0, 1.0, max(2, int(piece.length / STEP_M) + 1)) for piece in pieces]
    places = np.concatenate(
        [
            shapely.line_interpolate_point(piece, step, normalized=True)
            for piece, step in zip(pieces, steps, strict=True)
        ]
    )
    farther = np.zeros(len(places))
    for side in (one, other):
        if len(side):
            farther = np.maximum(farther, shapely.distance(places[:, None], np.asarray(side)[None, :]).min(axis=1))
    return places[int(np.argmin(farther))]


def _place(edge: pd.Series, placed: pd.DataFrame) -> Any:
    sides = (placed.loc[placed["township_id"] == edge[name], "geometry"] for name in ("township_id", "neighbour_id"))
    return meeting_point(edge["geometry"], *(side.to_numpy() for side in sides))


def _joint(
    edge: pd.Series, placed: gpd.GeoDataFrame, place: Any, degrees: tuple[float, float], days: tuple[str, str]
) -> Joint:
    own = [placed[placed["township_id"] == edge[name]] for name in ("township_id", "neighbour_id")]
    around = placed.assign(away=placed.geometry.distance(place)) if len(placed) else placed.assign(away=[])
    nearest = around[around["away"] <= NEAR_M].sort_values("away")
    sides = tuple(
        Side(
            str(edge[f"{name}_name"] or edge[f"{name}_id"]),
            edge[f"{name}_posts"] if isinstance(edge[f"{name}_posts"], str) else None,
            tuple(table.loc[table.geometry.distance(edge["geometry"]) <= NEAR_M, "name"]),
        )
        for name, table in zip(("township", "neighbour"), own, strict=True)
    )
    share = edge["seen_by_neither"]
    return Joint(
        edge["border_id"],
        (sides[0], sides[1]),
        edge["length_m"] / 1000.0,
        (round(degrees[0], 5), round(degrees[1], 5)),
        None if nearest.empty else str(nearest["name"].iloc[0]),
        edge["strip_m"],
        edge["line_accuracy_m"],
        None if pd.isna(share) else float(share),
        *days,
    )


def _sheet(
    county: County,
    township: pd.Series,
    units: gpd.GeoDataFrame,
    edges: gpd.GeoDataFrame,
    states: pd.DataFrame,
    tables: dict[str, gpd.GeoDataFrame],
    moment: datetime,
) -> Sheet:
    shape, (villages, leads, parcels, roads) = township["geometry"], (tables[layer] for layer in SHOWN)
    box = shapely.box(*shapely.bounds(shapely.buffer(shape, 4 * MARGIN_M)))
    own = villages[villages["township_id"] == township["township_id"]]
    state = states["state"].reindex(own["village_id"]).fillna("not_due").to_numpy()
    named = gpd.GeoDataFrame(own.assign(state=state))
    placed = named.geometry.notna()
    spots = leads[(leads["kind"] == HISTORY) & leads.geometry.notna()]
    open_ = parcels[~parcels["status"].isin([str(status) for status in DONE]) & (parcels["flagged_at"] <= moment)]
    old = open_[open_["source"] == "history"]
    targets = open_[open_["source"] != "history"]
    mine = (edges["township_id"] == township["township_id"]) | (edges["neighbour_id"] == township["township_id"])
    around = units[(units["unit_id"] != township["township_id"]) & units.geometry.intersects(box)]
    return Sheet(
        township,
        gpd.GeoDataFrame(around),
        gpd.GeoDataFrame(named[placed]),
        gpd.GeoDataFrame(
            {"geometry": [*_inside(spots, shape).geometry, *_inside(old, shape).geometry]}, crs=county.crs
        ),
        _inside(targets, shape),
        gpd.GeoDataFrame(edges[mine].assign(neither=pd.to_numeric(edges.loc[mine, "seen_by_neither"]))),
        gpd.GeoDataFrame(roads[roads.geometry.intersects(box)]),
        _window(county, "elevation", box),
        _window(county, "pod", box),
        [(str(name), str(told)) for name, told in named.loc[~placed, ["name", "state"]].itertuples(index=False)],
    )


def _inside(table: gpd.GeoDataFrame, shape: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table[table.geometry.intersects(shape)])


def _window(county: County, name: str, box: Any) -> Grid | None:
    """The part of a grid the map shows; None where the county has no such grid."""
    if not grids.has_grid(county.path, name):
        return None
    frame = county.frame
    west, south, east, north = box.bounds
    row, column = frame.cells(west, north)
    rows, columns = int((north - south) / frame.cell_m) + 1, int((east - west) / frame.cell_m) + 1
    return grids.read_grid(county.path, name, frame.window(int(row), int(column), rows, columns))
