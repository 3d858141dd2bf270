"""The find form, for a thumb: count, stage, scene, photos, and what was destroyed; the same on every page."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from geo.errors import GeoError
from geo.layers.finds import FOUND_BY, METHODS, SPECIES, STAGES
from geo.season import CHINA
from geo.ui import photos, state
from geo.ui.fields import place_fields, place_in, when
from geo.workspace.county import County
from geo.workspace.discovery import record_found
from geo.workspace.recording import Recorded

Values = dict[str, Any]


def find_form(county: County, known: Values, *, key: str, moment: datetime) -> Recorded | None:
    """
    The form with what is known filled in (``team_id, parcel_id, longitude, latitude``); what came of it, once sent.

    Stage and time stand as they are likeliest; the place is asked only where it is not known.
    """
    word = state.word
    with st.form(key, border=False):
        team = known.get("team_id") or _team(county, key)
        parcel = known.get("parcel_id") or (None if known.get("longitude") else _parcel(county, key))
        place, datum = ("", "wgs84") if known.get("longitude") else place_fields(key)
        values: Values = {
            "plants_n": st.number_input(word("ui_plants_n"), 0, value=None, step=1, key=f"{key}_plants"),
            "stage": _pills("ui_stage", STAGES, likely_stage(county, moment, known), f"{key}_stage"),
            "species": _pills("ui_species", SPECIES, SPECIES[0], f"{key}_species"),
        }
        scene: Values = {"guarded": st.checkbox(word("ui_guarded"), key=f"{key}_guarded")}
        first, second = st.columns(2)
        scene["station"] = first.text_input(word("ui_station_told"), key=f"{key}_station")
        scene["receipt"] = second.text_input(word("ui_receipt"), key=f"{key}_receipt")
        before = photos.picker("ui_photos_before", f"{key}_photos")
        with st.expander(word("ui_destroyed_already")):
            gone = _gone(key)
        with st.expander(word("ui_more_fields")):
            values |= _more(county, key, moment)
            sample = _sample(key)
        sent = st.form_submit_button(word("ui_save_find"), type="primary", width="stretch", key=f"{key}_save")
    if not sent:
        return None
    try:
        values |= _placed(county, known, place, datum) | {"team_id": team, "parcel_id": parcel} | sample
        after = gone.pop("photos")
        values["photo_sha256"] = photos.digest(before)
        gone |= {"after_sha256": photos.digest(after)} if after else {}
        destroyed = {name: value for name, value in gone.items() if value not in (None, "")} if gone.pop("on") else None
        done = record_found(county, values, now=datetime.now(UTC), scene=scene, gone=destroyed)
        told = photos.take(county, before, {"find_id": done.id}, team, photos.BEFORE)
        told += photos.take(county, after if destroyed else [], {"find_id": done.id}, team, photos.AFTER)
        if told:
            st.session_state["photos_said"] = told
        return done
    except GeoError as error:
        state.sorry(error)
        return None


def likely_stage(county: County, moment: datetime, known: Values) -> str:
    """The growth stage of the day at 1,000 m: what is likeliest, to be changed by whoever sees the plants."""
    return STAGES[int(county.season.stage_of(county.season.day_of(moment), 1000.0))]


def _team(county: County, key: str) -> str | None:
    teams = state.choices(county.path, state.head_of(county), "teams")
    if not teams:
        typed: str = st.text_input(state.word("ui_team"), key=f"{key}_team")
        return typed
    chosen: str = st.selectbox(state.word("ui_team"), list(teams), format_func=teams.__getitem__, key=f"{key}_team")
    return chosen


def _parcel(county: County, key: str) -> str | None:
    """A plot on record; a find on none gets a plot of its own at its place."""
    plots = state.choices(county.path, state.head_of(county), "parcels")
    chosen: str | None = st.selectbox(
        state.word("ui_parcel"), list(plots), index=None, placeholder=state.word("ui_choose"),
        format_func=plots.__getitem__, key=f"{key}_parcel",
    )  # fmt: skip
    return chosen


def _pills(code: str, values: tuple[str, ...], default: str, key: str) -> str | None:
    chosen: str | None = st.segmented_control(
        state.word(code), values, default=default, format_func=lambda one: state.word(f"ui_choice_{one}"), key=key
    )
    return chosen


def _gone(key: str) -> Values:
    """Destruction: on, the way, the share, when, photos afterwards, and the post that saw it."""
    word = state.word
    return {
        "on": st.checkbox(word("ui_destroyed_now"), key=f"{key}_gone"),
        "method": _pills("ui_method", METHODS[1:], METHODS[1], f"{key}_method"),
        "fraction": st.number_input(word("ui_fraction"), 0.0, 100.0, 100.0, 5.0, key=f"{key}_fraction") / 100.0,
        "destroyed_at": when(f"{key}_destroyed", datetime.now(CHINA), now=True),
        "witnesses": st.text_input(word("ui_witness_post"), key=f"{key}_witness"),
        "photos": photos.picker("ui_photos_after", f"{key}_after"),
    }


def _more(county: County, key: str, moment: datetime) -> Values:
    found_by = st.selectbox(
        state.word("ui_found_by"), FOUND_BY, format_func=lambda one: state.word(f"ui_choice_{one}"), key=f"{key}_by"
    )
    return {"found_by": found_by, "found_at": when(f"{key}_found", moment.astimezone(CHINA), now=True),
            "case_number": st.text_input(state.word("ui_case_number"), key=f"{key}_case")}  # fmt: skip


def _sample(key: str) -> Values:
    """A count by sample squares instead of counting every plant."""
    word = state.word
    st.caption(word("ui_sample_help"))
    counts = st.text_input(word("ui_sample_counts"), placeholder="12 9 15", key=f"{key}_counts")
    first, second = st.columns(2)
    square = first.number_input(word("ui_sample_square"), 0.1, value=1.0, step=0.5, key=f"{key}_square")
    area = second.number_input(word("ui_sample_area"), 0.0, value=None, step=1.0, key=f"{key}_area")
    numbers = [int(one) for one in counts.replace("，", " ").replace(",", " ").split() if one.isdigit()]
    return {"area_m2": area} | ({"counts": numbers, "quadrat_m2": square} if numbers else {})


def _placed(county: County, known: Values, typed: str, datum: str) -> Values:
    if known.get("longitude"):
        return {"longitude": known["longitude"], "latitude": known["latitude"]}
    return place_in(county, typed, datum)
