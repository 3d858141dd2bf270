"""The register as offices keep it, read row by row: read = accepted + refused, always."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from geo.errors import LayerError
from geo.formats.office_sheets import OfficeSheet, plain_head, read_office_file
from geo.layers.duties import DUTY_KINDS, HEIGHTS_M, UNIT_KINDS
from geo.layers.townships import GROUND_KINDS
from geo.schema import Refusal
from geo.words import say
from geo.workspace.county import County
from geo.workspace.importing import FileReport
from geo.workspace.register_heads import GROUND_FIELDS, NUMBER, PERSON, SAID, Head, fields_of, is_head
from geo.workspace.register_places import Places
from geo.workspace.register_rows import Gathered, duty_key, require_post, unit_row, write_gathered
from geo.workspace.register_values import day_above, figure_in, flag_in, posts_in, span_in

MU_M2 = 2000.0 / 3.0
MONTH = timedelta(days=31)
FIGURES = ("households_n", "due_mu", "elevation_m")
NAMED = ("乡镇", "村", "代码", "名称", "属地责任岗位", "包保岗位")
_KIND_WORDS = {
    "县": "county", "县级": "county", "乡镇": "township", "乡": "township", "镇": "township", "街道": "township",
    "村": "village", "行政村": "village", "社区": "village", "村(社区)": "village", "组": "group",
    "村民小组": "group", "村民组": "group", "网格": "责任网格",
}  # fmt: skip
_GROUND_WORDS = (
    ("林场", "林场|林区|采育场"),
    ("保护区", "保护区|森林公园|湿地|风景区"),
    ("库区", "水库|库区|电站|湖"),
    ("矿区", "矿|采石"),
    ("公路", r"公路|国道|省道|县道|高速|铁路|[GS]\d+"),
)
_SUM = re.compile("合\\s*计|小\\s*计|总\\s*计|共\\s*计")
_FOOT = re.compile(
    "(?:填表|填报|制表|审核|审批|负责|报送|联系|备注|注|说明|填表说明|盖章|单位|日期)(?:人|单位|日期|时间|电话|领导)?\\s*[:：].*",
    re.S,
)
Row = dict[str, str]


def import_register(
    county: County, path: Path, *, now: datetime, encoding: str | None = None, since: datetime | None = None
) -> FileReport:
    """
    A register as an office keeps it: heads of up to three rows, merged cells, names, codes of this year or another.

    A row that says what is held already changes nothing; a post with the same beginning and another end takes the old
    one's place (the ledger keeps it). Rows that name no known ground are refused with a sentence; sums and lines under
    the table are no rows. Names of persons and telephones are not kept.

    Parameters
    ----------
    since
        From when posts without a first day answer; None: the season's first day, or the day over the table where that
        is more than a month later: a list of January is that of the season, a later one says who answers since.
    """
    file = read_office_file(path, is_head, NAMED, encoding)
    reading = _Reading(Places.of(county), file.file)
    for sheet in file.sheets:
        if sheet.title not in _OTHERS:
            reading.begin = since or _begin(sheet.above, county.season.bounds[0])
            reading.take(sheet)
    reading.settle()
    report = FileReport(
        file.file, file.sha256, reading.read_n, reading.found.refused, other_kinds=dict(reading.others),
        notes=tuple(reading.notes()),
    )  # fmt: skip
    write_gathered(county, reading.found, report, now)
    return report


_OTHERS = {say(code, language) for code in ("book_nobody", "book_aliases", "book_upper") for language in ("zh", "en")}
"""Sheets of the exported register that repeat what its first sheet says."""


def _begin(above: str, season: datetime) -> datetime:
    day = day_above(above)
    return day if day is not None and day - season > MONTH else season


@dataclass
class _Reading:
    """The rows of a file on their way in, and what is to be said of them."""

    places: Places
    file: str
    begin: datetime | None = None
    found: Gathered = field(default_factory=Gathered)
    read_n: int = 0
    others: Counter[str] = field(default_factory=Counter)
    undated: Counter[datetime] = field(default_factory=Counter)
    filled_n: int = 0
    unused: dict[str, None] = field(default_factory=dict)
    persons: dict[str, None] = field(default_factory=dict)
    parents: list[tuple[int, str, str]] = field(default_factory=list)
    sources: dict[str, list[int]] = field(default_factory=dict)
    _above: tuple[str, str] | None = None

    def take(self, sheet: OfficeSheet) -> None:
        """Every row of one sheet, as read and accepted, read and refused, or no row at all."""
        fields = fields_of(sheet.heads)
        known = {head.field for head in fields if head}
        posts = {name.partition("/")[0] for name in known} & set(DUTY_KINDS)
        coded = known & {"unit_id", "village_id"} and known & set(FIGURES)
        if not known & set(GROUND_FIELDS) or not (posts or "unit_kind" in known or coded):
            return
        self._note_unused(sheet, fields)
        self._above = None
        for number, cells in zip(sheet.numbers, sheet.rows, strict=True):
            row = _row(fields, cells)
            what = _no_row(cells, row)
            if what:
                self.others[what] += 1
                continue
            self.read_n += 1
            try:
                self._row(row, number)
            except LayerError as wrong:
                name = str(wrong.fields.get("field", "unit_id"))
                self.found.refused.append(Refusal(number, name, wrong.code, wrong.fields))

    def settle(self) -> None:
        """Refuse the rows of units whose unit above is known neither to the county nor to the file."""
        for number, unit, parent in self.parents:
            if parent in self.places.kinds or parent in self.found.units:
                continue
            self.found.units.pop(unit, None)
            self.found.duties = {key: duty for key, duty in self.found.duties.items() if duty["unit_id"] != unit}
            for line in self.sources.pop(unit, [number]):
                told = Refusal(line, "parent_id", "unit_unknown", {"value": parent, "field": "parent_id"})
                self.found.refused.append(told)
        self.found.refused.sort(key=lambda refusal: int(str(refusal.row)))

    def notes(self) -> list[tuple[str, dict[str, Any]]]:
        """What somebody should know of how the file was read."""
        said: list[tuple[str, dict[str, Any]]] = [
            ("register_undated", {"n": n, "day": f"{day:%Y-%m-%d}"}) for day, n in self.undated.items()
        ]
        if self.filled_n:
            said.append(("register_filled", {"n": self.filled_n}))
        if self.persons:
            said.append(("register_persons", {"columns": "、".join(self.persons)}))
        if self.unused:
            said.append(("register_unused", {"columns": "、".join(self.unused)}))
        if self.others:
            said.append(("register_no_rows", {"n": self.others.total()}))
        return said

    def _note_unused(self, sheet: OfficeSheet, fields: Sequence[Head | None]) -> None:
        for levels, head in zip(sheet.heads, fields, strict=True):
            text = "·".join(levels)
            if head is None and text:
                self.unused[text] = None
            elif head and head.field == PERSON:
                self.persons[text] = None
            elif head and head.field == "remark":
                self.unused[text] = None

    def _row(self, row: Row, number: int) -> None:
        """One row into what is found; `LayerError` for what is wrong with it."""
        unit = self._ground(row)
        begin, end = span_in(row)
        figures = {name: figure_in(row, name) for name in FIGURES}
        height = figures["elevation_m"]
        if height is not None and not HEIGHTS_M[0] <= height <= HEIGHTS_M[1]:
            raise LayerError("record_value_bad", field="elevation_m", value=row["elevation_m"])
        posts = [(name, post) for name in row for post in posts_in(row[name]) if name.partition("/")[0] in DUTY_KINDS]
        for _, post in posts:
            require_post(post)
        for name in ("key_area", "edge"):
            unit[name] = flag_in(row, name)
        unit |= {"households_n": figures["households_n"], "elevation_m": figures["elevation_m"]}
        unit["due_m2"] = None if figures["due_mu"] is None else round(figures["due_mu"] * MU_M2, 3)
        if posts and begin is None:
            begin = self.begin
            if begin is None or (end is not None and end <= begin):
                raise LayerError("post_undated", field="valid_from", post=posts[0][1][:40])
            self.undated[begin] += 1
        known = self.found.units.setdefault(unit["unit_id"], unit)
        known |= {name: value for name, value in unit.items() if value is not None}
        self.sources.setdefault(unit["unit_id"], []).append(number)
        if unit["parent_id"] and unit["unit_kind"] not in ("county", "township"):
            self.parents.append((number, unit["unit_id"], unit["parent_id"]))
        for name, text in posts:
            kind, _, tier = name.partition("/")
            post, _, holder = text.partition("〔")
            duty = {
                "unit_kind": unit["unit_kind"], "unit_id": unit["unit_id"], "parent_id": unit["parent_id"],
                "post": post.strip(), "holder_id": holder.rstrip("〕") or None, "duty_kind": kind,
                "tier": tier or None, "valid_from": begin, "valid_to": end,
            }  # fmt: skip
            self.found.duties[duty_key(duty)] = duty

    def _ground(self, row: Row) -> dict[str, Any]:
        """The unit a row is about: by its own code, or the lowest of ground, grid, group, village and township."""
        kind = _kind_of(row)
        if "unit_id" in row:
            return self._coded(row, kind)
        if kind in GROUND_KINDS:
            return self._department_ground(row, kind)
        if "name" in row and "village" not in row and kind in ("township", "village"):
            row = {**row, kind: row["name"]}
        if "name" in row and kind in ("group", "责任网格"):
            row = {**row, {"group": "group", "责任网格": "grid"}[kind]: row["name"]}
        township = self._named(row, "township", None)
        village = self._named(row, "village", township)
        if township is None and village is None:
            raise LayerError("unit_missing", field="unit_id")
        if village is None:
            return self._unit("township", str(township), row.get("township"), None)
        for name, below in (("grid", "责任网格"), ("group", "group")):
            if name in row:
                return self._below(below, row[name], village)
        return self._unit("village", village, row.get("village"), self.places.parents.get(village) or township)

    def _coded(self, row: Row, kind: str) -> dict[str, Any]:
        """A unit by its own code: one that is known, or a new one with a unit above it."""
        code, name = row["unit_id"].strip(), row.get("name")
        known = self.places.by_code(code, name, kind or None)
        if known is not None:
            own = self.places.kinds[known]
            parent = self._parent(row, own) or self.places.parents.get(known)
            return self._unit(own, known, name, parent, source=row.get("source"))
        if kind not in UNIT_KINDS:
            raise LayerError("value_unknown", field="unit_kind", value=kind, known="/".join(UNIT_KINDS))
        parent = self._parent(row, kind)
        if parent is None and kind in ("village", "group", "责任网格"):
            raise LayerError("unit_parent_missing", field="parent_id", value=code)
        return self._unit(kind, code, name or code, parent, source=row.get("source"))

    def _parent(self, row: Row, kind: str) -> str | None:
        """The unit above: by code, by the township or village named, or by the first digits of a village's code."""
        if "parent_id" in row:
            return self.places.by_code(row["parent_id"], None, None) or row["parent_id"]
        if kind in ("village", *GROUND_KINDS) and ("township" in row or "township_id" in row):
            return self._named(row, "township", None)
        if kind in ("group", "责任网格") and ("village" in row or "village_id" in row):
            return self._named(row, "village", self._named(row, "township", None))
        code = row["unit_id"]
        return code[:9] if kind == "village" and self.places.kinds.get(code[:9]) == "township" else None

    def _department_ground(self, row: Row, kind: str) -> dict[str, Any]:
        """A forest farm, reserve, reservoir, mine or road: the one of that name, or a new one under its township."""
        name = row.get("name") or row.get("village") or ""
        if not name:
            raise LayerError("unit_missing", field="name")
        held = [unit for each in (kind, *GROUND_KINDS) for unit in self.places.by_name(each, name, None)]
        if len(dict.fromkeys(held)) == 1:
            own = self.places.kinds[held[0]]
            return self._unit(own, held[0], name, self.places.parents.get(held[0]))
        township = self._named(row, "township", None) if {"township", "township_id"} & set(row) else None
        return self._below(kind, name, township or "")

    def _below(self, kind: str, name: str, parent: str) -> dict[str, Any]:
        """A group, grid or department ground without a code: known by its parent and its name."""
        held = self.places.by_name(kind, name, parent) if parent else []
        return self._unit(kind, held[0] if held else f"{parent}-{name}" if parent else name, name, parent or None)

    def _unit(
        self, kind: str, unit: str, name: str | None, parent: str | None, *, source: str | None = None
    ) -> dict[str, Any]:
        return unit_row(kind, unit, name or unit, parent_id=parent, source=source or self.file)

    def _named(self, row: Row, level: str, parent: str | None) -> str | None:
        """The unit a row's code or name means, None where it gives neither; an empty township is the one above."""
        if f"{level}_id" in row:
            found = self.places.by_code(row[f"{level}_id"], row.get(level), level)
            if found is None:
                raise LayerError("unit_unknown", field=f"{level}_id", value=row[f"{level}_id"])
            return self._remember(level, found)
        if level not in row:
            return None
        name = row[level]
        held = self.places.by_name(level, name, parent)
        if parent is None and level == "village" and self._above:
            under = self.places.by_name(level, name, self._above[1])
            if under and "township" not in row:
                held = under
                self.filled_n += 1
        if len(held) == 1:
            return self._remember(level, held[0])
        told: Mapping[str, Any] = {"value": name, "n": len(held)} if held else {"value": name}
        raise LayerError("unit_ambiguous" if held else "unit_unknown", field=level, **told)

    def _remember(self, level: str, unit: str) -> str:
        if level == "township":
            self._above = level, unit
        return unit


def _row(fields: Sequence[Head | None], cells: Sequence[str]) -> Row:
    """The cells of a row by field; several posts of a kind joined, a post's organisation before it."""
    row: Row = {}
    units: Row = {}
    for head, cell in zip(fields, cells, strict=True):
        if head is None or not cell or head.field in (PERSON, NUMBER, SAID):
            continue
        duty = head.field.partition("/")[0] in DUTY_KINDS
        if duty and head.role == "unit":
            units[head.field] = cell
        elif duty and head.field in row:
            row[head.field] += f"、{cell}"
        else:
            row.setdefault(head.field, cell)
    for name, unit in units.items():
        posts = posts_in(row.get(name, ""))
        row[name] = "、".join(f"{'' if post.startswith(unit) else unit}{post}" for post in posts) or unit
    return row


def _no_row(cells: Sequence[str], row: Row) -> str | None:
    """Whether a line is none of the table: a sum, a line under it (often merged over all columns), or nothing known."""
    told = [cell for cell in cells if cell]
    if any(_SUM.fullmatch(cell) for cell in told[:3]):
        return "sums"
    if all(_FOOT.match(cell) for cell in told) or (len(set(told)) == 1 and len(told[0]) > 12 and not _coded(told[0])):
        return "lines"
    known = {name for name in row if name != "remark"}
    return None if known and known != {"unit_kind"} else "lines"


def _coded(text: str) -> bool:
    return text.strip("'’").isdigit()


def _kind_of(row: Row) -> str:
    """The kind of unit a row says it is about, by its word or, for department ground, by what its name ends with."""
    said = plain_head(row.get("unit_kind", ""))
    kind = _KIND_WORDS.get(said, said)
    if kind in UNIT_KINDS or kind == "":
        if kind or "name" not in row or "village" in row or "unit_id" in row:
            return kind
        said = row["name"]
    for ground, pattern in _GROUND_WORDS:
        if re.search(pattern, said):
            return ground
    return "" if said == row.get("name") else kind
