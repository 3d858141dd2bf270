"""One's own account: as what one is signed in, another password, and out."""

from datetime import UTC, datetime

import streamlit as st

from geo.errors import GeoError
from geo.ui import state
from geo.ui.door import LOGIN, LOGOUT
from geo.workspace.accounts import SHORTEST, change_own_password
from geo.workspace.county import County


def mine(county: County) -> None:
    """Behind the account's name: role and ground, the form for another password, and the way out."""
    actor = county.actor
    with st.popover(state.plain(actor.name), width="stretch"):
        st.markdown(f"**{state.word(f'role_{actor.role}')}** {state.plain('、'.join(_grounds(county)))}")
        st.markdown(f'<a href="{LOGOUT}" target="_self">{state.word("sign_out")}</a>', unsafe_allow_html=True)
        if not county.settings.access.trusted_header:
            _password(county)


def _grounds(county: County) -> list[str]:
    """Names of one's own ground."""
    path, head = county.path, state.head_of(county)
    names = {key: name for layer in ("townships", "grounds", "teams")
             for key, name in state.choices(path, head, layer).items()}  # fmt: skip
    return [str(names.get(ground, ground)) for ground in county.actor.grounds]


def _password(county: County) -> None:
    with st.form("own_password", clear_on_submit=True, border=False):
        present = st.text_input(state.word("password_present"), type="password", autocomplete="current-password")
        wanted = st.text_input(state.word("password_new", least=SHORTEST), type="password", autocomplete="new-password")
        again = st.text_input(state.word("password_again"), type="password", autocomplete="new-password")
        sent = st.form_submit_button(state.word("password_change"))
    if not sent:
        return
    if wanted != again:
        st.error(state.word("password_differs"))
        return
    try:
        change_own_password(county, present, wanted, now=datetime.now(UTC))
    except GeoError as error:
        state.sorry(error)
    else:
        st.success(state.word("password_changed"))
        st.markdown(f"[{state.word('sign_in_title')}]({LOGIN})")
