"""`photo add|check`: pictures kept by their content, and what they agree with."""

from pathlib import Path
from typing import Annotated, Any

import typer

from geo.cli.speaking import now, session

photo = typer.Typer(no_args_is_help=True, help="照片 photos")
Text = Annotated[str | None, typer.Option()]


def register(app: typer.Typer) -> None:
    app.add_typer(photo, name="photo")


@photo.command()
def add(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="照片或文件夹，可多个 photos or folders")],
    parcel: Text = None,
    visit: Text = None,
    find: Text = None,
    village: Text = None,
    team: Text = None,
    shows: Annotated[str, typer.Option(help="现场 | 铲除前 | 铲除后 | 签字表 | 其他")] = "现场",
    at: Annotated[str | None, typer.Option(help="水印上的时间 time on the watermark, 北京时间")] = None,
    place: Annotated[str | None, typer.Option(help="水印上的 经度,纬度 LON,LAT on the watermark")] = None,
    datum: Annotated[str | None, typer.Option(help="水印坐标系 wgs84 | cgcs2000 | gcj02 | bd09")] = None,
    listed: Annotated[
        Path | None, typer.Option("--list", help="照片清单 CSV：文件,时间,经度,纬度,坐标系,地块编号,队伍代码")
    ] = None,
    role: Annotated[str, typer.Option(help="登记人身份 role of who records")] = "team",
) -> None:
    """收照片：原件按内容保存；没有 EXIF 的抄录水印（注明坐标系） take photos in; watermarks typed by hand."""
    from geo.cli.explaining import _place as place_in
    from geo.cli.recording import moment
    from geo.workspace.photo_lists import with_list
    from geo.workspace.photographing import add_photos, photos_of

    talk = session(context)
    longitude, latitude = place_in(place) if place else (None, None)
    if place and datum is None:
        raise typer.BadParameter(talk.say("photo_datum_needed"), param_hint="--datum")
    about = {"parcel_id": parcel, "visit_id": visit, "find_id": find, "village_id": village}
    given = photos_of(
        files,
        about={name: key for name, key in about.items() if key},
        team_id=team,
        shows=shows,
        taken_at=moment(at) if at else None,
        longitude=longitude,
        latitude=latitude,
        datum=datum,
    )
    county = talk.open()
    given = with_list(given, listed, timezone=county.settings.timezone) if listed else given
    taken = add_photos(county, given, now=now(), role=role)
    refused = [one for one in taken if one.error]
    counts = {"new_n": sum(one.is_new for one in taken), "refused_n": len(refused)}
    counts["known_n"] = len(taken) - counts["new_n"] - len(refused)
    talk.answer({"photos": [one.json(talk.language) for one in taken], "read": len(taken), **counts})
    talk.print(talk.say("photos_taken", **counts))
    for one in refused:
        talk.print(f"  {one.json(talk.language)['reason']}")
    if taken and len(refused) == len(taken):
        raise typer.Exit(1)


@photo.command()
def check(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="相符的也列出 list those that agree too")] = False,
) -> None:
    """核对照片：轨迹、地块、别处相同的照片、原件 photos against tracks, plots and each other."""
    from geo.workspace.photographing import like_photos, photo_findings

    talk = session(context)
    county = talk.open()
    found, pairs = photo_findings(county), like_photos(county)
    talk.answer({"photos": found, "alike": pairs, "assumptions": _assumed(county.settings.plots)})
    for row in found:
        if every or row["code"] != "photo_on_track" or row["far"] or row["kept"] != "intact":
            metres = "" if row["track_m"] is None else talk.say("photo_metres", n=f"{row['track_m']:.0f}")
            far = talk.say("photo_far", n=f"{row['about_m']:.0f}") if row["far"] else ""
            shown = {"file": row["file"], "id": row["photo_id"], "said": talk.say(row["code"])}
            kept = talk.say(f"photo_kept_{row['kept']}")
            talk.print(talk.say("photo_line", **shown, metres=metres, far=far, kept=kept))
    for pair in pairs:
        one, two = (f"{side['file']} {side['photo_id']}" for side in pair["photos"])
        said = "photos_same" if pair["same_file"] else "photos_alike"
        talk.print(talk.say(said, one=one, two=two, **({} if pair["same_file"] else {"bits": pair["bits"]})))


def _assumed(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in ("photo_gap_s", "photo_off_m", "photo_like_bits")}
