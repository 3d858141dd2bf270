"""Map tiles of 512 px drawn from a county's grids: hillshade, detection and relative risk."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyproj
from PIL import Image

from geo.grid import Frame, Grid

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

NOTHING = 255
PX = 512
DEEPEST = 18
_WORLD_M = 2 * np.pi * 6378137.0
_LATTICE = 17
_TURNING = ThreadPoolExecutor(max_workers=1)
"""PROJ sets itself up in every thread anew, at 0.15 s a time; a tile needs 289 places, so one thread turns them all."""
_HATCH, _BETWEEN = 201, 202
LIGHT, DARK, GREY = (166, 219, 208), (4, 58, 84), (96, 96, 96)
LITTLE, MUCH = (255, 237, 160), (122, 1, 60)
RISK_FROM, RISK_TO = -2.0, 4.0
"""Powers of two of the relative risk between which the map's hues run."""


@dataclass(frozen=True)
class Pyramid:
    """A uint8 raster (255 = nothing) and its halves, finest first."""

    levels: tuple[Bytes, ...]
    frame: Frame


def pyramid(values: Bytes, frame: Frame) -> Pyramid:
    """The raster with each next level the mean of 2 x 2 cells that hold something, down to 256 cells."""
    levels = [values]
    while max(levels[-1].shape) > PX:
        levels.append(_half(levels[-1]))
    return Pyramid(tuple(levels), frame)


def shade(elevation: Grid, *, azimuth_deg: float = 315.0, altitude_deg: float = 45.0) -> Bytes:
    """Hillshade 0-254 of shape (rows, cols), lit from the north-west; 255 beside voids. Worked in bands of rows."""
    height, rows = elevation.values, elevation.frame.rows
    shaded = np.full(elevation.frame.shape, NOTHING, np.uint8)
    sun = np.radians([azimuth_deg, altitude_deg])
    east, north, up = np.sin(sun[0]) * np.cos(sun[1]), np.cos(sun[0]) * np.cos(sun[1]), np.sin(sun[1])
    for top in range(0, rows, 512):
        low, high = max(top - 1, 0), min(top + 513, rows)
        if high - low < 2 or height.shape[1] < 2:
            continue
        down, across = np.gradient(np.asarray(height[low:high], np.float32), elevation.frame.cell_m)
        light = (up - across * east + down * north) / np.sqrt(1 + across**2 + down**2)
        known = np.isfinite(light)
        band = np.where(known, np.clip(np.where(known, light, 0.0), 0, 1) * 254, NOTHING).astype(np.uint8)
        shaded[top : min(top + 512, rows)] = band[top - low :][: min(512, rows - top)]
    return shaded


def sample(source: Pyramid, z: int, x: int, y: int) -> Bytes:
    """
    The tile's pixels (512, 512): the nearest cell of the level whose cells are about as large as a pixel.

    Pixel centres are turned into the county's CRS on a 17 x 17 lattice and interpolated between: within a tile of a
    county's zoom levels the error stays far below a pixel.
    """
    east, north = _pixels(source.frame, z, x, y)
    pixel_m = float(np.hypot(east[0, 1] - east[0, 0], north[0, 1] - north[0, 0]))
    level = int(np.clip(np.floor(np.log2(max(pixel_m / source.frame.cell_m, 1.0)) + 0.25), 0, len(source.levels) - 1))
    values, cell_m = source.levels[level], source.frame.cell_m * 2**level
    col = np.floor((east - source.frame.west_m) / cell_m).astype(np.int64)
    row = np.floor((source.frame.north_m - north) / cell_m).astype(np.int64)
    inside = (row >= 0) & (row < values.shape[0]) & (col >= 0) & (col < values.shape[1])
    pixels = np.full((PX, PX), NOTHING, np.uint8)
    pixels[inside] = values[row[inside], col[inside]]
    return pixels


def hillshade_png(pixels: Bytes) -> bytes:
    """A grey PNG of hillshade pixels; nothing stays transparent."""
    return _png(pixels, [(v, v, v, 255) for v in range(255)] + [(0, 0, 0, 0)])


def detection_png(pixels: Bytes, *, blind: float = 0.1) -> bytes:
    """
    A PNG of POD pixels (200 x POD): one hue from light to dark, and grey hatching where POD is below `blind`.

    >>> detection_png(np.full((512, 512), 255, np.uint8))[:4]
    b'\\x89PNG'
    """
    down, right = np.indices(pixels.shape)
    hatched = np.where((down + right) % 8 < 2, _HATCH, _BETWEEN).astype(np.uint8)
    unseen = pixels < round(200 * blind)
    return _png(np.where(unseen, hatched, pixels), _ramp())


def risk_steps(risk: Floats) -> Bytes:
    """
    Relative risk as 201 steps of its logarithm, 255 where there is none.

    >>> risk_steps(np.array([0.0, 0.25, 1.0, 16.0, 99.0])).tolist()
    [255, 0, 67, 200, 200]
    """
    known = np.isfinite(risk) & (risk > 0.0)
    powers = np.log2(np.where(known, risk, 1.0))
    steps = np.round(200.0 * np.clip((powers - RISK_FROM) / (RISK_TO - RISK_FROM), 0.0, 1.0))
    return np.where(known, steps, NOTHING).astype(np.uint8)


def risk_png(pixels: Bytes) -> bytes:
    """A PNG of `risk_steps`: one hue from light to dark."""
    return _png(pixels, [*_hues(LITTLE, MUCH), *[(0, 0, 0, 0)] * 55])


def _ramp() -> list[tuple[int, int, int, int]]:
    return [*_hues(LIGHT, DARK), (*GREY, 210), (*GREY, 60), *[(0, 0, 0, 0)] * 53]


def _hues(light: tuple[int, int, int], dark: tuple[int, int, int]) -> list[tuple[int, int, int, int]]:
    share = np.linspace(0.0, 1.0, 201)[:, None]
    hues = np.round(np.array(light) * (1 - share) + np.array(dark) * share).astype(int)
    return [(int(r), int(g), int(b), 190) for r, g, b in hues]


def _png(pixels: Bytes, colours: list[tuple[int, int, int, int]]) -> bytes:
    image = Image.frombytes("P", (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels).tobytes())
    image.putpalette([part for colour in colours for part in colour[:3]])
    out = io.BytesIO()
    image.save(out, "PNG", transparency=bytes(colour[3] for colour in colours), compress_level=4)
    return out.getvalue()


def _pixels(frame: Frame, z: int, x: int, y: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Easting and northing of the tile's pixel centres, metres of the frame's CRS, each (512, 512)."""
    span = _WORLD_M / 2**z
    at = np.linspace(0.0, 1.0, _LATTICE)
    across, down = np.meshgrid(-_WORLD_M / 2 + (x + at) * span, _WORLD_M / 2 - (y + at) * span)
    corners = _TURNING.submit(_turned, frame.crs, across, down).result()
    centre = (np.arange(PX) + 0.5) / PX * (_LATTICE - 1)
    left = np.minimum(centre.astype(int), _LATTICE - 2)
    part = centre - left
    return _between(np.asarray(corners[0]), left, part), _between(np.asarray(corners[1]), left, part)


def _turned(crs: pyproj.CRS, across: Floats, down: Floats) -> tuple[Floats, Floats]:
    turn = _turner(crs)
    east, north = turn.transform(across, down)
    return np.asarray(east), np.asarray(north)


@lru_cache(maxsize=8)
def _turner(crs: pyproj.CRS) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(3857, crs, always_xy=True)


def _between(
    lattice: npt.NDArray[np.float64], left: npt.NDArray[np.int64], part: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    rows = lattice[left] * (1 - part)[:, None] + lattice[left + 1] * part[:, None]
    mixed: npt.NDArray[np.float64] = rows[:, left] * (1 - part) + rows[:, left + 1] * part
    return mixed


def _half(values: Bytes) -> Bytes:
    rows, cols = values.shape[0] + values.shape[0] % 2, values.shape[1] + values.shape[1] % 2
    padded = np.full((rows, cols), NOTHING, np.uint8)
    padded[: values.shape[0], : values.shape[1]] = values
    quads = [padded[i::2, j::2] for i in (0, 1) for j in (0, 1)]
    held = np.zeros(quads[0].shape, np.uint16)
    total = np.zeros(quads[0].shape, np.uint16)
    for quad in quads:
        filled = quad != NOTHING
        held += filled
        total += np.where(filled, quad, 0).astype(np.uint16)
    mean = (total + held // 2) // np.maximum(held, 1)
    return np.where(held > 0, mean, NOTHING).astype(np.uint8)
