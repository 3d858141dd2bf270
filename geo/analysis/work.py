"""What the villages' work amounts to by ground and class of evidence: trips, person-hours, area, courtyards n of N."""

import pandas as pd

KEYS = ("township_id", "village_id", "round", "ground", "evidence")
_SUMS = ("reports_n", "person_trips_n", "person_hours", "hours_unknown_n", "area_m2", "courtyards_n", "photos_n")


def work_done(visits: pd.DataFrame, returns: pd.DataFrame, townships: pd.Series) -> pd.DataFrame:
    """
    Sums over visits by village, round, ground and class; classes are never added together here.

    Parameters
    ----------
    visits
        Layer visits; those without a village are left out.
    returns
        Layer returns: photos, groups and the N of each form.
    townships
        township_id by village_id.

    Returns
    -------
    pd.DataFrame
        `KEYS`, sums, ``groups`` named on forms, and ``courtyards_due_n``: the greatest N any of its forms gives, for a
        village's N does not add up over visits. Hours nobody gave are counted as unknown.
    """
    held = visits[visits["village_id"].notna()]
    told = returns.set_index("visit_id")[["photos_n", "group_name", "courtyards_due_n"]]
    held = held.join(told, on="visit_id")
    persons, hours = (pd.to_numeric(held[name]).astype(float) for name in ("persons_n", "hours"))
    parts = pd.DataFrame(
        {
            "township_id": held["village_id"].map(townships),
            **{name: held[name] for name in KEYS[1:]},
            "reports_n": 1,
            "person_trips_n": persons.fillna(0.0).astype(int),
            "person_hours": (persons * hours).fillna(0.0),
            "hours_unknown_n": (persons * hours).isna().astype(int),
            "area_m2": held["area_m2"].fillna(0.0),
            "courtyards_n": pd.to_numeric(held["courtyards_n"]).fillna(0).astype(int),
            "photos_n": pd.to_numeric(held["photos_n"]).fillna(0).astype(int),
            "courtyards_due_n": pd.to_numeric(held["courtyards_due_n"]).astype(float),
            "groups": held["group_name"],
        }
    )
    groups = parts.groupby(list(KEYS), dropna=False, sort=True)
    sums = groups[list(_SUMS)].sum()
    sums["courtyards_due_n"] = groups["courtyards_due_n"].max()
    sums["groups"] = groups["groups"].agg(lambda names: "、".join(sorted(set(names.dropna()))))
    return sums.reset_index()
