"""The panel beside the map: what a place rests on, and what a drawn area holds and would take."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from math import isinf
from pathlib import Path

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.locale import area as area_text
from geo.locale import short_day
from geo.season import CHINA
from geo.ui import state
from geo.workspace.areas import AreaFigures
from geo.workspace.evidence import Evidence, evidence_at

ASKING = ThreadPoolExecutor(max_workers=2)
"""Threads that stay: a page's own begins anew with each run, and PROJ with it, at 0.15 s a click."""

LOOKS_PX = {"ui_day": 78, "ui_team": 116, "ui_nearest": 64, "ui_visible": 64, "ui_chance": 62}
"""Columns of who looked, side by side in the panel of a page 1,440 px wide."""


def evidence(path: Path, head: str, clicked: Mapping[str, float] | None) -> None:
    """What is known of the clicked place; before a click, what a click does."""
    if not clicked:
        st.info(state.word("ui_click"))
        return
    longitude, latitude = round(clicked["lng"], 5), round(clicked["lat"], 5)
    st.caption(state.word("ui_at", longitude=longitude, latitude=latitude))
    try:
        held = {"as_of": state.as_of(path, head), "edges": state.edges(path, head), "tracks": state.tracks(path, head)}
        known = ASKING.submit(evidence_at, state.county(), longitude, latitude, **held).result()
    except GeoError as error:
        state.sorry(error)
        return
    _place(known)
    _looks(known, state.choices(path, head, "teams"))


def area(path: Path, head: str, outline: tuple[tuple[float, float], ...]) -> None:
    """What lies in the drawn area and what hours of search would find there; the way on to a plan."""
    with st.container(border=True):
        st.markdown(f"**{state.word('ui_area')}**")
        teams, each = st.columns(2)
        teams_n = teams.number_input(state.word("ui_area_teams"), 1, 99, 2, key="area_teams")
        hours_each = each.number_input(state.word("ui_plan_hours"), 1.0, 12.0, 6.0, 0.5, key="area_hours")
        if state.borders_now(path, head) is None:
            st.info(state.word("ui_area_waits"))
            return
        try:
            known = state.area(path, head, outline, float(teams_n * hours_each))
        except GeoError as error:
            state.sorry(error)
            return
        _area(known)
        names = state.choices(path, head, "townships")
        st.caption("、".join(state.plain(names.get(one, one)) for one in known.townships))
        if st.button(state.word("ui_area_plan"), key="area_plan", type="primary"):
            st.session_state["plan_townships"] = known.townships
            st.session_state["plan_teams"] = int(teams_n)
            st.session_state["plan_hours"] = float(hours_each)
            st.session_state["plan_pinned"] = known.due
            st.session_state["plan_area"] = outline
            st.rerun()


def _area(known: AreaFigures) -> None:
    language = state.language()
    hours = " · ".join(
        state.word("ui_area_for", share=round(100 * share), hours="∞" if isinf(needed) else f"{needed:.0f}")
        for share, needed in known.hours_for.items()
    )
    counted = {
        "ui_area_km2": area_text(1e6 * known.area_km2, language),
        "ui_plantable": area_text(1e6 * known.plantable_km2, language),
        "ui_area_blind": area_text(1e6 * known.blind_km2, language),
        "ui_area_due": f"{len(known.due)} / {len(known.parcels)}",
        "ui_layer_finds": str(len(known.finds)),
        "ui_layer_villages": str(known.villages_n),
    }
    named = [state.word(code) for code in counted]
    table = pd.DataFrame({state.word("ui_what"): named, state.word("head_value"): list(counted.values())})
    st.dataframe(table, hide_index=True, height=35 * (len(table) + 1) + 3)
    st.metric(
        state.word("ui_area_expected", hours=f"{known.hours:.0f}"),
        f"{known.expected:.3f}",
        help=state.word("ui_area_help"),
    )
    st.caption(f"{state.word('ui_area_standing', n=f'{known.standing:.3f}')} · {hours}")


def _place(known: Evidence) -> None:
    st.subheader(state.plain(known.township) if known.township else state.word("ui_enclave"), anchor=False)
    st.markdown(f"{state.word('ui_posts_of')}**{state.plain(known.posts or state.word('ui_posts_none'))}**")
    elevation = "–" if known.elevation_m is None else round(known.elevation_m)
    cover, stage = state.word(f"ui_cover_{known.cover}"), state.word(f"ui_stage_{known.stage}")
    st.caption(state.word("ui_place", elevation=elevation, cover=cover, stage=stage))
    if known.border_id:
        st.caption(state.word("ui_both_answer" if known.both_answer else "ui_in_strip"))
    if known.pod is None:
        st.info(state.word("ui_not_plantable"))
    else:
        st.metric(state.word("ui_pod"), f"{known.pod:.2f}")


def _looks(known: Evidence, teams: Mapping[str, str]) -> None:
    if known.periods and known.pod is not None:
        months = {one["month"][-2:]: one["pod"] for one in known.periods}
        st.caption(" · ".join(state.word("ui_month", month=int(m), pod=f"{p:.2f}") for m, p in months.items()))
    if known.tracks.empty:
        st.caption(state.word("ui_nobody"))
    else:
        seen = known.tracks["visible"].map({True: state.word("ui_yes"), False: state.word("ui_no")})
        widths = {state.word(code): st.column_config.Column(width=px) for code, px in LOOKS_PX.items()}
        table = pd.DataFrame(
            {
                state.word("ui_day"): [
                    short_day(date.fromisoformat(day), state.language()) for day in known.tracks["day"]
                ],
                state.word("ui_team"): known.tracks["team_id"].map(lambda team: teams.get(team, team)),
                state.word("ui_nearest"): known.tracks["nearest_m"].round().astype(int),
                state.word("ui_visible"): seen,
                state.word("ui_chance"): known.tracks["pod"].astype(float).round(2),
            }
        )
        if known.pod is None:
            table = table.drop(columns=state.word("ui_chance"))
        st.dataframe(table, hide_index=True, height=35 * min(len(table) + 1, 9) + 3, column_config=widths)
        whys = known.tracks["reason"].dropna().value_counts()
        if len(whys) and known.pod is not None:
            told = [state.word("ui_times", why=state.word(str(why)), n=n) for why, n in whys.items()]
            st.caption(state.word("ui_nothing_because", whys=state.word("between").join(told)))
    for row in known.parcels.to_dict("records"):
        name = row["parcel_id"] if pd.isna(row["source_id"]) else row["source_id"]
        st.text(f"{state.word('ui_layer_parcels')} {name} {state.word('ui_status_' + row['status'])}")
        for one in known.visits[known.visits["parcel_id"] == row["parcel_id"]].to_dict("records"):
            day = short_day(one["visited_at"].astimezone(CHINA).date(), state.language())
            said = f"{state.word('ui_choice_' + one['outcome'])} ({one['evidence']})"
            st.text(f"· {day} {teams.get(one['team_id'], one['team_id'])} {said}")
    for row in known.finds.to_dict("records"):
        st.text(f"{state.word('ui_layer_finds')} {row['find_id']} {state.word('ui_choice_' + row['species'])}")
