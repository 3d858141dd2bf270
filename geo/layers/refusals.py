"""Refused records: kept beside the data, so that read = accepted + refused can be checked and nothing is lost."""

from geo.schema import Column, Schema

SCHEMA = Schema(
    "refusals",
    "refusal_id",
    (
        Column("refusal_id"),
        Column("layer"),
        Column("file"),
        Column("sha256"),
        Column("row"),
        Column("field", required=False),
        Column("code"),
        Column("details", required=False),
    ),
)
