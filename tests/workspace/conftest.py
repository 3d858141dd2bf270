"""A county of two townships and four villages without a place, for tests of the villages' work."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.workspace.county import County, found

START = datetime(2026, 1, 4, 2, tzinfo=UTC)


@pytest.fixture
def village_county(tmp_path: Path) -> County:
    """凉水乡 with villages 1 and 2 (2 at an edge), 白岩镇 with 3 and 4; posts for 1 to 3; 900, 600, 300, 0 mu due."""
    shapes = [shapely.MultiPolygon([shapely.box(5e5 + 1e4 * n, 2.95e6, 5.1e5 + 1e4 * n, 2.96e6)]) for n in (0, 1)]
    ids = ["520525001", "520525002"]
    plain = {"township_id": ids, "name": ["凉水乡", "白岩镇"], "kind": ["乡", "镇"], "source": "made"}
    townships = gpd.GeoDataFrame(pd.DataFrame(plain | {"line_accuracy_m": 30.0}), geometry=shapes, crs=4544)
    county = found(tmp_path / "county", Settings(name="甲县", epsg=4544), townships, [], now=START)
    villages = pd.DataFrame(
        {
            "village_id": [f"{ids[n // 2]}20{n + 1}" for n in range(4)],
            "township_id": [ids[n // 2] for n in range(4)],
            "name": ["上河村", "下河村", "岩脚村", "岩头村"],
            "courtyards_n": [100, 50, 30, None],
            "edge": [False, True, False, False],
        }
    )
    shaped = SCHEMAS["villages"].conform(villages).set_crs(4544)
    units = villages.assign(
        unit_id=villages["village_id"],
        unit_kind="village",
        parent_id=villages["township_id"],
        due_m2=[mu * 2000 / 3 if mu else None for mu in (900, 600, 300, 0)],
        elevation_m=[1000.0, 1500.0, 1000.0, 1000.0],
        source="made",
    )
    duties = pd.DataFrame(
        {
            "duty_id": ["D1", "D2", "D3"],
            "unit_kind": "village",
            "unit_id": villages["village_id"][:3],
            "post": ["上河村支部书记", "下河村支部书记", "岩脚村支部书记"],
            "duty_kind": "属地",
            "valid_from": pd.Timestamp("2026-01-01", tz="Asia/Shanghai"),
        }
    )
    teams = {"team_id": ["T1", "T2"], "township_id": ids, "name": ["凉水村组", "白岩村组"], "kind": "村组"}
    county.store.append(
        Entry("import"),
        Change("villages", shaped),
        Change("units", SCHEMAS["units"].conform(units)),
        Change("duties", SCHEMAS["duties"].conform(duties).set_crs(4544)),
        Change("teams", SCHEMAS["teams"].conform(pd.DataFrame(teams))),
        now=START,
    )
    return county
