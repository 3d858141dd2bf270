"""
What a buffered line says, and what the walkers could really see: the same tracks, side by side.

Run: ``python docs/examples/buffer_against_detection.py [PICTURE.png]``. Made-up county, one month's tracks.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from geo import demo
from geo.analysis import coverage, zonal
from geo.analysis.detection import pod
from geo.analysis.pieces import walked_pieces
from geo.grid import Grid
from geo.layers.terrain import Terrain
from geo.layers.tracks import Mode, fixes_of
from geo.season import Season

GROUND, BUFFERED = (236, 234, 228), (120, 160, 190)
DARK, LIGHT = np.array([8, 66, 90]), np.array([220, 238, 240])


def compare(seed: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plantable cells, cells within 50 m of a track, and POD of every cell, for March of the small demo county."""
    made = demo.make("small", seed)
    season, settings = Season(made.settings.season), made.settings
    march = season.period_of(made.tracks["started_at"]) == 2
    walked = made.tracks[march & (made.tracks["mode"] == Mode.FOOT)].reset_index(drop=True)
    terrain = Terrain(made.elevation, made.cover, 10.0)
    hazard = Grid(np.zeros(made.elevation.frame.shape, np.int32), made.elevation.frame)
    pieces = walked_pieces(fixes_of(walked), np.ones(len(walked), bool), settings.detection)
    coverage.accumulate(hazard, pieces, terrain, season, settings.detection)
    near = zonal.buffer_mask(walked.geometry, made.elevation.frame, settings.coverage.buffer_m)
    return terrain.plantable, near, pod(hazard.values, settings.detection.availability)


def picture(plantable: np.ndarray, near: np.ndarray, seen: np.ndarray) -> Image.Image:
    """Left: the buffer. Right: POD, light to dark. Ground where nothing can be planted is left blank."""
    left = np.full((*near.shape, 3), 255, np.uint8)
    right = left.copy()
    left[plantable], right[plantable] = GROUND, GROUND
    left[plantable & near] = BUFFERED
    shade = np.clip(seen / 0.85, 0, 1)[..., None]
    ramp = (LIGHT * (1 - shade) + DARK * shade).astype(np.uint8)
    some = plantable & (seen > 0.02)
    right[some] = ramp[some]
    gap = np.full((near.shape[0], 40, 3), 255, np.uint8)
    whole = Image.fromarray(np.hstack([left, gap, right]))
    return whole.resize((whole.width // 3, whole.height // 3), Image.Resampling.BOX)


def main(arguments: list[str]) -> None:
    plantable, near, seen = compare()
    shares = near[plantable].mean(), seen[plantable].mean()
    print("plantable ground within 50 m of a track: {:.0%}; mean chance of seeing a plot: {:.1%}".format(*shares))
    if arguments:
        picture(plantable, near, seen).quantize(64).save(Path(arguments[0]), optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
