"""Work without GPS: the pre-filled form out, filled in, and in again; classes B and C; a track lifts to A."""

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from geo.errors import GeoError
from geo.formats import Hints
from geo.layers import SCHEMAS
from geo.layers.orders import Step
from geo.ledger import Entry
from geo.store import Change
from geo.words import Language
from geo.workspace.county import County
from geo.workspace.importing import import_files
from geo.workspace.ordering import issue_orders, orders_at
from geo.workspace.papers import form_papers
from geo.workspace.progress import measure_progress, today
from geo.workspace.returning import enter_form, import_forms, upgradable, upgrade_visit

NOW = datetime(2026, 1, 5, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)
FILLED = {
    "踏查日期": date(2026, 1, 20), "人数": 4, "每人工时": 5, "面积（亩）": 90, "结果": "未发现", "照片张数": 3,
    "已签字": "是", "签字岗位": "上河村支部书记",
}  # fmt: skip


def filled(content: bytes, path: Path, lines: dict[int, dict[str, object]]) -> Path:
    """The form with some lines typed in: line 0 is the first below the heads."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    upper, lower = ([cell.value for cell in sheet[n]] for n in (3, 4))
    heads = [two or one for one, two in zip(upper, lower, strict=True)]
    for line, values in lines.items():
        for head, value in values.items():
            sheet.cell(5 + line, heads.index(head) + 1, value)  # type: ignore[arg-type]
    book.save(path)
    return path


@pytest.fixture
def form(village_county: County) -> bytes:
    issue_orders(village_county, 1, now=NOW)
    papers = form_papers(village_county, 1, as_of=NOW)
    assert sorted(papers) == [f"踏查记录表-{name}.{kind}" for name in ("凉水乡", "白岩镇") for kind in ("docx", "xlsx")]
    return papers["踏查记录表-凉水乡.xlsx"]


def test_a_filled_in_form_becomes_visits_and_answers_its_orders(
    village_county: County, form: bytes, tmp_path: Path
) -> None:
    """Two villages × three kinds of ground; of three written lines one is signed, one only said, one impossible."""
    lines: dict[int, dict[str, object]] = {
        0: FILLED | {"已查户数": 80, "组": "二组"},
        1: FILLED | {"照片张数": None},
        3: FILLED | {"已查户数": 70},
    }
    report = import_forms(village_county, filled(form, tmp_path / "f.xlsx", lines), now=LATER)
    assert (report.read, report.accepted, report.other_kinds) == (3, 2, {"blank": 3})
    assert [(r.row, r.code) for r in report.refused] == [(8, "courtyards_above")]
    visits = village_county.store.read("visits").set_index("ground")
    assert visits["evidence"].to_dict() == {"庭院": "B", "田间": "C"}
    assert visits.loc["庭院", ["persons_n", "hours", "courtyards_n", "round"]].tolist() == [4, 5.0, 80, 1]
    assert visits.loc["庭院", "area_m2"] == pytest.approx(90 * 2000 / 3, abs=0.001)
    returns = village_county.store.read("returns")
    assert returns["group_name"].tolist() == ["二组", None]
    assert returns["courtyards_due_n"].fillna(-1).tolist() == [100, -1]
    book = orders_at(village_county, LATER).set_index("unit_id")["state"]
    assert book.tolist().count(Step.ANSWERED) == 1
    assert village_county.store.verify().ok


def test_a_form_in_english_is_filled_in_in_its_own_words(village_county: County, tmp_path: Path) -> None:
    """As the paper's boxes and the pages call them; the sheet's own ground comes back as what it is."""
    issue_orders(village_county, 1, now=NOW)
    form = form_papers(village_county, 1, as_of=NOW, language="en")["踏查记录表-凉水乡.xlsx"]
    said = {"day": "2026-01-20", "signed": "yes", "photos": 2, "signed by (post)": "village secretary"}
    results = ("nothing", "Nothing found", "unreached")
    path = filled(form, tmp_path / "f.xlsx", {n: said | {"result": word} for n, word in enumerate(results)})
    assert import_forms(village_county, path, now=LATER).accepted == 3
    visits = village_county.store.read("visits").sort_values("ground")
    assert set(zip(visits["ground"], visits["outcome"], strict=True)) == {
        ("庭院", "未发现"),
        ("田间", "未发现"),
        ("荒山野岭", "无法到达"),
    }


def test_the_same_form_twice_changes_nothing(village_county: County, form: bytes, tmp_path: Path) -> None:
    path = filled(form, tmp_path / "f.xlsx", {0: FILLED, 3: FILLED | {"踏查日期": date(2026, 1, 22)}})
    import_forms(village_county, path, now=LATER)
    head = village_county.store.head()
    again = import_forms(village_county, path, now=LATER)
    assert ([r.code for r in again.refused], village_county.store.head()) == (["duplicate", "duplicate"], head)


def test_every_line_that_cannot_be_taken_says_why(village_county: County, form: bytes, tmp_path: Path) -> None:
    wrong: list[dict[str, object]] = [
        {"踏查日期": "昨天"}, {"结果": "没去"}, {"人数": "三"}, {"已签字": "也许"}, {"踏查日期": date(2026, 5, 1)},
        {"结果": None},
    ]  # fmt: skip
    path = filled(form, tmp_path / "f.xlsx", {n: FILLED | bad for n, bad in enumerate(wrong)})
    report = import_forms(village_county, path, now=LATER)
    assert (report.read, report.accepted) == (6, 0)
    assert [(r.field, r.code) for r in report.refused] == [
        ("visited_on", "record_value_bad"),
        ("outcome", "record_value_unknown"),
        ("persons_n", "record_value_bad"),
        ("signed", "record_value_bad"),
        ("visited_at", "time_future"),
        ("outcome", "record_value_missing"),
    ]


def test_a_day_and_month_alone_as_the_paper_asks_are_of_the_season(village_county: County) -> None:
    lines = {"1月20日": "2026-01-20 12:00", "1.21": "2026-01-21 12:00", "2026-01-22 00:30": "2026-01-22 00:30"}
    for n, (text, day) in enumerate(lines.items()):
        values = {
            "village_id": "520525001201",
            "team_id": "T1",
            "visited_on": text,
            "outcome": "未发现",
            "persons_n": n,
        }
        number, _ = enter_form(village_county, values, now=LATER)
        (at,) = village_county.store.read("visits", [number])["visited_at"].dt.tz_convert("Asia/Shanghai")
        assert f"{at:%Y-%m-%d %H:%M}" == day


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"round": 9}, "round_unknown"),
        ({"round": 0}, "round_unknown"),
        ({"round": 2, "order_id": "R2026-1-520525001201"}, "order_other_round"),
        ({"round": 1, "visited_on": "2025-01-20"}, "form_other_season"),
        ({"order_id": "R2026-1-520525001201", "visited_on": "2020-01-20"}, "form_other_season"),
        ({"hours": "nan"}, "record_value_bad"),
        ({"area_mu": -5}, "record_value_bad"),
        ({"visited_on": "now"}, "record_value_bad"),
        ({"visited_on": "13月40日"}, "record_value_bad"),
    ],
)
def test_a_line_of_no_round_or_another_year_is_refused(
    village_county: County, wrong: dict[str, object], code: str
) -> None:
    issue_orders(village_county, 1, now=NOW)
    values = {"village_id": "520525001201", "team_id": "T1", "visited_on": "2026-01-20", "outcome": "未发现"}
    with pytest.raises(GeoError) as caught:
        enter_form(village_county, values | wrong, now=LATER)
    assert caught.value.code == code


def test_a_form_typed_in_is_the_form_imported(village_county: County, form: bytes, tmp_path: Path) -> None:
    import_forms(village_county, filled(form, tmp_path / "f.xlsx", {0: FILLED}), now=LATER)
    typed = {
        "order_id": "R2026-1-520525001201", "round": 1, "team_id": "T1", "ground": "庭院", "courtyards_due_n": 100,
        "visited_on": "2026-01-20", "persons_n": 4, "hours": 5, "area_mu": 90, "outcome": "未发现", "photos_n": 3,
        "signed": "是", "post": "上河村支部书记",
    }  # fmt: skip
    number, added = enter_form(village_county, typed, now=LATER)
    assert (number, added) == (village_county.store.read("visits")["visit_id"].iloc[0], False)
    assert enter_form(village_county, typed | {"visited_on": "2026-01-21"}, now=LATER)[1]


def walked(county: County, day: int, team: str = "T1") -> str:
    """A foot track of a team on a day of January."""
    at = datetime(2026, 1, day, 2, tzinfo=UTC)
    seconds = at.timestamp()
    line = shapely.from_wkt(
        "LINESTRING ZM (" + ", ".join(f"{501_000 + 10 * n} 2951000 1000 {seconds + 10 * n}" for n in range(3)) + ")"
    )
    row = {"track_id": f"K{day}{team}", "team_id": team, "started_at": at, "ended_at": at + timedelta(hours=3)}
    row |= {"mode": "foot", "length_m": 20.0, "source_id": "made", "fixes_n": 3}
    table = SCHEMAS["tracks"].conform(gpd.GeoDataFrame(pd.DataFrame([row]), geometry=[line], crs=4544))
    county.store.append(Entry("import"), Change("tracks", table), now=LATER)
    return str(row["track_id"])


def test_a_later_track_of_the_same_team_and_day_lifts_a_form_to_class_a(
    village_county: County, form: bytes, tmp_path: Path
) -> None:
    import_forms(village_county, filled(form, tmp_path / "f.xlsx", {0: FILLED}), now=LATER)
    (visit,) = village_county.store.read("visits")["visit_id"]
    right, other_day, other_team = (
        walked(village_county, 20),
        walked(village_county, 21),
        walked(village_county, 20, "T2"),
    )
    assert upgradable(village_county)[["visit_id", "track_id"]].to_numpy().tolist() == [[visit, right]]
    for track, code in ((other_day, "upgrade_other_day"), (other_team, "upgrade_other_team"), ("K", "track_unknown")):
        with pytest.raises(GeoError) as caught:
            upgrade_visit(village_county, visit, track, now=LATER)
        assert caught.value.code == code
    assert upgrade_visit(village_county, visit, right, now=LATER)
    assert not upgrade_visit(village_county, visit, right, now=LATER)
    cells = measure_progress(village_county, as_of=LATER).progress.cells
    assert cells.loc[(cells["village_id"] == "520525001201") & (cells["round"] == 1), "state"].tolist() == ["looked_a"]
    assert village_county.store.verify().ok


def test_a_visit_said_to_be_tracked_names_its_track(village_county: County, tmp_path: Path) -> None:
    """Class A without a track is refused by name; the others come in, and read = accepted + refused."""
    file = tmp_path / "v.csv"
    file.write_text(
        "visit_id,village_id,round,team_id,visited_at,outcome,evidence\n"
        "V1,520525001201,1,T1,2026-01-20T10:00:00+08:00,未发现,A\n"
        "V2,520525001201,1,T1,2026-01-20T10:00:00+08:00,未发现,B\n",
        "utf-8",
    )
    report = import_files(village_county, "visits", [file], Hints(), now=LATER)
    (one,) = report.files
    assert (one.read, [(r.row, r.field, r.code) for r in one.refused]) == (2, [(1, "track_id", "track_missing")])
    assert measure_progress(village_county, as_of=LATER).totals["1"]["looked_a"] == 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_filled_form_among_the_visits_is_told_where_it_belongs(
    village_county: County, tmp_path: Path, language: Language
) -> None:
    """In whichever language it was printed; nothing is taken as a visit."""
    issue_orders(village_county, 1, now=NOW)
    file = tmp_path / "填好.xlsx"
    file.write_bytes(form_papers(village_county, 1, as_of=NOW, language=language)["踏查记录表-凉水乡.xlsx"])
    (report,) = import_files(village_county, "visits", [file], Hints(), now=LATER).files
    assert (report.read, report.error.code if report.error else None) == (0, "filled_form")
    assert "form import" in report.sentences(language)[1]


def test_the_first_page_shows_the_orders_last_issued(village_county: County) -> None:
    """Round 2 runs and has none: those of round 1 stand there, and which round they are of."""
    issue_orders(village_county, 1, now=NOW)
    page = today(village_county, as_of=datetime(2026, 3, 20, tzinfo=UTC))
    assert (page["round"], page["orders_round"], page["orders_n"], page["orders_unsigned_n"]) == (2, 1, 4, 4)
    before = today(village_county, as_of=datetime(2026, 1, 1, 8, tzinfo=UTC))
    assert (before["orders_round"], before["orders_n"]) == (None, 0)


def test_the_first_page_says_who_was_asked_who_looked_and_who_did_not(
    village_county: County, form: bytes, tmp_path: Path
) -> None:
    """On 15 March round 1 is over for the low villages: one looked at, two overdue; the high one has ten days more."""
    import_forms(village_county, filled(form, tmp_path / "f.xlsx", {0: FILLED}), now=LATER)
    page = today(village_county, as_of=datetime(2026, 3, 8, tzinfo=UTC))
    assert (page["round"], page["orders_n"], page["orders_unsigned_n"], page["nobody_n"]) == (1, 4, 4, 3)
    assert page["totals"]["looked_b"] == 1
    assert (page["open"][0]["village_id"], page["open"][0]["state"]) == ("520525001202", "due")
    after = today(village_county, as_of=datetime(2026, 3, 15, tzinfo=UTC))
    first = [(row["village_id"], row["round"], row["state"]) for row in after["open"]][:3]
    assert first == [
        ("520525002203", 1, "overdue"),
        ("520525002204", 1, "overdue"),
        ("520525001202", 1, "due"),
    ]
    assert after["totals"]["villages_n"] == 4
    assert after["dailies"]["missing_n"] == after["dailies"]["due_n"] > 0
