"""What this machine and this county are like: library versions, closed drivers, fonts, the store."""

import subprocess
from contextlib import closing
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from geo.errors import GeoError, StoreError
from geo.formats import drivers
from geo.store import FILE
from geo.store.durable import back_up
from geo.workspace.county import County, open_county
from geo.workspace.rights import Action, require

GDAL_FLOOR = (3, 9)
PACKAGES = ("geopandas", "shapely", "folium", "rasterio", "fiona", "pyogrio", "streamlit", "numba")


def condition(path: Path) -> dict[str, Any]:
    """Versions, whether the address-following GDAL drivers are closed in all three libraries, fonts, and the store."""
    gdal = drivers.gdal_versions()
    opened = drivers.open_forbidden()
    store = _store(path)
    new_enough = all(tuple(int(n) for n in text.split(".")[:2]) >= GDAL_FLOOR for text in gdal.values())
    return {
        "ok": new_enough and not any(opened.values()) and store.get("ok", True),
        "gdal": gdal,
        "gdal_floor": ".".join(map(str, GDAL_FLOOR)),
        "forbidden_drivers_open": opened,
        "packages": {name: version(name) for name in PACKAGES},
        "cjk_font": _cjk_font(),
        "store": store,
    }


def back_up_county(county: County, *, now: datetime) -> Path:
    """
    A copy of the county's record in its folder ``backups``; what is kept in a database is that database's to copy.

    Raises
    ------
    StoreError
        Where the county's record is not a file of its own.
    Denied
        Where the county was opened by somebody who may not administer it.
    """
    require(county.actor, Action.ADMINISTER)
    file = county.path / FILE
    if not file.is_file():
        raise StoreError("backup_in_database", path=county.path)
    return back_up(file, "backup", now)


def _store(path: Path) -> dict[str, Any]:
    if not (path / "county.gpkg").exists():
        return {"county": None}
    try:
        with closing(open_county(path).store) as store:
            verdict = store.verify()
    except GeoError as error:
        return {"ok": False, "problem": str(error)}
    return {"ok": verdict.ok, "entries": verdict.entries_n, "problem": verdict.first_problem}


def _cjk_font() -> str | None:
    """The first font with Chinese glyphs, where fontconfig can tell."""
    try:
        found = subprocess.run(
            ["fc-list", ":lang=zh", "family"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.splitlines()[0] if found.stdout else None
