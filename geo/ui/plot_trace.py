"""倒查 of one plot on the page: one line per thing on record, each with its ledger entries, and the dossier."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.locale import day, moment
from geo.report.dossier import Statement, notes_of
from geo.season import CHINA
from geo.ui import jobs, photos, state
from geo.words import Language
from geo.workspace.county import County
from geo.workspace.tracing import Dossier, dossier_papers, plot_dossier

JOB = "dossier"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MOST = 18
COLUMNS_PX = {"ui_time": 165, "ui_trace_part": 80, "ui_what": 760, "dossier_entries": 110, "ui_trace_lag": 165}
"""Wide enough for whole sentences on a page 1,440 px wide."""


def plot_trace(county: County) -> None:
    """Choose a plot, read who answered, planned, walked, looked, reported and approved; take the dossier."""
    path, head = county.path, state.head_of(county)
    plots = _plots(path, head, state.language())
    if not plots:
        st.info(state.word("ui_load_targets"))
        return
    chosen = st.selectbox(
        state.word("ui_trace_plot"), list(plots), index=None, format_func=plots.__getitem__,
        placeholder=state.word("ui_trace_plot_hint"), key="traced",
    )  # fmt: skip
    if chosen is None:
        return
    try:
        with st.spinner(state.word("ui_measuring")):
            told = _told(path, head, chosen)
    except GeoError as error:
        state.sorry(error)
        return
    _lines(path, head, told)
    photos.of_plot(county, chosen)
    _papers(county, chosen)


@state.kept()
def _plots(path: Path, head: str, spoken: Language) -> dict[str, str]:
    """Key -> name and state of the plots, those something was found on first."""
    store = state.county().store
    parcels = store.read("parcels")
    found = set(store.read("finds")["parcel_id"].dropna())
    first = parcels["parcel_id"].isin(found).sort_values(ascending=False, kind="stable").index
    parcels = parcels.loc[first]
    names = parcels["source_id"].fillna(parcels["parcel_id"])
    said = [state.word(f"ui_status_{status}") for status in parcels["status"]]
    return {key: f"{name} · {now}" for key, name, now in zip(parcels["parcel_id"], names, said, strict=True)}


@state.kept(entries=12)
def _told(path: Path, head: str, parcel_id: str) -> Dossier:
    return plot_dossier(state.county(), parcel_id, check=False)


def _lines(path: Path, head: str, told: Dossier) -> None:
    """In the order of time what was done; what has no time (nobody planned, nobody looked) comes first."""
    language, teams = state.language(), state.choices(path, head, "teams")
    pod = told.evidence.pod if told.evidence else None
    place = state.word("ui_at", longitude=f"{told.longitude:.5f}", latitude=f"{told.latitude:.5f}")
    found = state.word("ui_trace_found" if told.found else "ui_trace_not_found", day=told.until)
    st.caption(f"{place} · {found}" + ("" if pod is None else f" · {state.word('ui_pod')} {pod:.2f}"))
    rows = sorted(told.pages.statements, key=lambda one: (one.at is not None, one.at or told.as_of))
    table = {
        state.word("ui_time"): [_when(one.at, language) for one in rows],
        state.word("ui_trace_part"): [state.word(f"ui_trace_part_{one.part}") for one in rows],
        state.word("ui_what"): [_named(one, teams).text(language) for one in rows],
        state.word("dossier_entries"): [
            " ".join(f"#{held.seq}" for held in one.mentions) or state.word("dossier_no_entry") for one in rows
        ],
        state.word("ui_trace_lag"): [notes_of(one, language) for one in rows],
    }
    shown = {state.word(code): st.column_config.TextColumn(width=px) for code, px in COLUMNS_PX.items()}
    st.dataframe(pd.DataFrame(table), hide_index=True, column_config=shown, height=35 * min(len(rows) + 1, MOST) + 3)


def _when(at: datetime | None, language: Language) -> str:
    """The moment; of what is known by its day alone (midnight), the day."""
    if at is None:
        return ""
    here = at.astimezone(CHINA)
    return day(here.date(), language) if here.time() == time(0) else moment(at, language)


def _named(statement: Statement, teams: Mapping[str, str]) -> Statement:
    """The statement with its team's name instead of the id."""
    name = teams.get(str(statement.fields.get("team")))
    return replace(statement, fields=statement.fields | {"team": name}) if name else statement


def _papers(county: County, parcel_id: str) -> None:
    """生成卷宗: the whole ledger is verified first, so it is made beside the page."""
    job = jobs.last(county.path, JOB)
    if job is not None and job.running:
        jobs.watch(county.path, JOB)
        return
    spoken = state.language()
    if st.button(state.word("ui_trace_dossier"), type="primary"):
        jobs.start(county.path, JOB, lambda progress: (parcel_id, *_made(county, parcel_id, spoken)))
        st.rerun()
    made = jobs.outcome(county.path, JOB)
    if made is None or made[0] != parcel_id:
        return
    (st.success if made[1] else st.error)(made[2])
    buttons = st.container(horizontal=True)
    for name, content in made[3].items():
        code, mime = ("ui_trace_html", "text/html") if name.endswith(".html") else ("ui_docx", DOCX)
        buttons.download_button(state.word(code), content, name, mime, on_click="ignore", key=name)


def _made(county: County, parcel_id: str, spoken: Language) -> tuple[bool, str, dict[str, bytes]]:
    found = plot_dossier(county, parcel_id)
    return found.ledger_ok, found.pages.verified.text(spoken), dossier_papers(county, found, language=spoken)
