"""Accounts: who may sign in, how often one may err, and what is kept of it."""

from datetime import UTC, datetime, timedelta

import pytest

from geo.errors import StoreError
from geo.store.accounts import AccountsFile
from geo.workspace.accounts import (
    accounts_on,
    actor_of_name,
    actor_of_token,
    add_account,
    change_password,
    change_role,
    lock_account,
    sign_in,
    sign_out,
)
from geo.workspace.county import County
from geo.workspace.rights import Actor, Denied, Role

NOW = datetime(2026, 3, 18, 1, tzinfo=UTC)
RIGHT, WRONG = "一个够长的密码-第 1", "一个够长的密码-第 2"


@pytest.fixture
def county(village_county: County) -> County:
    """The two townships with an administrator and an account of 凉水乡."""
    add_account(village_county, "管理", "admin", [], RIGHT, now=NOW)
    add_account(village_county, "凉水", "township", ["520525001"], RIGHT, now=NOW)
    return village_county


def come(county: County, name: str = "凉水", password: str = RIGHT, now: datetime = NOW) -> str:
    return sign_in(county, name, password, now=now, address="127.0.0.1")


def code_of(refused: pytest.ExceptionInfo[Denied]) -> str:
    return refused.value.code


def test_without_an_account_nobody_has_to_sign_in(village_county: County) -> None:
    assert not accounts_on(village_county.path)
    assert actor_of_token(village_county.path, "x", now=NOW) is None


def test_the_first_account_is_an_administrators(village_county: County) -> None:
    with pytest.raises(Denied) as refused:
        add_account(village_county, "凉水", "township", ["520525001"], RIGHT, now=NOW)
    assert code_of(refused) == "account_first"
    assert not accounts_on(village_county.path)


def test_a_token_says_whose_role_and_ground_it_is(county: County) -> None:
    token = come(county)
    assert actor_of_token(county.path, token, now=NOW) == Actor(Role.TOWNSHIP, ("520525001",), "凉水")
    assert actor_of_token(county.path, token[:-1], now=NOW) is None
    assert actor_of_token(county.path, "", now=NOW) is None


def test_a_session_ends_after_its_hours_and_on_signing_out(county: County) -> None:
    token, hours = come(county), timedelta(hours=county.settings.access.session_h)
    assert actor_of_token(county.path, token, now=NOW + hours - timedelta(seconds=1))
    assert actor_of_token(county.path, token, now=NOW + hours) is None
    sign_out(county.path, token, now=NOW)
    assert actor_of_token(county.path, token, now=NOW) is None


@pytest.mark.parametrize(("name", "password"), [("凉水", WRONG), ("nobody", RIGHT), ("", ""), ("凉水", "")])
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(county: County, name: str, password: str) -> None:
    with pytest.raises(Denied) as refused:
        come(county, name, password)
    assert code_of(refused) == "sign_in_wrong"


def test_five_wrong_passwords_shut_the_account_for_a_quarter_of_an_hour(county: County) -> None:
    for _ in range(county.settings.access.failures_n):
        with pytest.raises(Denied):
            come(county, password=WRONG)
    with pytest.raises(Denied) as refused:
        come(county)
    assert code_of(refused) == "sign_in_shut"
    with pytest.raises(Denied) as late:
        come(county, now=NOW + timedelta(minutes=county.settings.access.lock_min - 2, seconds=30))
    assert late.value.fields["minutes"] == 2  # what is left, not the whole quarter
    assert come(county, now=NOW + timedelta(minutes=county.settings.access.lock_min))


def test_a_right_password_forgives_earlier_wrong_ones(county: County) -> None:
    for _ in range(3):
        for _ in range(county.settings.access.failures_n - 1):
            with pytest.raises(Denied):
                come(county, password=WRONG)
        assert come(county)


def test_a_locked_account_is_out_at_once_and_stays_out(county: County) -> None:
    token = come(county)
    lock_account(county, "凉水", locked=True, now=NOW)
    assert actor_of_token(county.path, token, now=NOW) is None
    assert actor_of_name(county.path, "凉水") is None
    with pytest.raises(Denied):
        come(county)
    lock_account(county, "凉水", locked=False, now=NOW)
    assert come(county)


def test_another_role_or_password_ends_what_was_signed_in(county: County) -> None:
    token = come(county)
    change_role(county, "凉水", "police", ["520525002"], now=NOW)
    assert actor_of_token(county.path, token, now=NOW) is None
    assert actor_of_token(county.path, come(county), now=NOW) == Actor(Role.POLICE, ("520525002",), "凉水")
    change_password(county, "凉水", WRONG, now=NOW)
    with pytest.raises(Denied):
        come(county)
    assert come(county, password=WRONG)


def test_the_last_administrator_can_be_neither_locked_nor_demoted(county: County) -> None:
    for act in (
        lambda: lock_account(county, "管理", locked=True, now=NOW),
        lambda: change_role(county, "管理", "county", [], now=NOW),
    ):
        with pytest.raises(Denied) as refused:
            act()
        assert code_of(refused) == "account_last_admin"


@pytest.mark.parametrize(
    ("role", "grounds", "code"),
    [
        ("king", [], "role_unknown"),
        ("township", [], "ground_needed"),
        ("township", ["999"], "ground_unknown"),
        ("team", ["520525001"], "ground_unknown"),
    ],
)
def test_a_role_that_has_ground_needs_ground_the_county_knows(
    county: County, role: str, grounds: list[str], code: str
) -> None:
    with pytest.raises(Denied) as refused:
        add_account(county, "新", role, grounds, RIGHT, now=NOW)
    assert code_of(refused) == code


def test_a_short_password_and_a_taken_name_are_refused(county: County) -> None:
    for name, password in (("新", "short"), ("凉水", RIGHT), (" ", RIGHT)):
        with pytest.raises(Denied):
            add_account(county, name, "county", [], password, now=NOW)


def test_no_password_and_no_token_is_in_any_file_of_the_county(county: County) -> None:
    token = come(county)
    for file in county.path.rglob("*"):
        held = file.read_bytes() if file.is_file() else b""
        assert RIGHT.encode() not in held, file.name
        assert token.encode() not in held, file.name
    assert "argon2" not in " ".join(entry.text for entry in county.store.entries())


def test_the_door_keeps_an_audit_of_who_came_and_who_was_refused(county: County) -> None:
    come(county)
    with pytest.raises(Denied):
        come(county, password=WRONG)
    kinds = [(kind, name) for _, kind, name, _ in AccountsFile(county.path).audit(2)]
    assert kinds == [("refused", "凉水"), ("signed_in", "凉水")]


def test_only_the_owner_of_the_folder_reads_the_accounts(county: County) -> None:
    file = AccountsFile(county.path).file
    assert file.stat().st_mode & 0o077 == 0


def test_a_broken_accounts_file_opens_nothing(county: County) -> None:
    """Closed is what a damaged door must be: an error, not a county without accounts."""
    AccountsFile(county.path).file.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError):
        accounts_on(county.path)


def test_a_name_a_proxy_gives_needs_an_account(county: County) -> None:
    assert actor_of_name(county.path, "凉水") == Actor(Role.TOWNSHIP, ("520525001",), "凉水")
    assert actor_of_name(county.path, "nobody") is None
    assert actor_of_name(county.path, "") is None
