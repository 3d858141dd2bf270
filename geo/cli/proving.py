"""`ledger verify|head|proof|check|dossier`: the chain everything is kept in, and what it proves."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from geo.cli.speaking import Session, session
from geo.errors import StoreError
from geo.ledger import Verdict
from geo.words import explain

ledger = typer.Typer(no_args_is_help=True, help="台账 the tamper-evident ledger")


def register(app: typer.Typer) -> None:
    app.add_typer(ledger, name="ledger")


@ledger.command()
def verify(
    context: typer.Context,
    head: Annotated[str | None, typer.Option(help="已公布的链头 a head published on paper")] = None,
) -> None:
    """核对台账与全部记录 re-check the chain and every row; exit 1 and the first difference where they disagree."""
    talk = session(context)
    wanted = _published_head(head)
    _tell(talk, talk.open().store.verify(wanted), {"published": wanted})


@ledger.command()
def head(context: typer.Context) -> None:
    """台账链头与树根：印在每份通报上 the chain's head and the tree's root, to be printed on every bulletin."""
    from geo.workspace.proving import published

    talk = session(context)
    plain = published(talk.open().store)
    talk.answer(plain)
    shown = plain | {"at": plain["at"] and datetime.fromisoformat(plain["at"])}
    talk.print(talk.say("ledger_published", **shown) if plain["seq"] else talk.say("ledger_empty"))


@ledger.command()
def proof(
    context: typer.Context,
    parcel: Annotated[str, typer.Argument(help="疑似地块 parcel")],
    out: Annotated[Path | None, typer.Option(help="写入文件 file to write")] = None,
) -> None:
    """一个地块的台账证明 what the ledger holds of one plot, with its proof against the published root."""
    from geo.store.durable import write_text
    from geo.workspace.life import in_china
    from geo.workspace.proving import plot_proof

    talk = session(context)
    plain = plot_proof(talk.open().store, parcel)
    if out:
        write_text(out, json.dumps(plain, ensure_ascii=False, indent=1))
    talk.answer(plain)
    shown = {"parcel": parcel, "n": len(plain["entries"]), "root": plain["root"], "entries_n": plain["entries_n"]}
    talk.print(talk.say("proof_made", **shown))
    for entry in plain["entries"]:
        at = in_china(datetime.fromisoformat(entry["at"]))
        talk.print(f"  {entry['seq']:>7} {at} {entry['kind']} {entry['role']} {entry['hash'][:16]}")


@ledger.command()
def check(
    context: typer.Context,
    file: Path,
    root: Annotated[str, typer.Option(help="通报上印的树根 the root printed on a bulletin")],
) -> None:
    """核对证明，不需要县数据库 check a proof against a printed root; no county is needed."""
    from geo.workspace.proving import check_proof

    talk = session(context)
    try:
        plain = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as wrong:
        raise StoreError("proof_foreign", why=wrong) from wrong
    if not isinstance(plain, dict):
        raise StoreError("proof_foreign", why=file.name)
    _tell(talk, check_proof(plain, root), {"parcel_id": plain.get("parcel_id"), "root": root})


@ledger.command()
def dossier(
    context: typer.Context,
    parcel: Annotated[str, typer.Argument(help="疑似地块 parcel")],
    out: Annotated[Path, typer.Option(help="输出文件夹 folder")] = Path("倒查"),
    verify: Annotated[bool, typer.Option(help="先核对全部台账 check the whole ledger first")] = True,
) -> None:
    """倒查：谁负责、安排、走过、看过、上报、审核，每句附台账条目 how a plot was missed, entry by entry; HTML, Word."""
    from geo.store.durable import make_folder, write_file
    from geo.workspace.tracing import dossier_papers, plot_dossier

    talk = session(context)
    county = talk.open()
    found = plot_dossier(county, parcel, as_of=talk.as_of, check=verify)
    files = {out / name: content for name, content in dossier_papers(county, found, language=talk.language).items()}
    make_folder(out)
    for path, content in files.items():
        write_file(path, content)
    talk.answer(found.json() | {"files": [str(path) for path in files]})
    pages = found.pages
    shown = {"parcel": parcel, "n": len(pages.statements), "entries": len(pages.mentions)}
    talk.print(talk.say("dossier_made", **shown, ledger=pages.verified.text(talk.language)))
    for one in pages.statements:
        named = " ".join(f"#{mention.seq}" for mention in one.mentions)
        talk.print(f"  {one.text(talk.language)} {named}".rstrip())
    for path in files:
        talk.print(talk.say("file_written", file=path))


def _published_head(text: str | None) -> str | None:
    """A head as typed from paper: blanks and capitals do not matter."""
    if text is None:
        return None
    head = "".join(text.split()).lower()
    if len(head) != 64 or set(head) - set("0123456789abcdef"):
        raise StoreError("head_malformed", value=text)
    return head


def _tell(talk: Session, verdict: Verdict, more: dict[str, str | None]) -> None:
    problem = verdict.first_problem
    why = explain(problem, talk.language) if problem else None
    plain = {"ok": verdict.ok, "entries": verdict.entries_n, "head": verdict.head, "first_problem": why}
    talk.answer(plain | {"code": problem.code if problem else None} | more)
    said = "ledger_ok" if verdict.ok else "ledger_bad"
    talk.print(talk.say(said, n=verdict.entries_n, head=verdict.head, why=why))
    if not verdict.ok:
        raise typer.Exit(1)
