"""The planner's page: what was seen and what was not, the evidence of a place, an area drawn, and the day's plan."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import streamlit as st

from geo.layers.parcels import OPEN
from geo.locale import area_unit_m2
from geo.ui import handover, jobs, state
from geo.ui.board import board
from geo.ui.mapview import Clicked, map_and_panel
from geo.ui.planning import JOB, area_planned, plan_panel, proposed
from geo.ui.scheduling import JOB as SEASON
from geo.ui.scheduling import schedule_panel
from geo.words import Language
from geo.workspace.county import County
from geo.workspace.rights import Action, may

LISTED = 60
NEAR_DEG = 0.0006


def page() -> None:
    """Map on the left, evidence on the right, what to look at first below it, and planning."""
    county = state.county()
    path, head = county.path, state.head_of(county)
    held = state.counts(path, head)
    if not county.has_terrain():
        st.info(state.word("ui_load_terrain"))
    elif not held["tracks"]:
        st.info(state.word("ui_load_tracks"))
    said = st.session_state.pop("plan_said", None)
    if said:
        st.success(said)
    ready = county.has_terrain() and jobs.measuring(path, head)

    def first(clicked: Clicked | None) -> Clicked | None:
        return _first(path, head, clicked, ready=ready)

    map_and_panel(path, head, ready=ready, below=first, proposed=proposed(county), planned=area_planned(county))
    if county.has_terrain() and may(county.actor, Action.PLAN):
        wanted = "plan_townships" in st.session_state or jobs.last(path, JOB) is not None
        _folded("ui_plan_head", county, plan_panel, unfolded=wanted)
        _folded("ui_season_head", county, schedule_panel, unfolded=jobs.last(path, SEASON) is not None)
    board(path, head)
    handover.offered(county, routes_n=held["routes"])
    state.foot(state.as_of(path, head), head)


def _folded(code: str, county: County, panel: Callable[[County], None], *, unfolded: bool) -> None:
    """A panel that is made when somebody unfolds it: closed, it would keep the browser from drawing the map."""
    fold = st.expander(state.word(code), expanded=unfolded, key=f"{code}_{unfolded}", on_change="rerun")
    if fold.open:
        with fold:
            panel(county)


def _first(path: Path, head: str, clicked: Clicked | None, *, ready: bool) -> Clicked | None:
    """Blind spots and open targets in the order to look at them; a row chosen goes to its place, and the other way."""
    kinds = [name for name in ("blind_spots", "parcels") if ready or name == "parcels"]
    kind = st.segmented_control(
        state.word("ui_look_first"), kinds, default=kinds[0], format_func=lambda name: state.word(f"ui_layer_{name}"),
        key=f"look_first_{len(kinds)}",
    )  # fmt: skip
    rows = _spots(path, head) if kind == "blind_spots" else _targets(path, head) if kind else pd.DataFrame()
    if rows.empty:
        st.caption(state.word("ui_no_spots"))
        return None
    here = _row_at(rows, clicked)
    shown = st.dataframe(
        rows.drop(columns=["lat", "lng"]),
        hide_index=True,
        height=35 * min(len(rows) + 1, 7) + 3,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [] if here is None else [here]}},
        key=f"first_{kind}_{here}",
        column_config=_columns(),
    )
    picked = shown["selection"]["rows"] if shown else []
    if not picked or picked[0] == here or picked[0] >= len(rows):
        return None
    row = rows.iloc[picked[0]]
    st.session_state["map_said"] = str(row.iloc[0])
    return {"lat": float(row["lat"]), "lng": float(row["lng"])}


def _row_at(rows: pd.DataFrame, clicked: Mapping[str, float] | None) -> int | None:
    """The row whose place was selected on the map; None where none is there."""
    if not clicked:
        return None
    far = (rows["lat"] - clicked["lat"]).abs() + (rows["lng"] - clicked["lng"]).abs()
    nearest = int(far.to_numpy().argmin())
    return nearest if far.iloc[nearest] < NEAR_DEG else None


def _spots(path: Path, head: str) -> pd.DataFrame:
    return _spot_rows(path, head, state.language())


@state.kept()
def _spot_rows(path: Path, head: str, language: Language) -> pd.DataFrame:
    measured = state.borders_now(path, head)
    if measured is None or measured.blind_spots.empty:
        return pd.DataFrame()
    spots = measured.blind_spots.head(LISTED)
    names = state.choices(path, head, "townships")
    return pd.DataFrame(
        {
            state.word("ui_rank"): [state.word("ui_spot", rank=rank) for rank in spots["rank"]],
            state.word("ui_township"): [names.get(one, one) for one in spots["township_id"]],
            state.word("ui_area_unit"): spots["area_m2"] / area_unit_m2(language),
            state.word("ui_spot_hours"): spots["hours"],
            state.word("ui_spot_worth"): 1000.0 * spots["mass_per_hour"],
            state.word("ui_posts"): spots["township_posts"],
        }
        | _places(spots)
    ).reset_index(drop=True)


def _targets(path: Path, head: str) -> pd.DataFrame:
    return _target_rows(path, head, state.language())


@state.kept()
def _target_rows(path: Path, head: str, language: Language) -> pd.DataFrame:
    parcels = gpd.GeoDataFrame(state.county().store.read("parcels"))
    due = parcels[parcels["status"].isin([str(status) for status in OPEN])]
    due = due.sort_values("deadline", kind="stable").head(LISTED)
    if due.empty:
        return pd.DataFrame()
    names = state.choices(path, head, "townships")
    left = (due["deadline"] - pd.Timestamp(state.as_of(path, head))).dt.days
    return pd.DataFrame(
        {
            state.word("ui_plot"): due["source_id"].fillna(due["parcel_id"]),
            state.word("ui_township"): [names.get(one, "–") for one in due["township_id"]],
            state.word("ui_state"): [state.word(f"ui_status_{one}") for one in due["status"]],
            state.word("ui_days_left"): left,
            state.word("ui_suspicion"): due["suspicion"],
        }
        | _places(due)
    ).reset_index(drop=True)


def _places(table: gpd.GeoDataFrame) -> dict[str, Any]:
    points = table.geometry.representative_point().to_crs(4326)
    return {"lat": points.y.round(6), "lng": points.x.round(6)}


def _columns() -> dict[str, Any]:
    one, two = st.column_config.NumberColumn(format="%.1f"), st.column_config.NumberColumn(format="%.2f")
    return {
        state.word("ui_area_unit"): one,
        state.word("ui_spot_hours"): one,
        state.word("ui_spot_worth"): two,
        state.word("ui_suspicion"): two,
    }
