"""`correct`, `conflicts`: a mistake put right by a new entry, and contradictions that wait for a decision."""

from typing import Annotated

import typer

from geo.cli.speaking import now, session


def register(app: typer.Typer) -> None:
    app.command()(correct)
    app.command()(conflicts)


def correct(
    context: typer.Context,
    layer: Annotated[str, typer.Argument(help="visits | finds | parcels | leads | villages | teams | duties")],
    key: str,
    values: Annotated[list[str], typer.Option("--set", help="字段=值 field=value; 字段= 清空 empties it")],
    reason: Annotated[str, typer.Option(help="更正原因 why")],
    based_on: Annotated[int | None, typer.Option(help="所依据的台账序号 ledger number seen")] = None,
    settles: Annotated[int | None, typer.Option(help="裁定的冲突序号 conflict decided by this")] = None,
    role: Annotated[str, typer.Option(help="登记人身份 role of who corrects")] = "planner",
) -> None:
    """更正记录：原内容和原因都留在台账里 correct a record; the old content and the reason stay in the ledger."""
    from geo.workspace import correcting

    talk = session(context)
    pairs = dict(text.partition("=")[::2] for text in values)
    store = talk.open().store
    done = correcting.correct(
        store, layer, key, pairs, reason=reason, now=now(), based_on=based_on, settles=settles, role=role
    )
    seq = done.entry.seq if done.entry else None
    talk.answer({"key": key, "ledger_seq": seq, "changed": done.changed, "contradicts": list(done.contradicts)})
    said = "correct_none" if seq is None else "correct_conflict" if done.contradicts else "correct_done"
    talk.print(talk.say(said, key=key, seq=seq, fields=list(done.contradicts or done.changed)))


def conflicts(context: typer.Context) -> None:
    """互相矛盾的更正和方案，待裁定 corrections and plans that contradict each other: both are kept, decide."""
    from geo.workspace.correcting import open_conflicts
    from geo.workspace.planning import clash_shown, plan_clashes

    talk = session(context)
    county = talk.open()
    found, clashes = open_conflicts(county.store), plan_clashes(county)
    talk.answer({"conflicts": found, "plans": clashes})
    for clash in clashes:
        talk.print(talk.say("plan_clash", **clash_shown(clash)))
    for one in found:
        for field in one["fields"]:
            shown = {name: one[name] for name in ("seq", "layer", "key", "role", "reason")}
            talk.print(talk.say("conflict_line", **shown, **field))
    if not found and not clashes:
        talk.print(talk.say("conflict_none"))
