"""The evidence panel: who answers for a place, who looked at it and when, and what that adds up to."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.ui import state
from geo.workspace.evidence import Evidence, evidence_at


def evidence(path: Path, head: str, clicked: Mapping[str, float] | None) -> None:
    """What is known of the clicked place; before a click, what a click does."""
    if not clicked:
        st.info(state.word("ui_click"))
        return
    longitude, latitude = round(clicked["lng"], 5), round(clicked["lat"], 5)
    st.caption(state.word("ui_at", longitude=longitude, latitude=latitude))
    try:
        edges, tracks = state.borders(path, head).borders, state.tracks(path, head)
        known = evidence_at(state.county(), longitude, latitude, edges=edges, tracks=tracks)
    except GeoError as error:
        state.sorry(error)
        return
    _place(known)
    _looks(known, state.choices(path, head, "teams"))


def _place(known: Evidence) -> None:
    st.subheader(state.plain(known.township) if known.township else state.word("ui_enclave"), anchor=False)
    st.markdown(f"{state.word('ui_posts')}：**{state.plain(known.posts or state.word('ui_posts_none'))}**")
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
        table = pd.DataFrame(
            {
                state.word("ui_day"): known.tracks["day"].str[5:],
                state.word("ui_team"): known.tracks["team_id"].map(lambda team: teams.get(team, team)),
                state.word("ui_nearest"): known.tracks["nearest_m"].round().astype(int),
                state.word("ui_visible"): seen,
                state.word("ui_pod"): known.tracks["pod"].astype(float).round(2),
            }
        )
        st.dataframe(table, hide_index=True, height=35 * min(len(table) + 1, 9) + 3)
    for layer, name in (("parcels", "parcel_id"), ("finds", "find_id")):
        for row in getattr(known, layer).to_dict("records"):
            status = state.word(f"ui_status_{row['status']}") if layer == "parcels" else str(row["species"])
            st.text(f"{state.word(f'ui_layer_{layer}')} {row[name]} {status}")
