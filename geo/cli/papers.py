"""`report`: township table, responsibility register, orders, forms, progress, joint notices and maps on paper."""

from pathlib import Path
from typing import Annotated, Any

import typer

from geo.cli.speaking import Session, progress, session

report = typer.Typer(invoke_without_command=True, help="纸面材料 papers; without a name: 乡镇评估表 the township table")

Round = Annotated[int, typer.Option("--round", help="轮次 round")]
Folder = Annotated[Path, typer.Option("--out", help="输出文件夹 folder")]
Out = Annotated[Path | None, typer.Option(help="输出文件或文件夹 file or folder")]


def register(app: typer.Typer) -> None:
    app.add_typer(report, name="report")


@report.callback()
def townships(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="XLSX 文件 file")] = Path("townships.xlsx"),
) -> None:
    """乡镇评估表（XLSX） the township table as one workbook."""
    if context.invoked_subcommand:
        return
    from geo.workspace.reporting import township_table

    talk = session(context)
    _write(talk, {out: township_table(talk.open(), as_of=talk.as_of, language=talk.language)})


@report.command("register")
def register_book(context: typer.Context, out: Out = None) -> None:
    """责任底数册（XLSX，可改后再导入） the responsibility register, to be edited and imported again."""
    from geo.workspace.papers import register_paper

    talk = session(context)
    content = register_paper(talk.open(), as_of=talk.as_of, language=talk.language)
    _write(talk, {_file(out, "责任底数册.xlsx"): content})


@report.command()
def orders(context: typer.Context, round_: Round, out: Folder = Path("任务单")) -> None:
    """第 N 轮踏查任务单（Word，每村一页，附签收回执） orders with slips, one page per village."""
    from geo.workspace.papers import order_papers

    talk = session(context)
    with progress() as tell:
        files = order_papers(talk.open(), round_, as_of=talk.as_of, language=talk.language, progress=tell)
    _write(talk, {out / name: content for name, content in files.items()})


@report.command()
def forms(context: typer.Context, round_: Round, out: Folder = Path("踏查记录表")) -> None:
    """预填踏查记录表（Word 打印签字，XLSX 填好导回） forms filled in beforehand, on paper and as workbooks."""
    from geo.workspace.papers import form_papers

    talk = session(context)
    with progress() as tell:
        files = form_papers(talk.open(), round_, as_of=talk.as_of, language=talk.language, progress=tell)
    _write(talk, {out / name: content for name, content in files.items()})


@report.command("progress")
def progress_table(
    context: typer.Context,
    round_: Annotated[list[int] | None, typer.Option("--round", help="轮次，可重复 round")] = None,
    out: Out = None,
) -> None:
    """踏查进度表（XLSX） due, looked at and not reported, by township and village."""
    from geo.workspace.papers import progress_paper

    talk = session(context)
    content, answer = progress_paper(talk.open(), as_of=talk.as_of, rounds=round_, language=talk.language)
    _write(talk, {_file(out, "踏查进度表.xlsx"): content}, progress=answer.json())


@report.command("joint-notice")
def joint_notice(
    context: typer.Context,
    round_: Round,
    edge: Annotated[list[str] | None, typer.Option("--edge", help="交界编号，可重复 edge id")] = None,
    out: Out = None,
) -> None:
    """交界联合踏查通知（Word，双方各一份，代拟稿） joint sweeps, one page for each side of an edge."""
    from geo.workspace.map_papers import joint_papers

    talk = session(context)
    content, joints = joint_papers(talk.open(), round_, edges=edge or (), as_of=talk.as_of, language=talk.language)
    listed = [{"border_id": one.border_id, "meeting": list(one.place), "neither": one.neither} for one in joints]
    _write(talk, {_file(out, "交界联合踏查通知.docx"): content}, edges=listed)


@report.command()
def maps(
    context: typer.Context,
    round_: Round,
    township: Annotated[list[str] | None, typer.Option("--township", help="乡镇代码，可重复 township id")] = None,
    font: Annotated[Path | None, typer.Option(help="中文字体文件 font file")] = None,
    out: Folder = Path("踏查图"),
) -> None:
    """乡镇踏查图（A3，PDF） a map per township: seen and unseen, old spots, targets, edges."""
    from geo.workspace.map_papers import map_papers

    talk = session(context)
    county = talk.open()
    with progress() as tell:
        files = map_papers(
            county, round_, townships=township, font=font, as_of=talk.as_of, language=talk.language, progress=tell
        )
    _write(talk, {out / name: content for name, content in files.items()})


def _file(out: Path | None, name: str) -> Path:
    """Where a paper of one file goes: the file given, or its own name in the folder given (this one by default)."""
    folder = out or Path()
    return folder / name if folder.is_dir() else folder


def _write(talk: Session, files: dict[Path, bytes], **more: Any) -> None:
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    plain = {"files": [str(path) for path in files], "bytes": sum(map(len, files.values()))}
    single = {"file": str(next(iter(files)))} if len(files) == 1 else {}
    talk.answer(plain | single | more)
    for path in files if len(files) <= 3 else []:
        talk.print(talk.say("file_written", file=path))
    if len(files) > 3:
        talk.print(talk.say("files_written", n=len(files), folder=next(iter(files)).parent))
