"""What stands in the cells of an office's register: days and spans, figures with their units, posts, yes and no."""

import calendar
import re
from datetime import datetime, timedelta
from typing import NoReturn

import pandas as pd

from geo.errors import LayerError
from geo.season import CHINA

_OPEN = re.compile("长期|至今|现任|在任|无|无固定期限|—+|-+|/")
_TO = re.compile(r"\s*(?:至|到|~|～|—+|－|–)\s*|(?<=\d)\s*-\s*(?=\d{4}\D)")
_FIGURE = re.compile(r"约?([\d.]+)(?:余|多)?(?:户|亩|米|m|M|人)?(?:左右)?")
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?)?")
_TITLE_DAY = re.compile(r"(20\d\d)年(\d{1,2})月(?:(\d{1,2})日)?|(20\d\d)[.-](\d{1,2})[.-](\d{1,2})")
_SERIALS = range(36_526, 73_415)
"""Days since 1899-12-30 as workbooks count them, from 2000 to 2100."""
_YES = {"是": True, "√": True, "✓": True, "1": True, "yes": True, "有": True,
        "否": False, "0": False, "×": False, "no": False, "无": False}  # fmt: skip


def figure_in(row: dict[str, str], name: str) -> float | None:
    """A number with or without its unit (``约1,520.5亩``); None where nothing is written."""
    text = re.sub(r"[,，\s]", "", row.get(name, ""))
    if not text or _OPEN.fullmatch(text):
        return None
    found = _FIGURE.fullmatch(text)
    try:
        return float(found[1]) if found else _bad(name, row[name])
    except ValueError:
        return _bad(name, row[name])


def flag_in(row: dict[str, str], name: str) -> bool | None:
    """Yes or no; None where nothing is written."""
    if name not in row:
        return None
    said = _YES.get(row[name].strip().lower())
    return _bad(name, row[name]) if said is None else said


def span_in(row: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    """
    First moment of a post, and the first moment after it: the last day is still one of its days.

    A column may give both (2026.1.1至2026.12.31); 长期, 至今 and the like are no end.
    """
    first, last = row.get("valid_from", ""), row.get("valid_to", "")
    for name in ("term", "valid_from"):
        parts = [part for part in _TO.split(row.get(name, "").strip().removesuffix("起")) if part]
        if len(parts) == 2:
            first, last = parts[0], last or parts[1]
        elif name in row and len(parts) == 1:
            first = first if name == "term" and first else parts[0]
    begin, end = moment_of(first, "valid_from"), moment_of(last, "valid_to")
    if end is not None and (end.hour, end.minute) == (0, 0):
        end += _length(last)
    if begin is not None and end is not None and end < begin:
        raise LayerError("time_backwards", field="valid_to", later="valid_to", earlier="valid_from")
    return begin, end


def moment_of(text: str, name: str) -> datetime | None:
    """A day as offices write it (2026.1.1, 2026年1月1日起, 2026年1月, a workbook's number), China; None without."""
    plain = re.sub(r"[（(].*?[)）]|起$|止$|前$", "", text.strip())
    if not plain or _OPEN.fullmatch(plain):
        return None
    if plain.isdigit() and int(plain) in _SERIALS:
        return datetime(1899, 12, 30, tzinfo=CHINA) + timedelta(days=int(plain))
    if re.fullmatch(r"20\d{6}", plain):
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    plain = re.sub("[年月/.](?=.)", "-", plain).replace("日", " ").replace("年", "").replace("月", "").strip()
    found = _DAY.fullmatch(plain) or _DAY.fullmatch(re.sub(r"\s*-\s*", "-", plain))
    if found is None:
        moment = pd.to_datetime(text, errors="coerce")
        return _bad(name, text) if pd.isna(moment) else moment.to_pydatetime().astimezone(CHINA)
    year, month, day, *clock = (int(part) if part else None for part in found.groups())
    hour, minute, second = (part or 0 for part in clock)
    try:
        return datetime(year or 0, month or 1, day or 1, hour, minute, second, tzinfo=CHINA)
    except ValueError:
        return _bad(name, text)


def _length(text: str) -> timedelta:
    """How long the last day, month or year of a span is, by how it is written."""
    parts = re.findall(r"\d+", text)
    if len(parts) == 2 and len(parts[0]) == 4:
        year, month = int(parts[0]), int(parts[1])
        return timedelta(days=calendar.monthrange(year, month)[1])
    if len(parts) == 1 and len(parts[0]) == 4:
        return timedelta(days=365 + calendar.isleap(int(parts[0])))
    return timedelta(days=1)


def posts_in(cell: str) -> list[str]:
    """
    The posts of a cell, each once.

    >>> posts_in("副乡长；驻村干部、副乡长"), posts_in("无")
    (['副乡长', '驻村干部'], [])
    """
    parts = (part.strip() for part in re.split(r"[、；;，,\n]|(?<!\d)/(?!\d)", cell))
    return list(dict.fromkeys(part for part in parts if part and not _OPEN.fullmatch(part)))


def day_above(text: str) -> datetime | None:
    """
    The last day that stands over a table (截至2026年1月10日, 填报时间：2026.1.5); None without one.

    >>> str(day_above("部门责任地块台账（截至2026年1月10日）"))[:10], day_above("2026年责任表")
    ('2026-01-10', None)
    """
    days = []
    for found in _TITLE_DAY.finditer(text):
        year, month, day = found[1] or found[4], found[2] or found[5], found[3] or found[6] or 1
        try:
            days.append(datetime(int(year), int(month), int(day), tzinfo=CHINA))
        except ValueError:
            continue
    return days[-1] if days else None


def _bad(name: str, value: str) -> NoReturn:
    raise LayerError("record_value_bad", field=name, value=value[:40])
