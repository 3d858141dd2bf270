"""`users`: who may sign in, as what, for which ground. Passwords come from a prompt or standard input only."""

import sys
from typing import Annotated

import typer

from geo.cli.speaking import Session, now, session

users = typer.Typer(no_args_is_help=True, help="账户 accounts: add | list | role | password | lock")

Role = Annotated[str, typer.Option(help="admin county committee township police member team auditor")]
Ground = Annotated[
    list[str] | None,
    typer.Option("--ground", help="乡镇、部门地块或队伍代码，可重复 id of a township, department ground or team"),
]


def register(app: typer.Typer) -> None:
    app.add_typer(users, name="users")


@users.command()
def add(context: typer.Context, name: str, role: Role, ground: Ground = None) -> None:
    """建立账户 a new account; the first must be an admin's, and from then on the map asks to sign in."""
    from geo.workspace.accounts import add_account

    talk = session(context)
    made = add_account(talk.open(), name, role, ground or [], _password(talk), now=now())
    talk.answer({"name": made.name, "role": made.role, "grounds": list(made.grounds)})
    talk.print(talk.say("account_added", name=made.name, role=talk.say(f"role_{made.role}")))


@users.command("list")
def listed(context: typer.Context) -> None:
    """列出账户 every account with its role, ground and state; never a password."""
    from geo.store.accounts import AccountsFile

    talk = session(context)
    county, moment = talk.open(), now()
    held = [
        {
            "name": one.name,
            "role": one.role,
            "grounds": list(one.grounds),
            "state": one.state(moment),
        }
        for one in AccountsFile(county.path).all()
    ]
    talk.answer({"accounts": held})
    columns = [talk.say(f"account_{name}") for name in ("name", "role", "grounds", "state")]
    rows = [
        [
            str(one["name"]),
            talk.say(f"role_{one['role']}"),
            " ".join(one["grounds"]),
            talk.say(f"account_state_{one['state']}"),
        ]
        for one in held
    ]
    talk.table(talk.say("accounts_title"), columns, rows)


@users.command()
def role(context: typer.Context, name: str, role: Role, ground: Ground = None) -> None:
    """改变角色与辖区 another role and ground; who is signed in must sign in again."""
    from geo.workspace.accounts import change_role

    talk = session(context)
    changed = change_role(talk.open(), name, role, ground or [], now=now())
    talk.answer({"name": changed.name, "role": changed.role, "grounds": list(changed.grounds)})
    talk.print(talk.say("account_changed", name=name))


@users.command()
def password(context: typer.Context, name: str) -> None:
    """重设密码 another password; who is signed in must sign in again."""
    from geo.workspace.accounts import change_password

    talk = session(context)
    change_password(talk.open(), name, _password(talk), now=now())
    talk.answer({"name": name})
    talk.print(talk.say("account_changed", name=name))


@users.command()
def lock(
    context: typer.Context,
    name: str,
    undo: Annotated[bool, typer.Option("--open", help="解锁 open it again")] = False,
) -> None:
    """锁定账户 shut an account at once, also where it is signed in."""
    from geo.workspace.accounts import lock_account

    talk = session(context)
    lock_account(talk.open(), name, locked=not undo, now=now())
    talk.answer({"name": name, "state": "open" if undo else "locked"})
    talk.print(talk.say("account_opened" if undo else "account_locked", name=name))


def _password(talk: Session) -> str:
    """Asked for twice on a terminal; elsewhere the first line of standard input."""
    from geo.workspace.accounts import SHORTEST
    from geo.workspace.rights import Denied

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given: str = typer.prompt(talk.say("password_ask", least=SHORTEST), hide_input=True, prompt_suffix="")
    again: str = typer.prompt(talk.say("password_again"), hide_input=True, prompt_suffix="")
    if given != again:
        raise Denied("password_differs")
    return given
