"""The committee's rows as drawn: places that show ties, intervals as bars, effort by evidence, growth since January."""

import base64
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.report.committee import HELD, place_text
from geo.report.townships import reason_sentence
from geo.ui import state
from geo.ui.cards import card, table
from geo.ui.features import neighbour_name
from geo.workspace.assessing import Assessment, assess_county, committee_papers

WIDE, HIGH = 90, 28
LINE, DOT, FAINT = "#08425a", "#08425a", "#c8d2cf"


@state.kept()
def known(path: Path, head: str, ready: bool) -> Assessment:
    """The assessment at one state of the ledger; without detection and edges until they are measured (`ready`)."""
    return assess_county(state.county(), detection=ready)


@state.kept(entries=8)
def papers(path: Path, head: str, spoken: str) -> dict[str, bytes]:
    """Word and workbook of what is shown."""
    return committee_papers(state.county(), language="en" if spoken == "en" else "zh", told=known(path, head, True))


def numbers(path: Path, head: str, told: Assessment) -> None:
    """The four numbers and the two facts of the year, each with what it rests on."""
    facts, cards = told.county, st.container(horizontal=True)
    if facts["detection"] is None:
        card(cards, state.word("ui_detection"), "–", state.word("committee_not_yet"))
    else:
        interval = f"{facts['detection_low']:.2f}–{facts['detection_high']:.2f}"
        card(cards, state.word("ui_detection"), f"{facts['detection']:.2f}", interval, rests=lambda: _detection(told))

    def word(code: str) -> str:
        return state.word(code, **facts)

    card(cards, word("committee_waiting"), facts["waiting_n"], word("committee_of_due"), rests=lambda: _villages(told))
    card(
        cards, word("committee_targets_open"), facts["targets_open_n"],
        f"{word('committee_of_targets')} · {state.word('committee_late_n', n=facts['targets_late_n'])}",
        rests=lambda: _targets(told),
    )  # fmt: skip
    if facts["edges_km"] is not None:
        unseen = state.word("ui_km", km=f"{facts['edges_unseen_km']:.0f}")
        total = state.word("committee_of_km", km=f"{facts['edges_km']:.0f}")
        card(cards, word("committee_edges_unseen"), unseen, total, rests=lambda: _edges(path, head))
    found = state.word("ui_finds_n", n=facts["finds_n"])
    if facts["claimed_n"]:
        found += " · " + state.word("committee_unrecorded", n=facts["claimed_n"])
    card(cards, word("ui_zero_planting"), word(HELD[facts["zero_planting"]]), found,
         rests=lambda: _finds(word("committee_finds")))  # fmt: skip
    card(cards, word("ui_zero_yield"), word(HELD[facts["zero_yield"]]), word("committee_standing"),
         rests=lambda: _finds(state.word("committee_yield_rests")))  # fmt: skip


def rows(told: Assessment) -> pd.DataFrame:
    """The table as shown: one row per township; a figure nobody can compute stays empty, with its reason."""
    largest = float(pd.to_numeric(told.townships["detection_high"]).max()) if len(told.townships) else 1.0
    scale = 1.0 if pd.isna(largest) else min(1.0, max(0.1, largest * 1.05))
    return pd.DataFrame([_row(row, scale) for row in told.townships.to_dict("records")])


def columns(told: Assessment) -> dict[str, Any]:
    """How the columns of `rows` are drawn, by their title."""
    text, number, word = st.column_config.TextColumn, st.column_config.NumberColumn, state.word
    months = "、".join(str(int(month[-2:])) for month in told.months)
    return {
        word("committee_rank"): text(width=50, help=word("committee_note_ranks")),
        word("committee_name"): text(pinned=True, width=85),
        word("committee_rate"): st.column_config.ProgressColumn(
            format="%.0f%%", min_value=0.0, max_value=100.0, width=95, help=word("committee_note_classes")
        ),
        word("committee_detection"): text(width=145, help=word("committee_note_detection")),
        word("committee_bar"): st.column_config.ImageColumn(width=WIDE + 20),
        word("committee_trend"): st.column_config.LineChartColumn(
            width=75, y_min=0.0, help=word("committee_trend_help", months=months)
        ),
        word("committee_blind"): number(format="%.0f%%", width=60),
        word("committee_why"): text(width=180),
    }


def interval_bar(low: float, middle: float, high: float, scale: float) -> str:
    """An interval ├─●─┤ from 0 to `scale` as a picture in a data address."""

    def at(value: float) -> float:
        return 4 + (WIDE - 8) * min(value / scale, 1.0)

    y, ends = HIGH / 2, "".join(f'<path d="M{at(v):.1f} 6V{HIGH - 6}" stroke="{LINE}"/>' for v in (low, high))
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{HIGH}">'
        f'<path d="M4 {y}H{WIDE - 4}" stroke="{FAINT}"/>'
        f'<path d="M{at(low):.1f} {y}H{at(high):.1f}" stroke="{LINE}" stroke-width="2"/>{ends}'
        f'<circle cx="{at(middle):.1f}" cy="{y}" r="4" fill="{DOT}"/></svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"


def _row(row: dict[Any, Any], scale: float) -> dict[str, Any]:
    middle, low, high = (row[name] for name in ("detection", "detection_low", "detection_high"))
    unknown = pd.isna(middle)

    def count(name: str) -> str:
        return "–" if pd.isna(row[name]) else str(int(row[name]))

    km = pd.isna(row["edge_km"])
    named = {
        "committee_rank": place_text(row["rank_first"], row["rank_last"]),
        "committee_name": row["name"],
        "committee_rate": 100.0 * row["rate_villages_abc"],
        "committee_classes": f"{count('looked_a')} · {count('looked_b')} · {count('looked_c')} / {count('due_n')}",
        "committee_detection": None if unknown else f"{middle:.2f} ({low:.2f}–{high:.2f})",
        "committee_bar": None if unknown else interval_bar(low, middle, high, scale),
        "committee_trend": None if unknown else [round(one or 0.0, 4) for one in row["trend"]],
        "committee_blind": None if pd.isna(row["blind"]) else 100.0 * row["blind"],
        "committee_targets": f"{row['targets_open_n']} / {row['targets_n']}",
        "committee_edges": None if km else f"{row['edge_unseen_km']:.0f} / {row['edge_km']:.0f}",
        "committee_rechecks": row["rechecks_due_n"],
        "committee_why": reason_sentence(
            row["reasons"] if isinstance(row["reasons"], dict) else None, state.language()
        ),
    }
    return {state.word(code): value for code, value in named.items()}


def _detection(told: Assessment) -> None:
    facts = told.county
    st.write(state.word("committee_detection_rests", **facts))
    growth = zip(told.months, facts["trend"], strict=False)
    table([{"committee_month": month, "ui_detection": f"{value:.3f}"} for month, value in growth])
    if facts["p_zero"] is not None:
        numbers = {name: f"{facts[name]:.2f}" for name in ("p_zero", "p_zero_low", "p_zero_high")}
        st.caption(state.word("committee_p_zero", **numbers))


def _villages(told: Assessment) -> None:
    st.write(state.word("committee_overdue", **told.county))
    known = told.townships[told.townships["due_n"].notna()]
    table([{"ui_township": row["name"], "committee_due_n": int(row["due_n"]),
            "committee_waiting": int(row["due_n"] - row["looked_a"] - row["looked_b"] - row["looked_c"])}
           for row in known.to_dict("records")])  # fmt: skip


def _targets(told: Assessment) -> None:
    shown = told.townships.sort_values("targets_open_n", ascending=False)
    table([{"ui_township": row["name"], "committee_targets_open": row["targets_open_n"],
            "ui_targets_late": row["targets_late_n"], "ui_targets_all": row["targets_n"]}
           for row in shown.to_dict("records")])  # fmt: skip


def _finds(rule: str) -> None:
    """The rule, and every find it is held against: when it was made, and when how much of it was destroyed."""
    st.write(rule)
    finds = state.county().store.read("finds").sort_values("found_at")
    moments = state.clock(state.word("ui_found_at")) | state.clock(state.word("ui_destroyed_at"))
    table([{"ui_found_at": row["found_at"], "ui_plants_n": row["plants_n"],
            "ui_stage": state.word(f"ui_choice_{row['stage']}"), "ui_destroyed_at": row["destroyed_at"],
            "ui_fraction": None if pd.isna(row["fraction"]) else round(100.0 * row["fraction"])}
           for row in finds.to_dict("records")], column_config=moments)  # fmt: skip


def _edges(path: Path, head: str) -> None:
    st.write(state.word("committee_edges_rest"))
    table(edge_rows(path, head, None))


def edge_rows(path: Path, head: str, township_id: str | None) -> list[dict[str, Any]]:
    """Edges with both owners and what nobody saw, the longest unseen first; of one township or the first thirty."""
    edges = pd.DataFrame(state.borders(path, head).borders.drop(columns="geometry"))
    if township_id is not None:
        edges = edges[(edges["township_id"] == township_id) | (edges["neighbour_id"] == township_id)]
    edges = edges.assign(unseen=edges["seen_by_neither"].astype(float) * edges["length_m"] / 1000.0)
    nobody = state.word("ui_posts_none")
    return [
        {
            "ui_side_a": row["township_name"],
            "ui_side_b": neighbour_name(row["neighbour_id"], row["neighbour_name"], state.language()),
            "ui_edge_km": round(row["length_m"] / 1000.0, 1),
            "committee_edges_unseen": None if pd.isna(row["unseen"]) else round(row["unseen"], 1),
            "committee_posts_a": nobody if pd.isna(row["township_posts"]) else row["township_posts"],
            "committee_posts_b": nobody if pd.isna(row["neighbour_posts"]) else row["neighbour_posts"],
        }
        for row in edges.sort_values("unseen", ascending=False, na_position="last").head(30).to_dict("records")
    ]
