"""The border register: every shared edge, who looked at its strip from which side, and who answers on both."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.layers.borders import UNKNOWN
from geo.ui import state
from geo.ui.features import neighbour_name
from geo.ui.mapview import map_alone
from geo.workspace.covering import BordersAnswer


def page() -> None:
    """Edges by kilometres nobody saw, worst first; a chosen edge shows its strip, both owners and its blind spots."""
    county = state.county()
    head = state.head_of(county)
    try:
        with st.spinner(state.word("ui_measuring")):
            answer = state.borders(county.path, head)
    except GeoError as error:
        state.sorry(error)
        st.info(state.word("ui_load_terrain"))
        return
    edges = answer.borders.assign(unseen_km=answer.borders["seen_by_neither"] * answer.borders["length_m"] / 1000)
    edges = edges.sort_values("unseen_km", ascending=False, na_position="last").reset_index(drop=True)
    unseen = state.word(
        "ui_unseen_km", km=f"{edges['unseen_km'].sum():.0f}", of=f"{edges['length_m'].sum() / 1000:.0f}"
    )
    st.metric(state.word("ui_unseen_edges"), unseen, help=state.word("ui_unseen_help"))
    left, right = st.columns([4, 3])
    with left:
        chosen = st.dataframe(
            _rows(edges),
            hide_index=True,
            column_config=_columns(),
            height=620,
            on_select="rerun",
            selection_mode="single-row",
            placeholder="–",
            key="edges",
        )
    picked = chosen["selection"]["rows"] if chosen else []
    with right:
        if picked:
            _edge(county.path, answer, edges.iloc[picked[0]].to_dict())
        else:
            st.info(state.word("ui_choose_edge"))
    state.foot(answer.as_of, head)


def _rows(edges: pd.DataFrame) -> pd.DataFrame:
    language = state.language()
    other = [
        neighbour_name(unit, name, language)
        for unit, name in zip(edges["neighbour_id"], edges["neighbour_name"], strict=True)
    ]
    return pd.DataFrame(
        {
            state.word("ui_side_a"): edges["township_name"],
            state.word("ui_side_b"): other,
            state.word("ui_edge_km"): edges["length_m"] / 1000,
            state.word("ui_seen_a"): 100 * edges["seen_from_a"],
            state.word("ui_seen_b"): 100 * edges["seen_from_b"],
            state.word("ui_seen_neither"): 100 * edges["seen_by_neither"],
        }
    )


def _columns() -> dict[str, Any]:
    share = {"format": "%.0f%%", "min_value": 0.0, "max_value": 100.0, "width": 90}
    return {
        state.word("ui_edge_km"): st.column_config.NumberColumn(format="%.1f", width=60),
        state.word("ui_seen_a"): st.column_config.NumberColumn(format="%.0f%%", width=70),
        state.word("ui_seen_b"): st.column_config.NumberColumn(format="%.0f%%", width=70),
        state.word("ui_seen_neither"): st.column_config.ProgressColumn(**share),  # type: ignore[arg-type]
    }


def _edge(path: Path, answer: BordersAnswer, edge: dict[str, Any]) -> None:
    """Both owners, the strip on a map, the first blind spots."""
    language = state.language()
    other = neighbour_name(edge["neighbour_id"], edge["neighbour_name"], language)
    st.subheader(state.plain(f"{edge['township_name']} ↔ {other}"), anchor=False)
    accuracy = state.word("ui_edge_rests", accuracy=round(edge["line_accuracy_m"]), strip=round(edge["strip_m"]))
    st.caption(accuracy)
    sides = ((edge["township_name"], edge["township_posts"]), (other, edge["neighbour_posts"]))
    for name, posts in sides if edge["neighbour_id"] != UNKNOWN else sides[:1]:
        st.markdown(f"{state.plain(name)}：**{state.plain(state.word('ui_posts_none') if pd.isna(posts) else posts)}**")
    line = answer.borders.loc[answer.borders["border_id"] == edge["border_id"]].geometry.to_crs(4326).total_bounds
    west, south, east, north = (float(v) for v in line)
    map_alone(path, answer.ledger_head or "", (west, south, east, north), key=f"edge_{edge['border_id']}")
    spots = answer.blind_spots[answer.blind_spots["border_id"] == edge["border_id"]].head(8)
    if spots.empty:
        st.caption(state.word("ui_no_spots"))
        return
    places = spots.geometry.representative_point().to_crs(4326)
    table = {
        state.word("ui_rank"): spots["rank"],
        state.word("ui_hectares"): spots["area_m2"] / 10000.0,
        state.word("ui_spot_hours"): spots["hours"],
        state.word("ui_place_at"): [f"{p.x:.5f}, {p.y:.5f}" for p in places],
    }
    number = st.column_config.NumberColumn(format="%.1f")
    shown = {state.word("ui_hectares"): number, state.word("ui_spot_hours"): number}
    st.dataframe(pd.DataFrame(table), hide_index=True, column_config=shown)
