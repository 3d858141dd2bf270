"""The claim check of a county: 亩 and person-trips claimed beside what people, hours and tracks could search."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from geo.analysis.claims import claimed_against_searchable, claims_by_township
from geo.settings import to_mapping
from geo.workspace.county import County
from geo.workspace.progress import township_names, villages_due
from geo.workspace.register import plain_records


@dataclass(frozen=True)
class Claims:
    """Claims by visit, largest ratio first, and by township; what they rest on."""

    as_of: datetime
    ledger_head: str | None
    claims: pd.DataFrame
    townships: pd.DataFrame
    assumptions: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """The check as plain values."""
        return {
            "as_of": self.as_of.isoformat(),
            "ledger_head": self.ledger_head,
            "assumptions": self.assumptions,
            "townships": plain_records(self.townships),
            "claims": plain_records(self.claims),
        }


def check_claims(county: County, *, as_of: datetime | None = None) -> Claims:
    """What the season's visits claim to have searched, beside what could have been."""
    moment = as_of or county.as_of()
    settings = county.settings
    visits, tracks, units = (county.store.read(layer) for layer in ("visits", "tracks", "units"))
    villages = villages_due(county, units)
    walked = tracks[tracks["mode"] == "foot"].set_index("track_id")["length_m"]
    visits = visits[visits["visited_at"].between(county.season.bounds[0], moment)]
    hours = settings.campaign.hours_per_day
    claims = claimed_against_searchable(
        pd.DataFrame(visits), walked, season=county.season, detection=settings.detection, hours_per_day=hours
    )
    township = villages.set_index("village_id")["township_id"]
    table = claims_by_township(claims, township, large=settings.campaign.claim_ratio)
    named = table.assign(name=table["township_id"].map(township_names(county, units)))
    head = county.store.head()
    rests = {"hours_per_day": hours, "claim_ratio": settings.campaign.claim_ratio}
    rests |= {"search_speed_kmh": settings.detection.search_speed_kmh}
    rests |= {"sweep_width_m_open": to_mapping(settings.detection)["sweep_width_m"]["open"]}
    return Claims(moment, head.hash if head else None, claims, named, rests)
