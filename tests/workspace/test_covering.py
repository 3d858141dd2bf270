"""The figures on the demo county: the contract's fields, sums, caches, and what is left empty with a reason."""

import io
import shutil
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely import LineString

from geo.analysis import coverage as engine
from geo.grid import Grid
from geo.layers import finds
from geo.ledger import Entry
from geo.store import Change, grids
from geo.ui import assessment
from geo.words import say
from geo.workspace import effort
from geo.workspace.assessing import assess_county
from geo.workspace.county import County, open_county
from geo.workspace.covering import measure_borders, measure_both, measure_coverage, measure_edges
from geo.workspace.kept_figures import PAPERWORK
from geo.workspace.reporting import township_table
from geo.workspace.rights import Actor, Role

CONTRACT = {
    "township_id", "name", "area_km2", "plantable_km2", "buffer_share", "pod_mean", "detection", "watched", "blind",
    "repeated", "p_zero", "p_zero_low", "p_zero_high", "hours_to_95", "effort",
}  # fmt: skip
BESIDE = {
    "buffer500_share", "detection_with_courtyards", "p_zero_prior_50", "p_zero_prior_90", "plots_left", "finds_n",
    "levers", "reasons", "zero_planting", "zero_yield", "detection_low", "detection_high",
}  # fmt: skip
BORDER_CONTRACT = {
    "border_id", "township_id", "neighbour_id", "length_m", "strip_km2", "seen_from_a", "seen_from_b",
    "seen_by_neither", "blind_spots",
}  # fmt: skip
EARLIER = datetime(2026, 3, 15, tzinfo=UTC)
NOW = datetime(2026, 5, 21, tzinfo=UTC)


def test_a_township_has_the_contracts_fields_and_those_named_beside_them(measured_demo: Path) -> None:
    plain = measure_coverage(open_county(measured_demo)).json()
    assert {"as_of", "assumptions", "ledger_head", "townships"} <= set(plain)
    assert plain["townships"]
    for row in plain["townships"]:
        assert set(row) == CONTRACT | BESIDE
        assert set(row["effort"]) == {"A", "B", "C"}


def test_a_border_has_the_contracts_fields(measured_demo: Path) -> None:
    plain = measure_borders(open_county(measured_demo)).json()
    assert {"as_of", "assumptions", "ledger_head", "borders"} <= set(plain)
    known = {spot["blind_spot_id"] for spot in plain["blind_spots"]}
    for row in plain["borders"]:
        assert set(row) >= BORDER_CONTRACT
        assert set(row["blind_spots"]) <= known


def test_townships_add_up_to_the_county(measured_demo: Path) -> None:
    """Areas by the grid within half a percent of the polygons; detection within its bounds; finds none."""
    county = open_county(measured_demo)
    figures = measure_coverage(county).townships
    polygons = county.store.read("townships").geometry.area.sum() / 1e6
    assert figures["area_km2"].sum() == pytest.approx(polygons, rel=0.005)
    zones, terrain = grids.read_grid(county.path, "zones"), county.terrain()
    plantable = (terrain.plantable & (zones.values > 0)).sum() * county.settings.cell_m**2 / 1e6
    assert figures["plantable_km2"].sum() == pytest.approx(plantable, abs=1e-6)
    assert figures["detection"].between(0.0, 1.0).all()
    assert (figures["p_zero_low"] <= figures["p_zero"]).all()
    assert (figures["p_zero"] <= figures["p_zero_high"]).all()
    assert (figures["watched"] + figures["blind"] <= 1.0 + 1e-9).all()


def test_measuring_twice_is_identical_and_read_back(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    fresh, kept = demo_copy / "grids" / "coverage.json", measure_coverage(county).json()
    stamp = fresh.stat().st_mtime_ns
    assert measure_coverage(county).json() == kept
    assert fresh.stat().st_mtime_ns == stamp
    fresh.unlink()
    (demo_copy / "grids" / "effort.json").unlink()
    assert measure_coverage(county).json() == kept


def test_an_earlier_moment_has_seen_no_more_and_does_not_stick(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    now = measure_coverage(county)
    then = measure_coverage(county, as_of=EARLIER)
    assert (then.townships["detection"].astype(float) <= now.townships["detection"].astype(float) + 1e-12).all()
    assert then.townships["detection"].sum() < now.townships["detection"].sum()
    assert measure_coverage(county).json() == now.json()


def test_every_strip_cell_belongs_to_one_edge(measured_demo: Path) -> None:
    county = open_county(measured_demo)
    edges, strips = effort.edges_and_strips(county)
    assert len(np.unique(strips.cells)) == len(strips.cells)
    areas = np.bincount(strips.border, minlength=len(edges)) * county.settings.cell_m**2 / 1e6
    table = measure_borders(county).borders
    assert table["strip_km2"].sum() == pytest.approx(areas.sum(), abs=1e-6)


def test_the_months_grids_are_what_one_pass_over_all_tracks_gives(measured_demo: Path) -> None:
    """Summed township by township in windows, or at once over the whole county: the same integers."""
    county = open_county(measured_demo)
    tracks = effort.tracks_until(county, county.as_of())
    terrain, settings = county.terrain(), county.settings.detection
    pieces, _ = effort.pieces_of(county, tracks)
    whole = Grid(np.zeros(terrain.elevation.frame.shape, np.int32), terrain.elevation.frame)
    engine.accumulate(whole, pieces, terrain, county.season, settings)
    months = [f"{year}-{month:02d}" for year, month in county.season.months]
    parts = sum(grids.read_grid(county.path, f"hazard_{month}").values.astype(np.int64) for month in months)
    assert whole.values.any()
    np.testing.assert_array_equal(parts, whole.values)


def test_what_a_neighbouring_county_looked_at_is_unknown_until_its_teams_are_on_record(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    neighbours = set(county.store.read("neighbours")["neighbour_id"])
    edges = measure_borders(county).borders
    beyond = edges["neighbour_id"].isin(neighbours)
    assert beyond.any()
    assert edges.loc[beyond, "seen_from_b"].isna().all()
    plantable = edges["seen_from_a"].notna()  # of a strip a few cells long nothing may be
    assert (edges["seen_by_neither"].notna() == plantable).all()
    assert (beyond & plantable).any()
    assert edges.loc[~beyond & ~edges["neighbour_id"].isin(["0", "enclave"]), "seen_from_b"].notna().all()
    teams = county.store.read("teams").head(1).assign(team_id="邻-1", township_id=sorted(neighbours)[0])
    county.store.append(Entry("import", {}), Change("teams", teams), now=NOW)
    edges = measure_borders(county).borders
    assert edges.loc[(edges["neighbour_id"] == sorted(neighbours)[0]) & plantable, "seen_from_b"].notna().all()


def test_a_track_after_the_season_changes_no_figure_of_the_season(demo_copy: Path) -> None:
    """Detection is of the season's months; the buffer figure and the effort beside it are of the same tracks."""
    county = open_county(demo_copy)
    june = datetime(2026, 6, 20, tzinfo=UTC)
    names = ["buffer_share", "repeated", "detection", "effort"]
    before = measure_coverage(county, as_of=june).townships[names]
    tracks = county.store.read("tracks")
    late = pd.Timestamp("2026-06-10T02:00Z") - tracks["started_at"]
    moved = tracks.assign(track_id=tracks["track_id"] + "-6", started_at=tracks["started_at"] + late,
                          ended_at=tracks["ended_at"] + late)  # fmt: skip
    county.store.append(Entry("import", {}), Change("tracks", moved), now=NOW)
    assert measure_coverage(county, as_of=june).townships[names].equals(before)


def test_after_a_find_only_looks_since_its_verification_count(demo_copy: Path) -> None:
    """
    Verified in the night of 19 March: the chance is that of a township whose earlier walks and forms of the month are
    not on record at all; detection, which needs no chain, still counts them.
    """
    county, verified = open_county(demo_copy), pd.Timestamp("2026-03-18T17:00Z")
    tracks, month = county.store.read("tracks"), pd.Timestamp("2026-02-28T16:00Z")
    early = tracks[(tracks["started_at"] >= month) & (tracks["ended_at"] < verified) & (tracks["mode"] == "foot")]
    township = early["township_id"].value_counts().index[0]
    spot = county.store.read("townships").set_index("township_id").geometry[township].representative_point()
    find = gpd.GeoDataFrame(
        [{"find_id": "f", "team_id": "t", "found_by": "自查", "species": "罂粟", "plants_n": 9, "stage": "开花期",
          "fraction": 1.0, "method": "强制铲除", "township_id": township, "found_at": month, "recorded_at": month,
          "destroyed_at": month, "verified_at": verified}], geometry=[spot], crs=county.crs,
    )  # fmt: skip
    county.store.append(Entry("import", {}), Change("finds", finds.SCHEMA.conform(find)), now=NOW)
    at = datetime(2026, 3, 31, 12, tzinfo=UTC)
    names = ["p_zero", "p_zero_low", "p_zero_high", "p_zero_prior_90", "plots_left"]

    def told() -> tuple[pd.Series, pd.DataFrame]:
        answer = measure_coverage(county, as_of=at)
        held = answer.villages[answer.villages["township_id"] == township].set_index("village_id")
        return answer.townships.set_index("township_id").loc[township], held

    (with_early, villages), year = told(), pd.Timedelta(days=365)
    visits = county.store.read("visits")
    visits = visits[(visits["visited_at"] >= month) & (visits["visited_at"] < verified)]
    before = early.assign(started_at=early["started_at"] - year, ended_at=early["ended_at"] - year)
    forms = visits.assign(visited_at=visits["visited_at"] - year)
    changes = Change("tracks", before, replace=True), Change("visits", forms, replace=True)
    county.store.append(Entry("import", {}), *changes, now=NOW)
    alone, villages_alone = told()
    assert with_early["detection"] > alone["detection"]
    assert with_early[names].astype(float).tolist() == pytest.approx(alone[names].astype(float).tolist(), abs=1e-6)
    both = villages["p_zero"].notna() & villages_alone["p_zero"].notna()
    assert both.any()
    assert villages.loc[both, "p_zero"].to_numpy() == pytest.approx(villages_alone.loc[both, "p_zero"].to_numpy())


def untracked(county: County) -> County:
    """The same county whose tracks all lie in another season: only its forms are left."""
    tracks = county.store.read("tracks")
    season = county.season.bounds[0]
    moved = tracks.assign(started_at=tracks["started_at"] - (tracks["started_at"].max() - season) * 2)
    county.store.append(Entry("import", {}), Change("tracks", moved, replace=True), now=NOW)
    return open_county(county.path)


def test_forms_without_a_track_give_no_figure_and_say_why(demo_copy: Path) -> None:
    answer = measure_coverage(untracked(open_county(demo_copy)))
    with_forms = [row for row in answer.json()["townships"] if row["effort"]["B"]["records_n"]]
    assert with_forms
    empty = ("detection", "detection_with_courtyards", "p_zero", "p_zero_low", "p_zero_prior_90", "plots_left",
             "watched", "buffer_share")  # fmt: skip
    for row in with_forms:
        assert [row[name] for name in empty] == [None] * len(empty)
        assert {row["reasons"][name] for name in ("detection", "p_zero", "plots_left")} == {"forms_only"}
        assert row["levers"] == []


def test_a_neighbours_track_counts_on_the_ground_it_reached_and_is_named_as_others(measured_demo: Path) -> None:
    """Looks are by place: a township with forms alone has a figure where somebody else's track could see its ground."""
    rows = measure_coverage(open_county(measured_demo)).json()["townships"]
    borrowed = [row for row in rows if not row["effort"]["A"]["records_n"]]
    assert borrowed
    for row in borrowed:
        assert (row["detection"] is not None) == row["reasons"].get("effort", "").startswith("others_tracks")
        assert (row["p_zero"] is None) == (row["detection"] is None)


def test_workbook_table_page_and_json_leave_the_same_figures_empty(demo_copy: Path) -> None:
    county = untracked(open_county(demo_copy))
    answer = measure_coverage(county)
    sheet = openpyxl.load_workbook(io.BytesIO(township_table(county, as_of=None, language="zh"))).worksheets[0]
    heads = [cell.value for cell in sheet[5]]
    told = say("reason_forms_only")
    page = assessment.rows(assess_county(county)).set_index(say("committee_name"))
    for number, row in enumerate(answer.json()["townships"]):
        if row["effort"]["B"]["records_n"]:
            cells = dict(zip(heads, (cell.value for cell in sheet[6 + number]), strict=True))
            assert (cells[say("column_detection")], cells[say("column_p_zero")]) == (None, None)
            assert told in cells[say("column_reason")]
            shown = page.loc[row["name"]]
            assert told in shown[say("committee_why")]
            assert shown[say("committee_detection")] is None


def test_villages_make_up_their_township(measured_demo: Path) -> None:
    """Every plantable cell of a township with placed villages belongs to one; shares of risk sum to 1."""
    answer = measure_coverage(open_county(measured_demo))
    sums = answer.villages.groupby("township_id")["risk_share"].sum()
    assert sums.to_numpy() == pytest.approx(1.0, abs=1e-6)
    whole = answer.townships.set_index("township_id")["detection"]
    weighed = answer.villages.assign(part=answer.villages["risk_share"] * answer.villages["detection"].fillna(0.0))
    parts = weighed.groupby("township_id")["part"].sum()
    assert parts.to_numpy() == pytest.approx(whole[parts.index].to_numpy(), abs=1e-6)


def test_a_county_without_cover_says_so(demo_copy: Path) -> None:
    (demo_copy / "grids" / "cover.tif").unlink()
    assert "note_no_cover" in measure_coverage(open_county(demo_copy)).notes


def test_both_at_once_are_what_each_gives_alone_and_a_copy_needs_no_measuring(demo_copy: Path, tmp_path: Path) -> None:
    """A county copied to another disk, its files dated anew, answers from what was kept."""
    alone = measure_coverage(open_county(demo_copy)).json(), measure_borders(open_county(demo_copy)).json()
    for name in ("coverage", "borders", "effort"):
        (demo_copy / "grids" / f"{name}.json").unlink()
    together = measure_both(open_county(demo_copy))
    assert tuple(answer.json() for answer in together) == alone
    copied = tmp_path / "副本"
    shutil.copytree(demo_copy, copied, copy_function=shutil.copyfile)
    asked: list[str] = []
    measure_both(open_county(copied), progress=lambda step, _, __: asked.append(step))
    assert asked == []


def test_the_edges_alone_are_those_of_the_borders(demo_copy: Path) -> None:
    """Whether the borders are kept, the edges are, or neither; nobody is asked for the blind spots."""
    county = open_county(demo_copy)
    wanted = measure_borders(county).borders
    pd.testing.assert_frame_equal(measure_edges(county), wanted)
    for name in ("borders", "coverage"):
        (demo_copy / "grids" / f"{name}.json").unlink()
    computed = measure_edges(county)
    assert not (demo_copy / "grids" / "coverage.json").exists()
    kept = measure_edges(county)
    plain = pd.DataFrame(wanted).drop(columns="geometry")
    for table in (computed, kept):
        told = pd.DataFrame(table).drop(columns="geometry")
        pd.testing.assert_frame_equal(told, plain, check_dtype=False, rtol=1e-8)
        assert table.geometry.to_wkb().equals(wanted.geometry.to_wkb())
    own = open_county(demo_copy, Actor(Role.TOWNSHIP, ("529901001",)))
    assert measure_edges(own)["border_id"].tolist() == measure_borders(own).borders["border_id"].tolist()
    assert 0 < len(measure_edges(own)) < len(wanted)


def test_what_is_to_be_done_leaves_the_figures_kept_and_a_record_does_not(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    seen: list[int] = []
    measure_both(county)
    for kind in PAPERWORK * 7:
        county.store.append(Entry(kind, {}), now=NOW)
    measure_both(county, progress=lambda *_: seen.append(1))
    assert not seen
    county.store.append(Entry("import", {}), now=NOW)
    measure_both(county, progress=lambda *_: seen.append(1))
    assert seen


def test_rasters_kept_change_no_figure_and_are_made_anew_with_what_they_rest_on(demo_copy: Path) -> None:
    """With and without the walk and the passes kept: the same figures; a road more, and the walk is another."""
    county = open_county(demo_copy)
    first = measure_coverage(county).json()
    marks = {name: (county.grids / f"{name}.key").read_text("utf-8") for name in ("walk", "passes")}
    county.store.append(Entry("import", {}), now=NOW)
    again = measure_coverage(county).json()
    assert again["townships"] == first["townships"]
    for name in marks:
        (county.grids / f"{name}.key").unlink()
    county.store.append(Entry("import", {}), now=NOW)
    assert measure_coverage(county).json()["townships"] == first["townships"]
    walk = grids.read_grid(demo_copy, "walk").values
    road = county.store.read("roads").iloc[:1].assign(road_id="R-new")
    west, south, east, north = county.store.read("townships").total_bounds
    road.geometry = [LineString([(west, south), (east, north)])]
    county.store.append(Entry("import", {"layer": "roads"}), Change("roads", road), now=NOW)
    measure_coverage(county)
    assert (county.grids / "walk.key").read_text("utf-8") != marks["walk"]
    assert (county.grids / "passes.key").read_text("utf-8") == marks["passes"]
    assert np.nansum(grids.read_grid(demo_copy, "walk").values < walk) > 0
