"""The season's schedule on the planner's page: asked for, waited for, looked at beside its bound, accepted."""

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.ui import jobs, state
from geo.workspace.campaign import SeasonPlan, accept_season, plan_season
from geo.workspace.county import County
from geo.workspace.planning import next_day

JOB = "season"


def schedule_panel(county: County) -> None:
    """Form, progress, the schedule found, and the button that makes its assignments the season's."""
    job = jobs.last(county.path, JOB)
    if job is not None and job.running:
        jobs.watch(county.path, JOB)
        return
    made: SeasonPlan | None = jobs.outcome(county.path, JOB)
    if made is None:
        _form(county)
    else:
        _made(county, made)


def _form(county: County) -> None:
    with st.form("season_form", border=False):
        first, second, third = st.columns([2, 4, 2], vertical_alignment="bottom")
        begins = first.date_input(state.word("ui_season_from"), date.fromisoformat(next_day(county)))
        lost = second.text_input(
            state.word("ui_season_off"), placeholder="2026-04-05 2026-04-06", help=state.word("ui_season_off_help")
        )
        asked = third.form_submit_button(state.word("ui_season_make"), type="primary")
    if not asked:
        return
    off_days = lost.replace("，", " ").replace(",", " ").split()

    def work(progress: jobs.Progress) -> SeasonPlan:
        job = jobs.last_of(progress)
        stopped = job.stop.is_set if job else None
        told: dict[str, Any] = {"progress": progress, "cancelled": stopped}
        return plan_season(county, now=datetime.now(UTC), from_day=str(begins), off_days=off_days, **told)

    jobs.start(county.path, JOB, work)
    st.rerun()


def _made(county: County, made: SeasonPlan) -> None:
    first, *rests = made.sentences(state.language())
    st.markdown(state.plain(first))
    for line in rests:
        st.caption(state.plain(line))
    names = state.choices(county.path, state.head_of(county), "townships")
    townships = made.json()["townships"]
    table = {
        state.word("ui_township"): [names.get(one["township_id"], one["township_id"]) for one in townships],
        state.word("ui_season_days"): [one["team_days_n"] for one in townships],
        state.word("ui_season_free"): [one["kept_free_n"] for one in townships],
    }
    st.dataframe(pd.DataFrame(table), hide_index=True)
    if made.schedule.unmet:
        with st.expander(state.word("ui_plan_why")):
            why = [state.word(f"unmet_{reason}") for _, reason in made.schedule.unmet]
            targets = [name for name, _ in made.schedule.unmet]
            listed = {state.word("ui_plan_target"): targets, state.word("ui_plan_reason"): why}
            st.dataframe(pd.DataFrame(listed), hide_index=True)
    accept, drop, _ = st.columns([1, 1, 5])
    if accept.button(state.word("ui_plan_accept"), type="primary", key="season_accept"):
        _accept(county, made)
    if drop.button(state.word("ui_plan_drop"), key="season_drop"):
        jobs.forget(county.path, JOB)
        st.rerun()


def _accept(county: County, made: SeasonPlan) -> None:
    try:
        accept_season(county, made, now=datetime.now(UTC))
    except GeoError as error:
        state.sorry(error)
        return
    jobs.forget(county.path, JOB)
    st.session_state["plan_said"] = state.word("ui_season_accepted", n=len(made.assignments))
    st.rerun()
