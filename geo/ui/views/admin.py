"""管理: users, settings, backups, and whether program and record are in order; what the county holds."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.layers import SCHEMAS
from geo.report.assumed import flat
from geo.settings import assumptions
from geo.store.durable import BACKUPS
from geo.ui import jobs, state
from geo.ui.accounts import users
from geo.ui.assumed import assumed
from geo.ui.cards import table
from geo.workspace.administering import change_settings, settings_text
from geo.workspace.condition import back_up_county, condition
from geo.workspace.county import County

JOB = "doctor"


def page() -> None:
    """Users, backups, the doctor, settings and the rows of every layer."""
    county = state.county()
    head = state.head_of(county)
    said = st.session_state.pop("admin_said", None)
    if said:
        st.success(said)
    left, right = st.columns(2)
    with left:
        _backups(county)
    with right:
        _doctor(county.path)
    users(county)
    _settings(county)
    with st.expander(state.word("ui_held_rows")):
        held = _rows(county.path, head)
        table([{"ui_layer": _named(layer), "ui_rows": n} for layer, n in held.items() if n], most=40)
    state.foot(county.as_of(), head)


def _named(layer: str) -> str:
    """What a layer is called, and the name commands know it by."""
    return f"{state.layer(layer)} · {layer}"


def _settings(county: County) -> None:
    """Every setting with its value, and the file to be changed; a wrong value changes nothing."""
    with st.expander(state.word("ui_settings")):
        assumed(assumptions(county.settings))
        text = st.text_area(state.word("ui_settings_file"), settings_text(county), height=320, key="settings_text")
        st.caption(state.word("ui_settings_note"))
        if not st.button(state.word("ui_settings_save"), key="settings_save"):
            return
        try:
            done = change_settings(county, text, now=datetime.now(UTC))
        except GeoError as error:
            state.sorry(error)
            return
        said = "ui_settings_same" if done is None else "ui_settings_done"
        st.session_state["admin_said"] = state.word(said, seq=done.seq if done else 0)
        st.rerun()


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
        rows = flat(found)
        named = {state.word("ui_what"): list(rows), state.word("head_value"): list(rows.values())}
        st.dataframe(pd.DataFrame(named), hide_index=True, height=280)


@state.kept(entries=2)
def _rows(path: Path, head: str) -> dict[str, int]:
    store = state.county().store
    return {name: len(store.read(name)) for name in SCHEMAS}
