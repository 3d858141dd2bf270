"""The pages' logic, run without a browser on a county made through the store."""

import io
import json
import re
from datetime import date, datetime, time
from pathlib import Path

import docx
import openpyxl
import pytest
import shapely
import streamlit as st
from PIL import Image
from shared_counties import copy_of
from streamlit.testing.v1 import AppTest
from ui_county import NAMES

from geo.formats import Hints
from geo.layers import SCHEMAS
from geo.report.assumed import flat
from geo.season import CHINA
from geo.settings import Settings, assumptions
from geo.store import open_store
from geo.store.photos import original
from geo.ui import jobs
from geo.ui.panel import LOOKS_PX
from geo.ui.planning import JOB, area_planned
from geo.ui.state import plain
from geo.words import WORDS, say
from geo.workspace.accounts import accounts_on
from geo.workspace.assessing import assess_county, committee_papers
from geo.workspace.county import open_county
from geo.workspace.covering import measure_borders
from geo.workspace.discovery import record_found
from geo.workspace.importing import import_files
from geo.workspace.photographing import PhotoIn, add_photos
from geo.workspace.recording import record_visit

MAIN = Path(__file__).parents[2] / "geo" / "ui" / "main.py"
pytestmark = pytest.mark.filterwarnings("ignore")


def map_page() -> None:
    from geo.ui.views import planner

    planner.page()


def plan_form() -> None:
    from geo.ui import planning, state

    planning.plan_panel(state.county())


def record_page() -> None:
    from geo.ui.views import record

    record.page()


def borders_page() -> None:
    from geo.ui.views import borders

    borders.page()


def team_page() -> None:
    from geo.ui.views import team

    team.page()


def trace_page() -> None:
    from geo.ui.views import trace

    trace.page()


def committee_page() -> None:
    from geo.ui.views import committee

    committee.page()


def data_page() -> None:
    from geo.ui.views import data

    data.page()


def targets_page() -> None:
    from geo.ui.views import targets

    targets.page()


def admin_page() -> None:
    from geo.ui.views import admin

    admin.page()


@pytest.fixture(autouse=True)
def _fresh() -> None:
    st.cache_data.clear()
    st.cache_resource.clear()


def measured(county: Path) -> None:
    """Wait for the work that a page has begun beside itself."""
    job = jobs.last(county, jobs.MEASURE)
    assert job is not None
    assert job.thread is not None
    job.thread.join(200)
    assert job.error is None
    assert not job.broken


def test_without_a_county_the_app_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TACHA_COUNTY", raising=False)
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    assert not app.exception
    assert app.info[0].value == say("ui_no_county")


def test_the_app_names_its_county_and_the_map_page_runs(served: Path) -> None:
    app = AppTest.from_file(str(MAIN), default_timeout=120).run()
    assert not app.exception
    assert not app.error
    assert "甲县" in app.markdown[0].value
    assert say("ui_load_villages") in [one.value for one in app.info]
    app = AppTest.from_function(map_page, default_timeout=120).run()
    assert not app.exception
    assert say("ui_click") in [one.value for one in app.info]
    assert any("台账链头" in one.value for one in app.caption)


def test_a_drawn_area_stays_on_a_map_made_anew_until_it_is_cleared(served: Path) -> None:
    """A map made anew tells of no drawing: the area in use is drawn on it, and with the clear button it is given up."""
    ring = [[105.0, 26.79], [105.02, 26.79], [105.02, 26.8], [105.0, 26.8], [105.0, 26.79]]
    drawn = [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}]
    app = AppTest.from_function(map_page, default_timeout=120)

    def shown(drawings: list[dict[str, object]] | None) -> tuple[bool, bool]:
        """Whether the panel tells of an area, and whether the map outlines it."""
        app.session_state["map"] = {"last_clicked": None, "all_drawings": drawings}
        app.run()
        assert not app.exception
        told = f"**{say('ui_area')}**" in [one.value for one in app.markdown]
        return told, "105.02" in json.loads(app.get("component_instance")[0].proto.json_args)["feature_group"]

    assert shown(None) == (False, False)
    assert shown(drawn) == (True, True)
    app.session_state["plan_area"] = tuple((east, north) for east, north in ring)
    assert shown(None) == (True, True)
    assert shown([]) == (False, False)
    assert "plan_area" not in app.session_state


def test_who_looked_fits_the_panel_beside_the_map(served: Path) -> None:
    """On a page 1,440 px wide no column of the evidence is cut off."""
    app = AppTest.from_function(map_page, default_timeout=120)
    app.session_state["map"] = {"last_clicked": {"lat": 26.795127, "lng": 105.005028}, "all_drawings": None}
    app.run()
    looks = next(one for one in app.dataframe if say("ui_nearest") in one.value.columns)
    assert list(looks.value.columns) == [say(code) for code in LOOKS_PX]
    drawn = json.loads(looks.proto.columns)
    panel_px = (1440 - 2 * 80 - 16) * 4 / 13
    assert sum(drawn[column]["width"] for column in looks.value.columns) <= panel_px


def test_the_language_switch_changes_every_sentence(served: Path) -> None:
    app = AppTest.from_file(str(MAIN), default_timeout=120)
    app.session_state["language"] = "en"
    app.run()
    assert say("ui_load_villages", "en") in [one.value for one in app.info]


def test_a_visit_with_nothing_found_enters_the_ledger(served: Path) -> None:
    before = len(open_store(served).entries())
    app = AppTest.from_function(record_page, default_timeout=60).run()
    app.text_input(key="visit_team").set_value("T1")
    app.selectbox(key="visit_parcel").set_value("P1")
    app.button[0].click().run()
    assert not app.exception
    assert len(open_store(served).entries()) == before + 1
    assert "台账第" in app.success[0].value


def test_a_visit_to_nowhere_is_refused_in_a_sentence(served: Path) -> None:
    before = len(open_store(served).entries())
    app = AppTest.from_function(record_page, default_timeout=60).run()
    app.text_input(key="visit_team").set_value("T1")
    app.button[0].click().run()
    assert not app.exception
    assert app.error[0].value == plain(say("visit_nowhere"))
    assert len(open_store(served).entries()) == before


def test_a_find_is_recorded_destroyed_and_verified_on_the_page(served: Path) -> None:
    app = AppTest.from_function(record_page, default_timeout=60).run()
    app.text_input(key="find_team").set_value("T1")
    app.selectbox(key="find_parcel").set_value("P1")
    app.number_input(key="find_plants").set_value(54)
    app.date_input(key="find_found_day").set_value(date(2026, 3, 18))
    app.time_input(key="find_found_time").set_value(time(9))
    app.checkbox(key="find_guarded").check()
    app.text_input(key="find_station").set_value("凉水派出所")
    app.text_input(key="find_receipt").set_value("2026-1")
    app.button(key="find_save").click().run()
    assert not app.exception
    assert len(app.success) == 1
    store = open_store(served)
    find_id = store.read("finds")["find_id"].iloc[0]
    assert store.read("steps")["act"].tolist() == ["guard", "hand_over"]

    app.selectbox(key="destruction_find").set_value(find_id)
    app.datetime_input(key="destruction_at").set_value(datetime(2026, 3, 18, 15))  # noqa: DTZ001 - a clock on the wall
    app.text_input(key="destruction_witness").set_value("村支书")
    app.button[2].click().run()
    assert not app.exception
    assert len(app.success) == 1
    assert open_store(served).read("finds")["fraction"].tolist() == [1.0]

    app.selectbox(key="verification_find").set_value(find_id)
    app.button[3].click().run()
    assert len(app.success) == 1
    assert open_store(served).read("finds")["verified_at"].notna().all()


def test_a_find_without_a_count_is_refused_in_a_sentence_and_nothing_is_written(served: Path) -> None:
    before = len(open_store(served).entries())
    app = AppTest.from_function(record_page, default_timeout=60).run()
    app.text_input(key="find_team").set_value("T1")
    app.selectbox(key="find_parcel").set_value("P1")
    app.button(key="find_save").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert len(open_store(served).entries()) == before


def test_a_place_is_typed_in_any_notation(served: Path) -> None:
    app = AppTest.from_function(record_page, default_timeout=60).run()
    app.text_input(key="visit_team").set_value("T1")
    app.text_input(key="visit_place").set_value("东经105°00′20″ 北纬26°47′20″")
    app.button[0].click().run()
    assert not app.exception
    assert [one.value for one in app.error] == []
    placed = open_store(served).read("visits").to_crs(4326).geometry.iloc[-1]
    assert (placed.x, placed.y) == pytest.approx((105 + 20 / 3600, 26 + 47 / 60 + 20 / 3600), abs=1e-6)


@pytest.mark.parametrize("form", [2, 3])
def test_without_a_find_chosen_the_form_asks_for_one(served: Path, form: int) -> None:
    app = AppTest.from_function(record_page, default_timeout=60).run()
    app.button[form].click().run()
    assert [one.value for one in app.warning] == [say("ui_find_needed")]


def committee(served: Path) -> AppTest:
    """The committee's page with everything measured before."""
    measure_borders(open_county(served))
    app = AppTest.from_function(committee_page, default_timeout=300).run()
    assert not app.exception
    return app


def test_the_committee_sees_four_numbers_two_facts_a_row_per_township_and_the_ledger_head(served: Path) -> None:
    app = committee(served)
    labels = [metric.label for metric in app.metric]
    assert labels == [
        say("ui_detection"), say("committee_waiting"), say("committee_targets_open"), say("committee_edges_unseen"),
        say("ui_zero_planting"), say("ui_zero_yield"),
    ]  # fmt: skip
    told = assess_county(open_county(served))
    shown = next(one.value for one in app.dataframe if say("committee_rank") in one.value)
    assert shown[say("committee_name")].tolist() == told.townships["name"].tolist()
    assert app.metric[2].value == "1"
    assert any("台账链头" in one.value for one in app.caption)
    files = committee_papers(open_county(served), told=told)
    document = docx.Document(io.BytesIO(files["踏查评估.docx"]))
    foot = document.sections[0].footer.paragraphs[-1].text
    assert told.ledger_head is not None
    assert told.ledger_head in foot
    sheet = openpyxl.load_workbook(io.BytesIO(files["踏查评估.xlsx"])).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert told.ledger_head in str([row[0] for row in rows if row[0]][-1])
    names = [row[1] for row in rows if row[1] in told.townships["name"].tolist()]
    assert names == told.townships["name"].tolist()


def test_a_broken_zero_planting_is_a_fact_and_a_find_not_handed_over_is_counted(served: Path) -> None:
    county = open_county(served)
    at = datetime(2026, 3, 18, 9, tzinfo=CHINA)
    find = {"team_id": "T1", "found_at": at, "parcel_id": "P1", "plants_n": 3, "stage": "开花期"}
    record_found(county, find, now=at, scene={})
    told = assess_county(open_county(served))
    assert (told.county["zero_planting"], told.county["own_finds_n"], told.county["untold_n"]) == (False, 1, 1)
    assert told.county["zero_yield"] is None
    assert told.townships["trend"].map(len).tolist() == [3, 3]


def test_the_facts_of_the_year_name_the_finds_they_rest_on(served: Path) -> None:
    at = datetime(2026, 3, 18, 9, tzinfo=CHINA)
    values = {"parcel_id": "P1", "team_id": "T1", "found_at": at, "plants_n": 40, "stage": "开花期"}
    record_found(open_county(served), values, now=at, scene={})
    app = AppTest.from_function(committee_page, default_timeout=200).run()
    assert not app.exception
    named = [one.value for one in app.dataframe if say("ui_destroyed_at") in one.value]
    assert [one[say("ui_plants_n")].tolist() for one in named] == [[40], [40]]


def test_markdown_in_a_name_is_shown_as_it_stands() -> None:
    assert plain("![x](http://y) **甲** `b` $c$") == r"\!\[x\]\(http\:\/\/y\) \*\*甲\*\* \`b\` \$c\$"


def test_a_page_that_fails_says_so_without_its_innards(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (served / "county.toml").write_bytes(b"\xff")
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    shown = " ".join(one.value for one in [*app.error, *app.exception])
    assert "Traceback" not in shown
    assert str(served) not in shown
    assert app.error


def test_the_border_register_lists_every_edge_once(served: Path) -> None:
    app = AppTest.from_function(borders_page, default_timeout=200).run()
    measured(served)
    app.run()
    assert not app.exception
    table = app.dataframe[0].value
    sides = {frozenset(pair) for pair in zip(table[say("ui_side_a")], table[say("ui_side_b")], strict=True)}
    assert frozenset(NAMES) in sides
    assert len(table) == 3
    assert app.metric[0].value.endswith("/ 17 公里")  # 14 km around both and 3 km between them


def test_a_team_without_a_route_is_told_so(served: Path) -> None:
    app = AppTest.from_function(team_page, default_timeout=60).run()
    assert not app.exception
    assert app.info[0].value == say("ui_no_teams")


def test_the_ledger_page_finds_every_entry_of_a_parcel_and_no_other(served: Path) -> None:
    app = AppTest.from_function(trace_page, default_timeout=60).run()
    assert not app.exception
    everything = app.dataframe[0].value
    assert set(everything[say("ui_trace_role")]) == {say("role_planner")}
    assert everything[say("ui_trace_what")].str.startswith(f"{say('ui_as_townships')} 520000001").any()
    assert len(everything) == len(open_store(served).entries())
    app.text_input[1].set_value("图斑").run()
    assert 0 < len(app.dataframe[0].value) < len(everything)
    app.text_input[1].set_value("没有这个编号").run()
    assert len(app.dataframe) == 0


def test_the_ledger_page_verifies_against_a_printed_head(served: Path) -> None:
    app = AppTest.from_function(trace_page, default_timeout=60).run()
    for printed, said in ((open_store(served).head().hash, "success"), ("f" * 64, "error")):
        app.text_input[0].set_value(printed)
        app.button[0].click().run()
        held = jobs.last(served, "verify")
        assert held is not None
        held.thread.join(30)
        app.run()
        assert len(app.get(said)) == 1


def test_no_page_is_served_past_the_frame() -> None:
    """Beside the main script a folder of this name would be served file by file, before the app has laid its frame."""
    assert not MAIN.with_name("pages").exists()


def test_the_photos_of_a_plot_stand_below_its_trace(served: Path) -> None:
    """Each with what it shows and whether it agrees; one whose original was changed says so."""
    county, picture = open_county(served), io.BytesIO()
    Image.effect_noise((320, 240), 60).convert("RGB").save(picture, "JPEG")
    given = [PhotoIn("前 *1*.jpg", picture.getvalue(), {"parcel_id": "P1"}, shows="铲除前")]
    (taken,) = add_photos(county, given, now=datetime(2026, 5, 1, tzinfo=CHINA))
    app = AppTest.from_function(trace_page, default_timeout=120).run()
    app.selectbox(key="traced").set_value("P1").run()
    assert say("ui_photos", n=1) in " ".join(one.value for one in app.markdown)
    (line,) = [one.value for one in app.caption if str(taken.photo_id) in one.value]
    assert line.startswith(say("ui_photo_before"))
    assert "前 \\*1\\*" in line
    original(served, county.store.read("photos")["sha256"][0]).write_bytes(b"other")
    app.run()
    assert say("photo_kept_changed") in " ".join(one.value for one in app.caption)


def test_a_plot_is_traced_line_by_line_with_its_entries_and_the_dossier_is_made_beside_the_page(served: Path) -> None:
    app = AppTest.from_function(trace_page, default_timeout=120).run()
    app.selectbox(key="traced").set_value("P1").run()
    assert not app.exception
    lines = next(one.value for one in app.dataframe if say("ui_trace_part") in one.value)
    assert set(lines[say("ui_trace_part")]) >= {say("ui_trace_part_found"), say("ui_trace_part_looked")}
    flagged = lines[lines[say("ui_trace_part")] == say("ui_trace_part_found")]
    assert flagged[say("dossier_entries")].str.contains("#").any()
    next(one for one in app.button if one.label == say("ui_trace_dossier")).click().run()
    held = jobs.last(served, "dossier")
    assert held is not None
    held.thread.join(60)
    assert not held.broken
    app.run()
    assert [one.label for one in app.get("download_button")] == [say("ui_trace_html"), say("ui_docx")]
    app.session_state["language"] = "en"
    app.run()
    assert say("ui_status_flagged", "en") in str(app.selectbox(key="traced").options)


def test_the_data_page_lists_imports_and_refused_records_with_their_reasons(served: Path) -> None:
    rows = "parcel_id,lon,lat,flagged_at\nA,105.005,26.79,2026-03-01T00:00:00+08:00\n=B,500,26.79,2026-03-01\n"
    file = served / "靶标.csv"
    file.write_text(rows, "utf-8")
    report = import_files(open_county(served), "parcels", [file], Hints(datum="wgs84"), now=datetime.now(CHINA))
    assert (report.files[0].read, report.files[0].accepted) == (2, 1)
    app = AppTest.from_function(data_page, default_timeout=60).run()
    assert not app.exception
    listed, refused = app.dataframe[0].value, app.dataframe[1].value
    assert listed[say("ui_file")].iloc[0] == "靶标.csv"
    assert listed[[say("ui_read_n"), say("ui_accepted_n"), say("ui_refused_n")]].iloc[0].tolist() == [2, 1, 1]
    assert refused[say("ui_file")].tolist() == ["靶标.csv"] * len(refused)
    assert len(refused) == 1


def test_a_list_without_datum_and_date_is_told_for_what_it_is_and_asks_for_both(served: Path) -> None:
    rows = "编号,经度,纬度\nT1,105.005,26.79\nT2,105.006,26.79\n"
    app = AppTest.from_function(data_page, default_timeout=60).run()
    app.file_uploader[0].set_value(("天目.csv", rows.encode(), "text/csv")).run()
    assert not app.exception
    layer, datum = app.selectbox
    assert layer.value == "parcels"
    assert [one.value for one in app.warning] == [say("ui_datum_question")]
    datum.set_value("wgs84").run()
    assert app.button[0].disabled
    app.date_input[0].set_value(date(2026, 3, 1)).run()
    assert not app.button[0].disabled
    app.button[0].click().run()
    held = jobs.last(served, "import")
    assert held is not None
    held.thread.join(60)
    flagged = open_store(served).read("parcels").set_index("parcel_id")["flagged_at"]
    assert flagged["T1"].astimezone(CHINA).date() == date(2026, 3, 1)


def test_a_list_of_visits_is_told_for_what_it_is_asks_for_its_zone_and_moves_the_plot(served: Path) -> None:
    rows = "visit_id,parcel_id,team_id,visited_at,outcome,reason,evidence\n"
    rows += "L1,P1,T1,2026-03-18 10:00,核查排除,其他作物：油菜,B\nL2,P1,T1,2026-03-18 11:00,核查排除,,B\n"
    app = AppTest.from_function(data_page, default_timeout=60).run()
    app.file_uploader[0].set_value(("核查名单.csv", rows.encode(), "text/csv")).run()
    assert not app.exception
    assert app.selectbox[0].value == "visits"
    assert app.button[0].disabled
    app.checkbox[0].check().run()
    assert "读 2，收 1，未收 1" in app.warning[0].value
    app.button[0].click().run()
    held = jobs.last(served, "import")
    assert held is not None
    held.thread.join(60)
    store = open_store(served)
    assert store.read("visits")["visited_at"].tolist() == [datetime(2026, 3, 18, 10, tzinfo=CHINA)]
    plot = store.read("parcels").set_index("parcel_id").loc["P1"]
    assert (plot["status"], plot["reason"]) == ("dismissed", "其他作物：油菜")


def test_many_recordings_lie_on_one_map_and_go_in_with_one_entry(served: Path) -> None:
    """A week of a team's walks, dropped together; one file of another kind beside them is asked about by itself."""
    point = '<trkpt lat="{:.5f}" lon="105.00500"><time>2026-03-18T0{}:{:02d}:00Z</time></trkpt>'
    head = '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1"><trk><trkseg>'
    files = []
    for hour in range(6):
        walk = "".join(point.format(26.79 + 0.0003 * step, hour, step) for step in range(9))
        files.append((f"{hour}.gpx", f"{head}{walk}</trkseg></trk></gpx>".encode(), "text/plain"))
    app = AppTest.from_function(data_page, default_timeout=60).run()
    known = len(open_store(served).read("tracks")), len(open_store(served).entries())
    app.file_uploader[0].set_value([*files, ("说明.txt", b"x", "text/plain")]).run()
    assert not app.exception
    assert sum("读 9，收 9，未收 0" in one.value for one in app.success) == 6
    next(one for one in app.button if one.label == say("ui_take_all", n=6)).click().run()
    held = jobs.last(served, "import")
    assert held is not None
    held.thread.join(60)
    store = open_store(served)
    assert (len(store.read("tracks")), len(store.entries())) == (known[0] + 6, known[1] + 1)


def test_every_layer_has_a_word() -> None:
    assert [name for name in SCHEMAS if f"ui_as_{name}" not in WORDS] == []


def test_the_review_queue_holds_what_somebody_has_to_decide(served: Path) -> None:
    county = open_county(served)
    at = datetime(2026, 3, 18, 9, tzinfo=CHINA)
    look = {"team_id": "T1", "parcel_id": "P1", "outcome": "未发现", "evidence": "C", "visited_at": at}
    record_visit(county.store, look, now=at)
    app = AppTest.from_function(targets_page, default_timeout=120).run()
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert (shown[say("ui_targets_all")], shown[say("ui_targets_queue")]) == ("2", "1")
    app.segmented_control(key="plots_view").set_value("queue").run()
    listed = next(one.value for one in app.dataframe if say("ui_suspicion") in one.value)
    assert len(listed) == 1


def test_the_first_user_is_an_administrator_and_may_then_add_others(served: Path) -> None:
    app = AppTest.from_function(admin_page, default_timeout=60).run()
    assert app.selectbox(key="user_role").options == [say("role_admin")]
    app.text_input(key="user_name").set_value("管理")
    app.text_input(key="user_password").set_value("kurz")
    app.button(key="user_add").click().run()
    assert len(app.error) == 1
    assert not accounts_on(served)
    app.text_input(key="user_password").set_value("一个足够长的密码 2026")
    app.button(key="user_add").click().run()
    assert accounts_on(served)


def test_the_map_page_measures_beside_itself_and_then_lists_where_to_look_first(served: Path) -> None:
    app = AppTest.from_function(map_page, default_timeout=200).run()
    assert not app.exception
    measured(served)
    app.run()
    assert not app.exception
    listed = app.dataframe[0].value
    assert listed[say("ui_township")].iloc[0] in NAMES
    assert any(say("ui_foot", at="2026", head="")[:2] in caption.value for caption in app.caption)


@pytest.mark.parametrize("hours", [0.5, 13.0])
def test_the_plan_form_opens_with_whatever_hours_the_county_has(served: Path, hours: float) -> None:
    """What county.toml may say, the form can show."""
    file = served / "county.toml"
    file.write_text(re.sub(r"(?m)^hours = .*$", f"hours = {hours}", file.read_text("utf-8")), "utf-8")
    app = AppTest.from_function(plan_form, default_timeout=200).run()
    assert not app.exception
    assert app.number_input[1].value == hours


def test_what_the_area_panel_states_is_what_the_plan_is_made_with(
    small_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Teams, hours and outline go on to the plan, and the plan says which ground it keeps to."""
    county = copy_of(small_demo, tmp_path / "县")
    monkeypatch.setenv("TACHA_COUNTY", str(county))
    home = open_county(county).store.read("offices").to_crs(4326).set_index("township_id").geometry["529901001"]
    area = tuple(shapely.buffer(home, 0.01).exterior.coords)
    app = AppTest.from_function(plan_form, default_timeout=200)
    townships = ["529901001", "529901002"]
    stated = {"plan_townships": townships, "plan_teams": 1, "plan_hours": 2.0, "plan_area": area}
    for name, value in stated.items():
        app.session_state[name] = value
    app.run()
    assert [one.value for one in app.number_input[:2]] == [1, 2.0]
    app.button[0].click().run()
    job = jobs.last(county, JOB)
    assert job is not None
    assert job.thread is not None
    job.thread.join(200)
    app.run()
    assert not app.exception
    assert len(job.result.plan.hours_used) == 1
    assert job.result.asked["hours"] == 2.0
    assert area_planned(open_county(county)) == area
    assert say("ui_plan_only_inside") in [one.value for one in app.caption]


def test_coordinates_typed_in_another_datum_bring_the_map_to_their_place(served: Path) -> None:
    app = AppTest.from_function(map_page, default_timeout=200).run()
    app.text_input(key="map_search").set_value("北纬26°47′20″ 东经105°0′40″").run()
    assert not app.exception
    there = app.session_state["map_there"]["center"]
    app.selectbox(key="map_datum").set_value("gcj02").run()
    moved = app.session_state["map_there"]["center"]
    assert there == [pytest.approx(26.788889, abs=1e-6), pytest.approx(105.011111, abs=1e-6)]
    assert 100 < 111_320 * abs(moved[0] - there[0]) < 1000
    app.text_input(key="map_search").set_value("北纬30° 东经110°").run()
    assert app.error[0].value.startswith(plain("109.99"))


def test_every_assumption_is_called_by_words_in_both_languages() -> None:
    """What figures rest on is told to people, not by keys alone."""
    keys = list(flat(assumptions(Settings())))
    assert [key for key in keys if f"setting_{key}" not in WORDS] == []
    assert [code for code in WORDS if code.startswith("setting_") and code.removeprefix("setting_") not in keys] == []
