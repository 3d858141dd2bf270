"""`duty import|lists|confirm|assign|end`: the responsibility register in, joined over the years, and edited."""

from pathlib import Path
from typing import Annotated

import typer

from geo.cli.recording import moment
from geo.cli.speaking import now, session

duty = typer.Typer(no_args_is_help=True, help="责任底数 who answers for which ground")


def register(app: typer.Typer) -> None:
    app.add_typer(duty, name="duty")


@duty.command("import")
def bring(
    context: typer.Context,
    files: list[Path],
    encoding: Annotated[str | None, typer.Option(help="文字编码 text encoding")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="没有起始日期的岗位从哪天起 YYYY-MM-DD; first day of undated posts")
    ] = None,
) -> None:
    """导入责任表（XLSX/CSV，合并表头、名称或代码均可） a register as an office keeps it."""
    from geo.workspace.importing import ImportReport
    from geo.workspace.register_sheets import import_register

    talk = session(context)
    county = talk.open()
    begin = moment(since) if since else None
    report = ImportReport([import_register(county, file, now=now(), encoding=encoding, since=begin) for file in files])
    for one in report.files:
        talk.print(*one.sentences(talk.language))
    talk.answer(report.json(talk.language))
    if not report.accepted:
        raise typer.Exit(1)


@duty.command()
def lists(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="区划代码名单，旧的在前 lists of division codes, oldest first")],
    code: Annotated[str | None, typer.Option(help="县代码 6 位 county code")] = None,
) -> None:
    """合并几年的区划名单：改名、改码、新设都留依据 lists of several years joined, differences kept as aliases."""
    from geo.workspace.importing import ImportReport
    from geo.workspace.register import plain_records
    from geo.workspace.register_lists import import_divisions

    talk = session(context)
    files_in, changes = import_divisions(talk.open(), files, now=now(), county_code=code)
    report = ImportReport(files_in)
    talk.answer(report.json(talk.language) | {"changes": plain_records(changes)})
    for one in files_in:
        talk.print(*one.sentences(talk.language))
    shown = changes[changes["change"] != "同一单位"].fillna("–")
    names = ["earlier_code", "earlier_name", "later_code", "later_name", "change", "evidence"]
    rows = [[str(row[name]) for name in names] for row in shown.to_dict("records")]
    talk.table(talk.say("lists_title", n=len(changes)), [talk.say(f"column_{name}") for name in names], rows)


@duty.command()
def confirm(
    context: typer.Context, alias_id: str, post: Annotated[str, typer.Option(help="认定岗位 who confirms")]
) -> None:
    """认定别名 confirm that an alias means the unit it is listed under."""
    from geo.workspace.register_lists import confirm_alias

    talk = session(context)
    confirm_alias(talk.open(), alias_id, post=post, now=now())
    talk.answer({"alias_id": alias_id, "confirmed": True})
    talk.print(talk.say("alias_confirmed", id=alias_id))


@duty.command()
def assign(
    context: typer.Context,
    unit: str,
    post: Annotated[str, typer.Option(help="责任岗位 post, no personal name")],
    since: Annotated[str, typer.Option("--from", help="YYYY-MM-DD")],
    kind: Annotated[str, typer.Option(help="属地/主管部门/包保/成员单位督导")] = "属地",
    holder: Annotated[str | None, typer.Option(help="责任人编号 holder id")] = None,
    tier: Annotated[str | None, typer.Option(help="县领导包片/镇领导包村/村干部包组/网格员包户 (包保)")] = None,
) -> None:
    """登记责任岗位 a post answers for a unit from a day on."""
    from geo.workspace.register_rows import assign_post

    talk = session(context)
    number, added = assign_post(
        talk.open(), unit, post, kind=kind, holder_id=holder, valid_from=moment(since), now=now(), tier=tier
    )
    talk.answer({"duty_id": number, "new": added})
    talk.print(talk.say("duty_assigned" if added else "recorded_already", id=number, post=post))


@duty.command()
def unit(
    context: typer.Context,
    unit_id: Annotated[str, typer.Argument(help="单元代码 unit id")],
    name: Annotated[str | None, typer.Option(help="名称 name")] = None,
    households: Annotated[int | None, typer.Option(help="户数 households")] = None,
    mu: Annotated[float | None, typer.Option(help="应踏查面积（亩） area due, mu")] = None,
    elevation: Annotated[float | None, typer.Option(help="海拔（米） height, m")] = None,
    key: Annotated[bool | None, typer.Option("--key/--no-key", help="重点 key area")] = None,
    edge: Annotated[bool | None, typer.Option("--edge/--no-edge", help="边界 at an edge")] = None,
) -> None:
    """修改单元的户数、面积、海拔、重点、边界 what the register says of a unit."""
    from geo.workspace.register_rows import MU_M2, edit_unit

    talk = session(context)
    given = {
        "name": name, "households_n": households, "due_m2": None if mu is None else round(mu * MU_M2, 3),
        "elevation_m": elevation, "key_area": key, "edge": edge,
    }  # fmt: skip
    values = {field: value for field, value in given.items() if value is not None}
    changed = edit_unit(talk.open(), unit_id, values, now=now())
    talk.answer({"unit_id": unit_id, "changed": changed})
    talk.print(talk.say("unit_edited" if changed else "recorded_already", name=name or "", id=unit_id))


@duty.command()
def add(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="group/责任网格/林场/保护区/库区/矿区/公路")],
    name: Annotated[str, typer.Argument(help="名称 name")],
    parent: Annotated[str, typer.Option("--under", help="上级单元代码 the unit above")],
    code: Annotated[str | None, typer.Option(help="代码 code")] = None,
) -> None:
    """新增组、网格或部门地块 a new group, grid or department ground."""
    from geo.workspace.register_rows import add_unit

    talk = session(context)
    number = add_unit(talk.open(), {"组": "group"}.get(kind, kind), name, parent, now=now(), unit_id=code)
    talk.answer({"unit_id": number})
    talk.print(talk.say("unit_edited", name=name, id=number))


@duty.command()
def end(
    context: typer.Context, duty_id: str, at: Annotated[str, typer.Option(help="当日零时起不再负责 YYYY-MM-DD")]
) -> None:
    """终止责任岗位，历史保留 a post ends; what was stays."""
    from geo.workspace.register_rows import end_post

    talk = session(context)
    end_post(talk.open(), duty_id, at=moment(at), now=now())
    talk.answer({"duty_id": duty_id, "valid_to": moment(at).isoformat()})
    talk.print(talk.say("duty_ended", id=duty_id, day=at))
