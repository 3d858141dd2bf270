"""Claims beside what could be searched: speed times sweep width times people times hours, worked by hand."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from geo.analysis.claims import claimed_against_searchable, claims_by_township
from geo.layers import SCHEMAS
from geo.season import Season
from geo.settings import DetectionSettings


def checked(*rows: dict[str, object], tracks: dict[str, float] | None = None) -> pd.DataFrame:
    plain = {"team_id": "T", "visited_at": datetime(2026, 4, 1, tzinfo=UTC), "outcome": "未发现", "evidence": "B"}
    table = pd.DataFrame([plain | {"visit_id": f"V{n}", "village_id": "v1"} | row for n, row in enumerate(rows)])
    visits = pd.DataFrame(SCHEMAS["visits"].conform(table))
    lengths = pd.Series(tracks or {}, dtype=float)
    return claimed_against_searchable(
        visits, lengths, season=Season(2026), detection=DetectionSettings(), hours_per_day=8.0
    )


def test_four_people_for_five_hours_in_flower_search_sixty_hectares() -> None:
    """4 × 5 h × 1,000 m/h × 30 m = 600,000 m²; a claim of 1.2 km² is twice that."""
    (row,) = checked({"persons_n": 4, "hours": 5.0, "area_m2": 1.2e6}).to_dict("records")
    assert (row["searchable_m2"], row["ratio"], row["hours_assumed"]) == (600_000.0, pytest.approx(2.0), False)


def test_thirteen_square_kilometres_per_person_stand_far_above_the_limit() -> None:
    """One person, no hours given: eight are taken, 240,000 m²; the ratio says 54, and a track of 9 km says 48."""
    rows = checked({"persons_n": 1, "area_m2": 13e6, "evidence": "A", "track_id": "K"}, tracks={"K": 9000.0})
    (row,) = rows.to_dict("records")
    assert (row["ratio"], row["hours_assumed"], row["per_person_m2"]) == (pytest.approx(13e6 / 240_000), True, 13e6)
    assert row["ratio_tracked"] == pytest.approx(13e6 / 270_000)
    table = claims_by_township(rows, pd.Series({"v1": "t1"}), large=3.0)
    assert table[["claims_n", "large_n"]].to_numpy().tolist() == [[1, 1]]


def test_without_people_on_record_there_is_no_ratio() -> None:
    """Unknown is not zero and not endless; the largest known ratio stands first."""
    rows = checked(
        {"area_m2": 1e6},
        {"persons_n": 0, "area_m2": 1e6},
        {"persons_n": 2, "hours": 1.0, "area_m2": 6e4},
        {"persons_n": 3},
    )
    assert rows["visit_id"].tolist() == ["V2", "V0", "V1"]
    assert np.isnan(rows["ratio"].to_numpy()[1:]).all()
    (row,) = claims_by_township(rows, pd.Series({"v1": "t1"}), large=3.0).to_dict("records")
    assert (row["unpeopled_n"], row["person_trips_n"], row["ratio"]) == (2, 2, pytest.approx(1.0))


def test_the_sweep_width_follows_the_stage() -> None:
    """10 m in January, 30 m in March, 20 m from 21 April on."""
    days = [datetime(2026, month, 25, tzinfo=UTC) for month in (1, 4, 3)]
    rows = checked(*({"persons_n": 1, "hours": 1.0, "area_m2": 1e4, "visited_at": day} for day in days))
    assert sorted(rows["searchable_m2"]) == [10_000.0, 20_000.0, 30_000.0]
