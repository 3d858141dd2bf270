"""
``accounts.db`` beside the county's data: who may sign in, who is signed in, and what happened at the door.

It never travels with the county: no paper, backup of the store or ledger entry holds anything of it.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from geo.store.durable import explained

NAME = "accounts.db"
_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, role TEXT NOT NULL, grounds TEXT NOT NULL,
  hash TEXT NOT NULL, failures INTEGER NOT NULL DEFAULT 0, shut_until TEXT NOT NULL DEFAULT '',
  locked INTEGER NOT NULL DEFAULT 0, made_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (digest TEXT PRIMARY KEY, name TEXT NOT NULL, made_at TEXT NOT NULL,
  ends_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS audit (seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL,
  name TEXT NOT NULL, detail TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Account:
    """
    One account; `hash` is argon2's, the password is nowhere.

    `failures` counts wrong passwords since the last right one; `shut_until` is when they are forgiven.
    """

    name: str
    role: str
    grounds: tuple[str, ...]
    hash: str
    failures: int = 0
    shut_until: datetime | None = None
    locked: bool = False

    def state(self, now: datetime) -> str:
        """``locked`` by somebody, ``shut`` for a while after wrong passwords, or ``open``."""
        if self.locked:
            return "locked"
        return "shut" if self.shut_until and self.shut_until > now else "open"


class AccountsFile:
    """The accounts of the county in a folder; the file is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self.file = path / NAME

    def any(self) -> bool:
        """Whether there is an account at all: without one, nobody has to sign in."""
        return bool(self._all("SELECT 1 FROM accounts LIMIT 1"))

    def all(self) -> list[Account]:
        """Every account by name."""
        return [_account(row) for row in self._all(f"{_SELECT} ORDER BY name")]

    def named(self, name: str) -> Account | None:
        """The account of this name."""
        rows = self._all(f"{_SELECT} WHERE name = ?", name)
        return _account(rows[0]) if rows else None

    def put(self, account: Account, *, now: datetime) -> None:
        """Add an account, or change what it says."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO accounts (name, role, grounds, hash, made_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET role = excluded.role, grounds = excluded.grounds,"
                " hash = excluded.hash",
                (account.name, account.role, json.dumps(account.grounds), account.hash, now.isoformat()),
            )

    def count_failure(self, name: str, *, most: int, shut_until: datetime) -> None:
        """One more wrong password; the last that is allowed shuts the account for a while, and counting starts anew."""
        with self._writing() as db:
            db.execute("UPDATE accounts SET failures = failures + 1 WHERE name = ?", (name,))
            db.execute(
                "UPDATE accounts SET failures = 0, shut_until = ? WHERE name = ? AND failures >= ?",
                (shut_until.isoformat(), name, most),
            )

    def forgive(self, name: str) -> None:
        """A right password: failures count from nothing."""
        with self._writing() as db:
            db.execute("UPDATE accounts SET failures = 0, shut_until = '' WHERE name = ?", (name,))

    def lock(self, name: str, *, locked: bool) -> None:
        """Shut an account until somebody opens it, and end its sessions; or open it."""
        with self._writing() as db:
            db.execute("UPDATE accounts SET locked = ?, failures = 0, shut_until = '' WHERE name = ?", (locked, name))
            db.execute("DELETE FROM sessions WHERE name = ?", (name,))

    def begin(self, digest: str, name: str, *, now: datetime, ends_at: datetime) -> None:
        """Somebody is signed in; `digest` is that of the token their browser holds."""
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE ends_at <= ?", (now.isoformat(),))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (digest, name, now.isoformat(), ends_at.isoformat()))

    def end(self, digest: str) -> None:
        """Signed out."""
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE digest = ?", (digest,))

    def end_all(self, name: str) -> None:
        """Every session of an account ends: its role or password is another now."""
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE name = ?", (name,))

    def signed_in(self, digest: str, now: datetime) -> Account | None:
        """The account a session belongs to; None where it has ended or the account is locked."""
        rows = self._all(
            f"{_SELECT} WHERE locked = 0 AND name = (SELECT name FROM sessions WHERE digest = ? AND ends_at > ?)",
            digest,
            now.isoformat(),
        )
        return _account(rows[0]) if rows else None

    def note(self, kind: str, name: str, detail: str, *, now: datetime) -> None:
        """One line of the audit: what happened to which account, and from where."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO audit (at, kind, name, detail) VALUES (?, ?, ?, ?)", (now.isoformat(), kind, name, detail)
            )

    def audit(self, most: int) -> list[tuple[str, str, str, str]]:
        """The last lines of the audit, newest first: time, kind, account, detail."""
        return self._all("SELECT at, kind, name, detail FROM audit ORDER BY seq DESC LIMIT ?", most)

    def _all(self, sql: str, *values: object) -> list[tuple[str, str, str, str]]:
        if not self.file.is_file():
            return []
        with explained(self.file), closing(sqlite3.connect(self.file, timeout=20.0)) as db:
            return db.execute(sql, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with explained(self.file):
            fresh = not self.file.is_file()
            if fresh:
                os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(self.file, timeout=20.0)) as db:
                if fresh:
                    db.executescript(_TABLES)
                with db:
                    yield db


_SELECT = "SELECT name, role, grounds, hash, failures, shut_until, locked FROM accounts"


def _account(row: Sequence[object]) -> Account:
    name, role, grounds, secret, failures, shut_until, locked = row
    until = datetime.fromisoformat(str(shut_until)) if shut_until else None
    return Account(
        str(name), str(role), tuple(json.loads(str(grounds))), str(secret), int(str(failures)), until, bool(locked)
    )
