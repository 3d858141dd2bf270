"""What is written on a form's lines: heads known by their words, and text as days, numbers and yes or no."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from geo.errors import GeoError, LayerError
from geo.formats.office_sheets import OfficeSheet, plain_head
from geo.schema import Refusal
from geo.season import CHINA
from geo.words import say

Line = dict[str, str]
_YES = {"是": True, "√": True, "✓": True, "yes": True, "否": False, "×": False, "no": False, "": False}


@dataclass
class Counts:
    """Lines somebody wrote on, lines left blank, and those that could not be taken."""

    read: int = 0
    blank: int = 0
    refused: list[Refusal] = field(default_factory=list)


def take_lines(
    lines: Iterable[tuple[int, Line]], is_written: Callable[[Line], bool], take: Callable[[Line], object],
    counts: Counts,
) -> None:  # fmt: skip
    """Take every line somebody wrote on; what is refused is kept with its number and field."""
    for number, row in lines:
        if not is_written(row):
            counts.blank += 1
            continue
        counts.read += 1
        try:
            take(row)
        except GeoError as wrong:
            name = str(wrong.fields.get("field", next(iter(row))))
            counts.refused.append(Refusal(number, name, wrong.code, wrong.fields))


def heads_of(names: Iterable[str]) -> dict[str, str]:
    """The columns of a form by the heads they carry, in both languages."""
    return {plain_head(say(f"head_{name}", language)): name for name in names for language in ("zh", "en")}


def lines_of(sheet: OfficeSheet, heads: Mapping[str, str]) -> list[tuple[int, Line]]:
    """Each line's number in the file and its filled cells by column."""
    fields = [next((heads[head] for head in reversed(levels) if head in heads), None) for levels in sheet.heads]
    return [
        (number, {name: cell for name, cell in zip(fields, cells, strict=True) if name and cell})
        for number, cells in zip(sheet.numbers, sheet.rows, strict=True)
    ]


def moment_in(row: Line, name: str) -> datetime:
    """A day as written: noon of it in China, or the time given."""
    text = row.get(name, "")
    if not text:
        raise LayerError("record_value_missing", field=name)
    plain = text.replace("年", "-").replace("月", "-").replace("日", " ").replace("/", "-").replace(".", "-").strip()
    moment = pd.to_datetime(plain, errors="coerce")
    if pd.isna(moment):
        raise LayerError("record_value_bad", field=name, value=text)
    local: datetime = moment.to_pydatetime()
    if local.tzinfo is None:
        local = local.replace(hour=local.hour or 12, tzinfo=CHINA)
    return local


def number_in(row: Line, name: str) -> float | None:
    """A number; None where nothing is written."""
    if not row.get(name):
        return None
    try:
        return float(row[name].replace(",", ""))
    except ValueError:
        raise LayerError("record_value_bad", field=name, value=row[name]) from None


def whole_in(row: Line, name: str) -> int | None:
    """A count of 0 or more; None where nothing is written."""
    value = number_in(row, name)
    if value is not None and (value != value or value < 0 or value == float("inf") or value != int(value)):
        raise LayerError("record_value_bad", field=name, value=row[name])
    return None if value is None else int(value)


def yes_in(row: Line, name: str) -> bool:
    """Yes or no; nothing written is no."""
    said = _YES.get(row.get(name, "").strip().lower())
    if said is None:
        raise LayerError("record_value_bad", field=name, value=row[name])
    return said
