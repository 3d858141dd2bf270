"""What moves a township's probability: tips, plots left, facts of the yield, and one thing changed at a time."""

from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.analysis import absence, resets, standing, zonal
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.season import CHINA, Season
from geo.settings import AbsenceSettings, Settings

FRAME = Frame(0.0, 400.0, 10.0, 40, 40, "EPSG:4544")
SEASON = Season(2026)
MARCH = datetime(2026, 3, 25, tzinfo=CHINA)
PLAIN = Settings(absence=AbsenceSettings(courtyard_share=0.0))


def grid(values: np.ndarray | float, dtype: type = np.float32) -> Grid:
    return Grid(np.broadcast_to(np.asarray(values, dtype), FRAME.shape).copy(), FRAME)


def halves() -> Grid:
    return grid(np.where(np.arange(40) < 20, 1, 2), np.int16)


def assess(nats: dict[int, float], *, settings: Settings = PLAIN, cover: np.ndarray | Cover = Cover.OPEN, **given):
    hazards = [(t, grid(round(65536 * nats[t]), np.int32)) for t in sorted(nats, reverse=True)]
    terrain = Terrain(grid(1000.0), grid(cover, np.uint8), 10.0)
    return absence.assess(
        hazards, zone_ids=["a", "b"], zones=halves(), risk=grid(1.0), terrain=terrain, season=SEASON,
        settings=settings, as_of=MARCH, rng=np.random.default_rng(7), has_tracks=np.ones((2, 5), bool), **given,
    )  # fmt: skip


def lever(table: pd.DataFrame, code: str) -> dict:
    return next(one for one in table.loc["a", "levers"] if one["code"] == code)


def test_each_lever_gives_what_the_whole_computation_gives_with_that_setting():
    now = assess({0: 0.5, 2: 0.8}).townships
    model = PLAIN.absence
    for low in (True, False):
        sign, end = (-1, "p_low") if low else (1, "p_high")
        prior = 1 / (1 + np.exp(-sign * model.prior_sd))
        pi = tuple((0.5 if low else 2.0) * one for one in model.introduction)
        other = assess({0: 0.5, 2: 0.8}, settings=Settings(absence=AbsenceSettings(courtyard_share=0.0, prior=prior)))
        assert lever(now, "prior")[end] == pytest.approx(other.townships.loc["a", "p_zero"], abs=1e-9)
        planted = assess(
            {0: 0.5, 2: 0.8}, settings=Settings(absence=AbsenceSettings(courtyard_share=0.0, introduction=pi))
        )
        assert lever(now, "introduction")[end] == pytest.approx(planted.townships.loc["a", "p_zero"], abs=1e-9)
        factor = np.exp(sign * 2 * model.sweep_width_sd)
        seen = assess({0: 0.5 * factor, 2: 0.8 * factor})
        assert lever(now, "sweep_width")[end] == pytest.approx(seen.townships.loc["a", "p_zero"], abs=1e-4)


def test_levers_come_with_the_largest_change_first():
    changes = [one["change"] for one in assess({1: 0.3}).townships.loc["a", "levers"]]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > 0.0


def test_hours_among_flowers_on_open_ground_raise_it_by_what_they_find():
    """Uniform open ground, W 30 m at 1 km/h: 20 h over 800 cells of 100 m² add 7.5 nats."""
    table = assess({0: 0.5}).townships
    after = assess({0: 0.5, 2: 20 / 800 * 300.0}).townships.loc["a", "p_zero"]
    assert lever(table, "hours_open")["p_high"] == pytest.approx(after, abs=1e-3)
    assert not [one for one in table.loc["a", "levers"] if one["code"] == "hours_scrub"]


def test_entering_every_courtyard_is_worth_their_share_of_the_risk():
    yards = resets.Courtyards(np.array([100.0, 100.0]), np.zeros((2, 5)))
    done = resets.Courtyards(np.array([100.0, 100.0]), np.array([[0, 0, 100.0, 0, 0]] * 2))
    now = assess({0: 0.5}, settings=Settings(), courtyards=yards).townships
    after = assess({0: 0.5}, settings=Settings(), courtyards=done).townships
    assert lever(now, "courtyards")["p_high"] == pytest.approx(after.loc["a", "p_zero"], abs=1e-9)
    assert not [one for one in after.loc["a", "levers"] if one["code"] == "courtyards"]


def test_the_switch_for_class_b_shows_what_forms_would_change():
    forms = np.ones((2, 5))
    table = assess({0: 0.5}, class_b=forms).townships
    trusted = Settings(absence=AbsenceSettings(courtyard_share=0.0, class_b_sensitivity=0.85))
    full = assess({0: 0.5}, class_b=forms, settings=trusted).townships.loc["a", "p_zero"]
    assert lever(table, "class_b")["p_low"] == pytest.approx(table.loc["a", "p_zero"], abs=1e-12)
    assert lever(table, "class_b")["p_high"] == pytest.approx(full, abs=1e-9)


def test_expected_plots_left_follow_the_poisson_of_the_prior():
    """rho = -ln prior at the start, -ln(1 - pi) a month; each is missed by the looks since it came."""
    se = 0.85 * (1 - np.exp(-1.0))
    found = assess({0: 1.0, 2: 1.0}).townships.loc["a", "plots_left"]
    rho = -np.log(0.5) - np.log(0.98), -np.log(0.98), -np.log(0.98)
    assert found == pytest.approx(rho[0] * (1 - se) ** 2 + (rho[1] + rho[2]) * (1 - se), abs=1e-5)
    case = standing.Case(0.5, 0.85, np.zeros(5), (1 - 0.5) ** np.arange(5, 0, -1), *[np.zeros(5)] * 3, 0.0, 0.0)
    assert case.plots_left() == pytest.approx(-np.log(0.5) * 0.5**5)


def leads(**values) -> pd.DataFrame:
    row = {"lead_id": "1", "kind": "举报", "reported_at": pd.Timestamp("2026-02-10T00:00Z"), "verified_at": pd.NaT,
           "township_id": "a"} | values  # fmt: skip
    table = pd.DataFrame([row])
    return table.assign(verified_at=pd.to_datetime(table["verified_at"], utc=True))


TIPPED = AbsenceSettings(courtyard_share=0.0, tip_reported=0.5, tip_verified=0.8, tip_acted=0.5)


def tips(table: pd.DataFrame, settings: AbsenceSettings = TIPPED) -> np.ndarray:
    return resets.tip_sensitivity(table, zone_ids=["a", "b"], season=SEASON, settings=settings, as_of=MARCH)


def test_silence_counts_by_report_verification_and_action_until_a_tip_waits():
    """.5 · .8 · .5 a month where no tip waits; a's open tip of February silences nothing from then on."""
    assert tips(leads())[0].tolist() == pytest.approx([0.2, 0.0, 0.0, 0.0, 0.0])
    assert tips(leads())[1].tolist() == pytest.approx([0.2, 0.2, 0.2, 0.0, 0.0])
    checked = leads(verified_at=pd.Timestamp("2026-02-12T00:00Z"))
    assert tips(checked)[0].tolist() == pytest.approx([0.2, 0.2, 0.2, 0.0, 0.0])
    assert tips(leads(kind="历史点位"))[0, 1] == pytest.approx(0.2)
    assert not tips(leads(), AbsenceSettings()).any()


def test_tips_are_one_more_layer_of_looks():
    settings = Settings(absence=TIPPED)
    found = assess({1: 1.0}, settings=settings, tips=tips(leads(kind="历史点位"), TIPPED)).townships
    se = 0.85 * (1 - np.exp(-1.0))
    both = [0.2, 1 - (1 - se) * 0.8, 0.2]
    assert found.loc["a", "p_zero"] == pytest.approx(standing.chain(0.5, both, [0.02] * 3)[-1], abs=1e-5)
    assert found.loc["a", "detection"] == pytest.approx(se, abs=1e-5)


def find(**values) -> pd.DataFrame:
    row = {"stage": "开花期", "fraction": 1.0, "found_at": pd.Timestamp("2026-03-15T00:00Z"),
           "destroyed_at": pd.Timestamp("2026-03-16T00:00Z")} | values  # fmt: skip
    table = pd.DataFrame([row])
    return table.assign(destroyed_at=pd.to_datetime(table["destroyed_at"], utc=True))


@pytest.mark.parametrize(
    ("values", "held"),
    [
        ({}, True),
        ({"stage": "结果割浆期"}, False),
        ({"destroyed_at": None, "fraction": 0.0}, None),
        ({"fraction": 0.6}, None),
        ({"stage": "播种出苗期", "destroyed_at": pd.Timestamp("2026-04-10T00:00Z")}, True),
        ({"destroyed_at": pd.Timestamp("2026-03-30T00:00Z")}, False),
        ({"destroyed_at": None, "fraction": 0.0, "found_at": pd.Timestamp("2026-03-01T00:00Z")}, False),
    ],
)
def test_zero_yield_is_held_broken_or_undecided(values, held):
    """Flowers leave ten days, seedlings forty; capsules none; one that stands with days left decides nothing yet."""
    moment = datetime(2026, 3, 20, tzinfo=UTC)
    later = datetime(2026, 4, 20, tzinfo=UTC)
    when = later if "destroyed_at" in values and values["destroyed_at"] is not None else moment
    assert resets.zero_yield(find(**values), AbsenceSettings(), when) is held


def test_without_a_find_the_yield_is_nothing():
    assert resets.zero_yield(find().iloc[:0], AbsenceSettings(), MARCH) is True


def villages(*shapes: shapely.Geometry | None, townships: str = "aab") -> gpd.GeoDataFrame:
    ids = [f"v{n}" for n in range(len(shapes))]
    table = {"village_id": ids, "township_id": list(townships[: len(shapes)])}
    return gpd.GeoDataFrame(table, geometry=list(shapes), crs="EPSG:4544")


def test_a_villages_ground_is_its_polygon_else_what_is_nearest_inside_its_township():
    parts = zonal.village_parts(
        halves(), villages(shapely.Point(50, 100), shapely.Point(50, 300), shapely.box(250, 0, 600, 100)),
        zone_ids=["a", "b"],
    )  # fmt: skip
    named = [parts.village_ids[number - 1] for number in np.unique(parts.grid.values)]
    assert named == [None, "v0", "v1", "v2"]
    place = {name: number + 1 for number, name in enumerate(parts.village_ids) if name}
    assert (parts.grid.values[25:, :20] == place["v0"]).all()
    assert (parts.grid.values[:15, :20] == place["v1"]).all()
    assert (parts.grid.values[30:, 25:] == place["v2"]).all()
    assert (parts.grid.values[:30, 20:] == 2).all()
    assert parts.parents[np.array(list(place.values())) - 1].tolist() == [0, 0, 1]


def test_villages_without_a_place_leave_the_township_whole():
    parts = zonal.village_parts(halves(), villages(None, None), zone_ids=["a", "b"])
    assert parts.village_ids == [None, None]
    assert np.array_equal(parts.grid.values, halves().values)


def test_a_villages_prior_is_the_townships_to_the_power_of_its_share():
    parts = zonal.village_parts(halves(), villages(shapely.Point(50, 100), shapely.Point(50, 300)), zone_ids=["a", "b"])
    table = assess({0: 0.0, 2: 1.0}, parts=parts).villages
    se, pi = 0.85 * (1 - np.exp(-1.0)), 1 - 0.98**0.5
    exact = standing.chain(0.5**0.5, [0, 0, se], [pi] * 3)[-1]
    assert table["risk_share"].to_list() == pytest.approx([0.5, 0.5])
    assert table["p_zero"].to_list() == pytest.approx([exact] * 2, abs=1e-5)
    assert table["township_id"].to_list() == ["a", "a"]
