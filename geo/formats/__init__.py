"""Files in and out: the one door for vectors, tables and tracks, and the readers of rasters."""

from geo.formats.door import read
from geo.formats.raster import read_cover, read_terrain
from geo.formats.reading import Hints, Reading

__all__ = ["Hints", "Reading", "read", "read_cover", "read_terrain"]
