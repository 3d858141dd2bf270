"""The users on the administration page: who there is, one more, another role or password, shut or open again."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from geo.errors import GeoError
from geo.locale import moment
from geo.ui import state
from geo.ui.cards import table
from geo.ui.door import LOGIN
from geo.workspace.accounts import accounts_of, add_account, audit_of, change_password, change_role, lock_account
from geo.workspace.county import County
from geo.workspace.rights import WHOLE, Role

LATEST = 100


def users(county: County) -> None:
    """Every account, and the forms that change one; without any, what accounts are for and how they begin."""
    held = accounts_of(county)
    st.markdown(f"**{state.word('ui_users')}**")
    if not held:
        st.info(state.word("ui_users_none"))
    else:
        names, now = _grounds(county), _now()
        table([{"ui_user": one.name, "ui_role": state.word(f"role_{one.role}"),
                "ui_grounds": "、".join(names.get(ground, ground) for ground in one.grounds) or state.word("ui_whole"),
                "account_state": state.word(f"account_state_{one.state(now)}")} for one in held])  # fmt: skip
    add, change = st.columns(2)
    with add, st.expander(state.word("ui_user_add"), expanded=not held):
        _add(county, first=not held)
    if held:
        with change, st.expander(state.word("ui_user_change")):
            _change(county, {one.name: one for one in held})
        with st.expander(state.word("ui_audit")):
            _audit(county)


def _audit(county: County) -> None:
    """The last lines of what happened at the door: who came, who was refused, whose account was changed."""
    table([{"ui_time": moment(datetime.fromisoformat(at), state.language()), "ui_user": name,
            "ui_trace_kind": state.word(f"audit_{kind}"), "ui_trace_what": detail}
           for at, kind, name, detail in audit_of(county, LATEST)], most=LATEST)  # fmt: skip


def _add(county: County, *, first: bool) -> None:
    name = st.text_input(state.word("sign_in_name"), key="user_name")
    roles = [Role.ADMIN] if first else list(Role)
    role = st.selectbox(
        state.word("ui_role"), roles, format_func=lambda one: state.word(f"role_{one}"), key="user_role"
    )
    grounds = _choose(county, role, "user_grounds", [])
    password = st.text_input(state.word("sign_in_password"), type="password", key="user_password")
    if st.button(state.word("ui_user_add"), type="primary", key="user_add"):
        _done(county, name if first else "", lambda: add_account(county, name, role, grounds, password, now=_now()))


def _change(county: County, held: dict[str, Any]) -> None:
    name = st.selectbox(state.word("ui_user"), list(held), key="user_changed")
    if name is None:
        return
    known = held[name]
    role = st.selectbox(
        state.word("ui_role"), list(Role), list(Role).index(Role(known.role)),
        format_func=lambda one: state.word(f"role_{one}"), key=f"role_{name}",
    )  # fmt: skip
    role = role or Role(known.role)
    grounds = _choose(county, role, f"grounds_{name}", list(known.grounds))
    first, second = st.columns(2)
    if first.button(state.word("ui_user_role_save"), key="user_role_save"):
        _done(county, name, lambda: change_role(county, name, role, grounds, now=_now()))
    barred = known.state(_now()) != "open"
    if second.button(state.word("ui_user_open" if barred else "ui_user_lock"), key="user_lock"):
        _done(county, name, lambda: lock_account(county, name, locked=not barred, now=_now()))
    password = st.text_input(state.word("ui_password_new"), type="password", key="user_password_new")
    if st.button(state.word("ui_password_save"), key="user_password_save"):
        _done(county, name, lambda: change_password(county, name, password, now=_now()))


def _choose(county: County, role: Role, key: str, given: list[str]) -> list[str]:
    """The grounds of a role that does not see the whole county."""
    if role in WHOLE:
        return []
    layers = ("teams",) if role == Role.TEAM else ("townships", "grounds")
    names = _grounds(county, layers)
    chosen: list[str] = st.multiselect(
        state.word("ui_grounds"), list(names), [one for one in given if one in names], key=key,
        format_func=lambda one: names[one], placeholder=state.word("ui_choose"),
    )  # fmt: skip
    return chosen


def _grounds(county: County, layers: tuple[str, ...] = ("townships", "grounds", "teams")) -> dict[str, str]:
    keys = {"townships": "township_id", "grounds": "ground_id", "teams": "team_id"}
    tables = [(county.store.read(layer), keys[layer]) for layer in layers]
    return {key: name for rows, column in tables for key, name in zip(rows[column], rows["name"], strict=True)}


def _done(county: County, name: str, work: Callable[[], Any]) -> None:
    """Do it and say so; whoever changed their own account, or made the first, has to sign in and is told why."""
    try:
        work()
    except GeoError as error:
        state.sorry(error)
        return
    if name.strip() and county.actor.name in ("", name.strip()) and not county.settings.access.trusted_header:
        st.success(state.plain(state.word("ui_user_sign_in", name=name.strip())))
        st.markdown(f"[{state.word('sign_in_title')}]({LOGIN})")
        return
    st.session_state["admin_said"] = state.word("ui_user_done")
    st.rerun()


def _now() -> datetime:
    return datetime.now(UTC)
