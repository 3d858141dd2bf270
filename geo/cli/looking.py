"""`coverage`, `borders`, `assure`, `register`, `summary`, `report`: what is seen, what is not, and who answers."""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from geo.cli.speaking import Session, progress, session
from geo.report.townships import effort_text, reason_sentence
from geo.season import CHINA
from geo.workspace.covering import BordersAnswer, CoverageAnswer, measure_borders, measure_coverage
from geo.workspace.planning import kept_routes
from geo.workspace.register import responsibility_register
from geo.workspace.reporting import township_table

SHOWN = 25


def register(app: typer.Typer) -> None:
    for command in (coverage, borders, assure, summary, report):
        app.command()(command)
    app.command("register")(duties_register)


def coverage(context: typer.Context) -> None:
    """发现把握度与盲区 detection coverage per township, beside the buffer figure."""
    talk = session(context)
    answer = _coverage(talk)
    talk.answer(answer.json())
    names = (
        "name",
        "plantable_km2",
        "buffer_share",
        "detection",
        "watched",
        "blind",
        "repeated",
        "effort_a",
        "effort_b",
        "effort_c",
    )
    rows = [_coverage_row(row, talk) for row in answer.townships.to_dict("records")]
    talk.table(talk.say("coverage_title"), [talk.say(f"column_{name}") for name in names], rows)
    _foot(talk, answer)


def assure(context: typer.Context) -> None:
    """当前无在地毒株把握度 probability that nothing stands undetected now, with prior, interval and hours needed."""
    talk = session(context)
    answer = _coverage(talk)
    talk.answer(answer.json())
    names = (
        "name",
        "detection",
        "p_zero",
        "p_zero_low",
        "p_zero_high",
        "p_zero_prior_50",
        "p_zero_prior_90",
        "hours_to_95",
        "reason",
    )
    rows = [
        [
            row["name"],
            *(_percent(row[name]) for name in names[1:7]),
            _whole(row["hours_to_95"]),
            reason_sentence(row["reasons"], talk.language),
        ]
        for row in answer.townships.to_dict("records")
    ]
    talk.table(talk.say("assure_title"), [talk.say(f"column_{name}") for name in names], rows)
    talk.print(talk.say("assure_county", **_shown(answer.county)))
    _foot(talk, answer)


def borders(context: typer.Context) -> None:
    """交界登记 every jurisdiction edge: who saw its strip, and the blind spots ranked."""
    talk = session(context)
    answer = _borders(talk)
    talk.answer(answer.json())
    names = (
        "border_id",
        "township_name",
        "neighbour_name",
        "length_km",
        "seen_from_a",
        "seen_from_b",
        "seen_by_neither",
    )
    rows = [
        [
            row["border_id"],
            row["township_name"] or row["township_id"],
            _neighbour(row, talk),
            f"{row['length_m'] / 1000:.1f}",
        ]
        + [_percent(row[name]) for name in names[4:]]
        for row in answer.borders.to_dict("records")
    ]
    talk.table(talk.say("borders_title", n=len(rows)), [talk.say(f"column_{name}") for name in names], rows[:SHOWN])
    _spots(talk, answer, SHOWN)
    _foot(talk, answer)


def duties_register(context: typer.Context) -> None:
    """责任底数册 who answers for which village and ground; 无人负责 first."""
    talk = session(context)
    book = responsibility_register(talk.open(), as_of=talk.as_of)
    talk.answer(book.json())
    counts = book.json()
    talk.print(talk.say("register_counts", **{k: counts[k] for k in ("units_n", "villages_n", "placed_n", "nobody_n")}))
    shown = book.units.head(SHOWN).to_dict("records")
    rows = [[r["unit_kind"], r["unit_id"], r["name"], r["posts"] or talk.say("nobody")] for r in shown]
    talk.table(
        talk.say("register_title"), [talk.say(f"column_{n}") for n in ("unit_kind", "unit_id", "name", "posts")], rows
    )


def summary(context: typer.Context) -> None:
    """一屏概览 what was found, in one screen."""
    talk = session(context)
    answer, edges = _coverage(talk), _borders(talk)
    county = talk.open()
    talk.print(talk.say("summary_title", county=county.settings.name))
    rows = [
        [
            row["name"],
            _percent(row["buffer_share"]),
            _percent(row["detection"]),
            _interval(row),
            _percent(row["blind"]),
            _whole(row["hours_to_95"]),
        ]
        for row in answer.townships.to_dict("records")
    ]
    names = ("name", "buffer_share", "detection", "p_zero", "blind", "hours_to_95")
    talk.table(talk.say("coverage_title"), [talk.say(f"column_{name}") for name in names], rows)
    _spots(talk, edges, 3)
    routes, _ = kept_routes(county)
    counts = {layer: len(county.store.read(layer)) for layer in ("tracks", "parcels", "villages", "visits")}
    talk.print(
        talk.say(
            "summary_counts", **counts, borders=len(edges.borders), spots=len(edges.blind_spots), routes=len(routes)
        )
    )
    talk.print(talk.say("assure_county", **_shown(answer.county)))
    talk.answer({"coverage": answer.json(), "borders": edges.json(), "counts": counts, "routes_n": len(routes)})
    _foot(talk, answer)


def report(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="XLSX 文件 file")] = Path("townships.xlsx"),
) -> None:
    """乡镇评估表（XLSX） the township table as one workbook."""
    talk = session(context)
    content = township_table(talk.open(), as_of=talk.as_of, language=talk.language)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    talk.answer({"file": str(out), "bytes": len(content)})
    talk.print(talk.say("file_written", file=out))


def _coverage(talk: Session) -> CoverageAnswer:
    with progress() as tell:
        return measure_coverage(talk.open(), as_of=talk.as_of, progress=tell)


def _borders(talk: Session) -> BordersAnswer:
    with progress() as tell:
        return measure_borders(talk.open(), as_of=talk.as_of, progress=tell)


def _coverage_row(row: dict[Any, Any], talk: Session) -> list[str]:
    figures = [_percent(row[name]) for name in ("buffer_share", "detection", "watched", "blind", "repeated")]
    efforts = [effort_text(row["effort"][letter], talk.language) for letter in ("A", "B", "C")]
    return [row["name"], f"{row['plantable_km2']:.1f}", *figures, *efforts]


def _spots(talk: Session, answer: BordersAnswer, n: int) -> None:
    names = ("rank", "township_name", "neighbour_name", "area_ha", "hours", "posts")
    rows = [_spot_row(row, talk) for row in answer.blind_spots.head(n).to_dict("records")]
    talk.table(talk.say("spots_title", n=len(answer.blind_spots)), [talk.say(f"column_{name}") for name in names], rows)


def _spot_row(row: dict[Any, Any], talk: Session) -> list[str]:
    posts = "；".join(post for post in (row["township_posts"], row["neighbour_posts"]) if isinstance(post, str))
    beyond = _neighbour(row, talk) if isinstance(row["neighbour_id"], str) else ""
    size = f"{row['area_m2'] / 1e4:.1f}"
    return [
        str(row["rank"]),
        row["township_name"] or "",
        beyond,
        size,
        f"{row['hours']:.1f}",
        posts or talk.say("nobody"),
    ]


def _neighbour(row: dict[Any, Any], talk: Session) -> str:
    special = {"0": "neighbour_unknown", "enclave": "neighbour_enclave"}
    known = row["neighbour_id"]
    return talk.say(special[known]) if known in special else str(row["neighbour_name"] or known)


def _foot(talk: Session, answer: CoverageAnswer | BordersAnswer) -> None:
    for note in answer.notes:
        talk.print(talk.say(note))
    moment = f"{answer.as_of.astimezone(CHINA):%Y-%m-%d %H:%M}"
    talk.print(talk.say("foot", moment=moment, head=(answer.ledger_head or "-")[:16]))


def _percent(value: Any) -> str:
    return "–" if value is None or pd.isna(value) else f"{100 * value:.0f}%"


def _whole(value: Any) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.0f}"


def _interval(row: dict[Any, Any]) -> str:
    if row["p_zero"] is None or pd.isna(row["p_zero"]):
        return "–"
    return f"{_percent(row['p_zero'])} ({_percent(row['p_zero_low'])}–{_percent(row['p_zero_high'])})"


def _shown(facts: dict[str, Any]) -> dict[str, Any]:
    return {k: _percent(v) if k.startswith(("p_zero", "lowest_p", "detection")) else v for k, v in facts.items()}
