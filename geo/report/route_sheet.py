"""The A4 sheet of one team's day: map with hillshade, contours, route and stops, and the stops by time of arrival."""

import io
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import shapely
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.colors import LightSource
from matplotlib.figure import Figure
from matplotlib.font_manager import FontPath, FontProperties
from matplotlib.patheffects import withStroke

from geo.grid import Grid
from geo.report.qr import qr_modules
from geo.report.sheets import Paper
from geo.report.township_map import Font
from geo.words import Language, say

A4_INCHES = (8.27, 11.69)
MAP_BOX = (0.06, 0.40, 0.88, 0.51)
MARGIN_M = 250.0
ROWS_MOST = 22
ROUTE, STOP, MUST = "#C2185B", "#FFFFFF", "#FFB300"
INTERVALS_M = (10.0, 20.0, 50.0, 100.0, 200.0)
CONTOURS_N = 18
ARROWS_N = 14
CODE_MOST = 1190
"""Letters of a QR code (125 modules, .4 mm each on this sheet) that a phone still reads."""


@dataclass(frozen=True)
class Outing:
    """
    What one sheet shows, in the county's metric CRS.

    Parameters
    ----------
    route
        A row of the routes layer.
    stops
        Its stops, start and end included, in order, with ``longitude`` and ``latitude`` (degrees, WGS 84).
    elevation
        Ground round the route.
    roads
        Lines near it.
    start_clock
        Hour of setting out, such as 8.5 for half past eight.
    """

    route: pd.Series
    stops: gpd.GeoDataFrame
    elevation: Grid
    roads: gpd.GeoDataFrame
    start_clock: float = 8.5


def view_of(route: Any) -> tuple[float, float, float, float]:
    """West, south, east, north of the map: the route with a margin, in the shape of the map's place on the page."""
    west, south, east, north = route.bounds
    wide, high = east - west + 2 * MARGIN_M, north - south + 2 * MARGIN_M
    share = MAP_BOX[2] * A4_INCHES[0] / (MAP_BOX[3] * A4_INCHES[1])
    wide, high = max(wide, high * share), max(high, wide / share)
    x, y = (west + east) / 2, (south + north) / 2
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def clock(start: float, seconds: float) -> str:
    """
    The time of day so many seconds after setting out.

    >>> clock(8.5, 5400.0)
    '10:00'
    """
    minutes = round(start * 60 + seconds / 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def route_sheet(outing: Outing, *, paper: Paper, font: Font, language: Language = "zh") -> bytes:
    """PDF bytes of one A4 page, used glyphs embedded; the QR holds the stops as GPX, else as many places as fit."""
    with mpl.rc_context({"pdf.fonttype": 3}):
        figure = Figure(figsize=A4_INCHES)
        FigureCanvasPdf(figure)
        face = FontProperties(fname=FontPath(str(font.file), font.face))
        axes = figure.add_axes(MAP_BOX)
        step_m = _ground(axes, outing)
        _route(axes, outing, face)
        _frame(axes, view_of(outing.route["geometry"]), face)
        code = gpx_text(outing.stops)
        fits = len(code) <= CODE_MOST
        rests = say("route_sheet_rests", language, step=f"{step_m:.0f}")
        rests += say("route_sheet_code_gpx" if fits else "route_sheet_code_places", language)
        _head(figure, outing, paper, face, language, rests)
        _table(figure, outing, face, language)
        _code(figure, code if fits else places_text(outing.stops))
        stream = io.BytesIO()
        told = {"Title": paper.title, "Author": paper.issuer, "Creator": "Tacha", "Producer": "Tacha"}
        figure.savefig(stream, format="pdf", metadata=told | {"CreationDate": paper.as_of, "ModDate": paper.as_of})
    return stream.getvalue()


def gpx_text(stops: pd.DataFrame) -> str:
    """The stops as the shortest GPX route a phone can keep as a file: number and place, five decimals."""
    rows = zip(stops["order_n"], stops["latitude"], stops["longitude"], strict=True)
    points = [f'<rtept lat="{y:.5f}" lon="{x:.5f}"><name>{int(n):02d}</name></rtept>' for n, y, x in rows]
    head = '<gpx version="1.1" creator="Tacha" xmlns="http://www.topografix.com/GPX/1/1"><rte>'
    return f"{head}{''.join(points)}</rte></gpx>"


def places_text(stops: pd.DataFrame) -> str:
    """The stops as ``geo:`` addresses, number and place, WGS 84 with five decimals (about a metre); at most thirty."""
    rows = zip(stops["order_n"], stops["latitude"], stops["longitude"], strict=True)
    return "\n".join(f"{int(n):02d} geo:{y:.5f},{x:.5f}" for n, y, x in list(rows)[:30])


def _ground(axes: Any, outing: Outing) -> float:
    """Hillshade, contours and roads; metres from contour to contour."""
    grid = outing.elevation
    heights = np.nan_to_num(grid.values.astype(float), nan=float(np.nanmean(grid.values)))
    west, south, east, north = grid.frame.bounds
    shade = LightSource(315, 45).hillshade(heights, dx=grid.frame.cell_m, dy=grid.frame.cell_m)
    axes.imshow(shade, extent=(west, east, south, north), cmap="gray", alpha=0.35, interpolation="bilinear", zorder=1)
    x = west + (np.arange(grid.frame.cols) + 0.5) * grid.frame.cell_m
    y = north - (np.arange(grid.frame.rows) + 0.5) * grid.frame.cell_m
    low, high = float(heights.min()), float(heights.max())
    step = next((one for one in INTERVALS_M if (high - low) / one <= CONTOURS_N), INTERVALS_M[-1])
    levels = np.arange(np.ceil(low / step) * step, high, step)
    if len(levels):
        axes.contour(x, y, heights, levels=levels, colors="#A0785A", linewidths=0.35, zorder=2)
    for line in outing.roads.geometry:
        for part in shapely.get_parts(line):
            axes.plot(*part.xy, color="#6D4C41", linewidth=1.1, zorder=3)
    return step


def _route(axes: Any, outing: Outing, face: FontProperties) -> None:
    for part in shapely.get_parts(outing.route["geometry"]):
        axes.plot(*part.xy, color="white", linewidth=2.6, zorder=4)
        axes.plot(*part.xy, color=ROUTE, linewidth=1.3, zorder=5)
        _arrows(axes, part)
    for stop in outing.stops.itertuples():
        colour = MUST if stop.kind in ("parcel", "start", "end") else STOP
        place = stop.geometry
        axes.scatter([place.x], [place.y], s=110, color=colour, edgecolors="black", linewidths=0.9, zorder=8)
        if stop.kind != "end":
            halo = [withStroke(linewidth=0.8, foreground="white")]
            look = {"fontproperties": face, "fontsize": 6.5, "path_effects": halo, "zorder": 9}
            axes.annotate(f"{stop.order_n}", (place.x, place.y), ha="center", va="center", **look)


def _arrows(axes: Any, line: shapely.LineString) -> None:
    """Which way round, at even distances."""
    for middle_m in (np.arange(ARROWS_N) + 0.5) / ARROWS_N * line.length:
        tail, tip = (line.interpolate(middle_m + away_m) for away_m in (-5.0, 5.0))
        look = {"arrowstyle": "-|>", "color": ROUTE, "mutation_scale": 13, "linewidth": 0}
        axes.annotate("", (tip.x, tip.y), xytext=(tail.x, tail.y), arrowprops=look, zorder=6)


def _frame(axes: Any, view: tuple[float, float, float, float], face: FontProperties) -> None:
    west, south, east, north = view
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect("equal")
    axes.ticklabel_format(style="plain", useOffset=False)
    axes.tick_params(direction="in")
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_fontproperties(face)
        text.set_fontsize(5.5)
    axes.grid(color="#888888", linewidth=0.25, zorder=3)
    length = next(n for n in (200, 500, 1000, 2000, 5000, 10_000, 50_000) if n >= (east - west) / 6)
    x, y = west + (east - west) * 0.03, south + (north - south) * 0.035
    axes.plot([x, x + length], [y, y], color="black", linewidth=3, solid_capstyle="butt", zorder=10)
    words = {
        "fontproperties": face,
        "fontsize": 8,
        "zorder": 11,
        "path_effects": [withStroke(linewidth=2, foreground="w")],
    }
    axes.annotate(f"{length:g} m", (x + length, y), xytext=(4, -3), textcoords="offset points", **words)
    top = (west + (east - west) * 0.97, south + (north - south) * 0.97)
    axes.annotate("", top, xytext=(0, -32), textcoords="offset points", zorder=10,
                  arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 1.6})  # fmt: skip
    axes.annotate("N", top, xytext=(-3, -44), textcoords="offset points", **words)


def _head(figure: Any, outing: Outing, paper: Paper, face: FontProperties, language: Language, rests: str) -> None:
    route = outing.route
    figure.text(0.06, 0.955, f"{paper.title}", fontproperties=face, fontsize=13)
    told = say(
        "route_sheet_sums",
        language,
        route=route["route_id"],
        team=str(outing.stops["name"].iloc[0]).partition(" ")[2],
        km=f"{route['length_m'] / 1000:.1f}",
        walked=f"{route['walked_s'] / 3600:.1f}",
        searched=f"{route['service_s'] / 3600:.1f}",
        start=clock(outing.start_clock, 0.0),
    )
    figure.text(0.06, 0.932, told, fontproperties=face, fontsize=8.5)
    figure.text(0.06, 0.918, rests, fontproperties=face, fontsize=6.5, color="#555555")
    figure.text(0.94, 0.955, say("map_inner", language), fontproperties=face, fontsize=8, ha="right", color="#B00000")
    figure.text(0.06, 0.012, "　".join(paper.foot(language)), fontproperties=face, fontsize=6)


def _table(figure: Any, outing: Outing, face: FontProperties, language: Language) -> None:
    """Number, arrival, name and place of every stop, as many as fit; what does not fit is said."""
    axes = figure.add_axes((0.06, 0.035, 0.66, 0.345))
    axes.set_axis_off()
    columns = ((0.0, "route_sheet_number"), (0.07, "route_sheet_arrive"), (0.19, "route_sheet_stop"),
               (0.50, "route_sheet_place"), (0.80, "route_sheet_done"))  # fmt: skip
    for x, code in columns:
        axes.text(x, 1.0, say(code, language), fontproperties=face, fontsize=7.5, va="top")
    shown = outing.stops.head(ROWS_MOST)
    for n, stop in enumerate(shown.itertuples(), 1):
        y = 1.0 - n * 0.042
        cells = (f"{stop.order_n}", clock(outing.start_clock, float(str(stop.arrive_s))), _label(stop),
                 f"{stop.latitude:.5f}, {stop.longitude:.5f}", "□ ______")  # fmt: skip
        for (x, _), text in zip(columns, cells, strict=True):
            axes.text(x, y, text, fontproperties=face, fontsize=7, va="top")
    left = len(outing.stops) - len(shown)
    if left:
        axes.text(0.0, 0.02, say("route_sheet_more", language, n=left), fontproperties=face, fontsize=7)


def _label(stop: Any) -> str:
    """The stop's name with why it is there."""
    reason = stop.reason if isinstance(stop.reason, str) and stop.reason else ""
    return f"{stop.name} {reason}".strip()[:24]


def _code(figure: Any, text: str) -> None:
    axes = figure.add_axes((0.70, 0.19, 0.24, 0.24 * A4_INCHES[0] / A4_INCHES[1]))
    axes.imshow(~np.array(qr_modules(text)), cmap="gray", interpolation="none")
    axes.set_axis_off()
