"""One call says what a place, a township or a strip rests on; the parts add up to the kept grids, unit for unit."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.analysis.lookouts import watch
from geo.crs import to_degrees
from geo.errors import StoreError
from geo.grid import Grid
from geo.layers.lookouts import SCHEMA as LOOKOUTS
from geo.ledger import Entry
from geo.store import Change, grids
from geo.workspace import effort
from geo.workspace.county import County, open_county
from geo.workspace.covering import measure_borders, measure_coverage
from geo.workspace.evidence import LOOKS, Evidence, evidence_at
from geo.workspace.explaining import evidence_of_border, evidence_of_township

EARLIER = datetime(2026, 3, 15, tzinfo=UTC)


def hazards(county: County) -> np.ndarray:
    """The kept grids of all months."""
    months = [f"{year}-{month:02d}" for year, month in county.season.months]
    return np.stack([grids.read_grid(county.path, f"hazard_{month}").values for month in months])


def at_cell(county: County, row: int, col: int, **more: object) -> Evidence:
    east, north = county.frame.centres(row, col)
    longitude, latitude = to_degrees(east, north, county.crs)
    return evidence_at(county, float(longitude), float(latitude), **more)


def test_what_each_track_added_sums_to_the_cells_hazard_exactly(measured_demo: Path) -> None:
    """Thirty seen cells drawn at random: month by month the same integers as the map's grids."""
    county = open_county(measured_demo)
    held, edges = hazards(county), effort.edges_and_strips(county)[0]
    tracks = effort.tracks_until(county, county.as_of())
    seen = np.argwhere(held.sum(axis=0) > 0)
    for row, col in seen[np.random.default_rng(4).integers(0, len(seen), 30)].tolist():
        found = at_cell(county, row, col, edges=edges, tracks=tracks)
        assert [period["units"] for period in found.periods] == held[:, row, col].tolist()
        by_month = found.tracks.groupby("month")["units"].sum()
        assert all(by_month.get(period["month"], 0) == period["units"] for period in found.periods)
        assert found.tracks["units"].sum() == found.units > 0
        added = found.tracks[found.tracks["units"] > 0]
        assert (added["seen_m"] > 0.0).all()
        assert (added["nearest_m"] <= county.settings.detection.reach_m).all()
        assert added["reason"].isna().all()


def test_a_track_that_added_nothing_says_why(measured_demo: Path) -> None:
    county = open_county(measured_demo)
    tracks = effort.tracks_until(county, county.as_of())
    edges = effort.edges_and_strips(county)[0]
    ride = tracks[tracks["mode"] == "vehicle"].geometry.iloc[0].representative_point()
    row, col = (int(v) for v in county.frame.cells(ride.x, ride.y))
    found = at_cell(county, row, col, edges=edges, tracks=tracks)
    assert list(found.tracks.columns) == list(LOOKS)
    nothing = found.tracks[found.tracks["units"] == 0]
    assert nothing["reason"].notna().all()
    assert set(nothing.loc[nothing["mode"] == "vehicle", "reason"]) == {"look_not_on_foot"}


def test_a_cells_season_pod_is_that_of_the_map(measured_demo: Path) -> None:
    county = open_county(measured_demo)
    whole = grids.read_grid(county.path, "season_pod").values
    row, col = np.unravel_index(np.nanargmax(whole), whole.shape)
    assert at_cell(county, int(row), int(col)).pod == pytest.approx(float(whole[row, col]), abs=1e-6)


def test_an_earlier_moment_rests_on_earlier_tracks_only(measured_demo: Path) -> None:
    county = open_county(measured_demo)
    row, col = np.unravel_index(hazards(county).sum(axis=0).argmax(), county.frame.shape)
    found = at_cell(county, int(row), int(col), as_of=EARLIER)
    assert all(day <= "2026-03-15" for day in found.tracks["day"])
    assert {period["month"] for period in found.periods if period["units"]} <= {"2026-01", "2026-02", "2026-03"}


def test_a_plot_shows_who_visited_it_also_without_a_track(measured_demo: Path) -> None:
    """A plot visited on a signed form lay on the map as one nobody had been near."""
    county = open_county(measured_demo)
    visits = county.store.read("visits").dropna(subset=["parcel_id"]).sort_values("visited_at")
    first, last = visits.iloc[0], visits.iloc[-1]
    for visit, more in ((first, {}), (last, {}), (last, {"as_of": EARLIER})):
        plot = county.store.read("parcels").set_index("parcel_id").loc[visit["parcel_id"], "geometry"].centroid
        longitude, latitude = to_degrees(plot.x, plot.y, county.crs)
        found = evidence_at(county, float(longitude), float(latitude), **more)
        assert (visit["visit_id"] in found.visits["visit_id"].tolist()) == (not more)
        assert [row["visit_id"] for row in found.json()["visits"]] == found.visits["visit_id"].tolist()


def test_a_place_outside_the_county_is_refused(measured_demo: Path) -> None:
    with pytest.raises(StoreError, match="evidence_outside"):
        evidence_at(open_county(measured_demo), 5.3, 26.7)


def test_a_townships_tracks_add_up_to_its_detection_and_its_hazard(measured_demo: Path) -> None:
    """Shares to the detection the table gives, units to the grids' sum over its cells, losses to no more."""
    county = open_county(measured_demo)
    table = measure_coverage(county).townships
    best = str(table.loc[table["detection"].astype(float).idxmax(), "township_id"])
    found = evidence_of_township(county, best)
    zones = grids.read_grid(county.path, "zones").values
    mine = zones == list(table["township_id"]).index(best) + 1
    assert found.detection == pytest.approx(found.figures["detection"], abs=1e-7)
    assert found.tracks["share"].sum() == pytest.approx(found.detection, rel=1e-9)
    assert found.units == found.tracks["units"].sum() == hazards(county)[:, mine].sum(dtype=np.int64)
    assert (found.tracks["lost"] <= found.tracks["share"] + 1e-7).all()
    assert (found.tracks["reached_km2"] <= found.tracks["within_km2"] + 1e-9).all()
    assert found.tracks["share"].is_monotonic_decreasing


def test_every_strip_rests_on_the_tracks_that_reached_it(measured_demo: Path) -> None:
    county = open_county(measured_demo)
    table = measure_borders(county).borders.sort_values("seen_from_a", ascending=False)
    _, strips = effort.edges_and_strips(county)
    place = {border: n for n, border in enumerate(effort.edges_and_strips(county)[0]["border_id"])}
    for border in table["border_id"].head(2):
        found = evidence_of_border(county, border)
        cells = strips.cells[strips.border == place[border]]
        assert found.units == hazards(county).reshape(5, -1)[:, cells].sum(dtype=np.int64) > 0
        assert found.tracks["units"].sum() == found.units
        assert found.tracks["share"].sum() == pytest.approx(found.detection, rel=1e-9)


def test_who_asks_for_an_unknown_township_or_edge_is_told(measured_demo: Path) -> None:
    county = open_county(measured_demo)
    with pytest.raises(StoreError, match="township_unknown"):
        evidence_of_township(county, "x")
    with pytest.raises(StoreError, match="border_unknown"):
        evidence_of_border(county, "x")


def with_lookouts(folder: Path) -> County:
    """The county with two lookouts in it and settings that count them."""
    county = open_county(folder)
    east, north = county.frame.centres(county.frame.rows // 2, county.frame.cols // 2)
    rows = pd.DataFrame(
        {
            "lookout_id": ["L1", "L2"],
            "township_id": ["529901003", None],
            "started_at": pd.to_datetime(["2026-03-20T02:00Z", "2026-04-02T02:00Z"]),
            "ended_at": pd.to_datetime(["2026-03-20T05:00Z", "2026-04-02T04:00Z"]),
            "eye_m": [20.0, 30.0],
        }
    )
    points = [shapely.Point(east + 300.0 * n, north) for n in range(2)]
    table = LOOKOUTS.conform(gpd.GeoDataFrame(rows, geometry=points, crs=county.crs))
    county.store.append(Entry("import", {}), Change("lookouts", table), now=datetime(2026, 5, 21, tzinfo=UTC))
    counted = replace(county.settings, lookouts=replace(county.settings.lookouts, nats_per_hour=1.0))
    return replace(county, settings=counted)


def test_lookouts_count_only_where_the_settings_say_so(demo_copy: Path) -> None:
    """By default the figures stay as they are; counted, some rise and none falls."""
    before = measure_coverage(open_county(demo_copy)).townships["detection"].astype(float)
    counted = with_lookouts(demo_copy)
    assert measure_coverage(open_county(demo_copy)).townships["detection"].astype(float).equals(before)
    after = measure_coverage(counted).townships["detection"].astype(float)
    assert (after >= before - 1e-9).all()
    assert (after > before + 1e-4).any()


def test_lookouts_are_part_of_every_explanation(demo_copy: Path) -> None:
    """Units still add up exactly: in cells they watched, and over the township they watched most."""
    county = with_lookouts(demo_copy)
    measure_coverage(county)
    held = hazards(county)
    zones = grids.read_grid(county.path, "zones").values
    lookouts = effort.lookouts_until(county, county.as_of())
    terrain = county.terrain()
    only = Grid(np.zeros(county.frame.shape, np.int32), county.frame)
    watch(only, lookouts, terrain, county.season, county.settings.detection, county.settings.lookouts)
    seen = np.argwhere(only.values > 0)
    for row, col in seen[np.random.default_rng(1).integers(0, len(seen), 5)].tolist():
        found = at_cell(county, row, col)
        assert [period["units"] for period in found.periods] == held[:, row, col].tolist()
        watched = found.tracks[found.tracks["mode"] == "lookout"]
        assert watched["units"].sum() == only.values[row, col]
    most = int(np.bincount(zones[(only.values > 0) & (zones > 0)]).argmax())
    township = str(county.store.read("townships")["township_id"].iloc[most - 1])
    found = evidence_of_township(county, township)
    assert {"L1", "L2"} & set(found.tracks["track_id"])
    assert found.units == found.tracks["units"].sum() == held[:, zones == most].sum(dtype=np.int64)
    assert found.tracks["share"].sum() == pytest.approx(found.detection, rel=1e-9)
