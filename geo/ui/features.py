"""
Layers of a county as the browser gets them: what each row looks like and says, every text through `h`.

Small layers go whole as GeoJSON, longitude and latitude to five decimals; large ones are cut into tiles (`vector`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.layers.borders import ENCLAVE, UNKNOWN
from geo.locale import day as spoken_day
from geo.patrol import Plan
from geo.season import CHINA
from geo.ui.maps import PLANNED, STATUS_MARKS, VILLAGE_MARKS, h
from geo.words import Language, named, say

MOST_TRACKS = 2000
MANY = 2000
"""Layers of more rows than this are sent as vector tiles."""
EMPTY = b'{"type":"FeatureCollection","features":[]}'


@dataclass(frozen=True)
class Drawn:
    """
    What is drawn of a layer: shapes in metres, and beside each row its look.

    Parameters
    ----------
    shapes
        Points, lines or polygons, metres.
    properties
        On the same index: ``label`` (through `h`), ``colour`` and ``shape`` of marks, ``share`` of edges, ``at`` of
        names, and ``t``, the day of the season a row is of (0 = its first), for the slider of months.
    tolerance_m
        How far a line may be simplified when it is sent whole.
    """

    shapes: gpd.GeoDataFrame
    properties: pd.DataFrame
    tolerance_m: float = 0.0

    def last(self, most: int) -> "Drawn":
        """The last rows of it."""
        return replace(self, shapes=gpd.GeoDataFrame(self.shapes.tail(most)), properties=self.properties.tail(most))


def collection(drawn: Drawn) -> bytes:
    """GeoJSON of a layer; rows without geometry are left out, heights and times of lines dropped."""
    table, properties = drawn.shapes, drawn.properties
    held = table.geometry.notna() & ~table.geometry.is_empty
    if not held.any():
        return EMPTY
    flat = shapely.force_2d(table.geometry[held].to_numpy())
    if drawn.tolerance_m:
        flat = shapely.simplify(flat, drawn.tolerance_m, preserve_topology=False)
    degrees = gpd.GeoSeries(flat, crs=table.crs).to_crs(4326)
    rounded = shapely.transform(degrees.to_numpy(), lambda places: np.round(places, 5))
    rows = [
        {key: value for key, value in row.items() if value == value and value is not None}
        for row in properties[held.to_numpy()].to_dict("records")
    ]
    parts = [
        f'{{"type":"Feature","properties":{json.dumps(row, ensure_ascii=False)},'
        f'"geometry":{shapely.to_geojson(shape)}}}'
        for row, shape in zip(rows, rounded, strict=True)
        if not shape.is_empty
    ]
    return ('{"type":"FeatureCollection","features":[' + ",".join(parts) + "]}").encode()


def days(moments: "pd.Series[Any]", begin: datetime) -> "pd.Series[Any]":
    """Whole days of moments after the season's first midnight; what has no date is of the first day."""
    return ((moments - pd.Timestamp(begin)).dt.days).fillna(0).astype(int)


def townships(table: gpd.GeoDataFrame) -> Drawn:
    """Townships with their names; neighbours share edges, so they are simplified together."""
    shapes = gpd.GeoSeries(shapely.coverage_simplify(table.geometry.to_numpy(), 15.0), crs=table.crs)
    if not shapely.is_valid(shapes.to_numpy()).all():
        shapes = table.geometry
    middles = gpd.GeoSeries(shapes.map(_middle), crs=table.crs).to_crs(4326)
    places = pd.Series([[round(point.y, 5), round(point.x, 5)] for point in middles], index=table.index, dtype=object)
    properties = _labels(table["name"].map(h)).assign(at=places)
    return Drawn(gpd.GeoDataFrame(geometry=shapes), properties)


def grounds(table: gpd.GeoDataFrame) -> Drawn:
    """Department grounds with their names."""
    return Drawn(table, _labels(table["name"].map(h)), 10.0)


def _middle(shape: Any) -> Any:
    """Where a name stands best: the middle of the widest place of the largest part."""
    largest = max(getattr(shape, "geoms", [shape]), key=lambda part: float(part.area))
    return shapely.maximum_inscribed_circle(largest, tolerance=50.0).interpolate(0.0)


def tracks(table: gpd.GeoDataFrame, begin: datetime) -> Drawn:
    """Tracks on foot with their day and without names, the latest last; ``m`` is the first day of their month."""
    on_foot = table[table["mode"] == "foot"].sort_values("ended_at", kind="stable")
    started = on_foot["started_at"].dt.tz_convert(CHINA)
    months = (started - pd.to_timedelta(started.dt.day - 1, unit="D")).dt.normalize()
    known = pd.DataFrame({"t": days(started, begin), "m": days(months, begin)}, index=on_foot.index)
    return Drawn(on_foot, known, 12.0)


def parcels(table: gpd.GeoDataFrame, language: Language, begin: datetime) -> Drawn:
    """Suspected ground by status: colour and shape, at its inner point."""
    points = table.set_geometry(table.geometry.representative_point()) if len(table) else table
    status = table["status"].astype(str)
    properties = pd.DataFrame(
        {
            "colour": status.map({name: mark[0] for name, mark in STATUS_MARKS.items()}),
            "shape": status.map({name: mark[1] for name, mark in STATUS_MARKS.items()}),
            "label": [
                f"{h(one)}<br>{h(say(f'ui_status_{state}', language))}"
                for one, state in zip(table["source_id"].fillna(table["parcel_id"]), status, strict=True)
            ],
            "t": days(table["flagged_at"], begin),
        }
    )
    return Drawn(points, properties)


def villages(table: gpd.GeoDataFrame, states: Mapping[str, str], language: Language) -> Drawn:
    """Villages that have a place, by where they stand in the running round: colour, shape and words."""
    own = table[table["village_id"].isin(list(states))]
    state = own["village_id"].map(dict(states))
    points = own.set_geometry(own.geometry.centroid)
    properties = pd.DataFrame(
        {
            "colour": state.map({name: mark[0] for name, mark in VILLAGE_MARKS.items()}),
            "shape": state.map({name: mark[1] for name, mark in VILLAGE_MARKS.items()}),
            "label": [
                f"{h(name)}<br>{h(say(f'state_{one}', language))}" for name, one in zip(own["name"], state, strict=True)
            ],
        }
    )
    return Drawn(points, properties)


def finds(table: gpd.GeoDataFrame, language: Language, begin: datetime) -> Drawn:
    """Finds as stars with species and number of plants."""
    labels = [
        f"{h(say(f'ui_choice_{species}', language))} {h(say('ui_plants', language, n=number))}"
        for species, number in zip(table["species"], table["plants_n"], strict=True)
    ]
    look = {"colour": "#CC79A7", "shape": "star", "label": labels, "t": days(table["found_at"], begin)}
    return Drawn(table, pd.DataFrame(look, index=table.index))


def routes(table: gpd.GeoDataFrame, teams: Mapping[str, str], language: Language) -> Drawn:
    """Planned routes with team, day and length."""
    days_said = [spoken_day(date.fromisoformat(day), language) for day in table["day"]]
    labels = [
        f"{h(teams.get(team, team))} {h(day)}<br>{h(say('ui_km', language, km=round(float(length) / 1000.0, 1)))}"
        for team, day, length in zip(table["team_id"], days_said, table["length_m"], strict=True)
    ]
    return Drawn(table, _labels(pd.Series(labels, index=table.index, dtype=object)), 5.0)


def proposal(plan: Plan, teams: Mapping[str, str], language: Language) -> Drawn:
    """A plan's routes with team and length, and its stops with order, reason and what each adds."""
    lines, stops = plan.routes, plan.stops
    labels = [
        f"{h(teams.get(team, team))}<br>{h(say('ui_km', language, km=round(float(length) / 1000.0, 1)))}"
        for team, length in zip(lines["team_id"], lines["length_m"], strict=True)
    ]
    looks = [{"label": label} for label in labels]
    told = zip(stops["order_n"], stops["name"], stops["reason"].fillna(""), stops["gain"], strict=True)
    for order, name, reason, gain in told:
        label = f"{h(order)} {h(name)}<br>{h(reason)} {h(say('ui_plan_adds', language, gain=f'{gain:.3f}'))}"
        looks.append({"label": label, "shape": "disc", "colour": PLANNED})
    shapes = gpd.GeoDataFrame(geometry=[*lines.geometry, *stops.geometry], crs=lines.crs)
    return Drawn(shapes, pd.DataFrame(looks, index=shapes.index), 5.0)


def borders(table: gpd.GeoDataFrame, names: Mapping[str, str], language: Language) -> Drawn:
    """Shared edges; `share` of the strip that neither side saw says how thick they are drawn."""
    unseen = table[table["seen_by_neither"].notna()]
    labels = [
        f"{h(names.get(row.township_id, row.township_id))} ↔ "
        f"{h(neighbour_name(str(row.neighbour_id), names.get(row.neighbour_id), language))}<br>"
        f"{h(say('ui_neither', language, share=round(100 * float(row.seen_by_neither))))}"
        for row in unseen.itertuples()
    ]
    properties = _labels(pd.Series(labels, index=unseen.index, dtype=object))
    return Drawn(gpd.GeoDataFrame(unseen), properties.assign(share=unseen["seen_by_neither"].round(3)), 10.0)


def blind_spots(table: gpd.GeoDataFrame, language: Language) -> Drawn:
    """Blind spots in the order they should be searched; the first 200."""
    first = table.head(200)
    labels = [h(say("ui_spot", language, rank=rank)) for rank in range(1, len(first) + 1)]
    return Drawn(first, _labels(pd.Series(labels, index=first.index, dtype=object)), 5.0)


def neighbour_name(unit: str, name: str | None, language: Language) -> str:
    """What the other side of an edge is called: its name, or that nobody knows it, or that nobody owns it."""
    if unit == UNKNOWN:
        return say("ui_neighbour_unknown", language)
    if unit == ENCLAVE:
        return say("ui_enclave", language)
    return unit if name is None or pd.isna(name) else named(name, language)


def _labels(labels: "pd.Series[Any]") -> pd.DataFrame:
    return pd.DataFrame({"label": labels})
