"""Returned forms (踏查记录表): who signed which visit, with how many photos; the visit itself is in layer visits."""

from geo.schema import Column, Kind, Schema

ENTERED = ("表格导入", "手工录入")

SCHEMA = Schema(
    "returns",
    "return_id",
    (
        Column("return_id"),
        Column("visit_id"),
        Column("order_id", required=False),
        Column("village_id"),
        Column("group_name", required=False),
        Column("post", required=False),
        Column("signed", Kind.FLAG),
        Column("photos_n", Kind.INTEGER, low=0),
        Column("courtyards_due_n", Kind.INTEGER, required=False, low=0),
        Column("sheet_sha256", required=False),
        Column("entered", choices=ENTERED),
    ),
)
"""`courtyards_due_n` is the N of "n of N" as the form gives it (empty: nobody knows); n is `courtyards_n`."""
