"""`new`, `import …`: files in."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from geo.cli.speaking import now, progress, session
from geo.formats import Hints
from geo.workspace import county as counties
from geo.workspace.importing import FileReport, ImportReport, import_files, import_terrain

LAYERS = ("townships", "neighbours", "grounds", "villages", "duties", "teams", "tracks", "parcels", "visits", "finds")
MORE_LAYERS = ("leads", "alerts", "roads", "offices")

Files = Annotated[list[Path], typer.Argument(help="文件 files", show_default=False)]
importing = typer.Typer(no_args_is_help=True, help="导入 import files")


def register(app: typer.Typer) -> None:
    app.command()(new)
    app.add_typer(importing, name="import")
    for layer in (*LAYERS, *MORE_LAYERS):
        importing.command(layer)(_importer(layer))
    importing.command("terrain")(terrain)


def new(
    context: typer.Context,
    files: Files,
    name: Annotated[str, typer.Option(help="县名 county name")] = "",
    datum: Annotated[str | None, typer.Option(help="wgs84 | cgcs2000 | gcj02 | bd09 | epsg:NNNN")] = None,
    names: Annotated[Path | None, typer.Option(help="名称表 name table for boundary lines")] = None,
) -> None:
    """新建县：tacha --county DIR new 乡镇界.geojson (or tacha new DIR FILE)."""
    talk = session(context)
    folder, boundaries = (talk.county, files) if talk.county != Path() else (files[0], files[1:])
    if not boundaries:
        raise typer.BadParameter("tacha new DIR FILE…")
    hints = Hints(datum=datum, name_table=names)
    county, readings = counties.create(folder, boundaries, hints, name=name or folder.name, now=now())
    reports = [
        FileReport(
            r.file, r.sha256, r.read, list(r.refused), datum=r.datum, encoding=r.encoding, warnings=tuple(r.warnings)
        )
        for r in readings
    ]
    _tell(context, ImportReport(reports))
    townships = county.store.read("townships")
    holes = counties.unassigned(townships, county.store.read("grounds"))
    parts = counties.scattered(townships)
    talk.print(talk.say("county_made", path=folder, epsg=county.settings.epsg, n=len(townships)))
    if len(holes):
        talk.print(talk.say("county_unassigned", n=len(holes), km2=f"{holes.area.sum() / 1e6:.1f}"))
    if parts:
        talk.print(talk.say("county_scattered", n=len(parts), names="、".join(f"{k} {n}" for k, n in parts.items())))


def terrain(
    context: typer.Context,
    files: Files,
    cover: Annotated[list[Path] | None, typer.Option(help="地表覆盖 ground cover, classes 0-7")] = None,
) -> None:
    """DEM 与地表覆盖 elevation models (and --cover ground cover)."""
    with progress() as report:
        result = import_terrain(session(context).open(), files, cover or [], now=now(), progress=report)
    _tell(context, result)


def _importer(layer: str) -> Callable[..., None]:
    def command(
        context: typer.Context,
        files: Files,
        datum: Annotated[str | None, typer.Option(help="wgs84 | cgcs2000 | gcj02 | bd09 | epsg:NNNN")] = None,
        timezone: Annotated[str | None, typer.Option(help="时区 zone of naive times, e.g. Asia/Shanghai")] = None,
        encoding: Annotated[str | None, typer.Option(help="文字编码 text encoding")] = None,
        township: Annotated[str | None, typer.Option(help="乡镇代码 township id")] = None,
        team: Annotated[str | None, typer.Option(help="队伍代码 team id")] = None,
        names: Annotated[Path | None, typer.Option(help="名称表 name table for boundary lines")] = None,
        mode: Annotated[str, typer.Option(help="foot | vehicle | drone")] = "foot",
    ) -> None:
        hints = Hints(
            datum=datum,
            timezone=timezone,
            encoding=encoding,
            township_id=township,
            team_id=team,
            name_table=names,
            mode=mode,
        )
        with progress() as report:
            result = import_files(session(context).open(), layer, files, hints, now=now(), progress=report)
        _tell(context, result)

    command.__doc__ = f"导入图层 {layer} (see conventions for its columns)."
    return command


def _tell(context: typer.Context, report: ImportReport) -> None:
    """Counts and reasons; exit 1 when nothing at all was accepted."""
    talk = session(context)
    for file in report.files:
        talk.print(*file.sentences(talk.language))
    talk.answer(report.json(talk.language))
    if any(file.error and file.error.code == "datum_needed" for file in report.files) and not report.accepted:
        raise typer.Exit(2)
    if not report.accepted:
        raise typer.Exit(1)
