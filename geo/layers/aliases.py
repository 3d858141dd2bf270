"""Other names and codes of a unit: how lists of different years and hands are known to mean the same ground."""

from geo.schema import Column, Kind, Schema

ALIAS_KINDS = ("名称", "代码")
CHANGES = ("同一单位", "机构名写法", "族名次序", "异写", "更名", "重编代码", "新设", "撤销", "代码另用")

SCHEMA = Schema(
    "aliases",
    "alias_id",
    (
        Column("alias_id"),
        Column("unit_id"),
        Column("alias_kind", choices=ALIAS_KINDS),
        Column("alias"),
        Column("change", choices=CHANGES),
        Column("evidence"),
        Column("confirmed", Kind.FLAG),
        Column("valid_to", Kind.TIME, required=False),
        Column("source"),
    ),
)
"""`alias` names `unit_id` (until `valid_to`); where `confirmed` is false a person has still to say so."""
