"""Leads: tips and historic spots. No column can hold who reported: what reads like a person is refused, not echoed."""

from geo.schema import Column, Kind, Schema

KINDS = ("举报", "村民反映", "历史点位", "网络线索", "其他")
REWARD_STATES = ("查实", "应奖", "已兑现")
NEXT_REWARD: dict[str | None, str] = dict(zip((None, *REWARD_STATES), REWARD_STATES, strict=False))
"""The one state that may follow each: 查实 → 应奖 → 已兑现."""
_WORDS = r"举报人|报告人|检举人|线人|耳目|姓名|身份证|手机号|电话|联系方式|微信号|QQ号"
_MOBILE = r"(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)"
_IDENTITY_CARD = r"(?<!\d)\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"
PERSONAL_NUMBER = f"{_MOBILE}|{_IDENTITY_CARD}"
PERSON = f"{_WORDS}|{PERSONAL_NUMBER}"

SCHEMA = Schema(
    "leads",
    "lead_id",
    (
        Column("lead_id", never=rf"{_WORDS}|^1[3-9]\d{{9}}$"),
        Column("kind", choices=KINDS),
        Column("reported_at", Kind.TIME),
        Column("weight", Kind.REAL, low=0.0),
        Column("village_id", required=False),
        Column("place_text", required=False, never=PERSON),
        Column("verified_at", Kind.TIME, required=False),
        Column("reward_state", required=False, choices=REWARD_STATES),
    ),
    geometry=("Point",),
    geometry_required=False,
)
