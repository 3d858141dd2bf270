"""Accounts on the administration page, run without a browser."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from geo.store.accounts import AccountsFile
from geo.ui import state
from geo.words import say
from geo.workspace.accounts import add_account, sign_in
from geo.workspace.county import open_county
from geo.workspace.rights import Actor, Denied, Role

PASSWORD = "一个够长的密码-第 1"


def admin_page() -> None:
    from geo.ui.views import admin

    admin.page()


@pytest.fixture
def peopled(served: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The served county with an administrator, who looks at it, and a county office."""
    county, now = open_county(served), datetime.now(UTC)
    add_account(county, "管理", "admin", [], PASSWORD, now=now)
    add_account(county, "县办", "county", [], PASSWORD, now=now)
    monkeypatch.setattr(state, "actor", lambda: Actor(Role.ADMIN, (), "管理"))
    return served


def told(app: AppTest) -> str:
    """The tables of the page as text."""
    return " ".join(str(one.value.to_dict()) for one in app.dataframe) + " ".join(str(one.value) for one in app.table)


def test_an_account_shut_by_wrong_passwords_is_shown_and_opened_again(peopled: Path) -> None:
    """Who is shut is told to ask the administrator, who must be able to."""
    county = open_county(peopled)
    for _ in range(county.settings.access.failures_n):
        with pytest.raises(Denied):
            sign_in(county, "县办", "wrong", now=datetime.now(UTC), address="")
    app = AppTest.from_function(admin_page, default_timeout=60).run()
    assert say("account_state_shut") in told(app)
    app.selectbox(key="user_changed").set_value("县办").run()
    assert app.button(key="user_lock").label == say("ui_user_open")
    app.button(key="user_lock").click().run()
    assert not app.exception
    assert say("account_state_shut") not in told(app)
    assert sign_in(county, "县办", PASSWORD, now=datetime.now(UTC), address="")


def test_an_account_in_use_is_locked_and_a_locked_one_opened(peopled: Path) -> None:
    app = AppTest.from_function(admin_page, default_timeout=60).run()
    app.selectbox(key="user_changed").set_value("县办").run()
    for label, state_then in (("ui_user_lock", "locked"), ("ui_user_open", "open")):
        assert app.button(key="user_lock").label == say(label)
        app.button(key="user_lock").click().run()
        held = AccountsFile(peopled).named("县办")
        assert held is not None
        assert held.state(datetime.now(UTC)) == state_then
        assert say(f"account_state_{state_then}") in told(app)
