"""Photos: one row per picture and what it is of; the file itself is kept under the hash of its content."""

from geo.schema import Column, Kind, Schema

EXIF, WATERMARK, NOTHING = "EXIF", "抄录自水印", "无"
PLACED_BY = (EXIF, WATERMARK, NOTHING)
SHOWS = ("现场", "铲除前", "铲除后", "签字表", "其他")

SCHEMA = Schema(
    "photos",
    "photo_id",
    (
        Column("photo_id"),
        Column("sha256"),
        Column("file"),
        Column("bytes_n", Kind.INTEGER, low=0),
        Column("likeness", required=False),
        Column("shows", choices=SHOWS),
        Column("parcel_id", required=False),
        Column("visit_id", required=False),
        Column("find_id", required=False),
        Column("village_id", required=False),
        Column("team_id", required=False),
        Column("taken_at", Kind.TIME, required=False),
        Column("time_by", choices=PLACED_BY),
        Column("placed_by", choices=PLACED_BY),
        Column("datum", required=False),
        Column("added_at", Kind.TIME),
    ),
    geometry=("Point",),
    geometry_required=False,
)
"""
`likeness` is a 64-bit difference hash in hex (None: a picture this program cannot look at); `time_by` and `placed_by`
say whether `taken_at` and the place come from the file, were typed from the printed watermark, or are not known.
"""
