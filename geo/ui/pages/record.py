"""Recording what was looked at and what was found, in one short form each."""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from geo.errors import GeoError
from geo.ui import state
from geo.ui.fields import Values, common_fields, find_fields, visit_fields
from geo.workspace.county import County
from geo.workspace.recording import Recorded, record_find, record_visit


def page() -> None:
    """Two forms: a visit, also with nothing found; a find with its destruction."""
    county = state.county()
    visit, find = st.tabs([state.word("ui_visit"), state.word("ui_find")])
    with visit:
        _form(county, "visit", visit_fields, record_visit)
    with find:
        _form(county, "find", find_fields, record_find)
    state.foot(county.as_of(), state.head_of(county))


def _form(
    county: County, name: str, fields: Callable[[County, Values], Values], record: Callable[..., Recorded]
) -> None:
    with st.form(name, border=False):
        values = fields(county, common_fields(county, name))
        sent = st.form_submit_button(state.word("ui_save"), type="primary")
    if not sent:
        return
    try:
        done = record(county.store, values, now=datetime.now(UTC))
    except GeoError as error:
        state.sorry(error)
        return
    if done.entry is None:
        st.info(state.word("ui_already", id=done.id))
    else:
        st.success(state.word("ui_saved", id=done.id, seq=done.entry.seq, head=done.entry.hash[:8]))
