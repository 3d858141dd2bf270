"""Papers: the answer gathered, the bytes made; every paper carries its moment, the ledger's head and a QR code."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from geo.analysis.progress import overdue_first
from geo.analysis.rounds import calendar
from geo.errors import LayerError
from geo.report.order_papers import form_document, order_document
from geo.report.progress_table import progress_workbook
from geo.report.register_book import register_workbook
from geo.report.sheets import Paper
from geo.report.visit_form import form_workbook
from geo.season import CHINA
from geo.words import Language, named, say
from geo.workspace.county import County
from geo.workspace.ordering import round_of, season_tasks, village_heights
from geo.workspace.progress import ProgressAnswer, measure_progress, township_names, villages_due
from geo.workspace.register import plain_records, responsibility_register
from geo.workspace.returning import team_of

MU_M2 = 2000.0 / 3.0
Progress = Callable[[str, int, int], None]


def quiet(what: str, done: int, total: int) -> None:
    """Nobody wants to know how far it is."""


def paper_of(
    county: County, title: str, as_of: datetime, ledger_head: str | None, *notes: str, language: Language, **more: Any
) -> Paper:
    """What a county's paper says of itself."""
    settings = county.settings
    name = named(settings.name, language)
    return Paper(
        say(title, language, county=name, **more),
        name,
        as_of,
        ledger_head,
        settings.campaign.issuer,
        settings.campaign.document_no,
        notes,
        settings.made_up,
    )


def register_paper(county: County, *, as_of: datetime | None = None, language: Language = "zh") -> bytes:
    """责任底数册 as the workbook that `register_sheets.import_register` reads back."""
    book = responsibility_register(county, as_of=as_of)
    nobodys = book.units["unit_kind"] == "enclave"
    notes = [say("book_note", language)]
    if nobodys.any():
        areas = "、".join(book.units.loc[nobodys, "name"])
        notes.insert(0, say("book_enclaves", language, n=int(nobodys.sum()), areas=areas))
    paper = paper_of(county, "book_title", book.as_of, book.ledger_head, *notes, language=language)
    return register_workbook(
        book.units[~nobodys],
        county.store.read("duties"),
        book.aliases,
        paper=paper,
        columns=county.settings.campaign.columns.get("register", ()),
        language=language,
    )


def order_papers(
    county: County, number: int, *, as_of: datetime | None = None, language: Language = "zh", progress: Progress = quiet
) -> dict[str, bytes]:
    """第 N 轮踏查任务单 with 签收 slips, one Word file per township, by file name."""
    moment, head = as_of or county.as_of(), county.store.head()
    days = calendar(county.season, county.settings.campaign)
    paper = paper_of(county, "order_title", moment, head.hash if head else None, round=number, language=language)
    files = {}
    held = orders_by_township(county, number)
    for n, (name, orders) in enumerate(held.items()):
        progress(name, n, len(held))
        files[f"踏查任务单-{name}.docx"] = order_document(orders, paper=paper, calendar=days, language=language)
    return files


def form_papers(
    county: County, number: int, *, as_of: datetime | None = None, language: Language = "zh", progress: Progress = quiet
) -> dict[str, bytes]:
    """踏查记录表 of a round: per township the Word form to be signed and the workbook to be sent back, by file name."""
    moment, head = as_of or county.as_of(), county.store.head()
    printed = paper_of(county, "form_paper_title", moment, head.hash if head else None, round=number, language=language)
    files = {}
    held = orders_by_township(county, number)
    for n, (name, orders) in enumerate(held.items()):
        progress(name, n, len(held))
        files[f"踏查记录表-{name}.docx"] = form_document(orders, paper=printed, language=language)
        files[f"踏查记录表-{name}.xlsx"] = form_book(county, number, name, orders, as_of=moment, language=language)
    return files


def form_book(
    county: County, number: int, township: str, orders: list[dict[str, Any]], *, as_of: datetime,
    language: Language = "zh",
) -> bytes:  # fmt: skip
    """The workbook of a round's orders in one township, to be filled in and sent back."""
    head, note = county.store.head(), say("form_note", language)
    shown = {"round": number, "township": township}
    paper = paper_of(county, "form_title", as_of, head.hash if head else None, note, language=language, **shown)
    return form_workbook(orders, paper=paper, language=language)


def orders_by_township(county: County, number: int) -> dict[str, list[dict[str, Any]]]:
    """The orders of a round as their papers name them, by township; `LayerError` where none was issued."""
    round_of(county, number)
    orders = season_tasks(county)
    orders = orders[orders["round"] == number]
    if orders.empty:
        raise LayerError("orders_none", round=number)
    units = county.store.read("units")
    villages = villages_due(county, units)
    heights = village_heights(county, villages.assign(unit_id=villages["village_id"]))
    villages = villages.assign(elevation_m=heights).set_index("village_id")
    names = township_names(county, units)
    squads = {str(key): squad for key, squad in county.store.read("teams").groupby("township_id")}
    found: dict[str, list[dict[str, Any]]] = {}
    for order in orders.sort_values("unit_id").to_dict("records"):
        village = villages.loc[order["unit_id"]]
        township = names.get(order["township_id"]) or str(order["township_id"])
        due, plain = village["courtyards_n"], {str(name): value for name, value in order.items()}
        found.setdefault(township, []).append(
            plain
            | {
                "township": township,
                "village_id": order["unit_id"],
                "village": village["name"],
                "due_m2": village["due_m2"],
            }
            | {"courtyards_due_n": None if pd.isna(due) else int(due)}
            | {name: bool(pd.notna(village[name]) and village[name]) for name in ("edge", "key_area")}
            | {
                "team_id": team_of(squads.get(order["township_id"]), village["name"]),
                "elevation_m": village["elevation_m"],
            }
        )
    return found


def progress_paper(
    county: County, *, as_of: datetime | None = None, rounds: Sequence[int] | None = None, language: Language = "zh"
) -> tuple[bytes, ProgressAnswer]:
    """踏查进度表 as a workbook, and the answer it shows."""
    answer = measure_progress(county, as_of=as_of, rounds=rounds)
    note = say("progress_note", language)
    paper = paper_of(county, "progress_paper_title", answer.as_of, answer.ledger_head, note, language=language)
    towns = dict(zip(answer.townships["township_id"], answer.townships["name"], strict=True))
    cells = answer.progress.cells
    columns = county.settings.campaign.columns
    content = progress_workbook(
        [_in_mu(row) for row in plain_records(answer.townships)],
        [_shown(row, towns, language) for row in overdue_first(cells).to_dict("records")],
        [_shown(row, towns, language) for row in cells.to_dict("records")],
        paper=paper,
        columns=columns.get("progress", ()),
        villages=columns.get("villages", ()),
        language=language,
    )
    return content, answer


def _in_mu(row: dict[str, Any]) -> dict[str, Any]:
    names = ("due", "looked_a", "looked_b", "looked_c")
    areas = {f"{name}_mu": row[f"{name}_m2"] for name in names}
    return row | {name: None if area is None else round(area / MU_M2, 2) for name, area in areas.items()}


def _shown(row: dict[Any, Any], towns: dict[str, str], language: Language) -> dict[str, Any]:
    first = row["first_at"]
    return row | {
        "township": towns.get(row["township_id"]),
        "state": say(f"state_{row['state']}", language),
        "first_at": None if pd.isna(first) else f"{first.tz_convert(CHINA):%Y-%m-%d %H:%M}",
        "due_day": f"{row['due_to'].tz_convert(CHINA) - pd.Timedelta(seconds=1):%Y-%m-%d}",
    }
