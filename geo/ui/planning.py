"""Planning a day from the map page: ask, wait with progress, look at it on the map, change it, accept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.locale import number
from geo.patrol import Plan
from geo.ui import jobs, routes, state
from geo.ui.mapview import Outline
from geo.workspace.comparing import figures
from geo.workspace.county import County
from geo.workspace.planning import accept_plan, clash_shown, next_day, plan_clashes, plan_day, seen_until

JOB = "plan"
COMPARED = ("teams_n", "hours_offered", "hours_used", "stops_n", "expected", "bound", "unmet_must_n")


@dataclass(frozen=True)
class Found:
    """A plan with what it was asked as, and the figures of the day staffed otherwise where that was asked too."""

    plan: Plan
    asked: dict[str, Any]
    seen: int
    other: tuple[dict[str, Any], dict[str, Any]] | None = None


def plan_panel(county: County) -> None:
    """The whole of planning: form, progress, the plan found, and the button that makes it the order of the day."""
    job = jobs.last(county.path, JOB)
    if job is not None and job.running:
        jobs.watch(county.path, JOB)
        return
    for clash in plan_clashes(county):
        st.warning(state.word("plan_clash", **clash_shown(clash)))
    found: Found | None = jobs.outcome(county.path, JOB)
    if found is None:
        routes.propose(county.path, state.actor(), None)
        _form(county)
    else:
        _found(county, found)


def proposed(county: County) -> str:
    """
    The mark of the plan that waits to be accepted, for the map's address of it; empty without one.

    The map asks for it by address, so that the page carries no routes.
    """
    job = jobs.last(county.path, JOB)
    if job is None or job.running or not isinstance(job.result, Found):
        return ""
    return routes.propose(county.path, state.actor(), job.result.plan)


def area_planned(county: County) -> Outline | None:
    """The area the plan waiting to be accepted keeps to; without such a plan that of the next one asked for."""
    job = jobs.last(county.path, JOB)
    if job is not None and not job.running and isinstance(job.result, Found):
        area: Outline | None = job.result.asked["area"]
        return area
    return st.session_state.get("plan_area")


def _form(county: County) -> None:
    names = state.choices(county.path, state.head_of(county), "townships")
    wanted = st.session_state.get("plan_townships", [])
    with st.form("plan_form", border=False):
        first, second, third, fourth, fifth = st.columns([4, 2, 2, 2, 2])
        chosen = first.multiselect(
            state.word("ui_plan_townships"), list(names), [one for one in wanted if one in names],
            format_func=names.__getitem__,
        )  # fmt: skip
        day = second.date_input(state.word("ui_plan_day"), date.fromisoformat(next_day(county)))
        usual = float(st.session_state.get("plan_hours", county.settings.planning.hours))
        stated = int(st.session_state.get("plan_teams", 0))
        teams = third.number_input(state.word("ui_plan_teams"), 0, 99, stated, help=state.word("ui_plan_teams_help"))
        hours = fourth.number_input(state.word("ui_plan_hours"), 0.0, 24.0, usual, 0.5)
        seed = fifth.number_input(state.word("ui_plan_seed"), 0, 10**6, 7, help=state.word("ui_plan_seed_help"))
        first, second, third = st.columns([4, 2, 4], vertical_alignment="bottom")
        pinned = first.text_input(
            state.word("ui_plan_pinned"),
            " ".join(st.session_state.get("plan_pinned", [])),
            help=state.word("ui_plan_pinned_help"),
        )
        extra = second.number_input(state.word("ui_plan_extra"), 0, 9, 0, help=state.word("ui_plan_extra_help"))
        area = st.session_state.get("plan_area")
        inside = area is not None and st.checkbox(state.word("ui_plan_inside"), value=True)
        asked = third.form_submit_button(state.word("ui_plan_make"), type="primary")
    if asked:
        work = {"day": str(day), "hours": hours, "seed": int(seed), "township_ids": chosen or None}
        work |= {"area": area if inside else None, "teams_most": int(teams) or None}
        _begin(county, work | {"pinned": tuple(pinned.split()), "forbidden": ()}, extra=int(extra))


def _begin(county: County, asked: dict[str, Any], *, extra: int = 0) -> None:
    """Plan beside the page; with `extra` teams a second time, to compare."""

    def work(progress: jobs.Progress) -> Found:
        job = jobs.last_of(progress)
        stopped = job.stop.is_set if job else None
        seen = seen_until(county)
        plan = plan_day(county, progress=progress, cancelled=stopped, **asked)
        if not extra:
            return Found(plan, asked, seen)
        both = [
            figures(plan_day(county, progress=progress, cancelled=stopped, varied=False, extra_teams=more, **asked))
            for more in (0, extra)
        ]
        return Found(plan, asked, seen, (both[0], both[1]))

    jobs.start(county.path, JOB, work)
    st.rerun()


def _found(county: County, found: Found) -> None:
    plan, asked_n, teams_n = found.plan, found.asked["teams_most"], len(found.plan.hours_used)
    if found.asked["area"] is not None:
        st.caption(state.word("ui_plan_only_inside"))
    if asked_n and teams_n < asked_n:
        st.caption(state.word("ui_plan_teams_fewer", asked=asked_n, n=teams_n))
    _cards(plan)
    st.dataframe(_routes(county, plan), hide_index=True, column_config=_columns())
    if found.other is not None:
        _compared(*found.other)
    with st.expander(state.word("ui_plan_all_stops", n=int(plan.routes["stops_n"].sum()))):
        st.dataframe(_stops(county, plan), hide_index=True, column_config=_columns())
    if len(plan.unmet):
        with st.expander(state.word("ui_plan_why"), expanded=bool(plan.unmet["must"].any())):
            why = [state.word(f"unmet_{reason}") for reason in plan.unmet["reason"]]
            listed = {state.word("ui_plan_target"): plan.unmet["target_id"], state.word("ui_plan_reason"): why}
            st.dataframe(pd.DataFrame(listed), hide_index=True)
    accept, drop, again, _ = st.columns([1, 1, 1, 4])
    if accept.button(state.word("ui_plan_accept"), type="primary"):
        _accept(county, found)
    if drop.button(state.word("ui_plan_drop")):
        jobs.forget(county.path, JOB)
        st.rerun()
    if again.button(state.word("ui_plan_reseed")):
        _begin(county, found.asked | {"seed": int(found.asked["seed"]) + 1})
    _change(county, found)


def _accept(county: County, found: Found) -> None:
    plan, clash = found.plan, st.session_state.get("plan_clash", 0)
    try:
        told = accept_plan(county, plan, now=datetime.now(UTC), based_on=max(found.seen, clash))
    except GeoError as error:
        state.sorry(error)
        return
    if told:
        st.session_state["plan_clash"] = told["seq"]
        st.rerun()
    jobs.forget(county.path, JOB)
    for name in ("plan_townships", "plan_teams", "plan_hours", "plan_pinned", "plan_area"):
        st.session_state.pop(name, None)
    st.session_state["plan_said"] = state.word("ui_plan_accepted", n=len(plan.routes), head=state.head_of(county)[:8])
    st.rerun()


def _change(county: County, found: Found) -> None:
    """Pin or rule out places of this plan, and plan again."""
    places = [str(one) for one in pd.unique(pd.concat([found.plan.stops["target_id"], found.plan.unmet["target_id"]]))]
    places = [one for one in places if one not in ("None", "nan")]
    with st.form("plan_change", border=False):
        first, second, third = st.columns([4, 4, 2], vertical_alignment="bottom")
        pins = {one.partition("@")[0]: one for one in found.asked["pinned"]}  # with the hours they were given
        held = {"pinned": [one for one in pins if one in places]}
        held["forbidden"] = [one for one in found.asked["forbidden"] if one in places]
        pinned = first.multiselect(state.word("ui_plan_must"), places, held["pinned"])
        forbidden = second.multiselect(state.word("ui_plan_forbidden"), places, held["forbidden"])
        if third.form_submit_button(state.word("ui_plan_again")):
            asked = tuple(pins.get(one, one) for one in pinned)
            _begin(county, found.asked | {"pinned": asked, "forbidden": tuple(forbidden)})


def _cards(plan: Plan) -> None:
    cards = st.container(horizontal=True)
    expected = state.word("ui_plan_bound", bound=f"{plan.bound:.3f}")
    for label, value, below in (
        ("ui_plan_expected", f"{plan.expected:.3f}", expected),
        ("ui_plan_stops", str(int(plan.routes["stops_n"].sum())), ""),
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


def _compared(here: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Both ways to staff the day, and what an hour more finds."""
    rows = [name for name in COMPARED if here.get(name) is not None and other.get(name) is not None]
    table = pd.DataFrame(
        {
            state.word("ui_plan_figure"): [state.word(f"whatif_{name}") for name in rows],
            state.word("ui_plan_here"): [_figure(name, here[name]) for name in rows],
            state.word("ui_plan_other"): [_figure(name, other[name]) for name in rows],
        }
    )
    st.dataframe(table, hide_index=True)
    more_h = other["hours_offered"] - here["hours_offered"]
    if more_h > 0:
        gained = (other["expected"] - here["expected"]) / more_h
        st.caption(state.word("ui_plan_gain", finds=f"{gained:.4f}", hours=f"{more_h:.0f}"))


def _figure(name: str, value: float) -> str:
    """A figure of the comparison: counts whole, hours to a tenth, finds to a thousandth."""
    digits = 0 if name.endswith("_n") else 1 if name.startswith("hours") else 3
    return number(float(value), state.language(), digits=digits)


def _routes(county: County, plan: Plan) -> pd.DataFrame:
    teams = state.choices(county.path, state.head_of(county), "teams")
    found = plan.routes
    return pd.DataFrame(
        {
            state.word("ui_team"): [teams.get(team, team) for team in found["team_id"]],
            state.word("ui_plan_stops"): found["stops_n"],
            state.word("ui_edge_km"): found["length_m"] / 1000.0,
            state.word("ui_walk_h"): found["walked_s"] / 3600.0,
            state.word("ui_service_h"): found["service_s"] / 3600.0,
            state.word("ui_plan_expected"): found["expected_finds"],
        }
    )


def _stops(county: County, plan: Plan) -> pd.DataFrame:
    """Every stop: whose, when, why, and what it adds."""
    teams = state.choices(county.path, state.head_of(county), "teams")
    whose = plan.routes.set_index("route_id")["team_id"]
    stops = plan.stops
    return pd.DataFrame(
        {
            state.word("ui_team"): [teams.get(team, team) for team in stops["route_id"].map(whose)],
            "#": stops["order_n"],
            state.word("ui_plan_target"): stops["target_id"].fillna(stops["name"]),
            state.word("ui_plan_reason"): stops["reason"].fillna(""),
            state.word("ui_plan_expected"): stops["gain"],
        }
    )


def _columns() -> dict[str, Any]:
    one, three = st.column_config.NumberColumn(format="%.1f"), st.column_config.NumberColumn(format="%.3f")
    named = {state.word(code): one for code in ("ui_edge_km", "ui_walk_h", "ui_service_h")}
    return named | {state.word("ui_plan_expected"): three}
