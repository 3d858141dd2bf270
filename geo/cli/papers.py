"""`report`: township table, responsibility register, orders, forms, progress, joint notices and maps on paper."""

from pathlib import Path
from typing import Annotated, Any

import typer

from geo.cli.speaking import Session, session

report = typer.Typer(invoke_without_command=True, help="纸面材料 papers; without a name: 乡镇评估表 the township table")

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
    _write(talk, {out or Path("责任底数册.xlsx"): content})


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
