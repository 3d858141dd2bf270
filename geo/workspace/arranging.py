"""A day as a leader arranged it: stops in his order, timed again against the hours."""

from collections.abc import Mapping, Sequence

from geo import patrol
from geo.errors import StoreError
from geo.patrol import Plan
from geo.workspace.county import County
from geo.workspace.planning import Progress, checked_days, special_teams
from geo.workspace.preparing import gather, request_for


def arrange_day(
    county: County,
    orders: Mapping[str, Sequence[str]],
    *,
    day: str,
    hours: float | None = None,
    progress: Progress | None = None,
) -> Plan:
    """
    The day's routes with each team's stops in the order given; nothing is searched, nothing left out, nothing kept.

    Parameters
    ----------
    orders
        Target ids (parcels, segments, villages' courtyards) in walking order by team.

    Raises
    ------
    StoreError
        A day outside the season, a team or stop that is not there, a stop twice, or stops without a way between them.
    """
    checked_days(county, [day])
    teams = special_teams(county, None)
    unknown = [one for one in orders if one not in set(teams["team_id"])]
    if unknown:
        raise StoreError("arrange_team", value="、".join(unknown))
    stops = [one for order in orders.values() for one in order]
    twice = sorted({one for one in stops if stops.count(one) > 1})
    if twice:
        raise StoreError("arrange_twice", value="、".join(twice))
    rests = gather(county, progress=progress)
    mine = teams[teams["team_id"].isin(list(orders))]
    plans = []
    for township_id, squad in mine.groupby("township_id", sort=True):
        squad = squad.reset_index(drop=True)
        request = request_for(county, rests, str(township_id), squad, day=day, hours=hours)
        asked = {str(one): list(orders[str(one)]) for one in squad["team_id"]}
        absent = sorted(set().union(*asked.values()) - set(request.targets["target_id"]))
        if absent:
            raise StoreError("arrange_unknown", value="、".join(absent))
        try:
            plans.append(patrol.arranged(request, asked))
        except ValueError as error:
            raise StoreError("arrange_no_way", value="、".join(asked)) from error
    return patrol.joined(plans)


def too_long(plan: Plan) -> dict[str, float]:
    """Hours of every team whose day is longer than its hours allow."""
    return {str(team): float(hours) for team, hours in plan.hours_used.items() if hours > plan.budget_h + 1e-9}
