"""`calibrate`: the sweep width from decoys, double sweeps or the range of detection, and the paper for the field."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geo.cli.speaking import Session, session
from geo.errors import StoreError

if TYPE_CHECKING:
    from geo.settings import DetectionSettings
    from geo.workspace.calibrating import CalibrationAnswer


def register(app: typer.Typer) -> None:
    app.command()(calibrate)


def calibrate(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="诱饵试验表 table of decoys: distance_m, found, cover, stage")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="文字编码 text encoding")] = None,
    double: Annotated[
        str | None, typer.Option(help="交叉复查：甲队,乙队,两队都发现 plots found by first, second, both: 12,15,7")
    ] = None,
    walked_km: Annotated[str, typer.Option(help="两队搜索公里 km walked searching by each: 20,18")] = "",
    area_ha: Annotated[float, typer.Option(help="面积公顷 ground swept, ha")] = 0.0,
    pattern: Annotated[str, typer.Option(help="random | parallel")] = "random",
    ranges_m: Annotated[str | None, typer.Option(help="发现距离，米 ranges of detection, m: 12,14,11")] = None,
    visibility: Annotated[str, typer.Option(help="high | medium | low")] = "medium",
    protocol: Annotated[Path | None, typer.Option(help="写出试验办法和表格 write protocol and form, XLSX")] = None,
) -> None:
    """标定有效扫视宽度 measure the sweep width W, with its interval, beside what county.toml assumes."""
    talk = session(context)
    if [files or None, double, ranges_m, protocol].count(None) != 3:
        raise typer.BadParameter("FILE… | --double | --ranges-m | --protocol")
    if files:
        _decoys(talk, files, encoding)
    elif double is not None:
        _double(talk, double, walked_km, area_ha, pattern)
    elif ranges_m is not None:
        _ranges(talk, ranges_m, visibility)
    elif protocol is not None:
        _protocol(talk, protocol)


def _decoys(talk: Session, files: list[Path], encoding: str | None) -> None:
    from geo.formats import Hints
    from geo.workspace.calibrating import calibrate_files

    answer = calibrate_files(files, _settings(talk), Hints(encoding=encoding, timezone="Asia/Shanghai"))
    plain = answer.json(talk.language)
    talk.answer(plain)
    talk.print(talk.say("calibrate_read", **{name: plain[name] for name in ("read", "accepted", "refused_n")}))
    for refusal in plain["refused"][:5]:
        talk.print(
            "  " + talk.say("import_refused", n=1, field=refusal["field"], why=refusal["reason"], row=refusal["row"])
        )
    _tell(talk, answer, plain)


def _tell(talk: Session, answer: "CalibrationAnswer", plain: dict[str, Any]) -> None:
    rows = [
        [
            talk.say(f"ui_cover_{row['cover']}") if row["cover"] else "–",
            talk.say(f"ui_stage_{row['stage']}") if row["stage"] else "–",
            f"{row['found_n']}/{row['n']}",
            *(_metres(row[name]) for name in ("width_m", "low_m", "high_m", "assumed_m")),
            talk.say(f"calibrate_{row['reason']}") if row["reason"] else "",
        ]
        for row in plain["widths"]
    ]
    names = ("cover", "stage", "found", "width", "low", "high", "assumed", "note")
    talk.table(talk.say("calibrate_title"), [talk.say(f"calibrate_{name}") for name in names], rows)
    factor = answer.result.factor
    if factor is not None:
        shown = {"value": factor.value, "low": factor.low, "high": factor.high}
        talk.print(talk.say("calibrate_factor", **{k: "–" if v is None else f"{v:.2f}" for k, v in shown.items()}))
    bands = [
        [f"{row['from_m']:.0f}–{row['to_m']:.0f}" if row["to_m"] < 1e6 else f"> {row['from_m']:.0f}",
         f"{row['found_n']}/{row['n']}", "–" if row["expected_n"] is None else f"{row['expected_n']:.1f}"]
        for row in plain["bands"]
    ]  # fmt: skip
    heads = [talk.say(f"calibrate_{name}") for name in ("distance", "found", "expected")]
    talk.table(talk.say("calibrate_bands"), heads, bands)
    if answer.result.beyond_reach_n:
        talk.print(talk.say("calibrate_beyond", n=answer.result.beyond_reach_n, reach=f"{answer.settings.reach_m:.0f}"))
    talk.print(talk.say("calibrate_basis", availability=answer.settings.availability, model=answer.settings.model))


def _double(talk: Session, double: str, walked_km: str, area_ha: float, pattern: str) -> None:
    from geo.workspace.calibrating import double_sweep

    found, walked = _numbers(double, 3, "--double"), _numbers(walked_km, 2, "--walked-km")
    try:
        plain = double_sweep(
            (int(found[0]), int(found[1]), int(found[2])), (walked[0], walked[1]), area_ha, pattern=pattern
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    talk.answer(plain)
    talk.print(talk.say("calibrate_plots", **_shown(plain["plots"], 1)))
    for team in plain["teams"]:
        talk.print(talk.say("calibrate_team", team=team["team"], **_shown(team["width_m"], 1)))
        talk.print("  " + talk.say("calibrate_detection", **_shown(team["detection"], 2)))
    talk.print(talk.say("calibrate_double_basis"))


def _ranges(talk: Session, ranges_m: str, visibility: str) -> None:
    from geo.workspace.calibrating import range_of_detection

    try:
        plain = range_of_detection(_numbers(ranges_m, None, "--ranges-m"), visibility)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    talk.answer(plain)
    talk.print(talk.say("calibrate_range", n=len(plain["ranges_m"]), **_shown(plain["width_m"], 1)))


def _protocol(talk: Session, file: Path) -> None:
    from geo.workspace.calibrating import field_protocol

    content = field_protocol(talk.language, _settings(talk))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    talk.answer({"file": str(file), "bytes": len(content)})
    talk.print(talk.say("file_written", file=file))


def _settings(talk: Session) -> "DetectionSettings":
    """The county's, or the defaults where no county is named."""
    from geo.settings import DetectionSettings

    try:
        return talk.open().settings.detection
    except StoreError:
        if talk.county != Path():
            raise
        talk.print(talk.say("calibrate_no_county"))
        return DetectionSettings()


def _numbers(text: str, n: int | None, option: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(text, param_hint=option) from error
    if n is not None and len(values) != n:
        raise typer.BadParameter(text, param_hint=option)
    return values


def _metres(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _shown(estimate: dict[str, Any], digits: int) -> dict[str, str]:
    held = {name: estimate[name] for name in ("value", "low", "high")}
    return {name: "–" if value is None else f"{value:.{digits}f}" for name, value in held.items()}
