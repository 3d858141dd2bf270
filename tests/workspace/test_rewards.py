"""Rewards: one step at a time, by number only; nothing that reads like a person can be stored."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from geo.errors import GeoError, LayerError
from geo.formats import Hints
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.store import Change
from geo.workspace.county import County
from geo.workspace.importing import import_files
from geo.workspace.rewards import record_reward, rewards

NOW = datetime(2026, 2, 1, tzinfo=UTC)


def lead(**changes: object) -> pd.DataFrame:
    row = {"lead_id": "L1", "kind": "举报", "reported_at": NOW, "weight": 1.0, "place_text": "上河村后山"}
    return SCHEMAS["leads"].conform(pd.DataFrame([row | changes])).set_crs(4544)


def test_a_reward_goes_its_three_steps_and_no_other_way(village_county: County) -> None:
    village_county.store.append(Entry("import"), Change("leads", lead()), now=NOW)
    for wrong in ("应奖", "已兑现", "别的"):
        with pytest.raises(GeoError) as caught:
            record_reward(village_county, "L1", wrong, now=NOW)
        assert caught.value.code == "reward_move"
    assert [record_reward(village_county, "L1", state, now=NOW) for state in ("查实", "查实", "应奖")] == [
        True,
        False,
        True,
    ]
    assert rewards(village_county) == [{"lead_id": "L1", "reward_state": "应奖", "next": "已兑现"}]
    assert record_reward(village_county, "L1", "已兑现", now=NOW)
    with pytest.raises(GeoError):
        record_reward(village_county, "L1", "查实", now=NOW)
    assert village_county.store.verify().ok
    with pytest.raises(GeoError) as caught:
        record_reward(village_county, "L9", "查实", now=NOW)
    assert caught.value.code == "lead_unknown"


@pytest.mark.parametrize(
    "changes",
    [
        {"place_text": "举报人住村东"},
        {"place_text": "问 13912345678"},
        {"place_text": "问139 1234 5678"},
        {"place_text": "11010519900307123X"},
        {"lead_id": "13912345678"},
        {"lead_id": "线人3号"},
    ],
)
def test_the_store_refuses_whoever_reported_and_does_not_repeat_it(
    village_county: County, changes: dict[str, str]
) -> None:
    with pytest.raises(LayerError) as caught:
        village_county.store.append(Entry("import"), Change("leads", lead(**changes)), now=NOW)
    assert caught.value.fields["reason"] == "identity_refused"
    assert not any(value in str(caught.value) for value in changes.values())
    assert village_county.store.read("leads").empty


def test_a_number_that_is_no_person_is_a_lead(village_county: County) -> None:
    """County, day and number: eighteen digits that must not be taken for an identity card."""
    village_county.store.append(Entry("import"), Change("leads", lead(lead_id="520525202603010001")), now=NOW)
    assert len(village_county.store.read("leads")) == 1


def test_an_imported_list_loses_the_line_that_names_a_person(village_county: County, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text(
        "线索编号,类型,报告时间,权重,地点\nL1,举报,2026-02-01T08:00:00Z,1,后山\nL2,举报,2026-02-01T08:00:00Z,1,找王某电话问\n",
        encoding="utf-8",
    )
    (report,) = import_files(village_county, "leads", [path], Hints(datum="wgs84"), now=NOW).files
    assert [(r.row, r.code, r.details) for r in report.refused] == [(2, "identity_refused", {})]
    assert village_county.store.read("leads")["lead_id"].tolist() == ["L1"]
