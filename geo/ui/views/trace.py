"""倒查: what is on record of one plot, whether the ledger still holds, and what was entered when by whom."""

from datetime import datetime

import pandas as pd
import streamlit as st

from geo.ledger import Linked, Verdict
from geo.ui import jobs, state
from geo.ui.plot_trace import plot_trace
from geo.words import WORDS, explain
from geo.workspace.county import County

JOB = "verify"
LATEST = 200


def page() -> None:
    """A plot's lines and dossier, then verification, then the latest entries, or those that name what is searched."""
    county = state.county()
    plot_trace(county)
    st.markdown(f"**{state.word('ui_trace_ledger')}**")
    _verification(county)
    head = county.store.head()
    last = head.seq if head else 0
    wanted = st.text_input(state.word("ui_trace_search"), placeholder=state.word("ui_trace_hint")).strip()
    entries = county.store.entries(0 if wanted else max(last - LATEST, 0))
    shown = [one for one in entries if not wanted or wanted in one.text][-LATEST:]
    st.caption(state.word("ui_trace_shown", n=len(shown), of=last))
    if shown:
        _listed(shown[::-1])
    state.foot(county.as_of(), state.head_of(county))


def _verification(county: County) -> None:
    """Verify against the head printed in a bulletin: without one, a ledger cut short or rewritten whole looks sound."""
    job = jobs.last(county.path, JOB)
    if job is not None and job.running:
        jobs.watch(county.path, JOB)
        return
    with st.form("verify", border=False):
        left, right = st.columns([5, 1], vertical_alignment="bottom")
        printed = left.text_input(state.word("ui_trace_head"), help=state.word("ui_trace_head_help")).strip()
        asked = right.form_submit_button(state.word("ui_trace_verify"), width="stretch")
    if asked:
        jobs.start(county.path, JOB, lambda progress: county.store.verify(printed or None))
        st.rerun()
    verdict = jobs.outcome(county.path, JOB)
    if verdict is not None:
        _say(verdict)


def _say(verdict: Verdict) -> None:
    if verdict.ok:
        st.success(state.word("ui_trace_sound", n=verdict.entries_n))
    else:
        st.error(state.word("ui_trace_broken", why=state.plain(_why(verdict))))


def _why(verdict: Verdict) -> str:
    return explain(verdict.first_problem, state.language()) if verdict.first_problem else ""


def _kind(kind: str) -> str:
    """What an entry of this kind is called; the kind itself where nobody gave it a name."""
    return state.word(f"ui_entry_{kind}") if f"ui_entry_{kind}" in WORDS else kind


def _listed(entries: list[Linked]) -> None:
    table = pd.DataFrame(
        {
            state.word("ui_trace_seq"): [one.seq for one in entries],
            state.word("ui_time"): [_moment(one.at) for one in entries],
            state.word("ui_trace_kind"): [_kind(one.kind) for one in entries],
            state.word("ui_trace_role"): [_role(one.role) for one in entries],
            state.word("ui_trace_what"): [_summary(one) for one in entries],
            state.word("ui_trace_hash"): [one.hash[:12] for one in entries],
        }
    )
    chosen = st.dataframe(
        table, hide_index=True, on_select="rerun", selection_mode="single-row", key="entries",
        column_config=state.clock(state.word("ui_time")),
    )  # fmt: skip
    for row in chosen["selection"]["rows"] if chosen else []:
        st.json(entries[row].body, expanded=1)


def _summary(entry: Linked) -> str:
    """The ids the entry names, a few of them."""
    named = [
        f"{state.layer(layer)} {key}" for layer, rows in entry.body.get("rows", {}).items() for key in list(rows)[:3]
    ]
    more = sum(len(rows) for rows in entry.body.get("rows", {}).values()) - len(named)
    return " · ".join(named) + (f" +{more}" if more > 0 else "")


def _role(role: str) -> str:
    return state.word(f"role_{role}") if f"role_{role}" in WORDS else role


def _moment(at: str | datetime) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)
