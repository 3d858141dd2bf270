"""What is written on a form's lines: heads known by their words, and text as days, numbers and yes or no."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, time

import pandas as pd

from geo.errors import GeoError, LayerError
from geo.formats.office_sheets import OfficeSheet, plain_head
from geo.schema import Refusal
from geo.season import CHINA, Season
from geo.words import LANGUAGES, WORDS, say

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
    return {plain_head(say(f"head_{name}", language)): name for name in names for language in LANGUAGES}


def lines_of(sheet: OfficeSheet, heads: Mapping[str, str]) -> list[tuple[int, Line]]:
    """Each line's number in the file and its filled cells by column."""
    fields = [next((heads[head] for head in reversed(levels) if head in heads), None) for levels in sheet.heads]
    return [
        (number, {name: cell for name, cell in zip(fields, cells, strict=True) if name and cell})
        for number, cells in zip(sheet.numbers, sheet.rows, strict=True)
    ]


def moment_in(row: Line, name: str, season: Season) -> datetime:
    """A day as written: noon of it in China, or the time given; month and day alone are of the season."""
    text = row.get(name, "")
    if not text:
        raise LayerError("record_value_missing", field=name)
    plain = text.replace("年", "-").replace("月", "-").replace("日", " ").replace("/", "-").replace(".", "-").strip()
    if alone := re.fullmatch(r"(\d{1,2})-(\d{1,2})", plain):
        with suppress(ValueError):
            plain = season.date_of(int(alone[1]), int(alone[2])).isoformat()
    moment = pd.to_datetime(plain, errors="coerce") if re.match(r"\d{4}", plain) else pd.NaT
    if pd.isna(moment):
        raise LayerError("record_value_bad", field=name, value=text)
    local: datetime = moment.to_pydatetime()
    if local.tzinfo is None:
        local = local.replace(hour=12 if local.time() == time() else local.hour, tzinfo=CHINA)
    return local


def choice_in(row: Line, name: str, choices: Iterable[str]) -> str | None:
    """One of some choices, by what forms and pages call it in either language; else as it is written."""
    written = row.get(name)
    names = {
        say(code, language).lower(): choice
        for choice in choices
        for code in (f"form_{choice}", f"ui_choice_{choice}")
        if code in WORDS
        for language in LANGUAGES
    }
    return None if written is None else names.get(written.strip().lower(), written)


def number_in(row: Line, name: str) -> float | None:
    """A number; None where nothing is written."""
    if not row.get(name):
        return None
    try:
        value = float(row[name].replace(",", ""))
    except ValueError:
        raise LayerError("record_value_bad", field=name, value=row[name]) from None
    if value != value:
        raise LayerError("record_value_bad", field=name, value=row[name])
    return value


def whole_in(row: Line, name: str) -> int | None:
    """A count of 0 or more; None where nothing is written."""
    value = number_in(row, name)
    if value is not None and (value < 0 or value == float("inf") or value != int(value)):
        raise LayerError("record_value_bad", field=name, value=row[name])
    return None if value is None else int(value)


def yes_in(row: Line, name: str) -> bool:
    """Yes or no; nothing written is no."""
    said = _YES.get(row.get(name, "").strip().lower())
    if said is None:
        raise LayerError("record_value_bad", field=name, value=row[name])
    return said
