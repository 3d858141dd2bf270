"""The administrator's accounts, run without a browser."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from geo.store.accounts import AccountsFile
from geo.ui.users import ALPHABET, new_password
from geo.words import say
from geo.workspace.accounts import sign_in
from geo.workspace.county import open_county
from geo.workspace.rights import Denied

pytestmark = pytest.mark.filterwarnings("ignore")


def users_page() -> None:
    import os
    from pathlib import Path

    from geo.ui import users
    from geo.workspace.county import open_county

    users.accounts_panel(open_county(Path(os.environ["TACHA_COUNTY"])))


def press(app: AppTest, code: str) -> AppTest:
    return next(one for one in app.button if one.label == say(code)).click().run()


def password_of(app: AppTest) -> str:
    told = app.success[0].value.replace("\\", "")
    return str(told.split("：")[1].split("（")[0])


def test_accounts_are_made_changed_locked_and_listed_on_the_page(served: Path) -> None:
    app = AppTest.from_function(users_page, default_timeout=60).run()
    assert say("ui_accounts_none") in [one.value for one in app.caption]
    app.text_input[0].set_value("管理")
    app = press(app, "ui_account_add")
    county, now = open_county(served), datetime.now(UTC)
    assert sign_in(county, "管理", password_of(app), now=now, address="")

    app.run()
    app.text_input[0].set_value("凉水")
    app.selectbox[0].set_value("township")
    app.multiselect[0].set_value(["520000001"])
    app = press(app, "ui_account_add")
    first = password_of(app)
    assert AccountsFile(served).named("凉水").grounds == ("520000001",)  # type: ignore[union-attr]

    app.selectbox(key="account_chosen").set_value("凉水").run()
    app = press(app, "ui_account_reset")
    with pytest.raises(Denied):
        sign_in(county, "凉水", first, now=now, address="")
    assert sign_in(county, "凉水", password_of(app), now=now, address="")
    app = press(app, "ui_account_lock")
    assert AccountsFile(served).named("凉水").locked  # type: ignore[union-attr]
    assert not app.exception


def test_what_is_refused_is_said_and_nothing_changes(served: Path) -> None:
    app = AppTest.from_function(users_page, default_timeout=60).run()
    app = press(app, "ui_account_add")
    assert app.error
    assert not AccountsFile(served).any()


def test_a_password_made_for_somebody_is_long_and_never_the_same() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 19 and set(one) <= {*ALPHABET, "-"} for one in made)
