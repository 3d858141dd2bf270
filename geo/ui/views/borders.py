"""The border register: every shared edge, who looked at its strip from which side, who answers, and a joint sweep."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import streamlit as st

from geo.analysis.rounds import season_rounds
from geo.errors import GeoError
from geo.layers.borders import ENCLAVE, UNKNOWN
from geo.locale import area_unit_m2
from geo.ui import jobs, state
from geo.ui.border_matrix import matrix
from geo.ui.cards import row_chosen
from geo.ui.features import neighbour_name
from geo.ui.mapview import map_alone
from geo.workspace.covering import BordersAnswer
from geo.workspace.map_papers import joint_papers
from geo.workspace.rights import Action, may

WORD_FILE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def page() -> None:
    """The matrix, the edges by kilometres nobody saw, and the chosen edge with both owners and what to do about it."""
    county = state.county()
    head = state.head_of(county)
    if not county.has_terrain():
        st.info(state.word("ui_load_terrain"))
    if not jobs.measuring(county.path, head):
        state.foot(state.as_of(county.path, head), head)
        return
    answer = state.borders(county.path, head)
    edges = answer.borders.assign(unseen_km=answer.borders["seen_by_neither"] * answer.borders["length_m"] / 1000)
    edges = edges.sort_values("unseen_km", ascending=False, na_position="last").reset_index(drop=True)
    _totals(edges)
    st.html(matrix(answer.borders, state.language()))
    left, right = st.columns([4, 3])
    with left:
        edges = _asked_for(edges)
        keys = edges["border_id"].tolist()
        picked = row_chosen(_rows(edges), keys, "edge_chosen", 620, placeholder="–", column_config=_columns())
    with right:
        if picked is not None:
            _edge(county.path, answer, {str(name): one for name, one in edges.iloc[picked].items()})
        else:
            st.info(state.word("ui_choose_edge"))
    state.foot(answer.as_of, head)


def _totals(edges: pd.DataFrame) -> None:
    known = edges[_claimed(edges)]
    cards = st.container(horizontal=True)
    unseen = state.word(
        "ui_unseen_km", km=f"{edges['unseen_km'].sum():.0f}", of=f"{edges['length_m'].sum() / 1000:.0f}"
    )
    cards.metric(state.word("ui_unseen_edges"), unseen, help=state.word("ui_unseen_help"), width="content")
    cards.metric(state.word("ui_edges_n"), f"{len(known)} / {len(edges)}", width="content")
    cards.metric(state.word("ui_edges_nobody"), int(_unanswered(edges).sum()), width="content")


def _claimed(edges: pd.DataFrame) -> pd.Series:
    """Edges whose both sides are known units."""
    return ~edges["neighbour_id"].isin([UNKNOWN, ENCLAVE])


def _unanswered(edges: pd.DataFrame) -> pd.Series:
    """Edges with a side for which no post answers."""
    return edges["township_posts"].isna() | (edges["neighbour_posts"].isna() & edges["neighbour_id"].ne(UNKNOWN))


def _asked_for(edges: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The edges behind one of the numbers on top; all of them where none is chosen."""
    kinds = {"ui_edges_claimed": _claimed, "ui_edges_nobody": _unanswered}
    chosen = st.segmented_control(
        state.word("ui_edges_shown"), list(kinds), format_func=state.word, key="edges_shown",
        label_visibility="collapsed",
    )  # fmt: skip
    return edges[kinds[chosen](edges)].reset_index(drop=True) if chosen else edges


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
            state.word("ui_seen_neither"): 100 * edges["seen_by_neither"],
            state.word("ui_edge_km"): edges["length_m"] / 1000,
            state.word("ui_seen_a"): 100 * edges["seen_from_a"],
            state.word("ui_seen_b"): 100 * edges["seen_from_b"],
        }
    )


def _columns() -> dict[str, Any]:
    return {  # narrow enough for both sides and what neither saw to stand beside one another on a phone
        state.word("ui_side_a"): st.column_config.TextColumn(width=76),
        state.word("ui_side_b"): st.column_config.TextColumn(width=100),
        state.word("ui_edge_km"): st.column_config.NumberColumn(format="%.1f", width=60),
        state.word("ui_seen_a"): st.column_config.NumberColumn(format="%.0f%%", width=70),
        state.word("ui_seen_b"): st.column_config.NumberColumn(format="%.0f%%", width=70),
        state.word("ui_seen_neither"): st.column_config.ProgressColumn(
            format="%.0f%%", min_value=0.0, max_value=100.0, width=90
        ),
    }


def _edge(path: Path, answer: BordersAnswer, edge: dict[str, Any]) -> None:
    """Both owners, the strip on a map, the first blind spots, and the notice of a joint sweep."""
    language = state.language()
    other = neighbour_name(edge["neighbour_id"], edge["neighbour_name"], language)
    st.subheader(state.plain(f"{edge['township_name']} ↔ {other}"), anchor=False)
    accuracy = state.word("ui_edge_rests", accuracy=round(edge["line_accuracy_m"]), strip=round(edge["strip_m"]))
    st.caption(accuracy)
    sides = (
        (edge["township_name"], edge["township_posts"], edge["seen_from_a"]),
        (other, edge["neighbour_posts"], edge["seen_from_b"]),
    )
    for name, posts, seen in sides if edge["neighbour_id"] != UNKNOWN else sides[:1]:
        share = "–" if pd.isna(seen) else f"{100 * float(seen):.0f}%"
        answers = state.plain(state.word("ui_posts_none") if pd.isna(posts) else posts)
        st.markdown(f"{state.plain(name)}：**{answers}** · {state.word('ui_edge_saw', share=share)}")
    line = answer.borders.loc[answer.borders["border_id"] == edge["border_id"]].geometry.to_crs(4326).total_bounds
    west, south, east, north = (float(v) for v in line)
    map_alone(path, answer.ledger_head or "", (west, south, east, north), key=f"edge_{edge['border_id']}")
    if edge["neighbour_id"] not in (UNKNOWN, ENCLAVE):
        _joint(edge)
    spots = answer.blind_spots[answer.blind_spots["border_id"] == edge["border_id"]].head(8)
    if spots.empty:
        st.caption(state.word("ui_no_spots"))
        return
    places = spots.geometry.representative_point().to_crs(4326)
    table = {
        state.word("ui_rank"): spots["rank"],
        state.word("ui_area_unit"): spots["area_m2"] / area_unit_m2(state.language()),
        state.word("ui_spot_hours"): spots["hours"],
        state.word("ui_place_at"): [f"{p.x:.5f}, {p.y:.5f}" for p in places],
    }
    number = st.column_config.NumberColumn(format="%.1f")
    shown = {state.word("ui_area_unit"): number, state.word("ui_spot_hours"): number}
    st.dataframe(pd.DataFrame(table), hide_index=True, column_config=shown)


def _joint(edge: dict[str, Any]) -> None:
    """Propose a joint sweep: the notice for both sides, for a round of the season."""
    county = state.county()
    if not may(county.actor, Action.EXPORT):
        return
    rounds = season_rounds(county.season, county.settings.campaign)
    moment = state.as_of(county.path, state.head_of(county))
    running = int(np.argmax([round_.stop > moment for round_ in rounds] + [True]))
    first, second = st.columns([2, 3], vertical_alignment="bottom")
    number = first.selectbox(
        state.word("ui_joint_round"), list(range(1, len(rounds) + 1)), min(running, len(rounds) - 1), key="joint_round"
    )
    asked = second.button(state.word("ui_joint_propose"), type="primary")
    held = ("joint", edge["border_id"], number)
    if asked:
        try:
            notice, joints = joint_papers(county, number, edges=[edge["border_id"]], language=state.language())
        except GeoError as error:
            state.sorry(error)
            return
        st.session_state["joint"] = (held, notice, joints)
    kept = st.session_state.get("joint")
    if kept and kept[0] == held:
        for one in kept[2]:
            st.caption(state.word("ui_joint_meet", place=f"{one.place[0]:.5f}, {one.place[1]:.5f}"))
        st.download_button(state.word("ui_joint_notice"), kept[1], f"joint-{number}.docx", WORD_FILE, on_click="ignore")
