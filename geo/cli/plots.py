"""`plot show|step|due|count|hours|self-check`: a plot's life, a step of it, looks that are due, hours, matching."""

from pathlib import Path
from typing import Annotated, Any

import typer

from geo.cli.speaking import now, session

plot = typer.Typer(no_args_is_help=True, help="地块 the life of a plot")
SHOWN = 25
STEPS = ("assign", "guard", "hand_over", "dismiss", "recheck", "close")
Text = Annotated[str | None, typer.Option()]


def register(app: typer.Typer) -> None:
    app.add_typer(plot, name="plot")


@plot.command()
def show(context: typer.Context, parcel: str) -> None:
    """地块全过程 what happened on a plot, what is due, and why it cannot be closed yet."""
    from geo.workspace.life import in_china, plot_life_of

    talk = session(context)
    county = talk.open()
    moment = talk.as_of or now()
    life = plot_life_of(county, parcel, as_of=moment)
    dues = [{"day": due.day, "why": due.why, "met_at": due.met_at} for due in life.dues]
    plain = {
        "as_of": moment.isoformat(),
        "parcel_id": parcel,
        "status": life.status,
        "clearance": life.clearance,
        "history": life.history,
        "due": dues,
        "cannot_close": life.faults,
        "hours": life.hours,
        "undecided_counts": life.undecided_counts,
        "assumptions": {"recheck_days": county.settings.plots.recheck_days},
    }
    talk.answer(plain)
    code, at = ("recorded_parcel", {}) if talk.as_of is None else ("plot_then", {"at": in_china(talk.as_of)})
    talk.print(talk.say(code, parcel=parcel, status=talk.say(f"ui_status_{life.status}"), **at))
    for row in life.history:
        talk.print(f"  {in_china(row['at'])} {talk.say('what_' + row['what'])} {row['who'] or ''} {row['id']}")
    for due in life.dues:
        told = {"day": due.day, "why": talk.say(due.why)}
        met = due.met_at and in_china(due.met_at)
        talk.print("  " + (talk.say("plot_met", met=met, **told) if met else talk.say("plot_due", **told)))
    for fault in life.faults:
        talk.print("  " + talk.say("plot_fault", why=talk.say(fault)))
    for open_count in life.undecided_counts:
        talk.print("  " + talk.say("count_straddles", **open_count))


@plot.command()
def step(
    context: typer.Context,
    parcel: str,
    act: Annotated[str, typer.Argument(help=" | ".join(STEPS))],
    at: Annotated[str | None, typer.Option(help="时间 YYYY-MM-DDTHH:MM 北京时间, default: now")] = None,
    team: Text = None,
    post: Annotated[str | None, typer.Option(help="责任岗位 post, no personal name")] = None,
    station: Annotated[str | None, typer.Option(help="派出所 police station")] = None,
    receipt: Annotated[str | None, typer.Option(help="回执编号 receipt number")] = None,
    reason: Annotated[
        str | None, typer.Option(help="草坪/滑坡/采伐迹地/其他作物/药材种植/蔬菜大棚/裸地/影像误差/其他")
    ] = None,
    left: Annotated[int | None, typer.Option(help="回头看时剩余株数 plants left at a re-check")] = None,
    track: Text = None,
    photo_sha256: Text = None,
    case_number: Text = None,
    note: Text = None,
    role: Annotated[str, typer.Option(help="登记人身份 role of who records")] = "planner",
    device: Text = None,
    device_at: Annotated[str | None, typer.Option(help="设备时间 the device's clock")] = None,
    gps_at: Annotated[str | None, typer.Option(help="卫星时间 the satellites' time")] = None,
) -> None:
    """登记一步：派单、守护、移送、排除、回头看、销号 record one step of a plot's life."""
    from geo.cli.recording import moment, photo_told
    from geo.layers.steps import Act
    from geo.ledger import Source
    from geo.workspace.life import record_step

    if act not in STEPS:
        raise typer.BadParameter(" | ".join(STEPS))
    talk = session(context)
    values: dict[str, Any] = {"at": moment(at) if at else None, "team_id": team, "post": post, "station": station}
    values |= {"receipt": receipt, "reason": reason, "plants_left_n": left, "track_id": track}
    values |= {"photo_sha256": photo_sha256, "case_number": case_number, "note": note}
    given = {name: value for name, value in values.items() if value is not None}
    clocks = {"device_at": moment(device_at) if device_at else None, "gps_at": moment(gps_at) if gps_at else None}
    store = talk.open().store
    done = record_step(store, parcel, Act(act), given, now=now(), role=role, source=Source(device, **clocks))
    last = done.entry or store.head()
    head = last.hash if last else None
    photo = photo_told(store, photo_sha256)
    plain = {"id": done.id, "new": done.is_new, "parcel_status": done.parcel_status, "ledger_head": head}
    talk.answer(plain | photo)
    talk.print(talk.say("step_recorded", act=talk.say(f"act_{act}"), id=done.id, head=(head or "")[:12]))
    talk.print("  " + talk.say("recorded_parcel", parcel=parcel, status=talk.say(f"ui_status_{done.parcel_status}")))
    if photo.get("photo_kept") is False:
        talk.print("  " + talk.say("photo_unkept", digest=photo_sha256))


@plot.command()
def due(context: typer.Context) -> None:
    """回头看日历 every look that is still due, the nearest first."""
    from geo.workspace.life import recheck_calendar

    talk = session(context)
    county, moment = talk.open(), talk.as_of or now()
    table = recheck_calendar(county, as_of=moment)
    settings = county.settings.plots
    plain = {"as_of": moment.isoformat(), "assumptions": {"recheck_days": settings.recheck_days}}
    talk.answer(plain | {"due": table.to_dict("records")})
    for row in table.to_dict("records"):
        talk.print(f"{row['day']} ({row['days_left']:+d}) {row['parcel_id']} {talk.say(row['why'])}")
    if table.empty:
        talk.print(talk.say("due_none"))


@plot.command()
def count(
    context: typer.Context,
    squares: Annotated[str, typer.Option(help="各样方株数 plants per square, 3,5,4")],
    square_m2: Annotated[float, typer.Option(help="一个样方的面积 m² of one square")],
    area_m2: Annotated[float, typer.Option(help="地块面积 m² of the plot")],
) -> None:
    """抽样计数 plants from sample squares: number, interval, and whether it straddles a legal threshold."""
    from geo.season import CHINA
    from geo.workspace.life import sampled

    talk = session(context)
    settings = talk.open().settings.plots
    try:
        counts = [int(text) for text in squares.replace("，", ",").split(",") if text.strip()]
    except ValueError as wrong:
        raise typer.BadParameter(squares) from wrong
    found = sampled(counts, square_m2, area_m2, settings, (talk.as_of or now()).astimezone(CHINA).date())
    talk.answer(found | {"assumptions": {"confidence": settings.confidence, "plants_law": settings.plants_law}})
    shown = {"n": found["plants_n"], "low": found["plants_low_n"], "high": found["plants_high_n"]}
    talk.print(talk.say("count_sampled", **shown, confidence=settings.confidence))
    if found["straddles"]:
        talk.print(talk.say("count_straddles", low=shown["low"], high=shown["high"], limits=found["straddles"]))


@plot.command("hours")
def hours(context: typer.Context) -> None:
    """处置时效：发现→移送→铲除各用了多少小时 hours from found to police to destroyed, per plot and in all."""
    from geo.workspace.life import handling_hours

    talk = session(context)
    found = handling_hours(talk.open(), as_of=talk.as_of or now())
    rows = found.plots.astype(object).where(found.plots.notna(), None).to_dict("records")
    talk.answer({"as_of": found.as_of.isoformat(), "legs": found.legs, "plots": rows})
    for name, leg in found.legs.items():
        told = {key: "–" if value is None else f"{value:.1f}" for key, value in leg.items() if key.endswith("_h")}
        talk.print(
            talk.say("plot_hours", leg=talk.say(f"leg_{name}"), **told, known=leg["known_n"], unknown=leg["unknown_n"])
        )
    names = list(found.legs)
    for row in rows[:SHOWN]:
        legs = " · ".join("–" if row[name] is None else f"{row[name]:.1f}" for name in names)
        talk.print(f"  {row['parcel_id']} {talk.say('ui_status_' + row['status'])} {legs}")


@plot.command("self-check")
def self_check(
    context: typer.Context,
    filed: Annotated[Path | None, typer.Option(help="已上报的核查名单 as filed; default: on record")] = None,
    datum: Annotated[str | None, typer.Option(help="名单的坐标系 wgs84 | gcj02 | bd09 | epsg:NNNN")] = None,
    source: Annotated[list[str] | None, typer.Option(help="靶标来源，可重复 satellite | drone | tip | history")] = None,
    list_: Annotated[list[str] | None, typer.Option("--list", help="靶标名单，可重复 name of a list")] = None,
    out: Annotated[Path | None, typer.Option(help="自查表（XLSX） the self-check as a workbook")] = None,
) -> None:
    """靶标吻合率自查 targets against filed visits: matched, late, double, wrong datum, unvisited with days left."""
    from geo.formats import Hints
    from geo.store.durable import write_file
    from geo.workspace.self_checking import SOURCES, self_check, self_check_facts, self_check_paper

    talk = session(context)
    county = talk.open()
    found = self_check(
        county, as_of=talk.as_of, filed=filed, hints=Hints(datum=datum), sources=source or SOURCES, lists=list_ or ()
    )
    if out:
        write_file(out, self_check_paper(county, found, language=talk.language))
    talk.answer(found.json() | {"file": str(out) if out else None})
    for item, value in self_check_facts(found, talk.language):
        talk.print(f"{item}: {value}")
    for row in found.unmatched.to_dict("records")[:SHOWN]:
        days = "–" if row["days_left"] != row["days_left"] else f"{row['days_left']:.0f}"
        stand = talk.say(f"stand_{row['stand']}")
        talk.print("  " + talk.say("self_check_left", parcel=row["parcel_id"], stand=stand, days=days))
    if len(found.unmatched) > SHOWN:
        talk.print("  " + talk.say("rows_left_out", n=len(found.unmatched) - SHOWN))
    if out:
        talk.print(talk.say("file_written", file=out))
