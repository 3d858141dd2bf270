"""`new`, `import …`: files in."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date as date_of
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geo.cli.speaking import Session, now, progress, session
from geo.errors import DatumError

if TYPE_CHECKING:
    from geo.workspace.importing import ImportReport

LAYERS = {
    "townships": "乡镇界 township boundaries (areas, or lines with --names)",
    "neighbours": "邻县界 neighbouring counties",
    "grounds": "部门用地：林场、保护区、库区、矿区 department ground",
    "villages": "村 villages; places are not needed",
    "duties": "责任岗位 who answers for what, from when to when",
    "teams": "队伍 teams",
    "tracks": "轨迹 recorded tracks",
    "flights": "无人机航拍日志 drone flight log, one row per image",
    "passes": "已判读的卫星过境：无云范围 satellite passes somebody has read: ground free of cloud",
    "lookouts": "定点望远观察 lookouts: where, from when to when, which sector",
    "parcels": "疑似地块、靶标 suspected parcels and target lists",
    "visits": "踏查记录 visits",
    "finds": "发现与铲除 finds and eradications",
    "leads": "线索与历史点位 leads and historic spots",
    "alerts": "预警 alerts",
    "roads": "道路 roads",
    "offices": "驻地 offices teams start from",
}
Bring = Callable[[list[Path], str | None], "ImportReport"]
MODES = "foot | vehicle | drone"
DATUMS = "wgs84 | cgcs2000 | gcj02 | bd09 | epsg:NNNN"

Files = Annotated[list[Path], typer.Argument(help="文件或文件夹 files or folders", show_default=False)]
Datum = Annotated[str | None, typer.Option(help=f"坐标系 {DATUMS}")]
importing = typer.Typer(no_args_is_help=True, help="导入 import files")


def register(app: typer.Typer) -> None:
    app.command()(new)
    app.add_typer(importing, name="import")
    for layer, what in LAYERS.items():
        importing.command(layer, help=what)(_importer(layer))
    importing.command("terrain")(terrain)
    importing.command("clear")(clear)


def new(
    context: typer.Context,
    files: Files,
    name: Annotated[str, typer.Option(help="县名 county name")] = "",
    datum: Datum = None,
    names: Annotated[Path | None, typer.Option(help="名称表 name table for boundary lines")] = None,
) -> None:
    """新建县：tacha --county DIR new 乡镇界.geojson (or tacha new DIR FILE)."""
    from geo.formats import Hints, Reading
    from geo.workspace import county as counties
    from geo.workspace.importing import ImportReport, file_report, listed

    talk = session(context)
    folder, given = (talk.county, files) if talk.county != Path() else (files[0], files[1:])
    if not given:
        raise typer.BadParameter("tacha new DIR FILE…")
    boundaries = listed(given)
    hints = Hints(datum=datum, name_table=names)

    def create(hints: Hints) -> tuple[counties.County, list[Reading]]:
        return counties.create(folder, boundaries, hints, name=name or folder.name, now=now())

    try:
        county, readings = create(hints)
    except DatumError as error:
        if error.code != "datum_needed":
            raise
        county, readings = create(replace(hints, datum=_asked(talk, str(error.fields["file"]))))
    talk.opened.append(county)
    _tell(context, ImportReport([file_report(reading) for reading in readings]), **counties.odd_ground(county))
    townships = county.store.read("townships")
    talk.print(talk.say("county_made", path=folder, epsg=county.settings.epsg, n=len(townships)))
    talk.odd_ground(county)


def terrain(
    context: typer.Context,
    files: Files,
    cover: Annotated[list[Path] | None, typer.Option(help="地表覆盖 ground cover, classes 0-7")] = None,
    datum: Datum = None,
    band: Annotated[int | None, typer.Option(min=1, help="波段 which band, where a file has several")] = None,
) -> None:
    """地形与地表覆盖 elevation models (and --cover ground cover)."""
    from geo.workspace.importing import import_terrain, listed

    county = session(context).open()

    def bring(paths: list[Path], datum: str | None) -> "ImportReport":
        with progress(session(context).language) as report:
            mine, theirs = ([p for p in some if p in paths] for some in (elevation, ground))
            return import_terrain(county, mine, theirs, now=now(), datum=datum, band=band, progress=report)

    elevation, ground = listed(files), listed(cover or [])
    _bring(context, bring, [*elevation, *ground], datum)


def clear(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="无云掩膜 raster of the ground free of cloud (GeoTIFF)", show_default=False)
    ],
    taken_at: Annotated[str, typer.Option(help="过境时间 when it was taken, with zone")],
    pixel: Annotated[float, typer.Option(min=0.01, help="像元（米） ground pixel of the image that was read, metres")],
    name: Annotated[str | None, typer.Option(help="过境编号 id; default: the file's name")] = None,
    classes: Annotated[str, typer.Option(help="无云的类别 classes that are clear, e.g. 4,5,6")] = "1",
    datum: Datum = None,
) -> None:
    """已判读的卫星过境：无云掩膜 a satellite pass somebody has read, from its cloud mask."""
    from geo.workspace.importing import import_mask

    talk = session(context)
    county, kinds = talk.open(), _classes(classes)
    moment = _moment(taken_at)

    def bring(paths: list[Path], datum: str | None) -> "ImportReport":
        return import_mask(
            county, paths[0], pass_id=name or file.stem, taken_at=moment, pixel_m=pixel, clear=kinds, now=now(),
            datum=datum,
        )  # fmt: skip

    _bring(context, bring, [file], datum)


def _classes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"{text}: 1,2,…", param_hint="--classes") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: 2026-04-02T11:30+08:00", param_hint="--taken-at") from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text}: +08:00?", param_hint="--taken-at")
    return moment


def _importer(layer: str) -> Callable[..., None]:
    def command(
        context: typer.Context,
        files: Files,
        datum: Datum = None,
        timezone: Annotated[str | None, typer.Option(help="时区 zone of naive times, e.g. Asia/Shanghai")] = None,
        encoding: Annotated[str | None, typer.Option(help="文字编码 text encoding")] = None,
        township: Annotated[str | None, typer.Option(help="乡镇代码 township id")] = None,
        team: Annotated[str | None, typer.Option(help="队伍代码 team id")] = None,
        names: Annotated[Path | None, typer.Option(help="名称表 name table for boundary lines")] = None,
        mode: Annotated[str, typer.Option(callback=_moving, help=MODES)] = "foot",
        date: Annotated[str | None, typer.Option(help="无日期记录的日期 day of undated records, YYYY-MM-DD")] = None,
    ) -> None:
        from geo.formats import Hints
        from geo.workspace.importing import import_files, listed

        county = session(context).open()
        hints = Hints(
            timezone=timezone,
            encoding=encoding,
            township_id=township,
            team_id=team,
            name_table=names,
            mode=mode,
            date=_day(date),
        )

        def bring(paths: list[Path], datum: str | None) -> "ImportReport":
            with progress(session(context).language) as report:
                return import_files(county, layer, paths, replace(hints, datum=datum), now=now(), progress=report)

        _bring(context, bring, listed(files, beside=county.path), datum)

    return command


def _bring(
    context: typer.Context,
    bring: "Callable[[list[Path], str | None], ImportReport]",
    paths: list[Path],
    datum: str | None,
) -> None:
    """Import; files that do not say their datum are asked about on a terminal, and end with exit 2 elsewhere."""
    report = bring(paths, datum)
    unclear = [path for path, file in zip(paths, report.files, strict=True) if file.needs_datum]
    if unclear and _may_ask(session(context)):
        told = _asked(session(context), "、".join(path.name for path in unclear))
        report = report.with_second(bring(unclear, told))
    _tell(context, report)


def _may_ask(talk: Session) -> bool:
    return sys.stdin.isatty() and not talk.json


def _asked(talk: Session, what: str) -> str:
    """The datum of files as the user on the terminal gives it; exit 2 where nobody can be asked."""
    if not _may_ask(talk):
        sys.stderr.write(talk.say("datum_needed", file=what) + "\n")
        raise typer.Exit(2)
    return str(typer.prompt(f"{talk.say('datum_needed', file=what)}\n{DATUMS}", err=True)).strip()


def _moving(text: str) -> str:
    """How the recorder moved, as the schema of tracks knows it."""
    if text not in MODES.split(" | "):
        raise typer.BadParameter(f"{text}: {MODES}", param_hint="--mode")
    return text


def _day(text: str | None) -> date_of | None:
    try:
        return date_of.fromisoformat(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(f"{text}: YYYY-MM-DD", param_hint="--date") from error


def _tell(context: typer.Context, report: "ImportReport", **more: object) -> None:
    """Counts and reasons; exit 1 when nothing at all was accepted."""
    talk = session(context)
    talk.print(*report.sentences(talk.language))
    talk.answer(report.json(talk.language) | more)
    if not report.accepted:
        raise typer.Exit(2 if any(file.needs_datum for file in report.files) else 1)
