"""
Tacha 踏查: where has anybody looked, how sure is that, and where to look next.

Read in this order: ``schema`` and ``grid`` (the two contracts), ``layers`` (what the data are),
``analysis.coverage`` (the main number), ``patrol`` and ``satellite`` (the two front doors),
``workspace`` (load, call, save), then ``cli`` and ``ui``.

Importing this package closes the GDAL drivers that follow addresses (VRT, WMS, ...), before any
library loads GDAL. That is its only side effect.
"""

import os as _os

__version__ = "0.1.0"

SKIPPED_RASTER_DRIVERS = (
    "VRT,WMS,WCS,WMTS,HTTP,OGCAPI,PLMOSAIC,RASTERLITE,EEDA,EEDAI,DAAS,STACIT,STACTA,NGW,PostGISRaster,GTI,DERIVED,Zarr"
)
SKIPPED_VECTOR_DRIVERS = (
    "OGR_VRT,WFS,OAPIF,CSW,HTTP,NGW,PLSCENES,Carto,CartoDB,ElasticSearch,Elasticsearch,AmigoCloud,CouchDB,"
    "GMLAS,MongoDBv3,PostgreSQL,MySQL,ODBC,MSSQLSpatial,OCI,HANA,EEDA,GeoRSS"
)

_os.environ["GDAL_SKIP"] = SKIPPED_RASTER_DRIVERS
_os.environ["OGR_SKIP"] = SKIPPED_VECTOR_DRIVERS
_os.environ.setdefault("CPL_CURL_ENABLE_VSIMEM", "NO")
_os.environ["GDAL_DISABLE_READDIR_ON_OPEN"] = "EMPTY_DIR"
