"""A list typed from watermarks: per photo file its time, place, datum, plot and team."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from geo.errors import FormatError
from geo.formats.attributes import table_text
from geo.formats.sniffing import read_bytes
from geo.workspace.photographing import PhotoIn

HEADS = {
    "file": ("文件", "照片", "file"), "taken_at": ("时间", "拍摄时间", "time", "taken_at"),
    "longitude": ("经度", "longitude", "lon"), "latitude": ("纬度", "latitude", "lat"),
    "datum": ("坐标系", "datum"), "parcel_id": ("地块编号", "靶标编号", "parcel_id", "plot"),
    "team_id": ("队伍代码", "team_id", "team"),
}  # fmt: skip
NUMBERS = ("longitude", "latitude")


def with_list(given: Sequence[PhotoIn], file: Path, *, timezone: str) -> list[PhotoIn]:
    """
    The photos with what the list says of each; one that is not in it stays as it is.

    Raises
    ------
    FormatError
        No column for the file, a value that cannot be read (with its row), or a photo that was not given.
    """
    text, _ = table_text(read_bytes(file), None, file.name)
    rows = list(csv.DictReader(io.StringIO(text)))
    names = {head: name for name, heads in HEADS.items() for head in heads}
    if not rows or "file" not in {names.get(str(head).strip()) for head in rows[0]}:
        raise FormatError("photo_list_column", file=file.name)
    found = {one.file: one for one in given}
    for number, row in enumerate(rows, 2):
        told = {
            names[str(head).strip()]: (value or "").strip() for head, value in row.items() if str(head).strip() in names
        }
        if told["file"] not in found:
            raise FormatError("photo_list_lacks", file=file.name, row=number, value=told["file"])
        found[told["file"]] = _typed(found[told["file"]], told, file.name, number, timezone)
    return [found[one.file] for one in given]


def _typed(one: PhotoIn, told: dict[str, str], file: str, row: int, timezone: str) -> PhotoIn:
    """The photo with a row's values; empty ones change nothing."""
    for name in (name for name, value in told.items() if value and name != "file"):
        value = told[name]
        try:
            if name == "parcel_id":
                one = replace(one, about=one.about | {"parcel_id": value})
            elif name == "taken_at":
                moment = datetime.fromisoformat(value.replace("/", "-"))
                one = replace(one, taken_at=moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone)))
            elif name in NUMBERS:
                one = (
                    replace(one, longitude=float(value)) if name == "longitude" else replace(one, latitude=float(value))
                )
            else:
                one = replace(one, datum=value) if name == "datum" else replace(one, team_id=value)
        except ValueError as wrong:
            raise FormatError("photo_list_value", file=file, row=row, field=name, value=value) from wrong
    return one
