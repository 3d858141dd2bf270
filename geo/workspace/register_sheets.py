"""The register as offices keep it, read row by row: read = accepted + refused, always."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from geo.formats.office_sheets import OfficeSheet, plain_head, read_office_file
from geo.layers.duties import DUTY_KINDS, UNIT_KINDS
from geo.schema import Refusal
from geo.season import CHINA
from geo.words import WORDS as CATALOGUE
from geo.words import say
from geo.workspace.county import County
from geo.workspace.importing import FileReport
from geo.workspace.register import register_units
from geo.workspace.register_rows import Gathered, duty_key, unit_row, write_gathered

MU_M2 = 2000.0 / 3.0
HEADS: dict[str, tuple[str, ...]] = {
    "unit_kind": ("单元类别", "单位类别", "类别", "层级", "unit_kind"),
    "unit_id": ("代码", "单元代码", "单位代码", "编码", "unit_id"),
    "name": ("名称", "单元名称", "单位名称", "责任地块", "地块名称"),
    "parent_id": ("上级代码", "上级单位代码"),
    "township": ("乡镇", "乡镇名称", "乡(镇)", "乡镇(街道)", "乡(镇、街道)", "镇街"),
    "township_id": ("乡镇代码", "乡镇编码"),
    "village": ("村", "村名", "行政村", "村(社区)", "村(居)", "村居"),
    "village_id": ("村代码", "村编码"),
    "group": ("组", "村民组", "村民小组"),
    "grid": ("网格", "责任网格"),
    "households_n": ("户数", "总户数"),
    "due_mu": ("应踏查面积(亩)", "应踏查亩数", "应踏查面积", "应查亩数"),
    "elevation_m": ("海拔(米)", "海拔", "平均海拔(米)"),
    "key_area": ("重点", "是否重点", "重点区域"),
    "edge": ("边界", "是否边界", "交界", "是否交界"),
    "valid_from": ("起始日期", "生效日期", "任职日期", "起"),
    "valid_to": ("截止日期", "失效日期", "止"),
    "source": ("来源", "数据来源"),
    "属地": ("属地", "属地责任", "属地责任岗位", "属地责任人岗位"),
    "主管部门": ("主管部门", "主管部门责任岗位", "行业主管部门"),
    "包保": ("包保", "包保责任", "包保岗位", "县领导包片", "镇领导包村", "乡镇领导包村", "村干部包组", "网格员包户"),
    "成员单位督导": ("成员单位督导", "督导单位", "督导"),
}
WORDS = {head: name for name, heads in HEADS.items() for head in heads}
WORDS |= {plain_head(say(f"head_{name}", "en")): name for name in HEADS if f"head_{name}" in CATALOGUE}
KNOWN = frozenset(set(WORDS) | {"责任岗位", "责任人岗位", "负责状态", plain_head(say("head_standing", "en"))})
_KIND_WORDS = {
    "县": "county", "县级": "county", "乡镇": "township", "乡": "township", "镇": "township", "街道": "township",
    "村": "village", "行政村": "village", "社区": "village", "村(社区)": "village", "组": "group",
    "村民小组": "group", "村民组": "group", "网格": "责任网格",
}  # fmt: skip
_YES = {"是": True, "√": True, "✓": True, "1": True, "否": False, "0": False, "×": False}


def import_register(county: County, path: Path, *, now: datetime, encoding: str | None = None) -> FileReport:
    """
    A register as an office keeps it: heads of one or two rows, merged cells, names or codes.

    A row that says what is held already changes nothing; a post with the same beginning and another end takes the old
    one's place (the ledger keeps it). Rows that name no known ground are refused with a sentence.
    """
    file = read_office_file(path, KNOWN, encoding)
    places = _Places.of(county)
    found = Gathered()
    read_n = 0
    for sheet in file.sheets:
        fields = _fields(sheet)
        if not fields:
            continue
        for number, cells in zip(sheet.numbers, sheet.rows, strict=True):
            row = _row(fields, cells)
            if _is_foot(row):
                continue
            read_n += 1
            refusal = _take(row, number, file.file, places, found)
            if refusal:
                found.refused.append(refusal)
    report = FileReport(file.file, file.sha256, read_n, found.refused)
    write_gathered(county, found, report, now)
    return report


@dataclass(frozen=True)
class _Places:
    """The units held, by id, by alias code, and by name under their parent."""

    kinds: dict[str, str]
    codes: dict[str, str]
    names: dict[tuple[str | None, str], list[str]]

    @classmethod
    def of(cls, county: County) -> "_Places":
        units, aliases = register_units(county), county.store.read("aliases")
        names: dict[tuple[str | None, str], list[str]] = {}
        parents = units["parent_id"].where(units["unit_kind"] != "township", None)
        for unit, parent, name in zip(units["unit_id"], parents, units["name"], strict=True):
            names.setdefault((parent if isinstance(parent, str) else None, str(name)), []).append(unit)
        kinds = dict(zip(units["unit_id"], units["unit_kind"], strict=True))
        held = aliases[aliases["unit_id"].isin(list(kinds))]
        for unit, alias in held.loc[held["alias_kind"] == "名称", ["unit_id", "alias"]].itertuples(index=False):
            names.setdefault((None, alias), []).append(unit)
        coded = held[held["alias_kind"] == "代码"]
        codes = {
            alias: unit for alias, unit in zip(coded["alias"], coded["unit_id"], strict=True) if alias not in kinds
        }
        return cls(kinds, codes, names)

    def by_code(self, code: str) -> str:
        return self.codes.get(code, code)

    def by_name(self, name: str, parent: str | None) -> list[str]:
        """Units of a name under a parent, forgiving 村 and 社区 left out; of any parent where none is given."""
        if parent is None:
            found = [unit for (_, held), units in self.names.items() if held == name for unit in units]
        else:
            found = self.names.get((parent, name), [])
        if not found and parent is not None:
            tails = ("村", "村委会", "社区", "社区居委会", "居委会", "")
            found = [unit for tail in tails for unit in self.names.get((parent, _stem(name) + tail), [])]
        return list(dict.fromkeys(found))


def _stem(name: str) -> str:
    for tail in ("社区居委会", "居委会", "村委会", "村民委员会", "社区", "村"):
        if name.endswith(tail) and len(name) > len(tail):
            return name[: -len(tail)]
    return name


def _fields(sheet: OfficeSheet) -> list[str | None]:
    """The field of each column; the lowest head that is known decides."""
    fields = [next((WORDS[head] for head in reversed(heads) if head in WORDS), None) for heads in sheet.heads]
    grounded = {"unit_id", "township", "township_id", "village", "village_id", "name"} & {f for f in fields if f}
    return fields if grounded and any(f in DUTY_KINDS or f == "unit_kind" for f in fields) else []


def _row(fields: list[str | None], cells: list[str]) -> dict[str, str]:
    row: dict[str, str] = {}
    for name, cell in zip(fields, cells, strict=True):
        if name and cell:
            row[name] = f"{row[name]}、{cell}" if name in DUTY_KINDS and name in row else row.get(name, cell)
    return row


def _is_foot(row: dict[str, str]) -> bool:
    """Lines below the table: nothing, or one cell of prose that names no unit."""
    if len(row) > 1:
        return False
    name, text = next(iter(row.items()), ("unit_kind", ""))
    return name == "unit_kind" or (len(text) > 12 and not text.isdigit())


def _take(row: dict[str, str], number: int, file: str, places: _Places, found: Gathered) -> Refusal | None:
    """One row into `found`; what is wrong with it otherwise."""
    unit, refusal = _ground(row, number, file, places)
    if refusal or unit is None:
        return refusal
    numbers: dict[str, Any] = {}
    for name in ("households_n", "due_mu", "elevation_m"):
        if name in row:
            try:
                numbers[name] = float(row[name].replace(",", ""))
            except ValueError:
                return Refusal(number, name, "coordinate_bad", {"value": row[name][:40]})
    moments = {name: _day(row[name]) if name in row else None for name in ("valid_from", "valid_to")}
    for name, moment in moments.items():
        if name in row and moment is None:
            return Refusal(number, name, "time_bad", {"value": row[name][:40]})
    posts = [(kind, post) for kind in DUTY_KINDS for post in _posts(row.get(kind, ""))]
    if posts and moments["valid_from"] is None:
        return Refusal(number, "valid_from", "post_undated", {"post": posts[0][1][:40]})
    for name, text in (("key_area", row.get("key_area")), ("edge", row.get("edge"))):
        if text:
            unit[name] = _YES.get(text)
    unit |= {"households_n": numbers.get("households_n"), "elevation_m": numbers.get("elevation_m")}
    unit["due_m2"] = round(numbers["due_mu"] * MU_M2, 3) if "due_mu" in numbers else None
    known = found.units.setdefault(unit["unit_id"], unit)
    known |= {name: value for name, value in unit.items() if value is not None}
    for kind, text in posts:
        post, _, holder = text.partition("〔")
        duty = {
            "unit_kind": unit["unit_kind"], "unit_id": unit["unit_id"], "parent_id": unit["parent_id"],
            "post": post.strip(), "holder_id": holder.rstrip("〕") or None, "duty_kind": kind, **moments,
        }  # fmt: skip
        found.duties[duty_key(duty)] = duty
    return None


def _ground(
    row: dict[str, str], number: int, file: str, places: _Places
) -> tuple[dict[str, Any] | None, Refusal | None]:
    """The unit a row is about: by its own code, or the lowest of ground, grid, group, village and township named."""
    kind = _KIND_WORDS.get(plain_head(row.get("unit_kind", "")), row.get("unit_kind", ""))
    if "unit_id" in row:
        unit = places.by_code(row["unit_id"])
        kind = kind or places.kinds.get(unit, "")
        if kind not in UNIT_KINDS:
            return None, Refusal(number, "unit_kind", "value_unknown", {"value": kind, "known": "/".join(UNIT_KINDS)})
        return unit_row(
            kind, unit, row.get("name") or unit, parent_id=row.get("parent_id"), source=row.get("source") or file
        ), None
    township, refusal = _named(row, "township", None, number, places)
    if refusal:
        return None, refusal
    if kind in UNIT_KINDS[5:] and "name" in row:
        return _below(kind, row["name"], township or "", row, file), None
    if "village" not in row and "village_id" not in row:
        if township is None:
            return None, Refusal(number, "unit_id", "unit_missing")
        return unit_row("township", township, row.get("township", township), source=file), None
    village, refusal = _named(row, "village", township, number, places)
    if refusal or village is None:
        return None, refusal
    for name, below in (("grid", "责任网格"), ("group", "group")):
        if name in row:
            return _below(below, row[name], village, row, file), None
    return unit_row("village", village, row.get("village", village), parent_id=township, source=file), None


def _below(kind: str, name: str, parent: str, row: dict[str, str], file: str) -> dict[str, Any]:
    """A group, grid or department ground without a code: known by its parent and its name."""
    return unit_row(kind, f"{parent}-{name}" if parent else name, name, parent_id=parent or None, source=file)


def _named(
    row: dict[str, str], level: str, parent: str | None, number: int, places: _Places
) -> tuple[str | None, Refusal | None]:
    """The unit a row's code or name means; refused where nothing or more than one thing does."""
    if f"{level}_id" in row:
        code = places.by_code(row[f"{level}_id"])
        if code not in places.kinds:
            return None, Refusal(number, f"{level}_id", "unit_unknown", {"value": row[f"{level}_id"]})
        return code, None
    if level not in row:
        return None, None
    found = [unit for unit in places.by_name(row[level], parent) if places.kinds.get(unit) == level]
    if len(found) == 1:
        return found[0], None
    code = "unit_ambiguous" if found else "unit_unknown"
    return None, Refusal(
        number, level, code, {"value": row[level], "n": len(found)} if found else {"value": row[level]}
    )


def _posts(cell: str) -> list[str]:
    text = cell.replace("；", "、").replace(";", "、").replace("\n", "、").replace("，", "、")
    return [post.strip() for post in text.split("、") if post.strip() and post.strip() not in ("无", "/", "—", "-")]


def _day(text: str) -> datetime | None:
    """A day as offices write it (2026-01-01, 2026.1.1, 2026年1月1日, with or without a time): that moment in China."""
    plain = text.replace("年", "-").replace("月", "-").replace("日", " ").replace("/", "-").replace(".", "-").strip()
    moment = pd.to_datetime(plain, errors="coerce")
    return None if pd.isna(moment) else moment.to_pydatetime().replace(tzinfo=CHINA)
