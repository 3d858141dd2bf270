"""Form fields: a visit, a find, its destruction, its verification; in rows, so that a phone keeps their order."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import streamlit as st

from geo.errors import LayerError
from geo.formats.datum import datum_of
from geo.formats.typed_places import degrees_in
from geo.layers.finds import METHODS
from geo.layers.steps import DISMISSALS, Act
from geo.layers.visits import GROUNDS, OUTCOMES
from geo.season import CHINA
from geo.ui import state
from geo.workspace.county import County

Values = dict[str, Any]
DATUMS = ("wgs84", "gcj02", "bd09")


def visit_fields(county: County) -> Values:
    """A visit: who, when, where, what came of it, and what it rests on; what is rarely known in a fold."""
    values = _who_when(county, "visit", "visited_at")
    first, second, third = st.columns(3)
    values["parcel_id"] = _choose(first, "ui_parcel", state.choices(*_at(county), "parcels"), key="visit_parcel")
    values["village_id"] = _choose(second, "ui_village", state.choices(*_at(county), "villages"))
    values["outcome"] = _one_of(third, "ui_outcome", OUTCOMES)
    first, second, third = st.columns(3)
    values["ground"] = _one_of(first, "ui_ground", GROUNDS, choose=True)
    values["evidence"] = second.selectbox(state.word("ui_evidence"), ["C", "B", "A"], key="visit_evidence")
    values["track_id"] = third.text_input(state.word("ui_track_id"))
    with st.expander(state.word("ui_visit_more")):
        typed, datum = place_fields("visit")
        first, second, third = st.columns(3)
        values["persons_n"] = first.number_input(state.word("ui_persons"), 0, value=None, step=1)
        values["hours"] = second.number_input(state.word("ui_visit_hours"), 0.0, value=None, step=0.5)
        values["courtyards_n"] = third.number_input(state.word("ui_courtyards"), 0, value=None, step=1)
        values["reason"] = st.text_input(state.word("ui_reason"))
    return values | {"place": (typed, datum)}


def form_fields(county: County, name: str, team: str | None) -> Values:
    """
    A village's signed form, typed in: day, outcome, people, hours, ground, courtyards; `team` is the likeliest.

    `name` is that village's own, or what was typed for one would stand in the form of the next.
    """
    first, second, third = st.columns(3)
    day = first.date_input(state.word("ui_date"), county.as_of().astimezone(CHINA).date(), key=f"{name}_day")
    values: Values = {"visited_on": day.isoformat() if day else None}
    values["outcome"] = _one_of(second, "ui_outcome", OUTCOMES, key=f"{name}_outcome")
    values["ground"] = _one_of(third, "ui_ground", GROUNDS, choose=True, key=f"{name}_ground")
    first, second, third = st.columns(3)
    values["persons_n"] = first.number_input(state.word("ui_persons"), 0, value=None, step=1, key=f"{name}_persons")
    values["hours"] = second.number_input(state.word("ui_visit_hours"), 0.0, value=None, step=0.5, key=f"{name}_hours")
    values["area_mu"] = third.number_input(state.word("ui_area_mu"), 0.0, value=None, step=10.0)
    first, second, third = st.columns(3)
    values["courtyards_n"] = first.number_input(state.word("ui_courtyards"), 0, value=None, step=1, key=f"{name}_yards")
    values["courtyards_due_n"] = second.number_input(state.word("ui_courtyards_due"), 0, value=None, step=1)
    values["photos_n"] = third.number_input(state.word("ui_photos_n"), 0, value=None, step=1)
    teams = state.choices(*_at(county), "teams")
    values["team_id"] = st.selectbox(
        state.word("ui_team"),
        list(teams),
        index=list(teams).index(team) if team in teams else None,
        format_func=teams.__getitem__,
        key=f"{name}_team",
    )
    first, second, third = st.columns(3, vertical_alignment="bottom")
    values["post"] = first.text_input(state.word("ui_signing_post"), key=f"{name}_post")
    values["reason"] = second.text_input(state.word("ui_reason"), key=f"{name}_reason")
    values["signed"] = "是" if third.checkbox(state.word("ui_signed")) else "否"
    return values


def step_fields(county: County, name: str, act: Act) -> Values:
    """What one step of a plot's life needs, and when it was taken; `name` is that plot's own, as in `form_fields`."""
    first, second, third = st.columns(3)
    with first:
        moment = when(name, datetime.now(CHINA))
    values: Values = {"at": moment}
    if act == Act.ASSIGN:
        values["team_id"] = _choose(second, "ui_team", state.choices(*_at(county), "teams"), key=f"{name}_team")
    elif act == Act.HAND_OVER:
        values["station"] = second.text_input(state.word("ui_station"))
        values["receipt"] = third.text_input(state.word("ui_receipt"))
    elif act == Act.DISMISS:
        values["reason"] = second.selectbox(
            state.word("ui_dismissal"), DISMISSALS, format_func=lambda one: state.word(f"ui_choice_{one}")
        )
    elif act == Act.RECHECK:
        values["plants_left_n"] = second.number_input(state.word("ui_plants_left"), 0, value=0, step=1)
        values["track_id"] = third.text_input(state.word("ui_track_id"), key=f"{name}_track")
    values["post"] = second.text_input(state.word("ui_post"), key=f"{name}_post")
    values["note"] = third.text_input(state.word("ui_note"), key=f"{name}_note")
    return values


def destruction_fields(county: County) -> Values:
    """The destruction of a find that still stands."""
    values = {"find_id": _find(county, "destruction", standing=True)}
    first, second = st.columns(2)
    values |= _destruction(first, second, "destruction", METHODS[1:], share=100.0)
    values["witnesses"] = st.text_input(state.word("ui_witness_post"), key="destruction_witness")
    return values


def verification_fields(county: County) -> Values:
    """That somebody went back and saw a destroyed find gone."""
    return {"find_id": _find(county, "verification", standing=False)} | {"at": when("verification")}


def _who_when(county: County, name: str, column: str) -> Values:
    teams = state.choices(*_at(county), "teams")
    first, second = st.columns([1, 2])
    label = state.word("ui_team")
    if teams:
        team = first.selectbox(label, list(teams), format_func=teams.__getitem__, key=f"{name}_team")
    else:
        team = first.text_input(label, key=f"{name}_team")
    with second:
        return {"team_id": team, column: when(name, county.as_of())}


def when(name: str, default: datetime | None = None, *, now: bool = False) -> datetime | None:
    """Day and time, China time, nine o'clock or the default's (`now`); None where the day was left empty."""
    first, second = st.columns(2)
    local = default.astimezone(CHINA) if default else None
    day = first.date_input(state.word("ui_date"), local.date() if local else None, key=f"{name}_day")
    hour = time(local.hour, local.minute) if local and now else time(9)
    clock = second.time_input(state.word("ui_time"), hour, key=f"{name}_time")
    return datetime.combine(day, clock, CHINA) if day else None


def place_in(county: County, typed: str, datum: str = "wgs84") -> Values:
    """
    A place typed in any notation as WGS 84 degrees; nothing where nothing was typed.

    Raises
    ------
    LayerError
        What was typed is no place.
    """
    if not typed.strip():
        return {}
    degrees = degrees_in(typed, county.crs)
    if degrees is None:
        raise LayerError("place_unread", text=typed)
    east, north = degrees.wgs84(datum_of(datum))
    return {"longitude": east, "latitude": north}


def place_fields(key: str) -> tuple[str, str]:
    """A place typed in any notation, and the datum its degrees are in."""
    first, second = st.columns([2, 1])
    typed: str = first.text_input(state.word("ui_place_typed"), key=f"{key}_place")
    datum: str = second.selectbox(
        state.word("ui_datum"), DATUMS, format_func=lambda one: state.word(f"ui_datum_{one}"), key=f"{key}_datum"
    )
    return typed, datum


def _destruction(where: Any, beside: Any, name: str, methods: Sequence[str], *, share: float) -> Values:
    method = _one_of(where, "ui_method", methods, key=f"{name}_method")
    fraction = where.number_input(state.word("ui_fraction"), 0.0, 100.0, share, 1.0, key=f"{name}_fraction") / 100.0
    with beside:
        destroyed = st.datetime_input(state.word("ui_destroyed_at"), value=None, key=f"{name}_at")
    when = destroyed.replace(tzinfo=CHINA) if destroyed else None
    return {"method": method, "fraction": fraction, "destroyed_at": when}


def _find(county: County, name: str, *, standing: bool) -> str | None:
    """One of the finds that still stand, or of those destroyed and not yet verified."""
    finds = state.open_finds(*_at(county), standing=standing)
    return _choose(st, "ui_which_find", finds, key=f"{name}_find")


def _choose(where: Any, code: str, names: dict[str, str], key: str | None = None) -> str | None:
    """One of named things, or nothing yet."""
    chosen: str | None = where.selectbox(
        state.word(code),
        list(names),
        index=None,
        placeholder=state.word("ui_choose"),
        format_func=names.__getitem__,
        key=key,
    )
    return chosen


def _one_of(where: Any, code: str, values: Sequence[str], *, choose: bool = False, key: str | None = None) -> Any:
    """One of a layer's own words, shown in the session's language; with `choose` nobody has chosen for the user."""

    def said(value: str) -> str:
        return state.word(f"ui_choice_{value}")

    hint = state.word("ui_choose")
    return where.selectbox(
        state.word(code), values, index=None if choose else 0, placeholder=hint, format_func=said, key=key
    )


def _at(county: County) -> tuple[Any, str]:
    return county.path, state.head_of(county)
