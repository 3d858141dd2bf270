"""`plan`, `export routes|day|records|photos`: where to go next, files a phone can follow, and records for others."""

import subprocess
import sys
from datetime import date as date_of
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geo.cli.speaking import Session, now, progress, session
from geo.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

    from geo.patrol import Plan

SHOWN = 10

exporting = typer.Typer(no_args_is_help=True, help="导出 export")


def register(app: typer.Typer) -> None:
    app.command()(plan)
    app.command()(arrange)
    app.add_typer(exporting, name="export")


def plan(
    context: typer.Context,
    day: Annotated[str | None, typer.Option(help="日期 YYYY-MM-DD, default: day after the last record")] = None,
    days: Annotated[int, typer.Option(min=1, max=14, help="连排几天 days in a row, planned together")] = 1,
    hours: Annotated[float | None, typer.Option(min=0.0, max=24.0, help="每队工时 hours per team")] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, help="换一个种子，次序、时段、选点都换，必到不少 another seed, another plan of like worth"),
    ] = 7,
    township: Annotated[list[str] | None, typer.Option(help="乡镇代码 only these townships")] = None,
    teams: Annotated[
        int | None, typer.Option(min=1, help="最多几队出动，先每乡镇一队，离范围近的先去 no more teams than so many")
    ] = None,
    pin: Annotated[
        list[str] | None, typer.Option(help="必到：地块或踏查单元编号，可写时段 must be visited: ID or ID@09:00-10:30")
    ] = None,
    forbid: Annotated[list[str] | None, typer.Option(help="不去：地块或踏查单元编号 left out")] = None,
    assigned: Annotated[
        bool,
        typer.Option("--assigned", help="只在当日编号任务的单元内踏查 sweep only the segments assigned on the day"),
    ] = False,
    area: Annotated[
        str | None,
        typer.Option(help="只在此范围内踏查：面文件或 WKT（经纬度）sweep only in this area: a file or WKT in degrees"),
    ] = None,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="当日已有路线则保留 keep the routes those days have")
    ] = False,
) -> None:
    """一天或连续几天的踏查路线 routes per team, within its hours, for one day or several, and keep them."""
    from geo.workspace import planning
    from geo.workspace.areas import outline_of

    talk = session(context)
    county = talk.open()
    wanted = planning.following(checked_day(day) if day else planning.next_day(county), days)
    if if_missing:
        standing, _ = planning.kept_routes(county)
        held = standing[standing["day"].isin(wanted)]
        if set(held["day"]) == set(wanted):
            talk.answer({"kept": sorted(held["route_id"])})
            talk.print(talk.say("plan_stands", n=len(held)))
            return
    seen = planning.seen_until(county)
    with progress(talk.language) as tell:
        plans = planning.plan_days(
            county,
            days=wanted,
            hours=hours,
            seed=seed,
            township_ids=township,
            teams_most=teams,
            pinned=pin or (),
            forbidden=forbid or (),
            assigned=assigned,
            area=None if area is None else outline_of(area),
            progress=tell,
        )
    told = []
    for made in plans:
        clash = planning.accept_plan(county, made, now=now(), based_on=seen)
        told.append(planning.plan_json(made) | {"clash": clash})
        if clash:
            talk.print(talk.say("plan_clash", **planning.clash_shown(clash)))
        else:
            _tell_plan(talk, made)
    talk.answer(told[0] if days == 1 else {"days": told, "expected": sum(made.expected for made in plans)})
    _tell_unmet(talk, plans[-1].unmet)


def arrange(
    context: typer.Context,
    order: Annotated[list[str], typer.Option(help="队伍=目标,目标,… TEAM=ID,ID,… in walking order; once per team")],
    day: Annotated[str | None, typer.Option(help="日期 YYYY-MM-DD, default: day after the last record")] = None,
    hours: Annotated[float | None, typer.Option(min=0.0, max=24.0, help="每队工时 hours per team")] = None,
) -> None:
    """按负责人的顺序走并重新计时，超时不采纳 stops in a leader's order, timed again; too long is not kept."""
    from geo.workspace import planning
    from geo.workspace.arranging import arrange_day, too_long

    talk = session(context)
    pairs = [one.partition("=") for one in order]
    if not all(mark and stops for _, mark, stops in pairs):
        raise typer.BadParameter("TEAM=ID,ID", param_hint="--order")
    county = talk.open()
    date = checked_day(day) if day else planning.next_day(county)
    named = [team.strip() for team, _, _ in pairs]
    if len(set(named)) < len(named):
        raise typer.BadParameter("once per team", param_hint="--order")
    asked = {team.strip(): [one.strip() for one in stops.split(",") if one.strip()] for team, _, stops in pairs}
    seen = planning.seen_until(county)
    with progress(talk.language) as tell:
        made = arrange_day(county, asked, day=date, hours=hours, progress=tell)
    over = too_long(made)
    clash = None if over else planning.accept_plan(county, made, now=now(), based_on=seen)
    talk.answer(planning.plan_json(made) | {"too_long": over, "kept": not over and not clash, "clash": clash})
    if clash:
        talk.print(talk.say("plan_clash", **planning.clash_shown(clash)))
    for team, used in over.items():
        talk.print(talk.say("arrange_long", team=team, hours=f"{used:.2f}", budget=f"{made.budget_h:.2f}"))
    fields = {"routes": len(made.routes), "stops": int(made.stops["target_id"].notna().sum()), "unmet": len(made.unmet)}
    if not over:
        talk.print(
            talk.say("plan_made", day=date, expected=f"{made.expected:.3f}", bound=f"{made.bound:.3f}", **fields)
        )
        _tell_unmet(talk, made.unmet)
    if over:
        raise typer.Exit(1)


def _tell_plan(talk: Session, made: "Plan") -> None:
    """A day in a line, and what it expects by kind of stop."""
    from geo.workspace.planning import expected_by_kind

    fields = {"routes": len(made.routes), "stops": int(made.stops["target_id"].notna().sum()), "unmet": len(made.unmet)}
    found = {"expected": f"{made.expected:.3f}", "bound": f"{made.bound:.3f}"}
    talk.print(talk.say("plan_made", day=made.day, **found, **fields))
    if made.routes.empty:
        talk.print(talk.say("plan_empty", day=made.day))
    for kind, gain in expected_by_kind(made).items():
        talk.print("  " + talk.say(f"plan_by_{kind}", gain=f"{gain:.3f}"))


def _tell_unmet(talk: Session, unmet: "pd.DataFrame") -> None:
    """Must-visits one by one, the rest counted by reason."""
    musts = unmet[unmet["must"].astype(bool)]
    for row in musts.head(SHOWN).itertuples():
        talk.print("  " + talk.say("plan_unmet", name=row.target_id, why=talk.say(f"unmet_{row.reason}")))
    rest = (("plan_kind_must", musts.iloc[SHOWN:]), ("plan_kind_other", unmet[~unmet["must"].astype(bool)]))
    for what, rows in rest:
        for reason, n in rows["reason"].value_counts().items():
            why = talk.say(f"unmet_{reason}")
            talk.print("  " + talk.say("plan_unmet_more", n=n, what=talk.say(what), why=why))


def checked_day(text: str, option: str = "--day") -> str:
    """The date as it is kept; a usage error for anything else."""
    try:
        return date_of.fromisoformat(text).isoformat()
    except ValueError as error:
        raise typer.BadParameter(f"{text}: YYYY-MM-DD", param_hint=option) from error


@exporting.command()
def routes(
    context: typer.Context,
    form: Annotated[str, typer.Option("--format", help="gpx | kml | kmz | kml-gcj02")] = "gpx",
    out: Annotated[Path, typer.Option(help="文件夹 folder")] = Path("exports"),
    day: Annotated[str | None, typer.Option(help="只导出这一天 only this day")] = None,
) -> None:
    """路线导出为 GPX、KML、KMZ（kml-gcj02 为加偏版本） the kept routes as files."""
    from geo.formats import ROUTE_FORMS
    from geo.workspace import planning

    talk = session(context)
    if form not in ROUTE_FORMS:
        raise typer.BadParameter(" | ".join(ROUTE_FORMS), param_hint="--format")
    files = planning.export_routes(talk.open(), form, day=checked_day(day) if day else None)
    _write(talk, files, out)


@exporting.command("map")
def map_file(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="文件 file")] = Path("tacha-map.html"),
) -> None:
    """单文件地图：不用网络和本程序也能看 the map as one HTML file, for a stick."""
    talk = session(context)
    county = talk.open()
    made = subprocess.run(
        [sys.executable, "-m", "geo.ui.sheet", str(county.path), str(out), talk.language],
        stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    if made.returncode:
        raise StoreError("sheet_failed", why=made.stderr.decode("utf-8", "replace").strip()[-300:])
    talk.answer({"file": str(out), "bytes": out.stat().st_size})
    talk.print(talk.say("file_written", file=out))


@exporting.command("day")
def day_folders(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="文件夹 folder")] = Path("exports"),
    day: Annotated[str | None, typer.Option(help="只导出这一天 only this day")] = None,
    sheets: Annotated[bool, typer.Option(help="路线单 PDF route sheets")] = True,
) -> None:
    """每队每天一个文件夹和一个压缩包 a folder per team and day, and one zip: GPX, KML, GeoJSON, route sheet."""
    from geo.workspace import handing

    talk = session(context)
    with progress() as tell:
        files = handing.hand_out(talk.open(), day=checked_day(day) if day else None, sheets=sheets, progress=tell)
    _write(talk, files, out)


def _write(talk: Session, files: dict[str, bytes], out: Path) -> None:
    for name, content in files.items():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    talk.answer({"folder": str(out), "files": sorted(files)})
    talk.print(talk.say("files_written", n=len(files), folder=out))


@exporting.command("records")
def records(
    context: typer.Context,
    layers: Annotated[list[str], typer.Argument(help="图层，可多个 parcels visits finds steps tracks villages …")],
    format_: Annotated[str, typer.Option("--format", help="gpkg | geojson | xlsx | csv")] = "gpkg",
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="上级平台的列，可重复：表头=字段，只写表头为空列 head=field"),
    ] = None,
    datum: Annotated[str, typer.Option(help="表中经纬度 cgcs2000 | gcj02 | bd09")] = "cgcs2000",
    out: Annotated[Path, typer.Option(help="文件夹 folder")] = Path("exports"),
) -> None:
    """导出记录：GeoPackage、GeoJSON、XLSX、CSV，列可对应上级平台 records as files, in an upstream form's columns."""
    from geo.workspace.exporting import export_layers

    talk = session(context)
    made = export_layers(
        talk.open(), layers, format_, now=now(), columns=column or (), datum=datum, language=talk.language
    )
    _keep(talk, out, made.files, made.rows_n)


@exporting.command("photos")
def photo_folder(
    context: typer.Context, out: Annotated[Path, typer.Option(help="文件夹 folder")] = Path("照片")
) -> None:
    """导出照片原件和清单 the originals of all photos, by plot, with a list."""
    from geo.workspace.exporting import export_photos

    talk = session(context)
    made = export_photos(talk.open(), now=now(), language=talk.language)
    _keep(talk, out, made.files, made.rows_n)


def _keep(talk: Session, out: Path, files: dict[str, bytes], rows_n: dict[str, int]) -> None:
    from geo.store.durable import make_folder, write_file

    for name, content in files.items():
        make_folder((out / name).parent)
        write_file(out / name, content)
    talk.answer({"files": [str(out / name) for name in files], "rows_n": rows_n})
    for layer, n in rows_n.items():
        talk.print(talk.say("export_made", layer=layer, n=n))
    for name in list(files)[:SHOWN]:
        talk.print(talk.say("file_written", file=out / name))
