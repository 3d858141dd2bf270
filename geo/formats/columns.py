"""Names of columns in Chinese and English files, and the words in them, as the layers know them."""

from collections.abc import Sequence

import pandas as pd

from geo.layers.parcels import Status
from geo.words import LANGUAGES, say

DBF_CHARACTERS = 10
"""A shapefile cuts the names of its columns to so many."""

_ANY: dict[str, tuple[str, ...]] = {
    "name": (
        "name",
        "名称",
        "乡镇",
        "乡镇名称",
        "townname",
        "district_name",
        "镇名",
        "村名",
        "村名称",
        "行政村",
        "村",
        "ext_name",
        "县",
        "县名",
        "fullname",
        "xzqmc",
        "地名",
    ),
    "township_id": ("township_id", "乡镇代码", "乡镇编码", "towncode", "town_code", "所属乡镇", "xzqdm"),
    "village_id": ("village_id", "村代码", "村编码", "villcode"),
    "team_id": ("team_id", "队伍", "队伍编号", "队伍代码", "班组"),
    "parcel_id": ("parcel_id", "地块编号", "靶标编号", "图斑编号", "图斑号", "疑似地块编号"),
    "duty_id": ("duty_id", "责任编号", "编号"),
    "visit_id": ("visit_id", "踏查编号"),
    "find_id": ("find_id", "发现编号"),
    "lead_id": ("lead_id", "线索编号"),
    "alert_id": ("alert_id", "预警编号"),
    "road_id": ("road_id", "道路编号"),
    "kind": ("kind", "类型", "类别"),
    "source": ("source", "来源"),
    "source_id": ("source_id", "来源编号", "原编号"),
    "source_date": ("source_date", "来源日期"),
    "households_n": ("households_n", "户数"),
    "courtyards_n": ("courtyards_n", "庭院数", "院落数"),
    "edge": ("edge", "边界村", "是否边界"),
    "unit_kind": ("unit_kind", "单元类型", "责任单元类型", "单位类型", "责任区类型", "层级"),
    "unit_id": ("unit_id", "单元代码", "责任单元", "责任单元代码", "单位代码", "责任区代码", "行政区划代码"),
    "parent_id": ("parent_id", "上级代码", "上级单位代码"),
    "post": ("post", "责任岗位", "岗位", "职务"),
    "holder_id": ("holder_id", "责任人编号"),
    "duty_kind": ("duty_kind", "责任类型", "责任类别"),
    "valid_from": ("valid_from", "起始日期", "生效日期", "开始日期", "起始时间"),
    "valid_to": ("valid_to", "终止日期", "失效日期", "结束日期", "截止日期", "截止时间"),
    "round": ("round", "轮次", "踏查轮次"),
    "visited_at": ("visited_at", "踏查时间", "踏查日期"),
    "ground": ("ground", "地类", "踏查类型"),
    "outcome": ("outcome", "结果", "踏查结果"),
    "reason": ("reason", "排除理由", "理由", "原因", "原因或备注", "备注", "依据"),
    "evidence": ("evidence", "证据等级", "证据"),
    "track_id": ("track_id", "轨迹编号"),
    "persons_n": ("persons_n", "人数"),
    "hours": ("hours", "小时", "工时"),
    "area_m2": ("area_m2", "面积", "面积平方米", "面积_m2"),
    "flagged_at": ("flagged_at", "发现时间", "下发日期", "下发时间", "time"),
    "deadline": ("deadline", "期限", "核查期限"),
    "suspicion": ("suspicion", "可疑度"),
    "scene_id": ("scene_id", "影像编号"),
    "status": ("status", "状态"),
    "accuracy_m": ("accuracy_m", "精度", "定位精度"),
    "line_accuracy_m": ("line_accuracy_m", "界线精度"),
    "found_by": ("found_by", "发现方式"),
    "found_at": ("found_at", "发现时间", "发现日期"),
    "recorded_at": ("recorded_at", "登记时间", "记录时间"),
    "species": ("species", "种类", "原植物种类"),
    "plants_n": ("plants_n", "株数"),
    "stage": ("stage", "生长期", "物候期"),
    "fraction": ("fraction", "铲除率"),
    "method": ("method", "铲除方式"),
    "destroyed_at": ("destroyed_at", "铲除时间", "铲除日期"),
    "verified_at": ("verified_at", "核实时间", "验收时间"),
    "photo_sha256": ("photo_sha256", "照片指纹"),
    "reported_at": ("reported_at", "举报时间", "报告时间", "线索时间", "time"),
    "weight": ("weight", "权重"),
    "place_text": ("place_text", "地点", "地点描述", "位置描述", "name"),
    "reward_state": ("reward_state", "奖励状态"),
    "issued_at": ("issued_at", "发布时间", "time"),
    "trial_id": ("trial_id", "试验编号"),
    "distance_m": ("distance_m", "距离", "距离_m", "横向距离", "离线距离"),
    "found": ("found", "发现", "是否发现"),
    "passes_n": ("passes_n", "走过次数", "次数"),
    "cover": ("cover", "地类", "地表"),
    "lookout_id": ("lookout_id", "观察编号"),
    "started_at": ("started_at", "开始时间"),
    "ended_at": ("ended_at", "结束时间"),
    "from_deg": ("from_deg", "起始方位"),
    "to_deg": ("to_deg", "终止方位"),
    "eye_m": ("eye_m", "眼高"),
    "image_id": ("image_id", "影像编号", "照片编号"),
    "flight_id": ("flight_id", "航次", "架次"),
    "taken_at": ("taken_at", "拍摄时间"),
    "height_m": ("height_m", "离地高度", "相对高度"),
    "heading_deg": ("heading_deg", "航向", "偏航角"),
    "tilt_deg": ("tilt_deg", "离底角", "俯仰离底角"),
    "fov_across_deg": ("fov_across_deg", "横向视场角"),
    "fov_along_deg": ("fov_along_deg", "纵向视场角"),
    "pixels_across_n": ("pixels_across_n", "横向像素"),
    "pass_id": ("pass_id", "过境编号", "景号"),
    "pixel_m": ("pixel_m", "像元", "像元大小", "地面分辨率"),
    "tried_at": ("tried_at", "试验日期", "试验时间"),
}

_CODES = ("district_adcode", "code", "gb", "adcode", "id", "代码", "编码", "pid_code", "ext_id")
_OWN: dict[str, dict[str, tuple[str, ...]]] = {
    "townships": {"township_id": (*_ANY["township_id"], *_CODES)},
    "neighbours": {"neighbour_id": ("neighbour_id", *_ANY["township_id"], *_CODES)},
    "grounds": {"ground_id": ("ground_id", *_CODES)},
    "villages": {"village_id": (*_ANY["village_id"], *_CODES), "township_id": (*_ANY["township_id"], "parent")},
    "teams": {"team_id": (*_ANY["team_id"], "id"), "name": ("name", "队伍名称", "名称")},
    "parcels": {"parcel_id": (*_ANY["parcel_id"], "编号", "id", "name")},
}

_WORDS: dict[tuple[str, str], dict[str, str]] = {
    ("parcels", "source"): {
        "卫星": "satellite", "图斑": "satellite", "靶标": "satellite", "无人机": "drone", "举报": "tip",
        "线索": "tip", "历史": "history", "历史地块": "history", "地面": "ground", "踏查": "ground",
    },
    ("parcels", "status"): {
        "疑似": "flagged", "待核查": "flagged", "已派": "assigned", "已派单": "assigned", "已到场": "visited",
        "已核查": "visited", "确认": "confirmed", "排除": "dismissed", "已铲除": "eradicated", "已复查": "rechecked",
        "办结": "closed",
        **{say(f"ui_status_{one}", language): str(one) for one in Status for language in LANGUAGES},
    },
    ("trials", "cover"): {"荒地": "open", "草坡": "open", "荒地草坡": "open", "耕地": "crops", "灌丛": "scrub"},
    ("trials", "stage"): {
        "播种出苗期": "seedling", "出苗期": "seedling", "开花期": "flower", "结果割浆期": "capsule",
        "结果期": "capsule",
    },
    ("duties", "unit_kind"): {
        "县": "county", "县级": "county", "乡镇": "township", "乡": "township", "镇": "township", "街道": "township",
        "乡镇（街道）": "township", "村": "village", "行政村": "village", "社区": "village", "村（社区）": "village",
        "组": "group", "村民小组": "group", "网格": "责任网格",
    },
    ("duties", "duty_kind"): {
        "属地责任": "属地", "属地管理": "属地", "主管": "主管部门", "部门": "主管部门", "主管部门责任": "主管部门",
        "包保责任": "包保", "督导": "成员单位督导",
    },
}  # fmt: skip


def renamed(layer: str, table: pd.DataFrame, *, required: list[str], file: str) -> pd.DataFrame:
    """The table with the layer's column names, each taken from the first of its aliases that is there."""
    lower = {str(column).strip().lower(): column for column in reversed(list(table.columns))}
    out = table[["geometry"]].copy() if "geometry" in table else pd.DataFrame(index=table.index)
    own = _OWN.get(layer, {})
    for name in required:
        aliases = own.get(name, _ANY.get(name, (name,)))
        for alias in (*aliases, name[:DBF_CHARACTERS]):
            if alias in lower:
                out[name] = _translated(table[lower[alias]], _WORDS.get((layer, name)))
                break
    return out


def choices(layer: str, name: str, codes: Sequence[str]) -> str:
    """The codes a column takes, each after the first word that stands for it in lists, where there is one."""
    words = {code: word for word, code in reversed(_WORDS.get((layer, name), {}).items()) if not word.isascii()}
    return "、".join(f"{words[code]} {code}" if code in words else code for code in codes)


def _translated(values: pd.Series, words: dict[str, str] | None) -> pd.Series:
    if words is None:
        return values
    return values.map(lambda value: words.get(str(value).strip(), value), na_action="ignore")
