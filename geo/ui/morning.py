"""The morning's lists behind the numbers of *Today*, and what can be done about each: sign, report, hand over."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.layers.orders import Step
from geo.season import CHINA
from geo.ui import state
from geo.ui.cards import table
from geo.ui.fields import form_fields
from geo.workspace.county import County
from geo.workspace.life import recheck_calendar
from geo.workspace.ordering import issue_orders, record_daily, take_step
from geo.workspace.returning import enter_form, team_of
from geo.workspace.rights import Action, may


def form(county: County, row: dict[str, Any]) -> None:
    """A village's signed form, typed in."""
    with st.expander(state.word("ui_form_in", village=state.plain(row["name"]), round=row["round"]), expanded=True):
        name = f"form_{row['village_id']}_{row['round']}"
        with st.form(name, border=False):
            values = form_fields(
                county, name, team_of(county.store.read_where("teams", "township_id", row["township_id"]), row["name"])
            )
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


def lists(county: County, known: dict[str, Any]) -> None:
    """Every list behind a number, in tabs that carry their counts."""
    dailies, dues = known["dailies"], _rechecks(county.path, state.head_of(county))
    late = dues[dues["days_left"] <= 0] if len(dues) else dues
    titles = (
        state.word("ui_tab_orders", n=known["orders_unsigned_n"]),
        state.word("ui_tab_dailies", n=len(dailies["today_missing"])),
        state.word("ui_tab_untold", n=known["finds_untold_n"]),
        state.word("ui_tab_targets", n=known["targets_urgent_n"]),
        state.word("ui_tab_rechecks", n=len(late)),
        state.word("ui_tab_problems", n=len(known["problems"])),
        state.word("ui_tab_nobody", n=known["nobody_n"]),
        state.word("ui_tab_contradictory", n=len(known["contradictory"]) + known["found_unrecorded_n"]),
    )
    orders, missing, untold, urgent, rechecks, problems, nobodys, odd = st.tabs(titles)
    with orders:
        _orders(county, known)
    with missing:
        _dailies(county, known)
    with untold:
        finds(county, known)
    with urgent:
        targets(county, known)
    with rechecks:
        table([{"ui_plot": row["parcel_id"], "ui_date": row["day"], "ui_days_left": row["days_left"],
                "ui_why": state.word(row["why"])} for row in dues.to_dict("records")])  # fmt: skip
    with problems:
        table([{"ui_order": row["order_id"], "ui_problem": row["text"], "ui_state": row["state"],
                "ui_overdue_days": row["overdue_days"]} for row in known["problems"]])  # fmt: skip
    with nobodys:
        nobody(known)
    with odd:
        st.caption(state.word("ui_contradictory_help"))
        table([{"ui_village_name": row["name"], "ui_round_n": row["round"]} for row in known["contradictory"]])
        if known["found_unrecorded"]:
            _unrecorded(county, known)


def _unrecorded(county: County, known: dict[str, Any]) -> None:
    """Visits that told of plants which nobody recorded as a find."""
    path, head = county.path, state.head_of(county)
    teams, villages = state.choices(path, head, "teams"), state.choices(path, head, "villages")
    st.caption(state.word("ui_unrecorded_help", n=known["found_unrecorded_n"]))
    table([{"ui_time": datetime.fromisoformat(str(row["visited_at"])),
            "ui_team": teams.get(row["team_id"], row["team_id"]), "ui_plot": row["parcel_id"],
            "ui_village_name": villages.get(row["village_id"], row["village_id"]), "ui_id": row["visit_id"]}
           for row in known["found_unrecorded"]],
          column_config=state.clock(state.word("ui_time")))  # fmt: skip


def finds(county: County, known: dict[str, Any]) -> None:
    """Finds the police have not been told of, the oldest first, with the hours since."""
    names = state.choices(county.path, state.head_of(county), "townships")
    table([{"ui_id": row["find_id"], "ui_township": names.get(row["township_id"], "–"),
            "ui_found_at": datetime.fromisoformat(row["found_at"]),
            "ui_hours_since": round(row["hours"]), "ui_plants_n": row["plants_n"], "ui_plot": row["parcel_id"]}
           for row in known["finds_untold"]],
          column_config=state.clock(state.word("ui_found_at")))  # fmt: skip
    if known["finds_untold"]:
        st.caption(state.word("ui_untold_hint"))


def targets(county: County, known: dict[str, Any]) -> None:
    """Targets nobody looked at, those with least time left first."""
    names = state.choices(county.path, state.head_of(county), "townships")
    table([{"ui_plot": row["source_id"] or row["parcel_id"], "ui_township": names.get(row["township_id"], "–"),
            "ui_days_left": row["days_left"], "ui_state": state.word(f"ui_status_{row['status']}")}
           for row in known["targets_open"]])  # fmt: skip


def nobody(known: dict[str, Any]) -> None:
    """Units nobody answers for."""
    table([{"ui_unit_kind": state.kind(row["unit_kind"]), "ui_unit": row["name"] or row["unit_id"],
            "ui_unit_id": row["unit_id"]} for row in known["nobody"]])  # fmt: skip


@state.kept()
def _rechecks(path: Path, head: str) -> pd.DataFrame:
    county = state.county()
    return recheck_calendar(county, as_of=county.as_of())


def _dailies(county: County, known: dict[str, Any]) -> None:
    """Townships that have not sent today's report, and one sent from here."""
    dailies = known["dailies"]
    names = state.choices(county.path, state.head_of(county), "townships")
    st.caption(state.word("ui_dailies_all", n=dailies["missing_n"], due=dailies["due_n"]))
    table([{"ui_township": names.get(unit, unit)} for unit in dailies["today_missing"]])
    if not dailies["today_missing"] or not may(county.actor, Action.ANSWER):
        return
    day = datetime.fromisoformat(known["as_of"]).astimezone(CHINA).date()
    with st.form("daily", border=False):
        first, second, third, fourth = st.columns([3, 3, 1, 1], vertical_alignment="bottom")
        unit = first.selectbox(
            state.word("ui_township"), dailies["today_missing"], format_func=lambda one: names.get(one, one)
        )
        post = second.text_input(state.word("ui_reporting_post"))
        found = third.number_input(state.word("ui_daily_finds"), 0, value=0, step=1)
        sent = fourth.form_submit_button(state.word("ui_daily_send"), type="primary", width="stretch")
    if sent:
        _daily(county, unit, day, post, int(found))


def _daily(county: County, unit: str, day: date, post: str, found: int) -> None:
    try:
        number, added = record_daily(county, unit, day, post=post, now=datetime.now(UTC), finds_n=found)
    except GeoError as error:
        state.sorry(error)
        return
    _said(state.word("ui_form_saved" if added else "ui_already", id=number))


def _orders(county: County, known: dict[str, Any]) -> None:
    """Orders not signed for of the last round issued, with signing; where the running one has none, issuing them."""
    if known["orders_round"] != known["round"]:
        st.info(state.word("ui_no_orders", round=known["round"]))
        if may(county.actor, Action.ORDER) and not _issued(county, known["round"]):
            return
    if not known["orders_n"]:
        return
    told = {"round": known["orders_round"], "n": known["orders_n"], "closed": known["orders_closed_n"]}
    st.caption(state.word("ui_orders_all", **told))
    rows = known["orders_unsigned"]
    if not rows:
        return
    names = state.choices(county.path, state.head_of(county), "villages")
    table([{"ui_village_name": names.get(row["unit_id"], row["unit_id"]), "ui_post": row["post"],
            "ui_order": row["order_id"]} for row in rows])  # fmt: skip
    if not may(county.actor, Action.ANSWER):
        return
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


def _issued(county: County, number: int) -> bool:
    """The form that issues a round's orders; False where they were refused."""
    with st.form("issue", border=False):
        post = st.text_input(state.word("ui_issuing_post"))
        sent = st.form_submit_button(state.word("ui_issue", round=number), type="primary")
    if not sent:
        return True
    try:
        issued = issue_orders(county, number, now=datetime.now(UTC), post=post)
    except GeoError as error:
        state.sorry(error)
        return False
    _said(state.word("orders_issued", round=number, new_n=issued.new_n, n=len(issued.orders)))
    return True


def _said(sentence: str) -> None:
    """Show a sentence above the page once it has run again."""
    st.session_state["today_said"] = sentence
    st.rerun()
