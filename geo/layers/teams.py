"""Who walks: special teams, village groups, rangers, police."""

from geo.schema import Column, Schema

KINDS = ("专班", "村组", "网格员", "护林员", "民警", "部门", "无人机")

SCHEMA = Schema(
    "teams",
    "team_id",
    (Column("team_id"), Column("township_id", required=False), Column("name"), Column("kind", choices=KINDS)),
)
