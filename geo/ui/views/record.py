"""Recording what was looked at, what was found, and what became of it, in one short form each."""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from geo.errors import GeoError
from geo.ui import state
from geo.ui.fields import Values, destruction_fields, place_in, verification_fields, visit_fields
from geo.ui.find_form import find_form
from geo.workspace.county import County
from geo.workspace.recording import (
    Recorded,
    record_destruction,
    record_verification,
    record_visit,
)

FORMS: dict[str, tuple[Callable[[County], Values], Callable[[County, Values], Recorded]]] = {
    "visit": (visit_fields, lambda county, values: record_visit(county.store, _placed(county, values), now=_now())),
    "destruction": (destruction_fields, lambda county, values: _destroyed(county, **values)),
    "verification": (verification_fields, lambda county, values: _verified(county, **values)),
}


def page() -> None:
    """A visit, also with nothing found; a find; its destruction; that somebody went back and saw it gone."""
    county = state.county()
    names = ("visit", "find", "destruction", "verification")
    for name, tab in zip(names, st.tabs([state.word(f"ui_{name}") for name in names]), strict=True):
        with tab:
            if name == "find":
                _find(county)
            else:
                _form(county, name)
    state.foot(county.as_of(), state.head_of(county))


def _find(county: County) -> None:
    """The find form, once more for every find."""
    done = find_form(county, {}, key="find", moment=county.as_of())
    if done is not None:
        _said(done)
        for line in st.session_state.pop("photos_said", []):
            st.info(state.plain(line))


def _form(county: County, name: str) -> None:
    fields, record = FORMS[name]
    with st.form(name, border=False):
        values = fields(county)
        sent = st.form_submit_button(state.word("ui_save"), type="primary")
    if not sent:
        return
    if not values.get("find_id", True):
        st.warning(state.word("ui_find_needed"))
        return
    try:
        done = record(county, {key: value for key, value in values.items() if value not in (None, "")})
    except GeoError as error:
        state.sorry(error)
        return
    _said(done)


def _said(done: Recorded) -> None:
    if done.entry is None:
        st.info(state.word("ui_already", id=done.id))
    else:
        st.success(state.word("ui_saved", id=done.id, seq=done.entry.seq, head=done.entry.hash[:8]))


def _destroyed(county: County, find_id: str, **values: object) -> Recorded:
    return record_destruction(county.store, find_id, values, now=_now())


def _verified(county: County, find_id: str, at: datetime | None = None) -> Recorded:
    return record_verification(county.store, find_id, now=_now(), at=at)


def _placed(county: County, values: Values) -> Values:
    """The form's values with its typed place as degrees."""
    typed, datum = values.pop("place")
    return values | place_in(county, typed, datum)


def _now() -> datetime:
    return datetime.now(UTC)
