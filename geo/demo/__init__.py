"""
The made-up county and its hidden truth: layers and grids only, nothing is written here.

Read in this order: sizes, boundaries, terrain, people, ways, walks, records, truth, county, handling.
"""

from geo.demo.boundaries import as_geojson, townships
from geo.demo.county import DemoCounty, make
from geo.demo.sizes import NOW, SIZES, Size, stream

__all__ = ["NOW", "SIZES", "DemoCounty", "Size", "as_geojson", "make", "stream", "townships"]
