"""`county move`: the county into a shared database, or back into its folder."""

from typing import Annotated

import typer

from geo.cli.speaking import now, session

county = typer.Typer(no_args_is_help=True, help="县库 where the county lies")


def register(app: typer.Typer) -> None:
    app.add_typer(county, name="county")


@county.callback()
def about() -> None:
    """县库 where the county lies."""


@county.command()
def move(
    context: typer.Context,
    to: Annotated[
        str, typer.Option(help="postgresql://用户@主机/库?schema=县, or 'folder': 回到县文件夹 back into the folder")
    ],
) -> None:
    """迁移县库，台账一并带走 carry the county and its ledger into a shared database, or back."""
    from geo.workspace.moving import move_county

    talk = session(context)
    done = move_county(talk.open(), "" if to == "folder" else to, now=now())
    talk.answer({"place": done.place, "entries": done.entries_n, "ledger_head": done.head})
    talk.print(talk.say("county_moved", place=done.place, n=done.entries_n, head=done.head))
