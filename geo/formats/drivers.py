"""The three GDALs of one process: their versions, and whether the drivers that follow addresses are closed in all."""

import fiona
import pyogrio
import rasterio
import rasterio.drivers
from fiona.env import Env as FionaEnv
from fiona.env import GDALVersion

FORBIDDEN = ("VRT", "WMS", "WCS", "WMTS", "HTTP", "OGR_VRT", "WFS", "OAPIF", "CSW", "GTI", "STACIT")


def gdal_versions() -> dict[str, str]:
    """GDAL version inside each library."""
    return {
        "rasterio": rasterio.__gdal_version__,
        "fiona": str(GDALVersion.runtime()) if not fiona.__gdal_version__ else fiona.__gdal_version__,
        "pyogrio": ".".join(str(part) for part in pyogrio.__gdal_version__),
    }


def open_forbidden() -> dict[str, list[str]]:
    """Forbidden drivers that are nevertheless registered, per library; all lists empty is right."""
    with rasterio.Env() as env:
        raster = set(env.drivers())
    with FionaEnv() as env:
        vector = set(env.drivers())
    bulk = set(pyogrio.list_drivers())
    held = {"rasterio": raster, "fiona": vector, "pyogrio": bulk}
    return {name: sorted(set(FORBIDDEN) & drivers) for name, drivers in held.items()}
