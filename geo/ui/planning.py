"""Planning a day from the map page: ask, wait with progress, look, accept."""

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from geo.patrol import Plan
from geo.ui import jobs, state
from geo.workspace.county import County
from geo.workspace.planning import accept_plan, next_day, plan_day

JOB = "plan"


def plan_panel(county: County) -> None:
    """The whole of planning: form, progress, the plan found, and the button that makes it the order of the day."""
    job = jobs.last(county.path, JOB)
    if job is not None and job.running:
        jobs.watch(county.path, JOB)
        return
    found = jobs.outcome(county.path, JOB)
    if found is None:
        _form(county)
    else:
        _found(county, found)


def _form(county: County) -> None:
    names = state.choices(county.path, state.head_of(county), "townships")
    with st.form("plan_form", border=False):
        first, second, third, fourth = st.columns([4, 2, 2, 2])
        chosen = first.multiselect(state.word("ui_plan_townships"), list(names), format_func=names.__getitem__)
        day = second.date_input(state.word("ui_plan_day"), date.fromisoformat(next_day(county)))
        hours = third.number_input(state.word("ui_plan_hours"), 1.0, 12.0, float(county.settings.planning.hours), 0.5)
        seed = fourth.number_input(state.word("ui_plan_seed"), 0, 10**6, 7, help=state.word("ui_plan_seed_help"))
        asked = st.form_submit_button(state.word("ui_plan_make"), type="primary")
    if asked:
        work: dict[str, Any] = {"day": str(day), "hours": hours, "seed": int(seed), "township_ids": chosen or None}
        jobs.start(county.path, JOB, lambda progress: plan_day(county, progress=progress, **work))
        st.rerun()


def _found(county: County, plan: Plan) -> None:
    cards = st.container(horizontal=True)
    expected = state.word("ui_plan_bound", bound=f"{plan.bound:.2f}")
    for label, value, below in (
        ("ui_plan_expected", f"{plan.expected:.2f}", expected),
        ("ui_plan_stops", str(len(plan.stops)), ""),
        ("ui_plan_unmet", str(len(plan.unmet)), ""),
        (
            "ui_plan_hours_used",
            f"{plan.hours_used.sum():.0f}",
            state.word("ui_plan_of", of=f"{plan.budget_h * len(plan.hours_used):.0f}"),
        ),
    ):
        with cards.container(width=170, gap=None):
            st.metric(state.word(label), value)
            if below:
                st.caption(below)
    st.dataframe(_routes(county, plan), hide_index=True, column_config=_columns())
    if len(plan.unmet):
        with st.expander(state.word("ui_plan_why")):
            why = [state.word(f"unmet_{reason}") for reason in plan.unmet["reason"]]
            listed = {state.word("ui_plan_target"): plan.unmet["target_id"], state.word("ui_plan_reason"): why}
            st.dataframe(pd.DataFrame(listed), hide_index=True)
    accept, drop, _ = st.columns([1, 1, 5])
    if accept.button(state.word("ui_plan_accept"), type="primary"):
        accept_plan(county, plan, now=datetime.now(UTC))
        jobs.forget(county.path, JOB)
        st.session_state["plan_said"] = state.word(
            "ui_plan_accepted", n=len(plan.routes), head=state.head_of(county)[:8]
        )
        st.rerun()
    if drop.button(state.word("ui_plan_drop")):
        jobs.forget(county.path, JOB)
        st.rerun()


def _routes(county: County, plan: Plan) -> pd.DataFrame:
    teams = state.choices(county.path, state.head_of(county), "teams")
    routes = plan.routes
    return pd.DataFrame(
        {
            state.word("ui_team"): [teams.get(team, team) for team in routes["team_id"]],
            state.word("ui_plan_stops"): routes["stops_n"],
            state.word("ui_edge_km"): routes["length_m"] / 1000.0,
            state.word("ui_walk_h"): routes["walked_s"] / 3600.0,
            state.word("ui_service_h"): routes["service_s"] / 3600.0,
            state.word("ui_plan_expected"): routes["expected_finds"],
        }
    )


def _columns() -> dict[str, Any]:
    one, two = st.column_config.NumberColumn(format="%.1f"), st.column_config.NumberColumn(format="%.2f")
    named = {state.word(code): one for code in ("ui_edge_km", "ui_walk_h", "ui_service_h")}
    return named | {state.word("ui_plan_expected"): two}
