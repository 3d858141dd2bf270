"""`record visit|find|destruction|verification`: what was seen and what was done."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geo.cli.speaking import now, session

if TYPE_CHECKING:
    from geo.store import Store
    from geo.workspace.recording import Recorded

record = typer.Typer(no_args_is_help=True, help="登记 record a visit or a find")

Text = Annotated[str | None, typer.Option()]


def register(app: typer.Typer) -> None:
    app.add_typer(record, name="record")


@record.command()
def visit(
    context: typer.Context,
    team: Annotated[str, typer.Option(help="队伍代码 team id")],
    at: Annotated[str, typer.Option(help="时间 YYYY-MM-DDTHH:MM, 北京时间 China time")],
    outcome: Annotated[str, typer.Option(help="未发现/发现/核查排除/无法到达")] = "未发现",
    evidence: Annotated[str, typer.Option(help="A 轨迹 track | B 签字表+照片 form | C 口头 claimed")] = "C",
    parcel: Text = None,
    village: Text = None,
    track: Text = None,
    reason: Text = None,
    ground: Annotated[str | None, typer.Option(help="庭院/田间/荒山野岭")] = None,
    round_: Annotated[int | None, typer.Option("--round")] = None,
    lon: Annotated[float | None, typer.Option(help="WGS 84")] = None,
    lat: Annotated[float | None, typer.Option(help="WGS 84")] = None,
    persons: Annotated[int | None, typer.Option()] = None,
    hours: Annotated[float | None, typer.Option()] = None,
    courtyards: Annotated[int | None, typer.Option(help="已查庭院数 courtyards looked at")] = None,
) -> None:
    """登记一次踏查（没有发现也要登记） a visit, also with nothing found, with or without GPS."""
    values = {
        "team_id": team,
        "visited_at": moment(at),
        "outcome": outcome,
        "evidence": evidence,
        "parcel_id": parcel,
        "village_id": village,
        "track_id": track,
        "reason": reason,
        "ground": ground,
        "round": round_,
        "longitude": lon,
        "latitude": lat,
        "persons_n": persons,
        "hours": hours,
        "courtyards_n": courtyards,
    }
    from geo.workspace import recording

    store = session(context).open().store
    _tell(context, recording.record_visit(store, _given(values), now=now()), "visit_recorded", parcel)


@record.command()
def find(
    context: typer.Context,
    team: Annotated[str, typer.Option(help="队伍代码 team id")],
    at: Annotated[str, typer.Option(help="发现时间 found at, YYYY-MM-DDTHH:MM 北京时间")],
    plants: Annotated[int, typer.Option(help="铲除前清点株数 plants counted before destruction")],
    stage: Annotated[str, typer.Option(help="播种出苗期/开花期/结果割浆期")],
    found_by: Annotated[str, typer.Option(help="自查/上级核查/卫星/无人机/举报/其他")] = "自查",
    species: Annotated[str, typer.Option(help="罂粟/大麻/其他")] = "罂粟",
    fraction: Annotated[float, typer.Option(help="铲除率 share destroyed 0-1")] = 0.0,
    method: Annotated[str, typer.Option(help="未铲除/强制铲除/成熟前自行铲除")] = "未铲除",
    destroyed_at: Text = None,
    parcel: Text = None,
    lon: Annotated[
        float | None, typer.Option(help="WGS 84；没有坐标时按 --parcel 的位置 without: the parcel's")
    ] = None,
    lat: Annotated[float | None, typer.Option(help="WGS 84")] = None,
    area_m2: Annotated[float | None, typer.Option()] = None,
    photo_sha256: Text = None,
) -> None:
    """登记发现与铲除 a find and its eradication; plants are counted before they are pulled."""
    values = {
        "team_id": team,
        "found_at": moment(at),
        "longitude": lon,
        "latitude": lat,
        "plants_n": plants,
        "stage": stage,
        "found_by": found_by,
        "species": species,
        "fraction": fraction,
        "method": method,
        "destroyed_at": moment(destroyed_at) if destroyed_at else None,
        "parcel_id": parcel,
        "area_m2": area_m2,
        "photo_sha256": photo_sha256,
    }
    from geo.workspace import recording

    store = session(context).open().store
    _tell(context, recording.record_find(store, _given(values), now=now()), "find_recorded", parcel, photo_sha256)


@record.command()
def destruction(
    context: typer.Context,
    find_id: str,
    at: Annotated[str, typer.Option(help="铲除时间 destroyed at, YYYY-MM-DDTHH:MM 北京时间")],
    fraction: Annotated[float, typer.Option(help="铲除率 share destroyed 0-1")] = 1.0,
    method: Annotated[str, typer.Option(help="未铲除/强制铲除/成熟前自行铲除")] = "强制铲除",
) -> None:
    """登记铲除：先前登记的发现已铲除 a find recorded before was destroyed, wholly or in part."""
    values = {"destroyed_at": moment(at), "fraction": fraction, "method": method}
    from geo.workspace import recording

    store = session(context).open().store
    done = recording.record_destruction(store, find_id, values, now=now())
    _tell(context, done, "destruction_recorded", store.read("finds", [find_id])["parcel_id"].iloc[0])


@record.command()
def verification(
    context: typer.Context,
    find_id: str,
    at: Annotated[str | None, typer.Option(help="复核时间 YYYY-MM-DDTHH:MM 北京时间, default: now")] = None,
) -> None:
    """登记复核：铲除已核实 somebody checked that a find is destroyed."""
    from geo.workspace import recording

    store, when = session(context).open().store, moment(at) if at else None
    _tell(context, recording.record_verification(store, find_id, now=now(), at=when), "verification_recorded", None)


def moment(text: str) -> datetime:
    """A time typed by hand: China time unless it says otherwise."""
    from geo.season import CHINA

    try:
        given = datetime.fromisoformat(text)
        placed = given if given.tzinfo else given.replace(tzinfo=CHINA)
        placed.astimezone(UTC)  # the first and the last day of the calendar are not everywhere
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text}: YYYY-MM-DDTHH:MM") from error
    return placed


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def photo_told(store: "Store", digest: str | None) -> dict[str, bool]:
    """Whether the photo that a record names was taken in; nothing where it names none."""
    from geo.workspace.life import is_kept

    return {"photo_kept": is_kept(store, digest.strip().lower())} if digest else {}


def _tell(
    context: typer.Context, recorded: "Recorded", code: str, parcel: str | None, digest: str | None = None
) -> None:
    """What was recorded, where its parcel stands now, how far the plants are gone, and whether its photo is there."""
    talk = session(context)
    photo = photo_told(talk.open().store, digest)
    linked = recorded.entry or talk.open().store.head()
    talk.answer(
        {
            "id": recorded.id,
            "new": recorded.is_new,
            "parcel_id": parcel,
            "parcel_status": recorded.parcel_status,
            "clearance": recorded.clearance,
            "ledger_seq": linked.seq if linked else 0,
            "ledger_head": linked.hash if linked else None,
            **photo,
        }
    )
    said = code if recorded.is_new else "recorded_already"
    talk.print(talk.say(said, id=recorded.id, head=linked.hash[:12] if linked else ""))
    if recorded.parcel_status:
        status = talk.say(f"ui_status_{recorded.parcel_status}")
        talk.print("  " + talk.say("recorded_parcel", parcel=parcel, status=status))
    if photo.get("photo_kept") is False:
        talk.print("  " + talk.say("photo_unkept", digest=digest))
    if recorded.clearance:
        talk.print("  " + talk.say("recorded_clearance", clearance=talk.say(f"clearance_{recorded.clearance}")))
