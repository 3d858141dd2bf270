"""The tables of a county in PostGIS, and how its columns are written and read as plain values."""

from dataclasses import replace

import pyproj
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from geo.layers import SCHEMAS
from geo.schema import Column, Kind, Schema
from geo.store.rows import ZM_LAYERS
from geo.store.tables import SCHEMA_VERSION

_TYPES = {
    Kind.TEXT: "text",
    Kind.REAL: "double precision",
    Kind.INTEGER: "bigint",
    Kind.TIME: "timestamp(3) with time zone",
    Kind.FLAG: "boolean",
}
_LEDGER = ("seq bigint", "at text", "kind text", "role text", "body text", "previous text", "hash text")
_META = ("name text", "value text")


def make_tables(db: Connection, schema: str, crs: pyproj.CRS) -> None:
    """Make every table of a new county, in the transaction at hand."""
    srs_id = int(crs.to_epsg() or 0)
    db.execute(sa.text("CREATE EXTENSION IF NOT EXISTS postgis"))
    db.execute(sa.text(f'CREATE SCHEMA "{schema}"'))
    for name, columns in {"ledger": _LEDGER, "meta": _META}.items():
        declared = ", ".join([f"{columns[0]} PRIMARY KEY", *(f"{column} NOT NULL" for column in columns[1:])])
        db.execute(sa.text(f'CREATE TABLE "{schema}".{name} ({declared})'))
    for layer in SCHEMAS.values():
        _add_layer(db, schema, layer, srs_id)
    meta = [{"name": "schema_version", "value": str(SCHEMA_VERSION)}, {"name": "srs_id", "value": str(srs_id)}]
    db.execute(sa.text(f'INSERT INTO "{schema}".meta VALUES (:name, :value)'), meta)


def _add_layer(db: Connection, schema: str, layer: Schema, srs_id: int) -> None:
    declared = ", ".join(["fid bigint PRIMARY KEY", *_declared(layer, srs_id)])
    db.execute(sa.text(f'CREATE TABLE "{schema}".{layer.name} ({declared})'))
    if layer.geometry:
        db.execute(sa.text(f'CREATE INDEX ON "{schema}".{layer.name} USING gist (geometry)'))


def known_layers(db: Connection, schema: str) -> dict[str, Schema]:
    """The layers as the database has them: those of this program, with the columns it holds already."""
    sql = """SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = :schema"""
    held: dict[str, set[str]] = {}
    for table, name in db.execute(sa.text(sql), {"schema": schema}):
        held.setdefault(str(table), set()).add(str(name))
    return {
        name: replace(layer, columns=tuple(column for column in layer.columns if column.name in held[name]))
        for name, layer in SCHEMAS.items()
        if name in held
    }


def add_lacking(db: Connection, schema: str, srs_id: int, backup: str) -> dict[str, list[str]]:
    """
    Copy every table into the schema `backup`, then add the layers and columns that are not there yet.

    Returns the columns added, by layer.
    """
    known = known_layers(db, schema)
    db.execute(sa.text(f'CREATE SCHEMA "{backup}"'))
    for table in ("ledger", "meta", *known):
        db.execute(sa.text(f'CREATE TABLE "{backup}".{table} AS TABLE "{schema}".{table}'))
    added: dict[str, list[str]] = {}
    for name, layer in SCHEMAS.items():
        if name not in known:
            _add_layer(db, schema, layer, srs_id)
            added[name] = list(layer.names)
            continue
        for column in (one for one in layer.columns if one.name not in known[name].names):
            db.execute(sa.text(f'ALTER TABLE "{schema}".{name} ADD COLUMN "{column.name}" {_TYPES[column.kind]}'))
            added.setdefault(name, []).append(column.name)
    db.execute(sa.text(f"UPDATE \"{schema}\".meta SET value = '{SCHEMA_VERSION}' WHERE name = 'schema_version'"))
    return added


def read_list(layer: Schema) -> str:
    """The columns of a layer as plain values: times as UTC text, flags as 0 or 1, geometry as WKB in hex."""
    columns = [_read(column) for column in layer.columns]
    return ", ".join([*columns, *(["encode(ST_AsBinary(geometry, 'NDR'), 'hex')"] if layer.geometry else [])])


def write_list(layer: Schema, srs_id: int) -> str:
    """The statement that writes rows of a layer, each in the place of the one with its ``fid``."""
    names = ["fid", *layer.names]
    values = [f":{name}" for name in names]
    for column in layer.columns:
        if column.kind is Kind.TIME:
            values[names.index(column.name)] = f"CAST(:{column.name} AS timestamptz)"
    if layer.geometry:
        names, values = [*names, "geometry"], [*values, f"ST_GeomFromWKB(:geometry, {srs_id})"]
    listed = ", ".join(f'"{name}"' for name in names)
    kept = ", ".join(f'"{name}" = EXCLUDED."{name}"' for name in names[1:])
    into = f"INSERT INTO {{}}.{layer.name} ({listed}) VALUES ({', '.join(values)})"
    return f"{into} ON CONFLICT (fid) DO UPDATE SET {kept}"


def strange_table(db: Connection, schema: str, srs_id: int) -> str | None:
    """The first table whose columns are not as `make_tables` makes them, or a trigger or rule nobody here made."""
    found: dict[str, set[tuple[str, str]]] = {}
    sql = """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = :schema AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"""
    for table, name, kind in db.execute(sa.text(sql), {"schema": schema}):
        found.setdefault(table, set()).add((name, kind))
    for table, wanted in _wanted(srs_id).items():
        if found.get(table) != wanted:
            return table
    sql = """SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND NOT t.tgisinternal
        UNION ALL SELECT rulename FROM pg_rules WHERE schemaname = :schema LIMIT 1"""
    alien = db.execute(sa.text(sql), {"schema": schema}).scalar()
    return None if alien is None else str(alien)


def _wanted(srs_id: int) -> dict[str, set[tuple[str, str]]]:
    plain = {"ledger": _LEDGER, "meta": _META}
    tables = {name: {_split(column) for column in columns} for name, columns in plain.items()}
    for layer in SCHEMAS.values():
        columns = {("fid", "bigint")} | {(column.name, _TYPES[column.kind]) for column in layer.columns}
        tables[layer.name] = columns | ({("geometry", _shape(layer, srs_id))} if layer.geometry else set())
    return tables


def _split(declared: str) -> tuple[str, str]:
    name, kind = declared.split(" ", 1)
    return name, kind


def _declared(layer: Schema, srs_id: int) -> list[str]:
    columns = [
        f'"{column.name}" {_TYPES[column.kind]}' + (" NOT NULL UNIQUE" if column.name == layer.key else "")
        for column in layer.columns
    ]
    return [*columns, *([f"geometry {_shape(layer, srs_id)}"] if layer.geometry else [])]


def _shape(layer: Schema, srs_id: int) -> str:
    return f"geometry({'GeometryZM' if layer.name in ZM_LAYERS else 'Geometry'},{srs_id})"


def _read(column: Column) -> str:
    name = f'"{column.name}"'
    if column.kind is Kind.TIME:
        return f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.MS"Z"')"""
    return f"CAST({name} AS int)" if column.kind is Kind.FLAG else name
