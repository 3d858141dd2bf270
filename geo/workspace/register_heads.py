"""What the heads of an office's register mean: ground, figures, dates, and posts; names and telephones are not kept."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from geo.formats.office_sheets import plain_head
from geo.layers.duties import DUTY_KINDS, TIERS
from geo.words import say

PERSON, NUMBER, REMARK, SAID = "person", "number", "remark", "said"
GROUND_FIELDS = ("unit_id", "township", "township_id", "village", "village_id", "name")
_TOWN = (
    r"乡镇|镇乡|乡\(镇\)|镇\(乡\)|镇街|乡镇街道|乡镇\(街道\)|镇\(街道\)|乡\(镇、街道\)|街镇|乡镇\(街道办\)|乡镇、街道"
)
_VILLAGE = r"村|行政村|建制村|村\(社区\)|村\(居\)|村居|村社区|村\(居、社区\)|社区\(村\)|村、社区|社区"
_FIGURES = r"(?:\((?:亩|米|户|m|M)\))?"
_PLAIN: tuple[tuple[str, str], ...] = (
    (NUMBER, "序号|编号|序"),
    (REMARK, "备注|说明|其他|其它"),
    (
        PERSON,
        r".*(?:姓名|电话|手机|手机号|手机号码|联系方式|身份证|身份证号|身份证号码|微信|微信号)|联系人|性别|民族|年龄",
    ),
    ("unit_kind", "(?:单元|单位|地块|责任单元|责任地块)?(?:类别|类型|种类)|层级|级别|unit_kind"),
    ("township_id", f"(?:所[在属])?(?:{_TOWN})(?:代码|编码)|township_id"),
    ("village_id", f"(?:{_VILLAGE})(?:代码|编码)|village_id"),
    ("parent_id", "上级(?:单位|单元)?(?:代码|编码)"),
    ("unit_id", "(?:(?:单元|单位|行政)?(?:区划)?)(?:代码|编码)|unit_id"),
    ("township", f"(?:所[在属])?(?:{_TOWN})(?:名称|名)?"),
    ("village", f"(?:所[在属])?(?:{_VILLAGE})(?:名称|名)?"),
    ("group", r"(?:所[在属])?(?:村民小组|村民组|小组|自然村|自然寨|组|村\(居\)民小组|村民小组\(自然寨\))(?:名称|名)?"),
    ("grid", r"(?:责任)?网格(?:名称|编号|号)?"),
    ("name", "(?:责任)?(?:单元|单位|地块|责任地块|部门地块)?名称|责任地块|责任区域"),
    ("households_n", f"(?:总|农|住)?户数{_FIGURES}"),
    ("due_mu", r"(?:应)?(?:踏查|查)?(?:面积|亩数)(?:\(亩\))?"),
    ("elevation_m", r"(?:平均)?海拔(?:高度)?(?:\(米\)|\(m\))?"),
    ("key_area", "(?:是否)?重点(?:区域|村|部位)?"),
    ("edge", r"(?:是否)?(?:边界|交界)(?:村|地带|区域)?"),
    ("term", "(?:包保|责任|任职)?(?:期限|起止时间|起止日期|时间)|任期|有效期"),
    ("valid_from", "(?:起始|生效|开始|任职|起算|上任)(?:日期|时间)|起|自"),
    ("valid_to", r"(?:截止|终止|结束|到期|失效)(?:日期|时间)(?:\(含当日\))?|止|至"),
    ("source", "(?:数据)?来源"),
)
_KINDS: tuple[tuple[str, str], ...] = (
    ("包保/县领导包片", "县.*包片|县领导|县级领导|县级包保"),
    ("包保/镇领导包村", "[镇乡].*包村|(?:乡镇|镇|乡)领导|(?:乡镇|镇|乡)班子"),
    ("包保/村干部包组", "村.*包组|村干部|村组干部"),
    ("包保/网格员包户", "网格员|.*包户"),
    ("成员单位督导", "督导|成员单位"),
    ("主管部门", "主管|部门责任|管护(?:单位|责任)|经营单位|部门"),
    ("包保", "包保|挂包|包片|包村|包组|驻村|帮扶|sponsor"),
    ("属地", "属地"),
)
_POST = re.compile("职务|职位|岗位|责任岗位|.*(?:职务|职位|岗位|责任岗位|单位及职务|单位职务)")
_UNIT = re.compile("(?:工作|所在|责任)?单位|责任部门")
_HELD = re.compile(".*(?:责任人|包保人|负责人|领导|人员|干部|网格员)")
_OWN = {plain_head(say(f"head_{name}", language)): name for name in (
    "unit_kind", "unit_id", "name", "parent_id", "households_n", "due_mu", "elevation_m", "key_area", "edge",
    "valid_from", "valid_to", "source", *DUTY_KINDS,
) for language in ("zh", "en")}  # fmt: skip
_OWN |= {plain_head(say(f"head_{tier}", language)): f"包保/{tier}" for tier in TIERS for language in ("zh", "en")}
_OWN |= {plain_head(say("head_standing", language)): SAID for language in ("zh", "en")}
_OWN |= {plain_head(say("book_posts", language)): "属地" for language in ("zh", "en")}


@dataclass(frozen=True)
class Head:
    """
    What a column holds: a `field` of the ground, `PERSON`, `NUMBER`, `REMARK`, or a duty's kind (``包保/县领导包片``
    with its tier); `role` tells a post ("post") from its organisation ("unit") and from who holds it ("held").
    """

    field: str
    role: str = ""


def head_of(text: str) -> Head | None:
    """
    What one head says; None where it says nothing known.

    >>> head_of("县领导包片"), head_of("联系电话").field, head_of("备查")
    (Head(field='包保/县领导包片', role='said'), 'person', None)
    """
    text = plain_head(text)
    if text in _OWN:
        return Head(_OWN[text], "said" if _OWN[text] in DUTY_KINDS or "/" in _OWN[text] else "")
    for name, pattern in _PLAIN:
        if re.fullmatch(pattern, text):
            return Head(name)
    kind = next((name for name, pattern in _KINDS if re.search(pattern, text)), None) if len(text) <= 14 else None
    if _UNIT.fullmatch(text):
        return Head("", "unit")
    if kind is None and not _POST.fullmatch(text) and not _HELD.fullmatch(text):
        return None
    role = "post" if _POST.fullmatch(text) else "held" if text.endswith(("责任人", "包保人", "负责人")) else "said"
    return Head(kind or "", role)


def is_head(text: str) -> bool:
    """Whether a cell reads like the head of a register's column."""
    return head_of(text) is not None


def fields_of(heads: Sequence[tuple[str, ...]]) -> list[Head | None]:
    """
    What each column holds, from its heads (the upper first): the lowest that says something, a post's kind from above.

    Where a kind of duty has a column of posts, the one that names who holds the post is no longer needed.

    >>> [h.field if h else None for h in fields_of([("村",), ("县领导包片", "姓名"), ("县领导包片", "职务")])]
    ['village', 'person', '包保/县领导包片']
    """
    found = [_column(levels) for levels in heads]
    posted = {head.field for head in found if head and head.role == "post"}
    return [Head(PERSON) if head and head.role == "held" and head.field in posted else head for head in found]


def _column(levels: tuple[str, ...]) -> Head | None:
    said = [head for head in (head_of(text) for text in reversed(levels)) if head]
    if not said:
        return None
    if said[0].role == "":
        return said[0]
    kind = next((head.field for head in said if head.field in DUTY_KINDS or "/" in head.field), "属地")
    return Head(kind, said[0].role)
