"""Papers: the answer gathered, the bytes made; every paper carries its moment, the ledger's head and a QR code."""

from datetime import datetime
from typing import Any

from geo.report.register_book import register_workbook
from geo.report.sheets import Paper
from geo.words import Language, say
from geo.workspace.county import County
from geo.workspace.register import responsibility_register


def paper_of(county: County, title: str, as_of: datetime, ledger_head: str | None, *notes: str, **more: Any) -> Paper:
    """What a county's paper says of itself."""
    settings = county.settings
    return Paper(
        say(title, county=settings.name, **more),
        settings.name,
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
    paper = paper_of(county, "book_title", book.as_of, book.ledger_head, *notes)
    return register_workbook(
        book.units[~nobodys], county.store.read("duties"), book.aliases, paper=paper, language=language
    )
