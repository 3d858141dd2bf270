"""One township opened: its map, who looked where and when, what would raise its figure, claims beside walks, edges."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.locale import MU_M2, area_unit_m2, short_day
from geo.report.townships import effort_text, lever_sentence
from geo.season import CHINA
from geo.ui import assessment, state
from geo.ui.cards import table
from geo.ui.mapview import map_alone
from geo.workspace.claims import Claims, check_claims
from geo.workspace.explaining import AreaEvidence, evidence_of_township

LAYERS = ("townships", "pod", "tracks", "borders", "blind_spots", "villages")
WORK = ("courtyards", "hours_open", "hours_crops", "hours_scrub")
SPOTS = 6


def opened(path: Path, head: str, row: dict[str, Any], *, ready: bool) -> None:
    """Everything the committee asks about one township, the map beside it; tracks only once measured (`ready`)."""
    st.subheader(state.plain(row["name"]), anchor=False)
    left, right = st.columns([2, 3])
    with left:
        map_alone(path, head, _bounds(path, head, row["township_id"]), key=f"of_{row['township_id']}", layers=LAYERS)
    with right:
        looked, raised, claimed, edges = st.tabs([state.word(f"committee_tab_{n}") for n in "abcd"])
        with raised:
            _raised(path, head, row)
        with claimed:
            _claimed(path, head, row["township_id"])
        with edges:
            table(assessment.edge_rows(path, head, row["township_id"]) if row["edge_km"] is not None else [])
        with looked:  # last: taking a township apart into its tracks takes seconds
            if ready:
                _looked(path, head, row)
            else:
                st.caption(state.word("committee_not_yet"))


def _bounds(path: Path, head: str, township_id: str) -> state.Bounds:
    own = gpd.GeoDataFrame(state.county().store.read("townships", [township_id]))
    if own.empty:
        return state.bounds(path, head)
    west, south, east, north = (float(v) for v in own.to_crs(4326).total_bounds)
    return west, south, east, north


@state.kept(entries=30)
def _evidence(path: Path, head: str, township_id: str) -> AreaEvidence:
    return evidence_of_township(state.county().whole, township_id)


@state.kept()
def _claims(path: Path, head: str) -> Claims:
    return check_claims(state.county())


def _looked(path: Path, head: str, row: dict[str, Any]) -> None:
    """Effort by class, then every track that reached it with what it was worth."""
    if isinstance(row["effort"], dict):
        told = [f"{k} {effort_text(row['effort'][k], state.language())}" for k in ("A", "B", "C")]
        st.caption(" · ".join(told))
    try:
        with st.spinner(state.word("ui_measuring")):
            held = _evidence(path, head, row["township_id"])
    except GeoError as error:
        state.sorry(error)
        return
    teams = state.choices(path, head, "teams")
    looks = held.tracks
    rows = {
        "ui_day": pd.to_datetime(looks["day"]).dt.date,
        "ui_team": [teams.get(one, one) for one in looks["team_id"]],
        "committee_searched": (looks["searched_m"] / 1000.0).round(1),
        "committee_reached": (1e6 * looks["reached_km2"] / area_unit_m2(state.language())).round(0),
        "committee_share": looks["share"].astype(float).round(4),
        "committee_lost": looks["lost"].astype(float).round(4),
    }
    table(pd.DataFrame(rows), help_empty="ui_nobody_township")
    if len(looks):
        total = f"{looks['share'].astype(float).sum():.3f}"
        st.caption(state.word("committee_shares", n=len(looks), total=total, detection=f"{held.detection or 0:.3f}"))


def _raised(path: Path, head: str, row: dict[str, Any]) -> None:
    """What of more work, then of other assumptions, would move the chance most; where to search first."""
    if pd.isna(row["p_zero"]):
        st.caption(state.word("ui_nothing_here"))
    else:
        numbers = {name: f"{row[name]:.2f}" for name in ("p_zero", "p_zero_low", "p_zero_high")}
        st.caption(state.word("committee_p_zero", **numbers))
        levers = row["levers"] if isinstance(row["levers"], list) else []
        for work, title in ((True, "committee_by_work"), (False, "committee_by_assumption")):
            lines = [lever_sentence(one, state.language()) for one in levers if (one["code"] in WORK) is work]
            if lines:
                st.markdown("\n".join([f"**{state.word(title)}**", "", *(f"- {state.plain(one)}" for one in lines)]))
    spots = state.borders(path, head).blind_spots if row["edge_km"] is not None else None
    if spots is None:
        return
    own = spots[spots["township_id"] == row["township_id"]].head(SPOTS)
    places = own.geometry.representative_point().to_crs(4326)
    st.markdown(f"**{state.word('committee_spots')}**")
    table([{"ui_rank": one["rank"], "ui_area_unit": round(one["area_m2"] / area_unit_m2(state.language()), 1),
            "ui_spot_hours": round(one["hours"], 1),
            "ui_place_at": f"{p.x:.5f}, {p.y:.5f}"}
           for one, p in zip(own.to_dict("records"), places, strict=True)])  # fmt: skip


def _mu(area_m2: float) -> int | None:
    return None if pd.isna(area_m2) else round(area_m2 / MU_M2)


def _claimed(path: Path, head: str, township_id: str) -> None:
    """亩 claimed against what those people, hours and tracks could search."""
    told = _claims(path, head)
    villages = state.county().store.read("villages").set_index("village_id")
    names = villages["name"].to_dict()
    within = set(villages.index[villages["township_id"] == township_id])
    own = told.claims[told.claims["village_id"].isin(within)]
    sums = told.townships[told.townships["township_id"] == township_id].to_dict("records")
    for one in sums:
        st.caption(state.word("committee_claims", n=one["claims_n"], trips=one["person_trips_n"], large=one["large_n"],
                              limit=f"{told.assumptions['claim_ratio']:g}"))  # fmt: skip
    table([{"ui_village_name": names.get(row["village_id"], row["village_id"]),
            "ui_day": short_day(row["visited_at"].astimezone(CHINA), state.language()),
            "committee_class": row["evidence"],
            "ui_persons_n": row["persons_n"], "committee_hours": round(row["hours"], 1),
            "committee_claimed": _mu(row["claimed_m2"]), "committee_searchable": _mu(row["searchable_m2"]),
            "committee_walked": _mu(row["tracked_m2"]),
            "committee_ratio": None if pd.isna(row["ratio"]) else round(row["ratio"], 1)}
           for row in own.to_dict("records")])  # fmt: skip
    st.caption(state.word("committee_claims_note"))
