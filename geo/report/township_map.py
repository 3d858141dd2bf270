"""The A3 map of a township: who looked where and who did not, old spots, targets, edges; PDF with its Chinese font."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontPath, FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from shapely import plotting

from geo.grid import Grid
from geo.report.qr import qr_modules
from geo.report.sheets import Paper
from geo.words import Language, say

A3_INCHES = (16.54, 11.69)
MARGIN_M = 700.0
FAR_M = 4000.0
IMAGE_CELLS = 1000
PALE = 0.35
MAP_SHARE, UNIT_SIZE = 0.745, 13.0
BLIND, WATCHED, NOT_PLANTABLE = 0.1, 0.5, 255
STATES = {  # marker, face, edge
    "looked_a": ("o", "#0072B2", "#0072B2"),
    "looked_b": ("o", "#7FB8DA", "#0072B2"),
    "looked_c": ("o", "#FFFFFF", "#0072B2"),
    "unreached": ("D", "#FFFFFF", "#D55E00"),
    "overdue": ("X", "#D55E00", "#000000"),
    "due": ("s", "#FFFFFF", "#000000"),
    "not_due": ("s", "#FFFFFF", "#999999"),
}
TARGET, HISTORY, EDGE = "#D55E00", "#CC79A7", "#E69F00"


@dataclass(frozen=True)
class Font:
    """A font file and the face in it that has Chinese glyphs."""

    file: Path
    face: int = 0


@dataclass(frozen=True)
class Sheet:
    """
    What one map shows, all in the county's metric CRS.

    Parameters
    ----------
    township
        One row: name, geometry.
    around
        Units beside it: name, geometry.
    villages
        Points with ``name, state`` (`analysis.progress.STATES`).
    history, targets
        Points or areas: old spots; official targets with ``parcel_id, status``.
    edges
        Lines with ``neither``: share of the strip seen from neither side, NaN where not measured.
    roads
        Lines.
    elevation, pod
        Grids of the place; `pod` as ``grids/pod`` keeps it (POD × 200, 255 where nothing grows); None where not there.
    unplaced
        Villages without a place, by name and state.
    """

    township: pd.Series
    around: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    history: gpd.GeoDataFrame
    targets: gpd.GeoDataFrame
    edges: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    elevation: Grid | None
    pod: Grid | None
    unplaced: list[tuple[str, str]]


def township_map(sheet: Sheet, *, paper: Paper, font: Font, language: Language = "zh") -> bytes:
    """
    PDF bytes of an A3 page, and one more for every part of the township that lies far from the others.

    The font's used glyphs are embedded, the same input gives the same bytes.
    """
    told = {"Title": paper.title, "Author": paper.issuer, "Creator": "Tacha", "Producer": "Tacha"}
    stream = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 3, "path.simplify": True, "hatch.linewidth": 0.5}):
        face = FontProperties(fname=FontPath(str(font.file), font.face))
        views = parts_apart(sheet.township.geometry)
        with PdfPages(stream, metadata=told | {"CreationDate": paper.as_of, "ModDate": paper.as_of}) as pages:
            for number, part in enumerate(views, 1):
                which = say("map_part", language, n=number, of=len(views)) if len(views) > 1 else ""
                pages.savefig(_page(sheet, part, which, paper, face, language))
    return stream.getvalue()


def parts_apart(shape: Any) -> list[Any]:
    """
    A township's parts, those within `FAR_M` of each other together, the largest first: what one map can show.

    >>> one, other = shapely.box(0, 0, 9e3, 9e3), shapely.box(3e4, 0, 3.1e4, 1e3)
    >>> [part.area for part in parts_apart(shapely.union(one, other))]
    [81000000.0, 1000000.0]
    """
    parts = shapely.get_parts(shape)
    near = shapely.get_parts(shapely.union_all(shapely.buffer(parts, FAR_M / 2)))
    groups = [parts[shapely.intersects(parts, ground)] for ground in near]
    return sorted((shapely.union_all(group) for group in groups), key=lambda group: -group.area)


def _page(sheet: Sheet, part: Any, which: str, paper: Paper, face: FontProperties, language: Language) -> Figure:
    figure = Figure(figsize=A3_INCHES)
    FigureCanvasPdf(figure)
    axes = figure.add_axes((0.035, 0.05, MAP_SHARE, 0.87))
    _ground(axes, sheet, _view(part))
    _lines(axes, sheet, face, _view(part))
    _places(axes, sheet, face)
    _frame(axes, part, face)
    _scale(axes, face)
    _texts(figure, sheet, which, paper, face, language)
    return figure


def _ground(axes: Any, sheet: Sheet, view: tuple[float, float, float, float]) -> None:
    """Hillshade, and over it what was watched (tint) and what is blind (hatched grey)."""
    if sheet.elevation is not None:
        held = _cropped(sheet.elevation, view)
        step = max(1, max(held.frame.shape) // IMAGE_CELLS)
        heights = held.values[::step, ::step].astype(float)
        shade = _shade(heights, held.frame.cell_m * step)
        axes.imshow(shade, extent=_extent(held), interpolation="none", zorder=1)
    if sheet.pod is not None:
        held = _cropped(sheet.pod, view)
        step = max(1, max(held.frame.shape) // IMAGE_CELLS)
        axes.imshow(_tint(held.values[::step, ::step]), extent=_extent(held), zorder=2, interpolation="none")


def _cropped(grid: Grid, view: tuple[float, float, float, float]) -> Grid:
    """The part of a grid that a page shows; all of it where the page lies beside it."""
    west, south, east, north = view
    (top, left), (bottom, right) = grid.frame.cells(west, north), grid.frame.cells(east, south)
    row, col = max(int(top), 0), max(int(left), 0)
    frame = grid.frame.window(int(top), int(left), int(bottom - top) + 1, int(right - left) + 1)
    if min(frame.shape) < 2:
        return grid
    return Grid(grid.values[row : row + frame.rows, col : col + frame.cols], frame)


def _shade(heights: npt.NDArray[np.float64], cell_m: float) -> npt.NDArray[np.uint8]:
    """Light from the north-west at 45 degrees, pale: opaque RGB, 166 to 255."""
    south, east = np.gradient(np.nan_to_num(heights, nan=float(np.nanmean(heights))), cell_m)
    slope = 1.0 / np.sqrt(1.0 + south**2 + east**2)
    light: npt.NDArray[np.float64] = (east * -0.5 + south * -0.5 + 0.7071) * slope
    grey = np.round(255.0 * (1.0 - PALE * (1.0 - np.clip(light, 0.0, 1.0)))).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _tint(pod: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """RGBA: watched ground blue-green, blind ground under diagonal grey lines, everything else clear."""
    image = np.zeros((*pod.shape, 4), np.uint8)
    plantable = pod != NOT_PLANTABLE
    image[plantable & (pod >= WATCHED * 200)] = (0, 110, 120, 110)
    row, column = np.indices(pod.shape)
    image[plantable & (pod < BLIND * 200) & ((row + column) % 6 < 2)] = (90, 90, 90, 130)
    return image


def _extent(grid: Grid) -> tuple[float, float, float, float]:
    west, south, east, north = grid.frame.bounds
    return west, east, south, north


def _lines(axes: Any, sheet: Sheet, face: FontProperties, bounds: tuple[float, float, float, float]) -> None:
    axes.plot(*_broken(sheet.roads.geometry), color="#8C6D46", linewidth=0.6, zorder=3)
    for shape in sheet.around.geometry:
        plotting.plot_polygon(
            shape, axes, add_points=False, facecolor="none", edgecolor="#555555", linewidth=0.7, zorder=4
        )
    halo: dict[str, Any] = {"add_points": False, "facecolor": "none"}
    plotting.plot_polygon(sheet.township.geometry, axes, edgecolor="white", linewidth=7, zorder=5, **halo)
    for shape, neither in zip(sheet.edges.geometry, sheet.edges["neither"], strict=True):
        wide, style = (5.0, "-") if neither >= 0.5 else (2.5, "-") if neither >= 0.1 else (1.2, "--")
        axes.plot(*_broken([shape]), color=EDGE, linewidth=wide, linestyle=style, zorder=6, solid_capstyle="butt")
    plotting.plot_polygon(sheet.township.geometry, axes, edgecolor="#1A1A1A", linewidth=1.6, zorder=7, **halo)
    view = shapely.box(*bounds)
    for name, shape in zip(sheet.around["name"], sheet.around.geometry, strict=True):
        seen = shapely.intersection(shape, view)
        if not seen.is_empty and seen.area > 1e5:
            place, half = shapely.point_on_surface(seen), _half_width_m(str(name), bounds)
            x = min(max(place.x, bounds[0] + half), bounds[2] - half)
            _label(axes, x, place.y, str(name), face, UNIT_SIZE, "#555555")


def _half_width_m(text: str, bounds: tuple[float, float, float, float]) -> float:
    """Half the width on the ground of a unit's name, every letter taken to be as wide as a Chinese one."""
    metres_per_point = (bounds[2] - bounds[0]) / (72.0 * MAP_SHARE * A3_INCHES[0])
    return 0.5 * (len(text) + 1) * UNIT_SIZE * metres_per_point


def _broken(lines: Iterable[Any]) -> npt.NDArray[np.float64]:
    """
    Lines as one that is lifted between them (NaN), eastings and northings: drawn at once instead of one by one.

    >>> _broken([shapely.LineString([(0, 1), (2, 3)]), shapely.LineString([(4, 5), (6, 7)])])[0].tolist()
    [0.0, 2.0, nan, 4.0, 6.0, nan]
    """
    parts, gap = shapely.get_parts(np.array(list(lines), dtype=object)), np.full((1, 2), np.nan)
    drawn = [piece for part in parts for piece in (shapely.get_coordinates(part), gap)]
    return np.concatenate([np.zeros((0, 2)), *drawn]).T


def _places(axes: Any, sheet: Sheet, face: FontProperties) -> None:
    for table, marker, colour, size in ((sheet.history, "P", HISTORY, 60), (sheet.targets, "^", TARGET, 55)):
        spots = shapely.centroid(table.geometry.to_numpy())
        x, y = shapely.get_x(spots), shapely.get_y(spots)
        axes.scatter(x, y, marker=marker, s=size, color=colour, edgecolors="black", linewidths=0.6, zorder=9)
    for x, y, name in zip(*_xy(sheet.targets), sheet.targets["parcel_id"], strict=True):
        _label(axes, x, y, f"{name}", face, 6.5, "#A04000", offset=(5, -8))
    for x, y, name, state in zip(*_xy(sheet.villages), sheet.villages["name"], sheet.villages["state"], strict=True):
        marker, inside, edge = STATES[state]
        axes.scatter([x], [y], marker=marker, s=80, c=inside, edgecolors=edge, linewidths=1.8, zorder=10)
        _label(axes, x, y, str(name), face, 10.5, "black", offset=(7, 5))


def _xy(table: gpd.GeoDataFrame) -> tuple[Any, Any]:
    spots = shapely.centroid(table.geometry.to_numpy())
    return shapely.get_x(spots), shapely.get_y(spots)


def _label(
    axes: Any, x: float, y: float, text: str, face: FontProperties, size: float, colour: str, *, offset: Any = (0, 0)
) -> None:
    look = {"fontproperties": face, "fontsize": size, "color": colour, "zorder": 12, "clip_on": True}
    halo = [withStroke(linewidth=2.2, foreground="white")]
    side = "left" if any(offset) else "center"
    axes.annotate(text, (x, y), xytext=offset, textcoords="offset points", ha=side, path_effects=halo, **look)


def _view(shape: Any) -> tuple[float, float, float, float]:
    """The township with a margin, widened to the shape of the map's place on the page."""
    west, south, east, north = shape.bounds
    wide, high = east - west + 2 * MARGIN_M, north - south + 2 * MARGIN_M
    share = (A3_INCHES[0] * MAP_SHARE) / (A3_INCHES[1] * 0.87)
    wide, high = max(wide, high * share), max(high, wide / share)
    x, y = (west + east) / 2, (south + north) / 2
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _frame(axes: Any, shape: Any, face: FontProperties) -> None:
    west, south, east, north = _view(shape)
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect("equal")
    axes.tick_params(direction="in")
    axes.ticklabel_format(style="plain", useOffset=False)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_fontproperties(face)
        text.set_fontsize(6)
    axes.grid(color="#BBBBBB", linewidth=0.25, zorder=0)


def _scale(axes: Any, face: FontProperties) -> None:
    """A scale bar of a round length, and north."""
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    length = next(n for n in (500, 1000, 2000, 5000, 10_000, 20_000, 50_000) if n >= (east - west) / 9)
    x, y = west + (east - west) * 0.03, south + (north - south) * 0.035
    axes.plot([x, x + length], [y, y], color="black", linewidth=3, zorder=13, solid_capstyle="butt")
    axes.plot([x, x + length / 2], [y, y], color="white", linewidth=1.6, zorder=14, solid_capstyle="butt")
    text = f"{length / 1000:g} km"
    _label(axes, x + length, y, text, face, 9, "black", offset=(5, -3))
    top = (west + (east - west) * 0.97, south + (north - south) * 0.965)
    axes.annotate("", top, xytext=(0, -38), textcoords="offset points", zorder=13,
                  arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 1.8})  # fmt: skip
    _label(axes, *top, "N", face, 11, "black", offset=(-4, -52))


def _texts(figure: Any, sheet: Sheet, which: str, paper: Paper, face: FontProperties, language: Language) -> None:
    title = say("map_title", language, county=paper.county, township=sheet.township["name"])
    figure.text(0.02, 0.945, f"{title}　{paper.title}　{which}", fontproperties=face, fontsize=22)
    figure.text(0.98, 0.955, say("map_inner", language), fontproperties=face, fontsize=11, ha="right", color="#B00000")
    figure.text(0.02, 0.022, say("map_disclaimer", language), fontproperties=face, fontsize=13, color="#B00000")
    figure.text(0.02, 0.007, "　".join(paper.foot(language)), fontproperties=face, fontsize=8)
    side = figure.add_axes((0.79, 0.05, 0.2, 0.87))
    side.set_axis_off()
    look = {"frameon": False, "borderaxespad": 0.0, "labelspacing": 0.75, "handlelength": 2.4}
    title = say("map_legend", language)
    legend = side.legend(handles=_handles(sheet, language), loc="upper left", prop=face, title=title, **look)
    legend.get_title().set_fontproperties(face)
    for text in (*legend.get_texts(), legend.get_title()):
        text.set_fontsize(11)
    _counts(side, sheet, face, language)
    _code(figure, paper.code(f"MAP|{sheet.township['name']}"))


def _handles(sheet: Sheet, language: Language) -> list[Any]:
    present = set(sheet.villages["state"])
    marks: list[Any] = [
        Line2D([], [], linestyle="", marker=marker, markersize=9, markerfacecolor=inside, markeredgecolor=edge,
               markeredgewidth=1.6, label=say(f"state_{state}", language))
        for state, (marker, inside, edge) in STATES.items()
        if state in present
    ]  # fmt: skip
    dots: dict[str, Any] = {"linestyle": "", "markeredgecolor": "black", "markersize": 9}
    marks.append(Line2D([], [], marker="P", color=HISTORY, label=say("map_history", language), **dots))
    marks.append(Line2D([], [], marker="^", color=TARGET, label=say("map_targets", language), **dots))
    marks.append(Line2D([], [], color="#1A1A1A", linewidth=1.6, label=say("map_boundary", language)))
    if sheet.edges["neither"].notna().any():
        for wide, style, code in (
            (5.0, "-", "map_edge_neither"),
            (2.5, "-", "map_edge_part"),
            (1.2, "--", "map_edge_seen"),
        ):
            look: dict[str, Any] = {"color": EDGE, "linewidth": wide, "linestyle": style}
            marks.append(Line2D([], [], label=say(code, language), **look))
    else:
        marks.append(Line2D([], [], color=EDGE, linewidth=1.2, linestyle="--", label=say("map_edge", language)))
    marks.append(Line2D([], [], color="#8C6D46", linewidth=0.8, label=say("map_roads", language)))
    if sheet.pod is not None:
        marks.append(Patch(facecolor="#006E7870", label=say("map_watched", language)))
        marks.append(Patch(facecolor="#DDDDDD", edgecolor="#5A5A5A", hatch="////", label=say("map_blind", language)))
    return marks


def _counts(side: Any, sheet: Sheet, face: FontProperties, language: Language) -> None:
    lines = [say("map_unplaced", language, n=len(sheet.unplaced))] if sheet.unplaced else []
    lines += [f"· {name}　{say(f'state_{state}', language)}" for name, state in sheet.unplaced[:18]]
    if sheet.pod is None:
        lines.append(say("map_unmeasured", language))
    side.text(0.0, 0.42, "\n".join(lines), fontproperties=face, fontsize=10, va="top", linespacing=1.6)


def _code(figure: Any, text: str) -> None:
    modules = np.array(qr_modules(text))
    axes = figure.add_axes((0.915, 0.055, 0.075, 0.075 * A3_INCHES[0] / A3_INCHES[1]))
    axes.imshow(~modules, cmap="gray", interpolation="none")
    axes.set_axis_off()
