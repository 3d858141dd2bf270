"""Signing in: accounts of the county's folder, passwords kept as argon2 hashes, and an audit of the door."""

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from geo.store.accounts import Account, AccountsFile
from geo.words import Word
from geo.workspace.county import County
from geo.workspace.rights import WHOLE, Action, Actor, Denied, Role, require

SHORTEST = 10
LONGEST = 1000
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_urlsafe())


def accounts_on(path: Path) -> bool:
    """Whether one has to sign in: as soon as there is an account."""
    return AccountsFile(path).any()


def accounts_of(county: County) -> list[Account]:
    """Every account by name, for an administrator."""
    require(county.actor, Action.ADMINISTER)
    return AccountsFile(county.path).all()


def audit_of(county: County, most: int) -> list[tuple[str, str, str, str]]:
    """The last lines of what happened at the door, newest first, for an administrator: time, kind, account, detail."""
    require(county.actor, Action.ADMINISTER)
    return AccountsFile(county.path).audit(most)


def add_account(
    county: County, name: str, role: str, grounds: Sequence[str], password: str, *, now: datetime
) -> Account:
    """
    A new account; the first one must be an administrator's, or nobody could make another from the app.

    Raises
    ------
    Denied
        The name is taken or empty, the role or a ground unknown, the password too short, or the county was opened by
        somebody who may not administer accounts; the same holds for every change below.
    """
    require(county.actor, Action.ADMINISTER)
    held = AccountsFile(county.path)
    if not name.strip() or held.named(name.strip()):
        raise Denied("account_taken", name=name)
    if not held.any() and role != Role.ADMIN:
        raise Denied("account_first")
    made = Account(name.strip(), _role(role), _grounds(county, role, grounds), _hash(password))
    held.put(made, now=now)
    held.note("added", made.name, " ".join([made.role, *made.grounds]), now=now)
    return made


def change_role(county: County, name: str, role: str, grounds: Sequence[str], *, now: datetime) -> Account:
    """Give an account another role and ground; its sessions end."""
    require(county.actor, Action.ADMINISTER)
    known = _known(county, name)
    if role != Role.ADMIN:
        _require_other_admin(county, known)
    changed = replace(known, role=_role(role), grounds=_grounds(county, role, grounds))
    held = AccountsFile(county.path)
    held.put(changed, now=now)
    held.end_all(name)
    held.note("role", name, " ".join([changed.role, *changed.grounds]), now=now)
    return changed


def change_password(county: County, name: str, password: str, *, now: datetime) -> None:
    """Give an account another password; its sessions end."""
    require(county.actor, Action.ADMINISTER)
    _change_password(county, name, password, now=now)


def change_own_password(county: County, present: str, password: str, *, now: datetime) -> None:
    """
    Another password for the account the county was opened by; its sessions end, this one too.

    Raises
    ------
    Denied
        The present password is wrong (which counts as a wrong try at the door), or the new one too short.
    """
    known, held, access = _known(county, county.actor.name), AccountsFile(county.path), county.settings.access
    _require_not_shut(known, now)
    if not _right(known.hash, present):
        until = now + timedelta(minutes=access.lock_min)
        held.count_failure(known.name, most=access.failures_n, shut_until=until)
        held.note("refused", known.name, "password", now=now)
        raise Denied("password_wrong")
    _change_password(county, known.name, password, now=now)


def _change_password(county: County, name: str, password: str, *, now: datetime) -> None:
    known, held = _known(county, name), AccountsFile(county.path)
    held.put(replace(known, hash=_hash(password)), now=now)
    held.end_all(name)
    held.note("password", name, "", now=now)


def lock_account(county: County, name: str, *, locked: bool, now: datetime) -> None:
    """Shut an account and end its sessions, or open it again."""
    require(county.actor, Action.ADMINISTER)
    known, held = _known(county, name), AccountsFile(county.path)
    if locked:
        _require_other_admin(county, known)
    held.lock(name, locked=locked)
    held.note("locked" if locked else "opened", name, "", now=now)


def sign_in(county: County, name: str, password: str, *, now: datetime, address: str) -> str:
    """
    The token of a new session, for a name and its password.

    Raises
    ------
    Denied
        Wrong name or password (the answer does not say which, and takes as long), or shut after too many tries.
    """
    held, access = AccountsFile(county.path), county.settings.access
    known = held.named(name.strip())
    if known and known.shut_until and known.shut_until > now:
        held.note("shut", known.name, address, now=now)
        _require_not_shut(known, now)
    right = _right(known.hash if known else _NOBODY, password)
    if known is None or not right or known.locked:
        if known is not None and not right:
            until = now + timedelta(minutes=access.lock_min)
            held.count_failure(known.name, most=access.failures_n, shut_until=until)
        held.note("refused", name.strip()[:80] if known else "", address, now=now)
        raise Denied("sign_in_wrong")
    token = secrets.token_urlsafe(32)
    held.forgive(known.name)
    if _HASHER.check_needs_rehash(known.hash):
        held.put(replace(known, hash=_HASHER.hash(password)), now=now)
    held.begin(_digest(token), known.name, now=now, ends_at=now + timedelta(hours=access.session_h))
    held.note("signed_in", known.name, address, now=now)
    return token


def sign_out(path: Path, token: str, *, now: datetime) -> None:
    """End a session."""
    held, digest = AccountsFile(path), _digest(token)
    known = held.signed_in(digest, now)
    held.end(digest)
    if known:
        held.note("signed_out", known.name, "", now=now)


def actor_of_token(path: Path, token: str, *, now: datetime) -> Actor | None:
    """Who holds a session's token; None where it has ended."""
    return _actor(AccountsFile(path).signed_in(_digest(token), now)) if token else None


def actor_of_name(path: Path, name: str) -> Actor | None:
    """Who a proxy says somebody is; None for a name without an account, or a locked one."""
    return _actor(AccountsFile(path).named(name))


def _actor(known: Account | None) -> Actor | None:
    return None if known is None or known.locked else Actor(Role(known.role), known.grounds, known.name)


def _role(role: str) -> str:
    if role not in list(Role):
        raise Denied("role_unknown", role=role, known="/".join(Role))
    return role


def _grounds(county: County, role: str, grounds: Sequence[str]) -> tuple[str, ...]:
    """The ids, all known; none for a role that sees the county, at least one for every other."""
    if _role(role) in [str(one) for one in WHOLE]:
        return ()
    store = county.whole.store
    layers = {"teams": "team_id"} if role == Role.TEAM else {"townships": "township_id", "grounds": "ground_id"}
    known = {key for layer, column in layers.items() for key in store.read(layer)[column]}
    strange = [ground for ground in grounds if ground not in known]
    if not grounds:
        raise Denied("ground_needed", role=Word(f"role_{role}"), n=len(known))
    if strange:
        raise Denied("ground_unknown", ground="、".join(strange), n=len(known))
    return tuple(dict.fromkeys(grounds))


def _known(county: County, name: str) -> Account:
    known = AccountsFile(county.path).named(name)
    if known is None:
        raise Denied("account_unknown", name=name)
    return known


def _require_not_shut(known: Account, now: datetime) -> None:
    """Says how many minutes are left, begun ones counted whole."""
    if known.shut_until and known.shut_until > now:
        raise Denied("sign_in_shut", minutes=math.ceil((known.shut_until - now) / timedelta(minutes=1)))


def _require_other_admin(county: County, known: Account) -> None:
    others = [one for one in AccountsFile(county.path).all() if one.name != known.name and not one.locked]
    if known.role == Role.ADMIN and not any(one.role == Role.ADMIN for one in others):
        raise Denied("account_last_admin", name=known.name)


def _hash(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise Denied("password_short", least=SHORTEST)
    return _HASHER.hash(password)


def _right(held: str, password: str) -> bool:
    try:
        return _HASHER.verify(held, password[:LONGEST])
    except VerificationError:
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
