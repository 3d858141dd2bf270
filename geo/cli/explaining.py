"""`explain`: what the figure of a place, a township or a border strip rests on, track by track."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from geo.cli.speaking import Session, session

if TYPE_CHECKING:
    from geo.workspace.evidence import Evidence
    from geo.workspace.explaining import AreaEvidence

SHOWN = 25


def register(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    context: typer.Context,
    at: Annotated[str | None, typer.Option(help="经度,纬度（WGS 84） LON,LAT")] = None,
    township: Annotated[str | None, typer.Option(help="乡镇代码 township id")] = None,
    border: Annotated[str | None, typer.Option(help="交界编号 border id")] = None,
) -> None:
    """这个数从哪来 which tracks, when, at what distance and in whose sight, and what each added."""
    talk = session(context)
    if [at, township, border].count(None) != 2:
        raise typer.BadParameter("--at LON,LAT | --township ID | --border ID")
    if at is not None:
        _explain_place(talk, *_place(at))
        return
    from geo.workspace.explaining import evidence_of_border, evidence_of_township

    county = talk.open()
    if township is not None:
        _tell_area(talk, evidence_of_township(county, township, as_of=talk.as_of))
    else:
        _tell_area(talk, evidence_of_border(county, str(border), as_of=talk.as_of))


def _explain_place(talk: Session, longitude: float, latitude: float) -> None:
    from geo.workspace.evidence import evidence_at

    county = talk.open()
    found = evidence_at(county, longitude, latitude, as_of=talk.as_of)
    talk.answer(found.json())
    _tell_place(talk, found)


def _tell_place(talk: Session, found: "Evidence") -> None:
    cover, stage = talk.say(f"ui_cover_{found.cover}"), talk.say(f"ui_stage_{found.stage}")
    height = "–" if found.elevation_m is None else f"{found.elevation_m:.0f}"
    talk.print(
        talk.say("explain_place", township=found.township or "–", posts=found.posts or talk.say("nobody")),
        talk.say("ui_place", elevation=height, cover=cover, stage=stage),
        talk.say("explain_pod", pod="–" if found.pod is None else f"{found.pod:.3f}", units=found.units),
    )
    names = ("day", "team", "nearest", "nearest_seen", "within", "seen", "speed_factor", "units", "pod_alone", "reason")
    rows = [
        [
            row["day"],
            row["team_id"] or "–",
            *(_whole(row[name]) for name in ("nearest_m", "nearest_seen_m", "within_m", "seen_m")),
            "–" if row["speed_factor"] is None else f"{row['speed_factor']:.2f}",
            str(row["units"]),
            f"{row['pod']:.3f}",
            talk.say(row["reason"]) if row["reason"] else "",
        ]
        for row in found.json()["tracks"][:SHOWN]
    ]
    talk.table(talk.say("explain_tracks", n=len(found.tracks)), [talk.say(f"explain_{name}") for name in names], rows)


def _tell_area(talk: Session, found: "AreaEvidence") -> None:
    plain = found.json()
    talk.answer(plain)
    detection = "–" if found.detection is None else f"{100 * found.detection:.2f}%"
    talk.print(
        talk.say(
            f"explain_{found.what}", name=found.name, id=found.id, detection=detection, km2=f"{found.plantable_km2:.1f}"
        )
    )
    names = ("day", "team", "nearest", "searched", "within_km2", "reached_km2", "units", "share", "lost")
    rows = [
        [
            row["day"],
            row["team_id"] or "–",
            _whole(row["nearest_m"]),
            f"{row['searched_m'] / 1000:.1f}",
            f"{row['within_km2']:.2f}",
            f"{row['reached_km2']:.2f}",
            str(row["units"]),
            f"{100 * row['share']:.2f}%",
            f"{100 * row['lost']:.2f}%",
        ]
        for row in plain["tracks"][:SHOWN]
    ]
    talk.table(talk.say("explain_tracks", n=len(found.tracks)), [talk.say(f"explain_{name}") for name in names], rows)
    talk.print(talk.say("explain_shares"))


def _place(text: str) -> tuple[float, float]:
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text}: LON,LAT", param_hint="--at") from error
    return longitude, latitude


def _whole(value: Any) -> str:
    return "–" if value is None else f"{value:.0f}"
