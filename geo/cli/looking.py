"""`coverage`, `borders`, `assure`, `register`, `summary`, what is seen, what is not, and who answers."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from geo.cli.speaking import Session, progress, session
from geo.words import WORDS, named

if TYPE_CHECKING:
    from geo.workspace.covering import BordersAnswer, CoverageAnswer

SHOWN, LEVERS = 25, 2
SPECIAL = {"0": "neighbour_unknown", "enclave": "neighbour_enclave"}
All = Annotated[bool, typer.Option("--all", help="列出全部 list every row")]


def register(app: typer.Typer) -> None:
    for command in (coverage, borders, assure, summary):
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
    from geo.report.townships import lever_sentence, reason_sentence

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
    for row in answer.townships.to_dict("records"):
        if row["levers"]:
            said = talk.say("between").join(lever_sentence(lever, talk.language) for lever in row["levers"][:LEVERS])
            talk.print(talk.say("assure_levers", name=row["name"], said=said))
    talk.print(_county_sentence(talk, answer))
    _foot(talk, answer)


def borders(context: typer.Context, every: All = False) -> None:
    """交界登记 every jurisdiction edge: who saw its strip, and the blind spots ranked."""
    from geo.workspace.county import odd_ground

    talk = session(context)
    answer = _borders(talk)
    county = talk.open()
    talk.answer(answer.json() | odd_ground(county))
    talk.odd_ground(county)
    odd = answer.borders["neighbour_id"].isin(SPECIAL)
    outer = answer.borders[odd].sort_values("neighbour_id", ascending=False, kind="stable")
    unseen = answer.borders["strip_km2"] * answer.borders["seen_by_neither"]
    inner = answer.borders[~odd].loc[unseen[~odd].sort_values(ascending=False, kind="stable").index]
    names = ("border_id", "township_name", "neighbour_name", "length_km", "seen_from_a", "seen_from_b")
    columns = [talk.say(f"column_{name}") for name in (*names, "seen_by_neither")]
    for title, edges in (("borders_outer", outer), ("borders_title", inner)):
        if len(edges):
            rows = [_border_row(row, talk) for row in edges.to_dict("records")]
            _listed(talk, talk.say(title, n=len(rows)), columns, rows, every)
    if "note_no_terrain" not in answer.notes:
        spots = [_spot_row(row, talk) for row in answer.blind_spots.to_dict("records")]
        _listed(talk, talk.say("spots_title", n=len(spots)), _spot_columns(talk), spots, every)
    _foot(talk, answer)


def duties_register(context: typer.Context, every: All = False) -> None:
    """责任底数册 who answers for which village and ground; 无人负责 first."""
    from geo.workspace.county import odd_ground
    from geo.workspace.register import responsibility_register

    talk = session(context)
    county = talk.open()
    book = responsibility_register(county, as_of=talk.as_of)
    counts = book.json()
    talk.answer(counts | odd_ground(county))
    talk.print(talk.say("register_counts", **{k: counts[k] for k in ("units_n", "villages_n", "placed_n", "nobody_n")}))
    rows = [
        [
            _kind(r["unit_kind"], talk),
            r["unit_id"],
            r["name"],
            r["posts"] or talk.say("nobody"),
            "、".join(map(str, r["nobody_rounds"])),
        ]
        for r in counts["units"]
    ]
    kinds = [talk.say("register_by_kind", kind=_kind(kind, talk), **held) for kind, held in counts["kinds"].items()]
    talk.print(talk.say("between").join(kinds))
    by_round = counts["nobody_by_round"].items()
    talk.print(talk.say("between").join(talk.say("register_by_round", round=number, n=n) for number, n in by_round))
    columns = [talk.say(f"column_{name}") for name in ("unit_kind", "unit_id", "name", "posts", "nobody_rounds")]
    _listed(talk, talk.say("register_title"), columns, rows, every)
    waiting = counts["to_confirm"]
    if waiting:
        names = ("alias_id", "unit_id", "alias", "change", "evidence")
        lines = [[str(row[name]) for name in names] for row in waiting]
        title = talk.say("register_confirm", n=len(waiting))
        talk.table(title, [talk.say(f"column_{name}") for name in names], lines)


def summary(context: typer.Context) -> None:
    """一屏概览 what was found, in one screen."""
    from geo.workspace.covering import measure_both
    from geo.workspace.planning import kept_routes

    talk = session(context)
    county = talk.open()
    with progress(talk.language) as tell:
        answer, edges = measure_both(county, as_of=talk.as_of, progress=tell)
    talk.print(talk.say("summary_title", county=named(county.settings.name, talk.language)))
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
    _edges_in_short(talk, edges)
    talk.odd_ground(talk.open())
    first = [_spot_row(row, talk) for row in edges.blind_spots.head(3).to_dict("records")]
    talk.table(talk.say("spots_title", n=len(edges.blind_spots)), _spot_columns(talk), first)
    routes, _ = kept_routes(county)
    counts = {layer: len(county.store.read(layer)) for layer in ("tracks", "parcels", "villages", "visits")}
    talk.print(
        talk.say(
            "summary_counts", **counts, borders=len(edges.borders), spots=len(edges.blind_spots), routes=len(routes)
        )
    )
    talk.print(_county_sentence(talk, answer))
    talk.answer({"coverage": answer.json(), "borders": edges.json(), "counts": counts, "routes_n": len(routes)})
    _foot(talk, answer)


def _coverage(talk: Session) -> "CoverageAnswer":
    from geo.workspace.covering import measure_coverage

    with progress(talk.language) as tell:
        return measure_coverage(talk.open(), as_of=talk.as_of, progress=tell)


def _borders(talk: Session) -> "BordersAnswer":
    from geo.workspace.covering import measure_borders

    with progress(talk.language) as tell:
        return measure_borders(talk.open(), as_of=talk.as_of, progress=tell)


def _county_sentence(talk: Session, answer: "CoverageAnswer") -> str:
    """The county's chance; where a township's is unknown, which and why instead."""
    facts = _shown(answer.county)
    if answer.county["lowest_p_zero"] is None:
        return talk.say("assure_none", **facts)
    if not answer.county["unknown_n"]:
        return talk.say("assure_county", **facts)
    from geo.report.townships import reason_sentence

    rows = answer.townships.to_dict("records")
    empty = [r for r in rows if _whole(r["p_zero"]) == "–" and r["reasons"].get("p_zero") != "no_plantable"]
    named = [
        talk.say(
            "assure_unknown_one",
            name=r["name"],
            why=reason_sentence({"p_zero": r["reasons"]["p_zero"]}, talk.language),
        )
        for r in empty
    ]
    return talk.say("assure_unknown", names=named, **facts)


def _coverage_row(row: dict[Any, Any], talk: Session) -> list[str]:
    from geo.report.townships import effort_text

    figures = [_percent(row[name]) for name in ("buffer_share", "detection", "watched", "blind", "repeated")]
    efforts = [effort_text(row["effort"][letter], talk.language) for letter in ("A", "B", "C")]
    return [row["name"], f"{row['plantable_km2']:.1f}", *figures, *efforts]


def _border_row(row: dict[Any, Any], talk: Session) -> list[str]:
    names = [row["border_id"], row["township_name"] or row["township_id"], _neighbour(row, talk)]
    shares = [_percent(row[name]) for name in ("seen_from_a", "seen_from_b", "seen_by_neither")]
    return [*names, f"{row['length_m'] / 1000:.1f}", *shares]


def _listed(talk: Session, title: str, columns: list[str], rows: list[list[str]], every: bool) -> None:
    """A table of the first rows, or of all; how many are left out is said below it."""
    shown = rows if every else rows[:SHOWN]
    talk.table(title, columns, shown)
    if len(rows) > len(shown):
        talk.print(talk.say("rows_hidden", n=len(rows) - len(shown)))


def _edges_in_short(talk: Session, answer: "BordersAnswer") -> None:
    """How many edges there are, how many of them face nobody known, and how much of their strips nobody saw."""
    edges = answer.borders
    known = edges[edges["seen_by_neither"].notna()]
    km2 = float(known["strip_km2"].sum())
    unseen = float((known["strip_km2"] * known["seen_by_neither"]).sum())
    counts = {name: int((edges["neighbour_id"] == code).sum()) for code, name in (("0", "unknown"), ("enclave", "odd"))}
    share = _percent(unseen / km2 if km2 else None)
    talk.print(talk.say("summary_edges", n=len(edges), km2=f"{km2:.0f}", share=share, **counts))


def _kind(kind: str, talk: Session) -> str:
    return talk.say(f"kind_{kind}") if f"kind_{kind}" in WORDS else kind


def _spot_columns(talk: Session) -> list[str]:
    names = ("rank", "township_name", "neighbour_name", "area_ha", "hours", "posts")
    return [talk.say(f"column_{name}") for name in names]


def _spot_row(row: dict[Any, Any], talk: Session) -> list[str]:
    posts = talk.say("between").join(
        post for post in (row["township_posts"], row["neighbour_posts"]) if isinstance(post, str)
    )
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
    known = row["neighbour_id"]
    return talk.say(SPECIAL[known]) if known in SPECIAL else str(row["neighbour_name"] or known)


def _foot(talk: Session, answer: "CoverageAnswer | BordersAnswer") -> None:
    from geo.season import CHINA

    for note in answer.notes:
        talk.print(talk.say(note))
    if "note_no_terrain" not in answer.notes:
        taken = answer.assumptions
        talk.print(
            talk.say("foot_basis", prior=taken["absence"]["prior"], buffer_m=f"{taken['coverage']['buffer_m']:.0f}")
        )
    moment = f"{answer.as_of.astimezone(CHINA):%Y-%m-%d %H:%M}"
    talk.print(talk.say("foot", moment=moment, head=(answer.ledger_head or "-")[:16]))


def _percent(value: Any) -> str:
    """Whole per cent; what is not quite none or all is never said to be."""
    if value is None or value != value:
        return "–"
    if 0.0 < value < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= value < 1.0 else f"{100 * value:.0f}%"


def _whole(value: Any) -> str:
    return "–" if value is None or value != value else f"{value:.0f}"


def _interval(row: dict[Any, Any]) -> str:
    if row["p_zero"] is None or row["p_zero"] != row["p_zero"]:
        return "–"
    return f"{_percent(row['p_zero'])} ({_percent(row['p_zero_low'])}–{_percent(row['p_zero_high'])})"


def _shown(facts: dict[str, Any]) -> dict[str, Any]:
    return {k: _percent(v) if k.startswith(("p_zero", "lowest_p", "detection")) else v for k, v in facts.items()}
