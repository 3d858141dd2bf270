"""Accounts for the administrator: who may come in, as what and for which ground; and what happened at the door."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.locale import moment
from geo.store.accounts import Account, AccountsFile
from geo.ui import state
from geo.ui.door import LOGIN
from geo.words import WORDS
from geo.workspace.accounts import SHORTEST, add_account, change_password, change_role, lock_account
from geo.workspace.county import County
from geo.workspace.rights import WHOLE, Role

LATEST = 100
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def accounts_panel(county: County) -> None:
    """The accounts, the forms to add and change one, and the last lines of the audit."""
    st.markdown(f"**{state.word('accounts_title')}**")
    said = st.session_state.pop("accounts_said", None)
    if said:
        st.success(state.plain(said))
    held = AccountsFile(county.path).all()
    if held:
        _listed(county, held)
    else:
        st.caption(state.word("ui_accounts_none"))
    with st.expander(state.word("ui_account_add"), expanded=False):
        _add(county, first=not held)
    if held:
        with st.expander(state.word("ui_account_change")):
            _change(county, {one.name: one for one in held})
        with st.expander(state.word("ui_audit")):
            _audit(county)


def new_password() -> str:
    """A password nobody has to think of: sixteen letters and digits that cannot be taken for each other."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def _listed(county: County, held: list[Account]) -> None:
    names, now = _ground_names(county), datetime.now(UTC)
    rows = {
        "account_name": [one.name for one in held],
        "account_role": [state.word(f"role_{one.role}") for one in held],
        "account_grounds": ["、".join(names.get(ground, ground) for ground in one.grounds) for one in held],
        "account_state": [state.word(f"account_state_{_state(one, now)}") for one in held],
    }
    named = pd.DataFrame(rows).rename(columns=state.word)
    st.dataframe(named, hide_index=True, height=35 * min(len(held) + 1, 12) + 3)


def _state(one: Account, now: datetime) -> str:
    return "locked" if one.locked else "shut" if one.shut_until and one.shut_until > now else "open"


def _add(county: County, *, first: bool) -> None:
    roles = [Role.ADMIN] if first else list(Role)
    with st.form("account_add", clear_on_submit=True, border=False):
        left, middle, right = st.columns(3)
        name = left.text_input(state.word("account_name"))
        role = middle.selectbox(state.word("account_role"), roles, format_func=_role)
        grounds = right.multiselect(
            state.word("account_grounds"), list(_ground_names(county)), format_func=_ground_names(county).__getitem__
        )
        sent = st.form_submit_button(state.word("ui_account_add"), type="primary")
    if sent:
        password = new_password()
        _do(
            lambda: add_account(county, name, role, () if role in WHOLE else grounds, password, now=datetime.now(UTC)),
            state.word("ui_account_made", name=name.strip(), password=password),
            last=first,
        )


def _change(county: County, held: dict[str, Account]) -> None:
    """One account: another role or ground, a password made anew, locked or opened."""
    name = st.selectbox(state.word("account_name"), list(held), key="account_chosen")
    known, names, now = held[name], _ground_names(county), datetime.now(UTC)
    left, right = st.columns(2)
    place = list(Role).index(Role(known.role))
    role = left.selectbox(state.word("account_role"), list(Role), place, format_func=_role, key=f"role_{name}")
    grounds = right.multiselect(
        state.word("account_grounds"),
        list(names),
        [ground for ground in known.grounds if ground in names],
        format_func=names.__getitem__,
        key=f"grounds_{name}",
    )
    buttons = st.container(horizontal=True)
    done = state.word("account_changed", name=name)
    if buttons.button(state.word("ui_account_role"), type="primary"):
        _do(lambda: change_role(county, name, role, () if role in WHOLE else grounds, now=now), done)
    if buttons.button(state.word("ui_account_reset", least=SHORTEST)):
        password = new_password()
        _do(
            lambda: change_password(county, name, password, now=now),
            state.word("ui_account_made", name=name, password=password),
        )
    if buttons.button(state.word("ui_account_open" if known.locked else "ui_account_lock")):
        _do(
            lambda: lock_account(county, name, locked=not known.locked, now=now),
            state.word("account_opened" if known.locked else "account_locked", name=name),
        )


def _audit(county: County) -> None:
    lines = AccountsFile(county.path).audit(LATEST)
    rows = {
        "ui_time": [moment(datetime.fromisoformat(at), state.language()) for at, *_ in lines],
        "ui_trace_kind": [state.word(f"audit_{kind}") if f"audit_{kind}" in WORDS else kind for _, kind, *_ in lines],
        "account_name": [name for _, _, name, _ in lines],
        "ui_trace_what": [detail for *_, detail in lines],
    }
    named = pd.DataFrame(rows).rename(columns=state.word)
    st.dataframe(named, hide_index=True, height=35 * min(len(lines) + 1, 12) + 3)


def _do(act: Callable[[], object], told: str, *, last: bool = False) -> None:
    """Do it, say so once the page has run again, or at once where it cannot run again (`last`); or say why not."""
    try:
        act()
    except GeoError as error:
        state.sorry(error)
        return
    if last:  # from now on one has to sign in, this page too
        st.success(state.plain(told))
        st.markdown(f"[{state.word('sign_in_title')}]({LOGIN})")
        return
    st.session_state["accounts_said"] = told
    st.rerun()


def _role(role: Role) -> str:
    return state.word(f"role_{role}")


def _ground_names(county: County) -> dict[str, str]:
    """What each ground is called: townships, department grounds, teams."""
    names: dict[str, str] = {}
    for layer, key in (("townships", "township_id"), ("grounds", "ground_id"), ("teams", "team_id")):
        table = county.store.read(layer)
        names |= dict(zip(table[key], table["name"], strict=True))
    return names
