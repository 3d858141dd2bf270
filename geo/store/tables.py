"""The tables of a county's GeoPackage 1.3: its layers, its ledger, and what QGIS needs to know about them."""

import sqlite3
from contextlib import closing
from typing import Any

import pyproj

from geo.layers import SCHEMAS
from geo.schema import Kind, Schema
from geo.store.rows import ZM_LAYERS

SCHEMA_VERSION = 2
APPLICATION_ID = 0x47504B47
GPKG_VERSION = 10300
_TYPES = {Kind.TEXT: "TEXT", Kind.REAL: "REAL", Kind.INTEGER: "INTEGER", Kind.TIME: "DATETIME", Kind.FLAG: "BOOLEAN"}
_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ','now')"

_TOLD = {
    "gpkg_contents": "table_name, data_type, identifier, srs_id",
    "gpkg_geometry_columns": "*",
    "gpkg_spatial_ref_sys": "srs_id, organization, organization_coordsys_id",
    "tacha_meta": "name, CASE name WHEN 'crs' THEN '' ELSE value END",
}

_METADATA = f"""
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT ({_NOW}), min_x DOUBLE, min_y DOUBLE,
  max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE tacha_meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('ledger', 'attributes', 'ledger');
"""


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def columns_of(schema: Schema) -> list[str]:
    """The columns that hold a row's values, geometry last; ``fid``, the order of arrival, comes before them."""
    return [*schema.names, *(["geometry"] if schema.geometry else [])]


def make_tables(db: sqlite3.Connection, crs: pyproj.CRS) -> int:
    """Make every table of a new county in one transaction; returns the CRS's ``srs_id``."""
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {GPKG_VERSION}")
    db.executescript(f"BEGIN; {_METADATA} COMMIT;")
    db.execute("BEGIN IMMEDIATE")
    make_ledger(db)
    srs_id = _add_crs(db, crs)
    for schema in SCHEMAS.values():
        add_layer(db, schema, srs_id)
    meta = {"schema_version": str(SCHEMA_VERSION), "srs_id": str(srs_id), "crs": crs.to_wkt()}
    db.executemany("INSERT INTO tacha_meta VALUES (?, ?)", meta.items())
    db.execute("COMMIT")
    return srs_id


def strange_table(db: sqlite3.Connection, crs: pyproj.CRS) -> str | None:
    """The first table that is not as `make_tables` makes it, or a trigger or view that nobody here made."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        make_tables(fresh, crs)
        wanted, held = layout(fresh), layout(db)
    for name, content in wanted.items():
        if held.get(name) != content:
            return name
    alien = db.execute("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view') LIMIT 1").fetchone()
    return str(alien[0]) if alien else None


def layout(db: sqlite3.Connection) -> dict[str, Any]:
    """
    Columns of every table, and what the tables about tables say.

    Left out is what no figure rests on: the time of a layer's last change, how far it reaches, wordings of a CRS.
    """
    names = [str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found: dict[str, Any] = {}
    for name in names:
        columns = db.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
        found[name] = {column[1:] for column in columns}, _unique(db, name)
    for name, told in _TOLD.items():
        which = " WHERE name <> 'moved_to'" if name == "tacha_meta" else ""
        found[f"{name} rows"] = set(db.execute(f"SELECT {told} FROM {name}{which}")) if name in names else None
    return found


def _unique(db: sqlite3.Connection, table: str) -> int:
    return sum(bool(index[2]) for index in db.execute(f"PRAGMA index_list({quoted(table)})"))


def widen(db: sqlite3.Connection, schema: Schema, bounds: tuple[float, float, float, float] | None) -> None:
    """Note in the contents table that a layer changed, and how far it reaches: west, south, east, north in metres."""
    db.execute(f"UPDATE gpkg_contents SET last_change = {_NOW} WHERE table_name = ?", (schema.name,))
    if bounds:
        west, south, east, north = bounds
        db.execute(
            "UPDATE gpkg_contents SET min_x = min(coalesce(min_x, ?1), ?1), min_y = min(coalesce(min_y, ?2), ?2),"
            " max_x = max(coalesce(max_x, ?3), ?3), max_y = max(coalesce(max_y, ?4), ?4) WHERE table_name = ?5",
            (west, south, east, north, schema.name),
        )


def _add_crs(db: sqlite3.Connection, crs: pyproj.CRS) -> int:
    epsg = crs.to_epsg()
    srs_id = epsg or 100_000
    rows = [
        ("Undefined cartesian", -1, "NONE", -1, "undefined", None),
        ("Undefined geographic", 0, "NONE", 0, "undefined", None),
        ("WGS 84", 4326, "EPSG", 4326, pyproj.CRS.from_epsg(4326).to_wkt("WKT1_GDAL"), None),
        (crs.name, srs_id, "EPSG" if epsg else "NONE", srs_id, crs.to_wkt("WKT1_GDAL"), None),
    ]
    db.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", rows)
    return srs_id


def make_ledger(db: sqlite3.Connection) -> None:
    """The table of the hash chain; the chain itself keeps its entries apart, so only `seq` is unique."""
    db.execute(
        "CREATE TABLE ledger (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL,"
        " body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)"
    )


def add_column(db: sqlite3.Connection, schema: Schema, name: str) -> None:
    """Give a layer's table a column it does not have yet."""
    db.execute(f"ALTER TABLE {quoted(schema.name)} ADD COLUMN {_declared(schema)[name]}")


def _declared(schema: Schema) -> dict[str, str]:
    """How each column of a layer is declared."""
    columns = {}
    for column in schema.columns:
        key = " NOT NULL UNIQUE" if column.name == schema.key else ""
        columns[column.name] = f"{quoted(column.name)} {_TYPES[column.kind]}{key}"
    return columns | ({"geometry": f'"geometry" {_geometry_type(schema)}'} if schema.geometry else {})


def add_layer(db: sqlite3.Connection, schema: Schema, srs_id: int) -> None:
    """Make a layer's table, and tell other programs about it."""
    columns = ["fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", *_declared(schema).values()]
    kind = _geometry_type(schema)
    db.execute(f"CREATE TABLE {quoted(schema.name)} ({', '.join(columns)})")
    data_type, srs = ("features", srs_id) if schema.geometry else ("attributes", None)
    db.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, ?, ?, ?)",
        (schema.name, data_type, schema.name, srs),
    )
    if schema.geometry:
        z, m = (2, 2) if schema.name in ZM_LAYERS else (2, 0)  # "mandatory" (1, 1) is a type pyogrio cannot open
        db.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?, 'geometry', ?, ?, ?, ?)", (schema.name, kind, srs_id, z, m)
        )


def _geometry_type(schema: Schema) -> str:
    return schema.geometry[0].upper() if len(schema.geometry) == 1 else "GEOMETRY"
