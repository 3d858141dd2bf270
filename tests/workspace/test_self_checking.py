"""The self-check on a county: visits on record by place or track, a filed list in the wrong datum, and the workbook."""

import io
import json
from datetime import timedelta
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from made_county import NOW, small_county

from geo.cli.main import main
from geo.crs import gcj02_from_wgs84, to_degrees
from geo.errors import LayerError
from geo.formats import Hints
from geo.settings import Settings
from geo.workspace.county import County, open_county
from geo.workspace.recording import record_visit
from geo.workspace.self_checking import self_check, self_check_paper


@pytest.fixture
def county(tmp_path: Path) -> County:
    small_county(tmp_path / "county", Settings(epsg=4544, name="甲县")).close()
    return open_county(tmp_path / "county")


def visit(county: County, easting: float | None, **more: object) -> None:
    place = {} if easting is None else {"easting": easting, "northing": 3e6 + 10}
    plain = {"team_id": "T1", "visited_at": NOW - timedelta(days=1), "outcome": "未发现", "evidence": "C"}
    record_visit(county.store, plain | place | more, now=NOW)


def filed(county: County, file: Path) -> Path:
    """P1 and P2 as a list gives them, 400 m off: GCJ-02 typed as WGS 84; P3's place is right."""
    eastings = [4e5 + 10, 4e5 + 110, 4e5 + 210]
    longitude, latitude = to_degrees(eastings, [3e6 + 10] * 3, county.crs)
    shifted = gcj02_from_wgs84(longitude, latitude)
    longitude[:2], latitude[:2] = shifted[0][:2], shifted[1][:2]
    table = {"parcel_id": ["P1", "P2", "P3"], "team_id": "T1", "visited_at": "2026-03-10T09:00", "outcome": "未发现"}
    table |= {"evidence": "C", "longitude": longitude, "latitude": latitude}
    pd.DataFrame(table).to_csv(file, index=False)
    return file


def test_visits_on_record_match_by_their_place_or_that_of_their_track(county: County) -> None:
    """P1 by its point; P2 only by word; a visit elsewhere that names no target is no filed check."""
    visit(county, 4e5 + 12, parcel_id="P1")
    visit(county, None, parcel_id="P2")
    visit(county, 4e5 + 5000)
    plain = self_check(county, as_of=NOW).json()
    assert (plain["rate"], plain["official"], plain["formula"]) == (pytest.approx(1 / 3), False, "tacha-1")
    assert {row["parcel_id"]: row["stand"] for row in plain["unvisited"]} == {"P2": "claimed", "P3": "open"}
    assert plain["visits_n"] == 2
    by_track = {"evidence": "A", "track_id": "ab12", "visited_at": pd.Timestamp(1.77e9 + 4, unit="s", tz="UTC")}
    visit(county, None, parcel_id="P1", **by_track)
    again = self_check(county, as_of=NOW).json()["visits"]
    assert again["no_place"] == 1
    assert again["duplicate"] + again["before"] == 1


def test_a_filed_list_in_the_wrong_datum_is_named_as_such(county: County, tmp_path: Path) -> None:
    """Two of three fit as GCJ-02; read with --datum gcj02 those two match and the third is off."""
    file = filed(county, tmp_path / "list.csv")
    plain = self_check(county, as_of=NOW, filed=file, hints=Hints(datum="wgs84")).json()
    assert plain["targets"]["misplaced"] == 2
    assert {row["parcel_id"]: row["variant"] for row in plain["not_matching"]} == {"P1": "gcj02", "P2": "gcj02"}
    assert (plain["filed"]["read"], plain["filed"]["refused_n"]) == (3, 0)
    right = self_check(county, as_of=NOW, filed=file, hints=Hints(datum="gcj02"))
    assert right.matching.rate == pytest.approx(2 / 3)
    assert county.store.count("visits") == 0


def test_a_list_partly_in_the_wrong_datum_and_partly_nowhere_has_its_workbook(county: County, tmp_path: Path) -> None:
    """A visit that fits in no datum stands beside those that fit in another one."""
    file = filed(county, tmp_path / "list.csv")
    longitude, latitude = to_degrees([4e5 + 900.0], [3e6 + 10], county.crs)
    with file.open("a", encoding="utf-8") as rows:
        rows.write(f"P3,T1,2026-03-10T10:00,未发现,C,{longitude[0]},{latitude[0]}\n")
    found = self_check(county, as_of=NOW, filed=file, hints=Hints(datum="wgs84"))
    assert {row["variant"] for row in found.json()["not_matching"]} == {"gcj02", None}
    book = openpyxl.load_workbook(io.BytesIO(self_check_paper(county, found)))
    told = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "variant_nan" not in " ".join(told)
    assert any("GCJ-02" in text for text in told)


def test_the_workbook_carries_the_rule_and_the_tolerance(county: County) -> None:
    check = self_check(county, as_of=NOW)
    book = openpyxl.load_workbook(io.BytesIO(self_check_paper(county, check)))
    text = "\n".join(str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row)
    assert "tacha-1" in text
    assert "2.448" in text
    assert county.store.head().hash in text
    assert book.worksheets[1].max_row >= 3 + 3


def test_the_command_lists_what_is_open(county: County, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["tacha", "--county", str(county.path), "--json", "plot", "self-check"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code in (0, None)
    assert json.loads(capsys.readouterr().out)["targets_n"] == 3


def test_without_targets_one_sentence(county: County) -> None:
    with pytest.raises(LayerError) as refused:
        self_check(county, sources=["tip"])
    assert refused.value.code == "targets_none"
