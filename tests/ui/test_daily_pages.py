"""Today, register, targets and administration on the demo county, run without a browser."""

import io
import re
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import streamlit as st
from shared_counties import copy_of
from streamlit.testing.v1 import AppTest

from geo.layers.duties import in_force
from geo.layers.steps import Act
from geo.locale import LANGUAGES
from geo.report.committee import HELD, fact_rows
from geo.ui import jobs, state
from geo.ui.features import neighbour_name
from geo.ui.state import plain
from geo.words import Language, say
from geo.workspace.assessing import assess_county, committee_papers
from geo.workspace.county import County, open_county
from geo.workspace.evidence import evidence_at
from geo.workspace.progress import measure_progress, running_round, today, village_states
from geo.workspace.recording import record_find, record_visit
from geo.workspace.register import responsibility_register
from geo.workspace.rights import RIGHTS, WHOLE, Action, Actor, Role

pytestmark = pytest.mark.filterwarnings("ignore")


def today_page() -> None:
    from geo.ui.views import today

    today.page()


def village_form() -> None:
    import os
    from pathlib import Path

    import streamlit as st

    from geo.ui import morning
    from geo.workspace.county import open_county

    morning.form(open_county(Path(os.environ["TACHA_COUNTY"])), dict(st.session_state["row"]))


def register_page() -> None:
    from geo.ui.views import register

    register.page()


def unit_forms() -> None:
    import os
    from pathlib import Path

    import streamlit as st

    from geo.ui.views import register
    from geo.workspace.county import open_county

    register._unit(open_county(Path(os.environ["TACHA_COUNTY"])), dict(st.session_state["unit"]))


def own_unit() -> None:
    import streamlit as st

    from geo.ui import state
    from geo.ui.views import register

    register._unit(state.county(), dict(st.session_state["unit"]))


def own_step() -> None:
    import streamlit as st

    from geo.ui import state
    from geo.ui.views import targets

    targets._next_step(state.county(), st.session_state["parcel"], st.session_state["status"], "step")


def map_page() -> None:
    from geo.ui.views import planner

    planner.page()


def clicked_place() -> None:
    import streamlit as st

    from geo.ui import panel, state

    county = state.county()
    panel.evidence(county.path, state.head_of(county), st.session_state["clicked"])


def targets_page() -> None:
    from geo.ui.views import targets

    targets.page()


def today_numbers() -> None:
    import os
    from pathlib import Path

    import streamlit as st

    from geo.ui.views import today
    from geo.workspace.county import open_county
    from geo.workspace.progress import today as today_of
    from geo.workspace.rights import Actor, Role

    county = open_county(Path(os.environ["TACHA_COUNTY"]), Actor(Role.TOWNSHIP, st.session_state["grounds"]))
    today._numbers(county, today_of(county))


def next_step() -> None:
    import os
    from pathlib import Path

    import streamlit as st

    from geo.ui.views import targets
    from geo.workspace.county import open_county

    state = st.session_state
    targets._next_step(open_county(Path(os.environ["TACHA_COUNTY"])), state["parcel"], state["status"], "step")


def admin_page() -> None:
    from geo.ui.views import admin

    admin.page()


@pytest.fixture
def demo(small_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> County:
    path = copy_of(small_demo, tmp_path / "示例 县")
    monkeypatch.setenv("TACHA_COUNTY", str(path))
    st.cache_data.clear()
    st.cache_resource.clear()
    return open_county(path)


def run(page: object, **state: object) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)  # type: ignore[arg-type]
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception
    return app


def test_the_numbers_of_the_first_page_are_those_of_the_progress(demo: County) -> None:
    app = run(today_page)
    shown = {metric.label: metric.value for metric in app.metric}
    total = today(demo)["totals"]
    looked = total["looked_a"] + total["looked_b"] + total["looked_c"]
    assert shown[say("ui_villages_due")] == str(total["due_n"])
    assert shown[say("ui_villages_looked")] == str(looked)
    waiting = int(shown[say("ui_villages_waiting")])
    assert int(shown[say("ui_villages_looked")]) + waiting == total["due_n"]
    earlier = say("ui_earlier_n", n=today(demo)["open_n"] - waiting)
    assert any(earlier in one.value for one in app.caption), "the list below has them too"


def test_a_township_is_told_which_targets_lie_on_a_neighbours_side_of_the_strip(demo: County) -> None:
    """Today counts what both sides answer for, the committee's row one's own ground: the card says what differs."""
    for township in ("529901001", "529901003", "529901004"):
        county = open_county(demo.path, Actor(Role.TOWNSHIP, (township,)))
        known = today(county)
        row = assess_county(county, detection=False).townships.iloc[0]
        assert known["targets_open_n"] - known["targets_shared_n"] == row["targets_open_n"]
        said = say("ui_targets_shared", n=known["targets_shared_n"])
        app = run(today_numbers, grounds=(township,))
        assert any(said in one.value for one in app.caption) == (known["targets_shared_n"] > 0)


def test_a_visit_that_tells_of_plants_is_listed_and_keeps_zero_planting_undecided_until_the_find_is_recorded(
    demo: County,
) -> None:
    """Or plants told of in a form or a list were nobody's: the plot looked at, nothing found, zero planting held."""
    assert (today(demo)["found_unrecorded_n"], assess_county(demo, detection=False).county["claimed_n"]) == (0, 0)
    plot, team = (demo.store.read(layer).iloc[0] for layer in ("parcels", "teams"))
    at = demo.as_of()
    looked = {"team_id": team["team_id"], "parcel_id": plot["parcel_id"], "outcome": "发现", "evidence": "C",
              "visited_at": at}  # fmt: skip
    seen = record_visit(demo.store, looked, now=at)
    assert [one["visit_id"] for one in today(demo)["found_unrecorded"]] == [seen.id]
    facts = assess_county(demo, detection=False).county
    planting = next(row for row in fact_rows(facts, "zh") if say("ui_zero_planting") in row.values())
    assert {say("committee_undecided"), say("committee_unrecorded", n=1)} <= set(planting.values())
    assert (facts["zero_planting"], facts["zero_yield"], HELD[None]) == (None, None, "committee_undecided")
    app = run(today_page)
    assert not app.exception
    assert any(say("ui_unrecorded_help", n=1) in one.value for one in app.caption)
    assert any(say("ui_edges_not_yet") in one.value for one in app.caption)
    find = {"parcel_id": plot["parcel_id"], "team_id": team["team_id"], "found_at": at, "plants_n": 4,
            "stage": "开花期"}  # fmt: skip
    record_find(demo.store, find, now=at)
    assert today(demo)["found_unrecorded"] == []
    facts = assess_county(demo, detection=False).county
    assert (facts["claimed_n"], HELD[facts["zero_planting"]]) == (0, "committee_broken")


def test_a_find_of_last_year_does_not_answer_what_a_visit_tells_this_year(demo: County) -> None:
    plot, team = (demo.store.read(layer).iloc[0] for layer in ("parcels", "teams"))
    at, about = demo.as_of(), {"team_id": team["team_id"], "parcel_id": plot["parcel_id"]}
    old = {"found_at": at.replace(year=at.year - 1), "plants_n": 4, "stage": "开花期"}
    record_find(demo.store, about | old, now=at)
    record_visit(demo.store, about | {"outcome": "发现", "evidence": "C", "visited_at": at}, now=at)
    facts = assess_county(demo, detection=False).county
    assert (facts["claimed_n"], facts["zero_planting"], facts["finds_n"]) == (1, None, 0)
    assert today(demo)["found_unrecorded_n"] == 1
    assert facts["untold_n"] == 1  # nobody was told of the old one either


def test_a_track_nearby_that_could_not_see_the_place_says_why(demo: County) -> None:
    """Somebody passed within reach and had no chance: each reason stands under the table, counted."""
    tracks = demo.store.read("tracks")
    middles = gpd.GeoSeries(tracks.geometry.interpolate(0.5, normalized=True), crs=demo.crs).to_crs(4326)
    known = ((place, evidence_at(demo, place.x, place.y)) for place in middles)
    place, seen = next((place, one) for place, one in known if one.pod is not None and one.tracks["reason"].any())
    app = AppTest.from_function(clicked_place, default_timeout=120)
    app.session_state["clicked"] = {"lng": place.x, "lat": place.y}
    app.run()
    said = next(one.value for one in app.caption if one.value.startswith(say("ui_nothing_because", whys="")))
    reasons = seen.tracks["reason"].dropna()
    assert all(say(why) in said for why in reasons)
    assert sum(map(int, re.findall(r"(\d+) 次", said))) == len(reasons) > 0


def test_a_name_in_both_languages_is_shown_in_the_pages_own(demo: County) -> None:
    app = run(register_page, language="en")
    units = next(one.value for one in app.dataframe if say("ui_unit_id", "en") in one.value.columns)
    county = units[say("ui_unit_id", "en")] == demo.settings.county_id
    assert units.loc[county, say("ui_unit", "en")].tolist() == ["Demo County (made up)"]
    assert [neighbour_name("1", "邻县 Next County", spoken) for spoken in LANGUAGES] == ["邻县", "Next County"]


def test_villages_on_the_map_are_in_the_state_the_list_says(demo: County) -> None:
    cells = measure_progress(demo).progress.cells
    number = running_round(demo, demo.as_of())
    own = cells[cells["round"] == number].set_index("village_id")["state"].to_dict()
    assert village_states(demo) == own


def test_a_form_typed_in_takes_the_village_off_the_list(demo: County) -> None:
    before = today(demo)
    row = before["open"][0]
    app = run(village_form, row=row)
    name = f"form_{row['village_id']}_{row['round']}"
    app.date_input(key=f"{name}_day").set_value(demo.as_of().date())
    app.number_input(key=f"{name}_persons").set_value(3)
    app.selectbox(key=f"{name}_ground").set_value("庭院")
    app.button[0].click().run()
    assert not app.exception
    assert [one.value for one in app.error] == []
    visits = demo.store.read("visits")
    assert visits[visits["village_id"] == row["village_id"]]["evidence"].tolist()[-1] == "C"
    listed = [(one["village_id"], one["round"]) for one in today(demo)["open"]]
    assert (row["village_id"], row["round"]) not in listed


def test_orders_are_issued_and_signed_for_on_the_first_page(demo: County) -> None:
    app = run(today_page)
    assert say("ui_no_orders", round=running_round(demo, demo.as_of())) in [one.value for one in app.info]
    next(one for one in app.text_input if one.label == say("ui_issuing_post")).set_value("县禁毒办")
    next(one for one in app.button if one.label.startswith("下达")).click().run()
    assert not app.exception
    waiting = today(demo)["orders_unsigned_n"]
    assert waiting == today(demo)["totals"]["villages_n"]
    next(one for one in app.text_input if one.label == say("ui_signing_post")).set_value("村支书")
    next(one for one in app.button if one.label == say("ui_sign")).click().run()
    assert not app.exception
    assert today(demo)["orders_unsigned_n"] == waiting - 1


def test_the_register_lists_nobodys_units_first_and_finds_by_name(demo: County) -> None:
    app = run(register_page)
    table = app.dataframe[0].value
    posts = table[say("ui_posts")].tolist()
    nobody = posts.count(say("ui_posts_none"))
    assert nobody > 0
    assert posts[:nobody] == [say("ui_posts_none")] * nobody
    app.toggle[0].set_value(True).run()
    assert len(app.dataframe[0].value) == nobody
    app.toggle[0].set_value(False)
    app.text_input[0].set_value("没有这个名字").run()
    assert app.dataframe[0].value.empty


def test_a_post_is_assigned_and_ended_and_its_past_stays(demo: County) -> None:
    unit = responsibility_register(demo).units.iloc[0].to_dict()
    app = run(unit_forms, unit=unit)
    app.text_input[0].set_value("村委会主任")
    app.button[0].click().run()
    assert not app.exception
    own = demo.store.read("duties").query("unit_id == @unit['unit_id']")
    assert own["post"].tolist() == ["村委会主任"]
    app = run(unit_forms, unit=unit)
    app.button[1].click().run()
    assert not app.exception
    own = demo.store.read("duties").query("unit_id == @unit['unit_id']")
    assert len(own) == 1
    assert in_force(own, demo.as_of()).empty


def press(app: AppTest, code: str) -> None:
    """Press the button a word stands on."""
    next(button for button in app.button if button.label == say(code)).click().run()
    assert not app.exception


def test_a_units_figures_are_edited_and_a_group_is_put_under_it(demo: County) -> None:
    units = responsibility_register(demo).units
    unit = units[units["unit_kind"] == "village"].iloc[0].to_dict()
    app = run(unit_forms, unit=unit)
    next(field for field in app.number_input if field.label == say("ui_households")).set_value(77)
    press(app, "ui_save_unit")
    app = run(unit_forms, unit=unit)
    next(field for field in app.text_input if field.label == say("ui_new_unit")).set_value("三组")
    press(app, "ui_add_unit")
    told = demo.store.read("units").set_index("unit_id")
    assert told.loc[unit["unit_id"], "households_n"] == 77
    assert told.loc[f"{unit['unit_id']}-三组", ["unit_kind", "parent_id"]].tolist() == ["group", unit["unit_id"]]
    assert demo.store.verify().ok


def test_targets_come_with_the_least_time_left_first(demo: County) -> None:
    app = run(targets_page)
    listed = next(one.value for one in app.dataframe if say("ui_suspicion") in one.value)
    days = listed[say("ui_days_left")].dropna().tolist()
    assert days == sorted(days)
    assert app.metric[0].value == str(len(demo.store.read("parcels")))


def test_a_step_of_a_plot_is_recorded_and_one_without_its_fields_is_refused_in_a_sentence(demo: County) -> None:
    parcels = demo.store.read("parcels")
    parcel = parcels.loc[parcels["status"] == "flagged", "parcel_id"].iloc[0]
    given = {"parcel": parcel, "status": "flagged", f"act_{parcel}": Act.ASSIGN}
    app = run(next_step, **given)
    app.button[0].click().run()
    assert not app.exception
    assert say("act_assign") in app.error[0].value
    app.selectbox(key="step_team").set_value(demo.store.read("teams")["team_id"].iloc[0])
    app.button[0].click().run()
    assert not app.exception
    assert demo.store.read("parcels", [parcel])["status"].iloc[0] == "assigned"


def test_a_backup_is_a_whole_county_and_the_doctor_answers_beside_the_page(demo: County) -> None:
    app = run(admin_page)
    app.button[0].click().run()
    assert not app.exception
    (copied,) = (demo.path / "backups").glob("*.gpkg")
    folder = demo.path.parent / "copy"
    folder.mkdir()
    shutil.copy(copied, folder / "county.gpkg")
    shutil.copy(demo.path / "county.toml", folder)
    assert open_county(folder).store.head() == demo.store.head()
    app.button[1].click().run()
    held = jobs.last(demo.path, "doctor")
    assert held is not None
    held.thread.join(60)
    app.run()
    assert app.success[-1].value == say("ui_condition_ok")


def labels(app: AppTest) -> set[str]:
    """What stands on the buttons and fields of a page."""
    fields = (*app.button, *app.text_input, *app.selectbox, *app.number_input)
    return {str(field.label) for field in fields}


def seen_as(role: Role, county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on somebody of this role looks at the county; who has a ground has all of its townships."""
    ground = () if role in WHOLE else tuple(county.store.read("townships")["township_id"])
    monkeypatch.setattr(state, "actor", lambda: Actor(role, ground, "somebody"))


@pytest.mark.parametrize("role", [Role.COUNTY, Role.TOWNSHIP, Role.MEMBER, Role.COMMITTEE, Role.AUDITOR])
def test_a_page_offers_only_what_the_role_may_do(demo: County, monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    """A form that would be refused when it is sent is not shown."""
    seen_as(role, demo, monkeypatch)
    offered = labels(run(today_page))
    assert (say("ui_daily_send") in offered) == (Action.ANSWER in RIGHTS[role])
    issuing = say("ui_issue", round=today(demo)["round"])
    assert (issuing in offered) == (Action.ORDER in RIGHTS[role])
    captions = " ".join(one.value for one in run(today_page).caption)
    assert (say("ui_choose_village") in captions) == (Action.RECORD in RIGHTS[role])
    unit = responsibility_register(demo).units.iloc[0].to_dict()
    offered = labels(run(own_unit, unit=unit)) | labels(run(register_page))
    for code in ("ui_assign_post", "ui_save_unit", "ui_add_unit", "ui_take_it"):
        assert (say(code) in offered) == (Action.REGISTER in RIGHTS[role])
    parcel = demo.store.read("parcels").query("status == 'flagged'")["parcel_id"].iloc[0]
    steps = run(own_step, parcel=parcel, status="flagged")
    acts = {act for field in steps.get("button_group") for act in field.options}
    assert (say("act_assign") in acts) == (Action.JUDGE in RIGHTS[role])
    assert (say("act_guard") in acts) == (Action.RECORD in RIGHTS[role])


@pytest.mark.parametrize("role", [Role.TOWNSHIP, Role.COMMITTEE])
def test_planning_is_on_the_map_of_those_who_may_plan(
    demo: County, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    seen_as(role, demo, monkeypatch)
    folds = {fold.label for fold in run(map_page).expander}
    assert (say("ui_plan_head") in folds) == (Action.PLAN in RIGHTS[role])


@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_duties_of_a_unit_are_named_in_the_language_of_the_page(demo: County, spoken: Language) -> None:
    units = responsibility_register(demo).units
    unit = units[(units["unit_kind"] == "township") & units["包保"].notna()].iloc[0].to_dict()
    app = run(unit_forms, unit=unit, language=spoken)
    listed = " ".join(str(one.value.to_dict()) for one in app.dataframe)
    held = next(field for field in app.selectbox if field.label == say("ui_which_post", spoken))
    said = say("ui_duty_属地", spoken)
    assert said in listed
    assert any(said in option for option in held.options)


def test_a_chosen_unit_stays_chosen_when_an_entry_puts_the_rows_in_another_order(demo: County) -> None:
    """Nobody's units come first: with a post the first one moves down, and the forms must not be the next unit's."""
    unit = responsibility_register(demo).units.iloc[0]
    app = run(register_page, register_unit=unit["unit_id"])
    assert app.subheader[0].value == plain(unit["name"])
    post = next(field for field in app.text_input if field.label == say("ui_post"))
    post.set_value("村委会主任")
    press(app, "ui_assign_post")
    assert responsibility_register(demo).units.iloc[0]["unit_id"] != unit["unit_id"]
    assert app.subheader[0].value == plain(unit["name"])
    assert next(field for field in app.text_input if field.label == say("ui_post")).value == ""


def test_a_chosen_village_is_kept_by_its_key_and_none_is_chosen_for_one_that_left_the_list(demo: County) -> None:
    row = today(demo)["open"][1]
    app = run(today_page, open_village=f"{row['village_id']} {row['round']}")
    assert plain(row["name"]) in app.expander[0].label
    app = run(today_page, open_village="529901999999 1")
    assert say("ui_choose_village") in " ".join(one.value for one in app.caption)


def test_a_plot_stays_chosen_when_a_step_puts_the_rows_in_another_order(demo: County) -> None:
    """A dismissed plot waits no longer and goes to the end; the next step asked for must not be another plot's."""
    parcel = demo.store.read("parcels").sort_values("deadline", kind="stable").iloc[0]
    chosen = {"plot_chosen": parcel["parcel_id"], f"act_{parcel['parcel_id']}": Act.DISMISS}
    app = run(targets_page, **chosen)
    assert (parcel["source_id"] or parcel["parcel_id"]) in app.subheader[0].value
    next(field for field in app.text_input if field.label == say("ui_post")).set_value("县禁毒办主任")
    press(app, "ui_save")
    assert [one.value for one in app.error] == []
    assert demo.store.read("parcels", [parcel["parcel_id"]])["status"].iloc[0] == "dismissed"
    assert (parcel["source_id"] or parcel["parcel_id"]) in app.subheader[0].value


def test_what_was_typed_for_one_village_is_not_in_the_form_of_the_next(demo: County) -> None:
    first, second = today(demo)["open"][:2]
    app = run(village_form, row=first)
    post = next(field for field in app.text_input if field.label == say("ui_signing_post"))
    post.set_value("村支书").run()
    app.session_state["row"] = second
    app.run()
    assert next(field for field in app.text_input if field.label == say("ui_signing_post")).value == ""


def test_a_sentence_above_the_register_moves_nothing_below_it(demo: County) -> None:
    """The browser folds an expander that has moved: what an import says would be hidden."""
    quiet, told = run(register_page), run(register_page, register_said="saved")
    assert told.success[0].value == "saved"
    assert len(told.main.children) == len(quiet.main.children)


@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_the_committees_papers_have_brackets_of_their_language(demo: County, spoken: Language) -> None:
    """The demo county's name stands beside its note that it is made up."""
    for content in committee_papers(demo, language=spoken).values():
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            text = "".join(packed.read(name).decode() for name in packed.namelist() if name.endswith(".xml"))
        note = say("note_made_up", spoken)
        assert (f"（{note}）" if spoken == "zh" else f" ({note})") in text
