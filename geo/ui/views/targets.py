"""靶标: every suspected plot with its deadline and where it stands; one plot's life and the next step of it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import streamlit as st

from geo.analysis.plot_life import MOVES
from geo.errors import GeoError, LayerError
from geo.layers.parcels import OPEN, Status
from geo.layers.steps import Act
from geo.locale import day as spoken_day
from geo.locale import place as place_text
from geo.ui import state
from geo.ui.cards import card, fitted, row_chosen, table
from geo.ui.fields import step_fields
from geo.ui.mapview import map_alone
from geo.words import WORDS
from geo.workspace.county import County
from geo.workspace.life import plot_life_of, record_step
from geo.workspace.own_ground import JUDGED
from geo.workspace.rights import Action, may
from geo.workspace.self_checking import SelfCheck, self_check, self_check_facts, self_check_paper

TABLE_PX, AROUND_DEG = 520, 0.006
QUEUE = [str(one) for one in (Status.VISITED, Status.GUARDED, Status.HANDED_OVER, Status.CONFIRMED)]
"""States in which somebody has to decide or act next: looked at and not judged, guarded, told, not destroyed."""
MOST = 60
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ACTS = (Act.ASSIGN, Act.GUARD, Act.HAND_OVER, Act.DISMISS, Act.RECHECK, Act.CLOSE)
ON_PLOTS = ("townships", "tracks", "parcels", "finds", "routes", "pod")


def page() -> None:
    """Counts, the list with days left beside the map, then the life of the plot chosen."""
    county = state.county()
    head = state.head_of(county)
    said = st.session_state.pop("targets_said", None)
    if said:
        st.success(said)
    plots = _plots(county.path, head)
    if plots.empty:
        st.info(state.word("ui_load_targets"))
        return
    _counts(county, plots)
    left, right = st.columns([1, 1])
    with left:
        plots = _filtered(county, plots)
        picked = _listed(county, plots)
    with right:
        if picked is None:
            map_alone(county.path, head, state.bounds(county.path, head), key="plots", layers=ON_PLOTS)
            st.caption(state.word("ui_choose_plot"))
        else:
            _life(county, picked)
    state.foot(county.as_of(), head)


@state.kept(entries=2, shared=True)
def _plots(path: Path, head: str) -> gpd.GeoDataFrame:
    """The parcels with days left and whether they wait, those with least time first."""
    county = state.county()
    plots = gpd.GeoDataFrame(county.store.read("parcels"))
    waiting = plots["status"].isin([str(status) for status in OPEN])
    left = (plots["deadline"] - pd.Timestamp(county.as_of())).dt.days.where(waiting)
    return plots.assign(waiting=waiting, days_left=left).sort_values(
        ["waiting", "days_left"], ascending=[False, True], kind="stable", ignore_index=True
    )


def _counts(county: County, plots: gpd.GeoDataFrame) -> None:
    """Targets, those not looked at, deadlines, and the self-check of 吻合率; each opens its rows."""
    late, near, waiting = plots["days_left"] < 0, plots["days_left"].between(0, 3), plots["waiting"]
    names = state.choices(county.path, state.head_of(county), "townships")
    cards = st.container(horizontal=True)

    def rows(chosen: gpd.GeoDataFrame) -> Callable[[], None]:
        return lambda: table(
            [{"ui_plot": row["source_id"] or row["parcel_id"], "ui_township": names.get(row["township_id"], "–"),
              "ui_state": state.word(f"ui_status_{row['status']}"), "ui_days_left": row["days_left"]}
             for row in pd.DataFrame(chosen.drop(columns="geometry")).head(MOST).to_dict("records")]
        )  # fmt: skip

    card(cards, state.word("ui_targets_all"), len(plots), rests=rows(plots))
    card(cards, state.word("ui_targets_open"), int(waiting.sum()), rests=rows(plots[waiting]))
    card(cards, state.word("ui_targets_late"), int(late.sum()), rests=rows(plots[late]))
    card(cards, state.word("ui_targets_near"), int(near.sum()), rests=rows(plots[near]))
    judged = plots[plots["status"].isin(QUEUE)]
    card(cards, state.word("ui_targets_queue"), len(judged), state.word("ui_targets_queue_below"), rests=rows(judged))
    _self_check(county, cards)
    counts = plots["status"].value_counts()
    said = [f"{state.word(f'ui_status_{status}')} {counts[str(status)]}" for status in Status if str(status) in counts]
    st.caption(" · ".join(said))


@state.kept()
def _checked(path: Path, head: str) -> SelfCheck | None:
    """None where the county has no targets of an official list."""
    try:
        return self_check(state.county())
    except LayerError:
        return None


@state.kept()
def _checked_paper(path: Path, head: str, spoken: str) -> bytes:
    found = _checked(path, head)
    return self_check_paper(state.county(), found, language="en" if spoken == "en" else "zh") if found else b""


def _self_check(county: County, cards: Any) -> None:
    path, head = county.path, state.head_of(county)
    found = _checked(path, head)
    if found is None:
        return
    rate = found.matching.rate
    value = "–" if rate is None else f"{100 * rate:.0f}%"

    def rests() -> None:
        table([{"ui_what": what, "head_value": told} for what, told in self_check_facts(found, state.language())])
        paper = _checked_paper(path, head, state.language())
        st.download_button(
            state.word("ui_self_check_paper"), paper, "靶标自查.xlsx", XLSX, on_click="ignore", key="self_check_paper"
        )

    card(cards, state.word("ui_self_check"), value, state.word("ui_self_check_below"), rests=rests)


def _filtered(county: County, plots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    names = state.choices(county.path, state.head_of(county), "townships")
    views = {"all": plots, "open": plots[plots["waiting"]], "queue": plots[plots["status"].isin(QUEUE)]}
    view = st.segmented_control(
        state.word("ui_view"), list(views), default="all", key="plots_view", label_visibility="collapsed",
        format_func=lambda one: f"{state.word(f'ui_view_{one}')} {len(views[one])}",
    )  # fmt: skip
    plots = views[view or "all"]
    first, second = st.columns(2)
    township = first.selectbox(
        state.word("ui_township"), list(names), index=None, placeholder=state.word("ui_all"),
        format_func=names.__getitem__,
    )  # fmt: skip
    held = [str(status) for status in Status if (plots["status"] == str(status)).any()]
    status = second.multiselect(
        state.word("ui_state"), held, format_func=lambda one: state.word(f"ui_status_{one}"),
        placeholder=state.word("ui_all"),
    )  # fmt: skip
    if township:
        plots = plots[plots["township_id"] == township]
    if status:
        plots = plots[plots["status"].isin(status)]
    return plots.reset_index(drop=True)


def _listed(county: County, plots: gpd.GeoDataFrame) -> dict[str, Any] | None:
    """The list; the row chosen, or None."""
    names = state.choices(county.path, state.head_of(county), "townships")
    table = pd.DataFrame(
        {
            state.word("ui_plot"): plots["source_id"].fillna(plots["parcel_id"]),
            state.word("ui_township"): [names.get(one, "–") for one in plots["township_id"]],
            state.word("ui_state"): [state.word(f"ui_status_{one}") for one in plots["status"]],
            state.word("ui_days_left"): plots["days_left"],
            state.word("ui_suspicion"): plots["suspicion"],
            state.word("ui_reasons"): plots["reason"],
        }
    )
    columns = {state.word("ui_suspicion"): st.column_config.NumberColumn(format="%.2f")}
    keys, height = plots["parcel_id"].tolist(), fitted(len(table), TABLE_PX)
    picked = row_chosen(table, keys, "plot_chosen", height, column_config=columns)
    return None if picked is None else plots.iloc[picked].to_dict()


def _life(county: County, plot: dict[str, Any]) -> None:
    """Where the plot lies, what happened, what is due, what still forbids closing, and the next step."""
    parcel_id = plot["parcel_id"]
    life = plot_life_of(county, parcel_id, as_of=datetime.now(UTC))
    st.subheader(
        f"{state.plain(plot['source_id'] or parcel_id)} · {state.word(f'ui_status_{life.status}')}", anchor=False
    )
    place = gpd.GeoSeries([plot["geometry"].representative_point()], crs=county.store.crs).to_crs(4326).iloc[0]
    st.caption(place_text(place.x, place.y, state.language()))
    around = (place.x - AROUND_DEG, place.y - AROUND_DEG, place.x + AROUND_DEG, place.y + AROUND_DEG)
    map_alone(county.path, state.head_of(county), around, key=f"plot_{parcel_id}", layers=ON_PLOTS)
    rows, teams = life.history, state.choices(county.path, state.head_of(county), "teams")
    history = {
        state.word("ui_time"): [row["at"] for row in rows],
        state.word("ui_what"): [state.word(f"what_{row['what']}") for row in rows],
        state.word("ui_who"): [_who(row["who"] or "", teams) for row in rows],
        state.word("ui_id"): [row["id"] for row in rows],
    }
    shown = state.clock(state.word("ui_time"))
    st.dataframe(pd.DataFrame(history), hide_index=True, height=35 * min(len(rows) + 1, 8) + 3, column_config=shown)
    hours = [state.word(f"ui_hours_{name}", hours=f"{value:.0f}") for name, value in life.hours.items() if value]
    if hours:
        st.caption(" · ".join(hours))
    for due in life.dues:
        met = spoken_day(due.met_at, state.language()) if due.met_at else "—"
        st.caption(state.word("plot_due", day=due.day, why=state.word(due.why), met=met))
    for fault in life.faults if life.status not in {str(status) for status in OPEN} else []:
        st.caption(state.word("plot_fault", why=state.word(fault)))
    for undecided in life.undecided_counts:
        st.warning(state.word("count_straddles", **undecided))
    _next_step(county, parcel_id, life.status, f"step_{parcel_id}_{len(life.history)}")


def _who(who: str, teams: Mapping[str, str]) -> str:
    """A team by its name, a source by its word, a post as it stands."""
    return teams.get(who) or (state.word(f"source_{who}") if f"source_{who}" in WORDS else who)


def _next_step(county: County, parcel_id: str, status: str, name: str) -> None:
    """A form (of its own `name`) for one of the steps this state allows; finds are recorded on a page of their own."""
    judging, recording = (may(county.actor, action) for action in (Action.JUDGE, Action.RECORD))
    open_to = [
        act for act in ACTS
        if status in {str(one) for one in MOVES[act][0]} and (judging if act in JUDGED else recording)
    ]  # fmt: skip
    if not open_to:
        return
    act = st.segmented_control(
        state.word("ui_next_step"), open_to, format_func=lambda one: state.word(f"act_{one}"), key=f"act_{parcel_id}"
    )
    if act is None:
        return
    with st.form(name, border=True):
        values = step_fields(county, name, act)
        sent = st.form_submit_button(state.word("ui_save"), type="primary")
    if not sent:
        return
    given = {key: value for key, value in values.items() if value not in (None, "")}
    try:
        done = record_step(county.store, parcel_id, act, given, now=datetime.now(UTC))
    except GeoError as error:
        state.sorry(error)
        return
    st.session_state["targets_said"] = state.word("ui_already" if done.entry is None else "ui_step_saved", id=done.id)
    st.rerun()
