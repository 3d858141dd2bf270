"""The fields of the forms: a visit, a find with its eradication."""

from datetime import datetime, time
from typing import Any

import streamlit as st

from geo.layers.finds import FOUND_BY, METHODS, SPECIES, STAGES
from geo.layers.visits import GROUNDS, OUTCOMES
from geo.season import CHINA
from geo.ui import state
from geo.workspace.county import County

Values = dict[str, Any]


def common_fields(county: County, name: str) -> Values:
    """Team, time, parcel and place: what both forms ask."""
    path, head = county.path, state.head_of(county)
    teams, parcels = state.choices(path, head, "teams"), state.choices(path, head, "parcels")
    first, second, third = st.columns(3)
    label = state.word("ui_team")
    if teams:
        team = first.selectbox(label, list(teams), format_func=teams.__getitem__, key=f"{name}_team")
    else:
        team = first.text_input(label, key=f"{name}_team")
    day = second.date_input(state.word("ui_date"), county.as_of().astimezone(CHINA).date(), key=f"{name}_day")
    clock = third.time_input(state.word("ui_time"), time(9), key=f"{name}_time")
    parcel = first.selectbox(
        state.word("ui_parcel"),
        list(parcels),
        index=None,
        placeholder=state.word("ui_choose"),
        format_func=parcels.__getitem__,
        key=f"{name}_parcel",
    )
    east = second.number_input(state.word("ui_longitude"), value=None, format="%.6f", key=f"{name}_longitude")
    north = third.number_input(state.word("ui_latitude"), value=None, format="%.6f", key=f"{name}_latitude")
    when = datetime.combine(day, clock, CHINA)
    return {"team_id": team, "when": when, "parcel_id": parcel, "longitude": east, "latitude": north}


def visit_fields(county: County, common: Values) -> Values:
    """What a visit asks beside the common: village, outcome, evidence, ground."""
    villages = state.choices(county.path, state.head_of(county), "villages")
    first, second, third = st.columns(3)
    return _at(common, "visited_at") | {
        "village_id": first.selectbox(
            state.word("ui_village"),
            list(villages),
            index=None,
            placeholder=state.word("ui_choose"),
            format_func=villages.__getitem__,
        ),
        "outcome": second.selectbox(state.word("ui_outcome"), OUTCOMES),
        "evidence": third.selectbox(state.word("ui_evidence"), ["B", "C", "A"]),
        "track_id": third.text_input(state.word("ui_track_id")),
        "ground": first.selectbox(state.word("ui_ground"), GROUNDS, index=None, placeholder=state.word("ui_choose")),
        "reason": second.text_input(state.word("ui_reason")),
    }


def find_fields(county: County, common: Values) -> Values:
    """What a find asks beside the common: species, plants, how and when destroyed."""
    first, second, third = st.columns(3)
    method = second.selectbox(state.word("ui_method"), METHODS)
    values = _at(common, "found_at") | {
        "species": first.selectbox(state.word("ui_species"), SPECIES),
        "stage": first.selectbox(state.word("ui_stage"), STAGES),
        "plants_n": first.number_input(state.word("ui_plants_n"), min_value=0, step=1),
        "method": method,
        "fraction": second.number_input(state.word("ui_fraction"), 0.0, 100.0, 0.0, 1.0) / 100.0,
        "found_by": third.selectbox(state.word("ui_found_by"), FOUND_BY),
    }
    destroyed = third.datetime_input(state.word("ui_destroyed_at"), value=None)
    return values | {"destroyed_at": destroyed.replace(tzinfo=CHINA) if destroyed else None}


def _at(common: Values, column: str) -> Values:
    return {name: value for name, value in common.items() if name != "when"} | {column: common["when"]}
