"""
Tacha 踏查: where has anybody looked, how sure is that, and where to look next.

Read in this order: ``schema`` and ``grid`` (the two contracts), ``layers`` (what the data are),
``analysis.coverage`` (the main number), ``patrol`` and ``satellite`` (the two front doors),
``workspace`` (load, call, save), then ``cli`` and ``ui``.

Importing this package closes the GDAL drivers that follow addresses (VRT, WMS, ...), before any
library loads GDAL, and keeps GDAL from complaining about it. That is its only side effect.
"""

import logging as _logging
import os as _os

__version__ = "0.1.0"

SKIPPED_RASTER_DRIVERS = "VRT,WMS,WCS,WMTS,HTTP,OGCAPI,PLMOSAIC,EEDA,EEDAI,DAAS,STACIT,STACTA,GTI,GDALG,ADBC"
SKIPPED_VECTOR_DRIVERS = "OGR_VRT,WFS,OAPIF,CSW,NGW,PLSCENES,Carto,Elasticsearch,AmigoCloud,GPSBabel"

_os.environ["GDAL_SKIP"] = SKIPPED_RASTER_DRIVERS
_os.environ["OGR_SKIP"] = SKIPPED_VECTOR_DRIVERS
# Matrices here are small: more threads would only wait for work, and take a processor from those who have some.
_os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Each library's GDAL lacks some of these drivers and says so; nobody needs to read that.
_os.environ.setdefault("CPL_LOG", _os.devnull)
for _name in ("rasterio._env", "fiona._env"):
    _logging.getLogger(_name).addHandler(_logging.NullHandler())
