"""The data layers: one file each, with its Schema. `SCHEMAS` lists them by name."""

from geo.layers import (
    alerts,
    aliases,
    duties,
    finds,
    leads,
    lookouts,
    orders,
    parcels,
    refusals,
    returns,
    roads,
    routes,
    segments,
    steps,
    teams,
    townships,
    tracks,
    trials,
    villages,
    visits,
)
from geo.schema import Schema

SCHEMAS: dict[str, Schema] = {
    schema.name: schema
    for schema in (
        townships.SCHEMA,
        townships.NEIGHBOURS,
        townships.GROUNDS,
        villages.SCHEMA,
        duties.SCHEMA,
        duties.UNITS,
        aliases.SCHEMA,
        teams.SCHEMA,
        tracks.SCHEMA,
        lookouts.SCHEMA,
        trials.SCHEMA,
        visits.SCHEMA,
        parcels.SCHEMA,
        finds.SCHEMA,
        steps.SCHEMA,
        leads.SCHEMA,
        alerts.SCHEMA,
        orders.SCHEMA,
        orders.STEPS,
        orders.DAILIES,
        returns.SCHEMA,
        refusals.SCHEMA,
        segments.SCHEMA,
        routes.SCHEMA,
        routes.STOPS,
        roads.SCHEMA,
        roads.OFFICES,
    )
}
