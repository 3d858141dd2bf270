"""Reports: the answer gathered, the bytes made; every paper carries its moment and the ledger's head."""

from datetime import datetime

from geo.report.townships import township_workbook
from geo.words import Language, named
from geo.workspace.county import County
from geo.workspace.covering import measure_coverage


def township_table(county: County, *, as_of: datetime | None = None, language: Language = "zh") -> bytes:
    """The committee's table as an XLSX workbook."""
    answer = measure_coverage(county, as_of=as_of)
    return township_workbook(
        answer.townships,
        county=named(county.settings.name, language),
        facts=answer.county,
        as_of=answer.as_of,
        ledger_head=answer.ledger_head,
        assumptions=answer.assumptions,
        language=language,
    )
