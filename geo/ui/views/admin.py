"""管理: what the county holds, its settings, backups, and whether program and record are in order."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.layers import SCHEMAS
from geo.settings import assumptions
from geo.store.durable import BACKUPS
from geo.ui import jobs, state
from geo.workspace.condition import back_up_county, condition
from geo.workspace.county import County

JOB = "doctor"


def page() -> None:
    """Backups, the doctor, the rows of every layer and every setting."""
    county = state.county()
    head = state.head_of(county)
    left, right = st.columns(2)
    with left:
        _backups(county)
    with right:
        _doctor(county.path)
    st.markdown(f"**{state.word('ui_held_rows')}**")
    held = _rows(county.path, head)
    named = {state.word("ui_layer"): list(held), state.word("ui_rows"): list(held.values())}
    st.dataframe(pd.DataFrame(named), hide_index=True, height=35 * (len(held) + 1) + 3)
    with st.expander(state.word("ui_settings")):
        st.json(assumptions(county.settings), expanded=1)
    state.foot(county.as_of(), head)


def _backups(county: County) -> None:
    st.markdown(f"**{state.word('ui_backups')}**")
    if st.button(state.word("ui_backup"), type="primary"):
        try:
            made = back_up_county(county, now=datetime.now(UTC))
        except GeoError as error:
            state.sorry(error)
        else:
            st.success(state.plain(state.word("ui_backup_done", file=made.name)))
    folder = county.path / BACKUPS
    files = sorted(folder.glob("*.gpkg"), key=lambda one: one.stat().st_mtime, reverse=True) if folder.is_dir() else []
    if not files:
        st.caption(state.word("ui_nothing_here"))
        return
    sizes = [round(one.stat().st_size / 1e6, 1) for one in files]
    named = {state.word("ui_file"): [one.name for one in files], state.word("ui_size_mb"): sizes}
    st.dataframe(pd.DataFrame(named), hide_index=True, height=35 * min(len(files) + 1, 6) + 3)


def _doctor(path: Path) -> None:
    """Versions, closed drivers, fonts and the whole ledger: seconds of work, so beside the page."""
    st.markdown(f"**{state.word('ui_condition')}**")
    job = jobs.last(path, JOB)
    if job is not None and job.running:
        jobs.watch(path, JOB)
        return
    if st.button(state.word("ui_condition_run")):
        jobs.start(path, JOB, lambda progress: condition(path))
        st.rerun()
    found: dict[str, Any] | None = jobs.outcome(path, JOB)
    if found is not None:
        if found["ok"]:
            st.success(state.word("ui_condition_ok"))
        else:
            st.error(state.word("ui_condition_bad"))
        st.json({name: value if not isinstance(value, Path) else str(value) for name, value in found.items()})


@state.kept(entries=2)
def _rows(path: Path, head: str) -> dict[str, int]:
    store = state.county().store
    return {name: len(store.read(name)) for name in SCHEMAS}
