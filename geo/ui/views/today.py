"""Today: what is due and not looked at, what was handed out and not signed for, what stands and has not been told."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.layers.orders import Step
from geo.ui import state
from geo.ui.fields import form_fields
from geo.ui.mapview import map_alone
from geo.workspace.county import County
from geo.workspace.life import recheck_calendar
from geo.workspace.ordering import issue_orders, take_step
from geo.workspace.progress import today
from geo.workspace.returning import enter_form, team_of

CARD_PX, TABLE_PX = 150, 440
LOOKED = ("looked_a", "looked_b", "looked_c")


def page() -> None:
    """The round and its numbers, villages not looked at beside their map, then every list a morning needs."""
    county = state.county()
    path, head = county.path, state.head_of(county)
    said = st.session_state.pop("today_said", None)
    if said:
        st.success(said)
    known = _today(path, head)
    if not known["totals"]:
        st.info(state.word("ui_load_villages"))
        return
    _numbers(known)
    left, right = st.columns([3, 2])
    with left:
        _open_villages(county, known)
    with right:
        layers = ("townships", "borders", "villages")
        map_alone(path, head, state.bounds(path, head), key="today_map", layers=layers)
    _lists(county, known)
    state.foot(datetime.fromisoformat(known["as_of"]), head)


@st.cache_data(max_entries=4, show_spinner=False)
def _today(path: Path, head: str) -> dict[str, Any]:
    return today(state.county())


def _numbers(known: dict[str, Any]) -> None:
    """The round, and the villages of it in cards that wrap on a phone."""
    totals = known["totals"]
    days = next(one for one in known["calendar"]["rounds"] if one["round"] == known["round"])
    first, last = days["from"][5:], days["to"][5:]
    st.markdown(state.word("ui_round", round=known["round"], first=first, last=last, days=known["days_left"]))
    cards = st.container(horizontal=True)
    looked = sum(totals[name] for name in LOOKED)
    classes = state.word("ui_by_class", **{name[-1]: totals[name] for name in LOOKED})
    waiting = totals["overdue"] + totals["due"] + totals["unreached"]
    _card(cards, "ui_villages_due", totals["due_n"], "")
    _card(cards, "ui_villages_looked", looked, classes)
    _card(cards, "ui_new_today", known["new_today_n"], "")
    _card(cards, "ui_villages_waiting", waiting, state.word("ui_overdue_n", n=totals["overdue"]))
    _card(cards, "ui_targets_open", known["targets_open_n"], state.word("ui_urgent_n", n=known["targets_urgent_n"]))
    _card(cards, "ui_finds_standing", known["finds_standing_n"], "")
    _card(cards, "ui_nobody_n", known["nobody_n"], "")


def _card(cards: Any, code: str, value: int, below: str) -> None:
    with cards.container(width=CARD_PX, gap=None):
        st.metric(state.word(code), value)
        if below:
            st.caption(below)


def _open_villages(county: County, known: dict[str, Any]) -> None:
    """Villages not looked at, overdue first; for the one chosen: sign for its order, or type its form in."""
    names = state.choices(county.path, state.head_of(county), "townships")
    rows = known["open"]
    st.markdown(f"**{state.word('ui_open_head', n=known['open_n'], shown=len(rows))}**")
    if not rows:
        st.success(state.word("ui_open_none"))
        return
    table = {
        state.word("ui_township"): [names.get(row["township_id"], row["township_id"]) for row in rows],
        state.word("ui_village_name"): [row["name"] for row in rows],
        state.word("ui_round_n"): [row["round"] for row in rows],
        state.word("ui_state"): [state.word(f"state_{row['state']}") for row in rows],
        state.word("ui_overdue_days"): [row["overdue_days"] or None for row in rows],
        state.word("ui_edge_key"): [_marked(row) for row in rows],
    }
    chosen = st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        height=TABLE_PX,
        placeholder="",
        on_select="rerun",
        selection_mode="single-row",
        key="open_villages",
    )
    picked = chosen["selection"]["rows"] if chosen else []
    if not picked or picked[0] >= len(rows):
        st.caption(state.word("ui_choose_village"))
        return
    _act(county, rows[picked[0]])


def _marked(row: dict[str, Any]) -> str:
    words = [state.word(code) for code, held in (("ui_edge", row["edge"]), ("ui_key_area", row["key_area"])) if held]
    return "、".join(words)


def _act(county: County, row: dict[str, Any]) -> None:
    with st.expander(state.word("ui_form_in", village=state.plain(row["name"]), round=row["round"]), expanded=True):
        with st.form("village_form", border=False):
            values = form_fields(county, team_of(county.store.read("teams"), row["township_id"], row["name"]))
            sent = st.form_submit_button(state.word("ui_save"), type="primary")
        if not sent:
            return
        given = {key: value for key, value in values.items() if value not in (None, "")}
        try:
            number, added = enter_form(
                county, given | {"village_id": row["village_id"], "round": row["round"]}, now=datetime.now(UTC)
            )
        except GeoError as error:
            state.sorry(error)
            return
        _said(state.word("ui_form_saved" if added else "ui_already", id=number))


def _lists(county: County, known: dict[str, Any]) -> None:
    """Every list behind a number, in tabs that carry their counts."""
    dailies, dues = known["dailies"], _rechecks(county.path, state.head_of(county))
    late = dues[dues["days_left"] <= 0] if len(dues) else dues
    tabs = {
        "orders": state.word("ui_tab_orders", n=known["orders_unsigned_n"]),
        "dailies": state.word("ui_tab_dailies", n=len(dailies["today_missing"])),
        "problems": state.word("ui_tab_problems", n=len(known["problems"])),
        "rechecks": state.word("ui_tab_rechecks", n=len(late)),
        "nobody": state.word("ui_tab_nobody", n=known["nobody_n"]),
        "contradictory": state.word("ui_tab_contradictory", n=len(known["contradictory"])),
    }
    orders, missing, problems, rechecks, nobody, odd = st.tabs(list(tabs.values()))
    with orders:
        _orders(county, known)
    with missing:
        names = state.choices(county.path, state.head_of(county), "townships")
        st.caption(state.word("ui_dailies_all", n=dailies["missing_n"], due=dailies["due_n"]))
        _table([{"ui_township": names.get(unit, unit)} for unit in dailies["today_missing"]])
    with problems:
        _table([{"ui_order": row["order_id"], "ui_problem": row["text"], "ui_state": row["state"],
                 "ui_overdue_days": row["overdue_days"]} for row in known["problems"]])  # fmt: skip
    with rechecks:
        _table([{"ui_plot": row["parcel_id"], "ui_date": row["day"], "ui_days_left": row["days_left"],
                 "ui_why": state.word(row["why"])} for row in dues.to_dict("records")])  # fmt: skip
    with nobody:
        _table([{"ui_unit_kind": state.kind(row["unit_kind"]), "ui_unit": row["name"] or row["unit_id"],
                 "ui_unit_id": row["unit_id"]} for row in known["nobody"]])  # fmt: skip
    with odd:
        st.caption(state.word("ui_contradictory_help"))
        _table([{"ui_village_name": row["name"], "ui_round_n": row["round"]} for row in known["contradictory"]])


@st.cache_data(max_entries=4, show_spinner=False)
def _rechecks(path: Path, head: str) -> pd.DataFrame:
    county = state.county()
    return recheck_calendar(county, as_of=county.as_of())


def _orders(county: County, known: dict[str, Any]) -> None:
    """Orders not signed for, with signing; where the round has none yet, issuing them."""
    if not known["orders_n"]:
        st.info(state.word("ui_no_orders", round=known["round"]))
        with st.form("issue", border=False):
            post = st.text_input(state.word("ui_issuing_post"))
            sent = st.form_submit_button(state.word("ui_issue", round=known["round"]), type="primary")
        if sent:
            issued = issue_orders(county, known["round"], now=datetime.now(UTC), post=post)
            _said(state.word("orders_issued", round=known["round"], new_n=issued.new_n, n=len(issued.orders)))
        return
    st.caption(state.word("ui_orders_all", n=known["orders_n"], closed=known["orders_closed_n"]))
    rows = known["orders_unsigned"]
    if not rows:
        return
    names = state.choices(county.path, state.head_of(county), "villages")
    with st.form("sign", border=False):
        first, second, third = st.columns([3, 2, 1], vertical_alignment="bottom")
        by_id = {row["order_id"]: row for row in rows}
        order = first.selectbox(
            state.word("ui_order"),
            list(by_id),
            format_func=lambda one: f"{names.get(by_id[one]['unit_id'], by_id[one]['unit_id'])} · {one}",
        )
        post = second.text_input(state.word("ui_signing_post"))
        sent = third.form_submit_button(state.word("ui_sign"), type="primary", width="stretch")
    if sent:
        try:
            done = take_step(county, order, Step.SIGNED, post=post, now=datetime.now(UTC))
        except GeoError as error:
            state.sorry(error)
            return
        _said(state.word("order_stepped", id=done.order_id, state=done.state))


def _table(rows: list[dict[str, Any]]) -> None:
    """A small table; the keys are codes of words."""
    if not rows:
        st.caption(state.word("ui_nothing_here"))
        return
    named = pd.DataFrame(rows).rename(columns=state.word)
    st.dataframe(named, hide_index=True, placeholder="", height=35 * min(len(rows) + 1, 12) + 3)


def _said(sentence: str) -> None:
    """Show a sentence above the page once it has run again."""
    st.session_state["today_said"] = sentence
    st.rerun()
