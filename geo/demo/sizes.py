"""The two sizes of the made-up county, its dice, and smooth noise."""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float64]
MADE_UP = "虚构 made up"
COUNTY_ID = "529901"
COUNTY_NAME = "示例县（虚构） Demo County (made up)"
EPSG = 4544
SEASON = 2026
NOW = datetime(SEASON, 5, 21, tzinfo=UTC)
CENTRE_M = (529_800.0, 2_954_000.0)


@dataclass(frozen=True)
class Size:
    """
    How large the made-up county is.

    Parameters
    ----------
    area_km2, townships_n, villages_n, tracks_n, parcels_n
        Totals; tracks count foot and vehicle recordings.
    lattice_m
        Cell of the raster on which boundaries are drawn, metres.
    edge_band_m
        Walkers mostly keep farther than this from a township's edge, metres.
    low_m, high_m
        Height of the ground between the cones, metres.
    """

    name: str
    area_km2: float
    townships_n: int
    villages_n: int
    tracks_n: int
    parcels_n: int
    lattice_m: float
    edge_band_m: float
    low_m: float
    high_m: float


SIZES = {
    "small": Size("small", 112.0, 7, 19, 112, 14, 40.0, 450.0, 1100.0, 1600.0),
    "full": Size("full", 2500.0, 25, 400, 2500, 300, 100.0, 1200.0, 900.0, 1950.0),
}


def stream(size: Size, seed: int, what: str) -> np.random.Generator:
    """Independent dice for one part of the county, so that changing one part leaves the others as they were."""
    return np.random.default_rng([seed, zlib.crc32(f"{size.name}/{what}".encode())])


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], wavelength: float) -> Floats:
    """Cubic noise of mean about 0 and deviation 1 on `shape`; `wavelength` in cells."""
    step = max(wavelength / 2.0, 1.0)
    lattice = rng.standard_normal([int(np.ceil(n / step)) + 4 for n in shape])
    # What ndimage.zoom does, without drawing what lies beyond the shape.
    between = [(n - 1) / (round(n * step) - 1) for n in lattice.shape]
    drawn = ndimage.affine_transform(lattice, between, output_shape=shape, order=3)
    return np.asarray(drawn / max(float(drawn.std()), 0.3))


def enlarge(coarse: npt.NDArray[np.float32], factor: int, rows: slice, cols_n: int) -> npt.NDArray[np.float32]:
    """Rows of a raster `factor` times finer, by linear interpolation between cell centres; (rows, cols_n)."""
    down, across = (
        np.clip((np.arange(first, last) + 0.5) / factor - 0.5, 0.0, None)
        for first, last in ((rows.start, rows.stop), (0, cols_n))
    )
    top, left = (np.minimum(p.astype(int), n - 2) for p, n in zip((down, across), coarse.shape, strict=True))
    share_down, share_across = (down - top).astype(np.float32)[:, None], (across - left).astype(np.float32)
    lines = coarse[top] + (coarse[top + 1] - coarse[top]) * share_down
    left_side = lines[:, left]
    return np.asarray(left_side + (lines[:, left + 1] - left_side) * share_across)
