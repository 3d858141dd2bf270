"""Leads: tips and historic spots. No column can hold who reported."""

from geo.schema import Column, Kind, Schema

KINDS = ("举报", "村民反映", "历史点位", "网络线索", "其他")
REWARD_STATES = ("查实", "应奖", "已兑现")

SCHEMA = Schema(
    "leads",
    "lead_id",
    (
        Column("lead_id"),
        Column("kind", choices=KINDS),
        Column("reported_at", Kind.TIME),
        Column("weight", Kind.REAL, low=0.0),
        Column("village_id", required=False),
        Column("place_text", required=False),
        Column("verified_at", Kind.TIME, required=False),
        Column("reward_state", required=False, choices=REWARD_STATES),
    ),
    geometry=("Point",),
    geometry_required=False,
)
