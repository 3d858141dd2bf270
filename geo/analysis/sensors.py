"""Second sensors: what a drone's images and a satellite pass see, as chances in the same probability as feet."""

from collections.abc import Iterable, Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from rasterio.features import geometry_mask, shapes

from geo.analysis.coverage import days_of
from geo.analysis.lookouts import far_viewshed
from geo.grid import Frame, Grid
from geo.layers.terrain import Terrain
from geo.season import Season
from geo.settings import SensorSettings

Floats = npt.NDArray[np.float64]


def pixel_sensitivity(ground_pixel_m: npt.ArrayLike, settings: SensorSettings) -> Floats:
    """
    Chance that an image shows a plot of the settings' size so that it is recognised (*assumption*), any shape.

    With n = plot / pixel², best·(1 - e^(-(n - 1)/scale)); exactly 0 for a plot under one pixel (n < 1).

    >>> one = SensorSettings(plot_m2=10.0, best=0.8, scale_pixels=25.0)
    >>> pixel_sensitivity([10.0, 3.2, 0.62017367, 0.01], one).round(3).tolist()
    [0.0, 0.0, 0.506, 0.8]
    """
    pixels = settings.plot_m2 / np.asarray(ground_pixel_m, float) ** 2
    return np.asarray(np.where(pixels < 1.0, 0.0, -settings.best * np.expm1(-(pixels - 1.0) / settings.scale_pixels)))


def image_pixels(image: Any, terrain: Terrain, settings: SensorSettings) -> Grid:
    """
    Size of one image's pixel on the ground of each cell it shows, metres; infinite where it shows nothing.

    Each cell's centre at its own height is put through the camera, so the footprint lies on the terrain; a cell the
    terrain hides is not shown. The pixel is that of a level patch: depth x angle of a pixel / √cos(off-nadir). What
    the flight log is wrong by shifts the footprint: a metre of height by tan(off-nadir) metres, a degree of tilt at
    100 m straight down by 1.7 m.

    Parameters
    ----------
    image
        A row of layer `flights`, CRS of the terrain.
    """
    frame, cell = terrain.elevation.frame, terrain.elevation.frame.cell_m
    east, north = float(image["geometry"].x), float(image["geometry"].y)
    if not bool(frame.holds(east, north)):
        return Grid(np.zeros((0, 0)), frame.window(0, 0, 0, 0))
    row, col = (int(v) for v in frame.cells(east, north))
    half = int(np.floor(settings.reach_m / cell + 1e-9))
    window = frame.window(row - half, col - half, 2 * half + 1, 2 * half + 1)
    top, left = max(row - half, 0), max(col - half, 0)
    heights = terrain.elevation.values[top : top + window.rows, left : left + window.cols].astype(np.float64)
    sight = far_viewshed(
        terrain.elevation, row, col, radius_m=settings.reach_m, eye_m=float(image["height_m"]), target_m=0.0,
        refraction=1.0,
    )[top - row + half :, left - col + half :][: window.rows, : window.cols]  # fmt: skip
    centres = window.centres(*np.mgrid[: window.rows, : window.cols])
    eye = float(terrain.elevation.values[row, col]) + float(image["height_m"])
    ray = np.stack([centres[0] - east, centres[1] - north, heights - eye])
    depth, across, along = _through(ray, float(image["heading_deg"]), float(image["tilt_deg"]))
    wide, long = (np.tan(np.radians(float(image[f"fov_{side}_deg"])) / 2.0) for side in ("across", "along"))
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = (depth > 0.0) & (np.abs(across) <= wide * depth) & (np.abs(along) <= long * depth) & (ray[2] < 0.0)
        slant = -ray[2] / np.sqrt((ray**2).sum(axis=0))
        pixel = depth * 2.0 * wide / float(image["pixels_across_n"]) / np.sqrt(slant)
    return Grid(np.where(shown & sight, pixel, np.inf), window)


def flight_pod(
    images: gpd.GeoDataFrame, terrain: Terrain, season: Season, settings: SensorSettings
) -> npt.NDArray[np.float32]:
    """
    Chance that one flight saw a plot in each cell of the terrain, float32; 0 where nothing can be planted.

    Overlapping images of one flight show the same plants at the same hour: the best of them counts, once. Flights are
    combined by ``detection.season_pod``, with each other and with the feet.

    Parameters
    ----------
    images
        Rows of layer `flights` of one flight.
    """
    best = np.zeros(terrain.elevation.frame.shape, np.float32)
    for number in range(len(images)):
        image = images.iloc[number]
        pixels = image_pixels(image, terrain, settings)
        here = _place(pixels.frame, terrain.elevation.frame)
        day = float(days_of(np.array([image["taken_at"].timestamp()]), season)[0])
        chance = pixel_sensitivity(pixels.values, settings) * _stage_factor(terrain, here, season, day, settings)
        best[here] = np.maximum(best[here], chance.astype(np.float32))
    return np.where(terrain.plantable, best, np.float32(0.0))


def pass_pod(
    clear: Grid, pixel_m: float, terrain: Terrain, season: Season, settings: SensorSettings, *, day: float
) -> npt.NDArray[np.float32]:
    """
    Chance that a satellite pass saw a plot in each cell, float32: 0 under cloud, and 0 when a plot is under one pixel.

    Parameters
    ----------
    clear
        Cells the scene shows free of cloud and shadow (bool), on the terrain's frame.
    pixel_m, day
        Ground pixel, metres; days after 1 January.
    """
    clear.require_same_frame(terrain.elevation)
    factor = _stage_factor(terrain, np.s_[:, :], season, day, settings)
    chance = float(pixel_sensitivity(pixel_m, settings)) * factor
    return np.where(clear.values.astype(bool) & terrain.plantable, chance, 0.0).astype(np.float32)


def clear_ground(shape: shapely.Geometry, frame: Frame) -> Grid:
    """Cells whose centre lies in the ground a pass shows clear (polygon, CRS of the frame), bool."""
    if shape.is_empty:
        return Grid(np.zeros(frame.shape, np.bool_), frame)
    return Grid(geometry_mask([shape], out_shape=frame.shape, transform=frame.transform, invert=True), frame)


def clear_shape(clear: Grid) -> shapely.MultiPolygon:
    """The clear cells (bool) of a mask as one shape: `clear_ground` of it is the mask again."""
    kept = clear.values.astype(np.uint8)
    parts = shapes(kept, mask=kept.astype(bool), connectivity=4, transform=clear.frame.transform)
    return shapely.multipolygons([shapely.geometry.shape(part) for part, _ in parts])


def looks_of(
    flights: gpd.GeoDataFrame, passes: gpd.GeoDataFrame, terrain: Terrain, season: Season, settings: SensorSettings
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """
    Every look of a second sensor that saw anything: its flight_id or pass_id and its POD on the terrain's frame.

    A flight over midnight stays one look.

    Parameters
    ----------
    flights, passes
        Rows of layers `flights` and `passes`, CRS of the terrain.
    """
    for name, images in flights.groupby("flight_id", sort=True):
        seen = flight_pod(gpd.GeoDataFrame(images), terrain, season, settings)
        if seen.any():
            yield str(name), seen
    for number in range(len(passes)):
        one = passes.iloc[number]
        day = float(days_of(np.array([one["taken_at"].timestamp()]), season)[0])
        clear = clear_ground(one["geometry"], terrain.elevation.frame)
        seen = pass_pod(clear, float(one["pixel_m"]), terrain, season, settings, day=day)
        if seen.any():
            yield str(one["pass_id"]), seen


def missed_by(looks: Iterable[tuple[str, npt.NDArray[np.float32]]]) -> npt.NDArray[np.float32] | None:
    """What several looks together have missed, Π(1 - p), float32; None without any."""
    missed = None
    for _, seen in looks:
        missed = 1.0 - seen if missed is None else missed * (1.0 - seen)
    return None if missed is None else np.asarray(missed, np.float32)


def _through(ray: Floats, heading_deg: float, tilt_deg: float) -> tuple[Floats, Floats, Floats]:
    """Rays (3, rows, cols) east, north, up from the camera: depth along its axis, across and along the image."""
    turn, tilt = np.radians(heading_deg), np.radians(tilt_deg)
    axis = np.array([np.sin(tilt) * np.sin(turn), np.sin(tilt) * np.cos(turn), -np.cos(tilt)])
    right = np.array([np.cos(turn), -np.sin(turn), 0.0])
    depth, across, along = (np.tensordot(side, ray, axes=1) for side in (axis, right, np.cross(right, axis)))
    return depth, across, along


def _place(window: Frame, frame: Frame) -> tuple[slice, slice]:
    top = round((frame.north_m - window.north_m) / frame.cell_m)
    left = round((window.west_m - frame.west_m) / frame.cell_m)
    return slice(top, top + window.rows), slice(left, left + window.cols)


def _stage_factor(terrain: Terrain, here: Any, season: Season, day: float, settings: SensorSettings) -> Floats:
    """Share of the sensitivity that the growth stage leaves, by cell."""
    heights = np.nan_to_num(terrain.elevation.values[here], nan=1000.0)
    return np.asarray(np.array(settings.stage_factor, np.float64)[season.stage_of(day, heights)])
