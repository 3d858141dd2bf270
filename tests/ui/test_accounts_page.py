"""Accounts on the administration page, run without a browser."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pytest
from streamlit.testing.v1 import AppTest

from geo.layers import SCHEMAS
from geo.layers.townships import GROUND_KINDS
from geo.ledger import Entry
from geo.store import Change
from geo.store.accounts import AccountsFile
from geo.ui import state
from geo.ui.door import LOGIN
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


def test_whoever_makes_the_first_account_is_told_to_sign_in_with_it(served: Path) -> None:
    """From here on the door asks everybody, the maker too, who must not read that a login has run out."""
    app = AppTest.from_function(admin_page, default_timeout=60).run()
    app.text_input(key="user_name").set_value("管理")
    app.text_input(key="user_password").set_value(PASSWORD)
    app.button(key="user_add").click().run()
    assert [one.value for one in app.success] == [say("ui_user_sign_in", name="管理")]
    assert not app.error
    assert any(LOGIN in one.value for one in app.markdown)


def test_an_administrator_with_another_password_is_told_to_sign_in(peopled: Path) -> None:
    app = AppTest.from_function(admin_page, default_timeout=60).run()
    for name, sentence in (("县办", say("ui_user_done")), ("管理", say("ui_user_sign_in", name="管理"))):
        app.selectbox(key="user_changed").set_value(name).run()
        app.text_input(key="user_password_new").set_value(f"{PASSWORD} {name}")
        app.button(key="user_password_save").click().run()
        assert [one.value for one in app.success] == [sentence]


def test_a_page_speaks_of_no_options_of_the_command_line(peopled: Path) -> None:
    app = AppTest.from_function(admin_page, default_timeout=60).run()
    app.text_input(key="user_name").set_value("凉水")
    app.selectbox(key="user_role").set_value(Role.TOWNSHIP).run()
    app.text_input(key="user_password").set_value(PASSWORD)
    app.button(key="user_add").click().run()
    assert say("role_township") in app.error[0].value
    assert "--" not in app.error[0].value.replace("\\", "")


def own_account() -> None:
    from geo.ui import state
    from geo.ui.account import mine

    mine(state.county())


def test_a_member_unit_reads_its_grounds_name_not_its_code(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_county(served).store
    place = gpd.GeoDataFrame({"ground_id": ["F01"], "kind": [GROUND_KINDS[0]], "name": ["长溪林区"], "source": ["made"],
                              "line_accuracy_m": [30.0]}, geometry=store.read("townships").geometry[:1].values,
                             crs=store.read("townships").crs)  # fmt: skip
    store.append(Entry("import", {}), Change("grounds", SCHEMAS["grounds"].conform(place)), now=datetime.now(UTC))
    monkeypatch.setattr(state, "actor", lambda: Actor(Role.MEMBER, ("F01",), "林场"))
    app = AppTest.from_function(own_account, default_timeout=60).run()
    assert not app.exception
    said = " ".join(one.value for one in app.markdown)
    assert "长溪林区" in said
    assert "F01" not in said
