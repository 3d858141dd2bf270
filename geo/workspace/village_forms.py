"""A village's form, line by line: each written line a visit, the record of who signed it, and its order's answer."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.analysis.order_book import order_book
from geo.errors import LayerError
from geo.formats.office_sheets import OfficeSheet
from geo.layers import SCHEMAS
from geo.layers.orders import Step, allowed
from geo.layers.returns import ENTERED
from geo.layers.visits import GROUNDS, OUTCOMES, Evidence
from geo.layers.visits import SCHEMA as VISITS
from geo.ledger import row_digest
from geo.report.visit_form import FILLED, GIVEN
from geo.store import Change
from geo.words import say
from geo.workspace.county import County
from geo.workspace.forms import content_id, filled_form
from geo.workspace.ordering import round_of, season_of
from geo.workspace.register_rows import require_post
from geo.workspace.written_lines import Line, choice_in, heads_of, lines_of, moment_in, number_in, whole_in, yes_in

MU_M2 = 2000.0 / 3.0
NAMES = tuple(column.name for column in (*GIVEN, *FILLED))
HEADS = heads_of(NAMES)
_VILLAGE = set(heads_of(["village_id"]))
_WRITTEN = ("visited_on", "persons_n", "hours", "area_mu", "courtyards_n", "outcome", "photos_n", "post", "signed")


def form_lines(sheet: OfficeSheet) -> list[tuple[int, Line]]:
    """The lines of a village form by their number; none of a sheet that is another one."""
    known = {head for heads in sheet.heads for head in heads}
    held = lines_of(sheet, HEADS) if known & _VILLAGE else []
    return [(number, row) for number, row in held if is_written(row) or row.get("village_id")]


def is_written(row: Line) -> bool:
    """Whether somebody wrote on a line, beyond what was printed there."""
    return any(row.get(name) for name in _WRITTEN)


@dataclass
class VillageForms:
    """Lines of village forms on their way in, and what the county knows of what they name, read once."""

    county: County
    villages: dict[str, str]
    teams: set[str]
    orders: pd.DataFrame
    steps: pd.DataFrame
    visits: set[str]
    taken: dict[str, tuple[gpd.GeoDataFrame, dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, county: County) -> "VillageForms":
        store = county.store
        units = store.read("units")
        listed = units[units["unit_kind"] == "village"].set_index("unit_id")["parent_id"].to_dict()
        return cls(
            county,
            listed | store.read("villages").set_index("village_id")["township_id"].to_dict(),
            set(store.read("teams")["team_id"]),
            store.read("orders"),
            store.read("order_steps"),
            set(store.read("visits")["visit_id"]),
        )

    def take(
        self,
        row: Line,
        now: datetime,
        *,
        sheet_sha256: str | None = None,
        entered: str = ENTERED[0],
        township_id: str | None = None,
    ) -> str:
        """One written line as a visit and its return; `township_id` refuses villages elsewhere. The visit's id."""
        order = self._order_of(row)
        village = row.get("village_id") or (order["unit_id"] if order else None)
        if village not in self.villages:
            raise LayerError("village_unknown", field="village_id", value=village)
        if township_id is not None and self.villages[village] != township_id:
            raise LayerError("bundle_elsewhere", field="village_id", value=village)
        if self.teams and not row.get("team_id"):
            raise LayerError("record_value_missing", field="team_id")
        if self.teams and row["team_id"] not in self.teams:
            raise LayerError("team_unknown", field="team_id", value=row["team_id"])
        round_, at = self._round_and_moment(row, order)
        signed, photos = yes_in(row, "signed"), whole_in(row, "photos_n") or 0
        post = row.get("post", "").strip()
        if post:
            require_post(post)
        area = number_in(row, "area_mu")
        if area is not None and area < 0.0:
            raise LayerError("record_value_bad", field="area_mu", value=row["area_mu"])
        values = {
            "village_id": village,
            "round": round_,
            "team_id": row.get("team_id") or village,
            "visited_at": at,
            "ground": choice_in(row, "ground", GROUNDS),
            "outcome": choice_in(row, "outcome", OUTCOMES),
            "reason": row.get("reason"),
            "evidence": str(Evidence.B if signed and post and photos > 0 else Evidence.C),
            "persons_n": whole_in(row, "persons_n"),
            "hours": number_in(row, "hours"),
            "area_m2": None if area is None else round(area * MU_M2, 3),
            "courtyards_n": whole_in(row, "courtyards_n"),
        }
        visit = filled_form(VISITS, values, self.county.crs, now)
        due = whole_in(row, "courtyards_due_n")
        if due is not None and (whole_in(row, "courtyards_n") or 0) > due:
            raise LayerError("courtyards_above", field="courtyards_n", n=whole_in(row, "courtyards_n"), due=due)
        said = {"group_name": row.get("group_name"), "post": post or None, "signed": signed, "photos_n": photos}
        said |= {"order_id": order["order_id"] if order else None, "village_id": village, "courtyards_due_n": due}
        number = content_id("V", VISITS, visit)
        if number in self.visits or number in self.taken:
            raise LayerError("duplicate", field="village_id", value=number)
        visit["visit_id"] = number
        said |= {"visit_id": number, "sheet_sha256": sheet_sha256, "entered": entered}
        self.taken[number] = visit, said | {"return_id": "B" + row_digest(said)[:12]}
        return number

    def _order_of(self, row: Line) -> dict[Any, Any] | None:
        if not row.get("order_id"):
            return None
        found = self.orders[self.orders["order_id"] == row["order_id"]]
        if found.empty:
            raise LayerError("order_unknown", field="order_id", value=row["order_id"])
        order: dict[Any, Any] = found.iloc[0].to_dict()
        if row.get("village_id", order["unit_id"]) != order["unit_id"]:
            raise LayerError("order_other_village", field="village_id", order=row["order_id"], value=row["village_id"])
        return order

    def _round_and_moment(self, row: Line, order: dict[Any, Any] | None) -> tuple[int | None, datetime]:
        """The round of a line, its order's where it names none, and when the ground was looked at: in its season."""
        season = season_of(self.county, order["due_from"]) if order else self.county.season
        number, at = whole_in(row, "round"), moment_in(row, "visited_on", season)
        if number is not None:
            round_of(self.county, number)
        if order and number not in (None, order["round"]):
            raise LayerError("order_other_round", field="round", order=order["order_id"], value=number)
        number = order["round"] if order else number
        if number is not None and not season.span[0] <= at < season.span[1]:
            raise LayerError("form_other_season", field="visited_on", value=row["visited_on"], year=season.year)
        return number, at

    def changes(self) -> list[Change]:
        """What the store has to write: visits, returns, and the answers to their orders."""
        if not self.taken:
            return []
        visits = gpd.GeoDataFrame(pd.concat([visit for visit, _ in self.taken.values()], ignore_index=True))
        returns = SCHEMAS["returns"].conform(pd.DataFrame([said for _, said in self.taken.values()]))
        changes = [Change("visits", visits), Change("returns", returns)]
        answers = self._answers()
        return [*changes, Change("order_steps", answers)] if len(answers) else changes

    def _answers(self) -> pd.DataFrame:
        """A 反馈 for every order whose forms came in and whose state allows one, by the post that signed last."""
        latest: dict[str, tuple[pd.Timestamp, str]] = {}
        for visit, said in self.taken.values():
            if said["order_id"]:
                told = visit["visited_at"].iloc[0], said["post"] or say("nobody")
                latest[said["order_id"]] = max(latest.get(said["order_id"], told), told)
        ends = max((at for at, _ in latest.values()), default=pd.Timestamp.min.tz_localize("UTC"))
        book = order_book(self.orders, self.steps, max(ends, self.steps["at"].max()) if len(self.steps) else ends)
        rows = []
        for order in book[book["order_id"].isin(list(latest))].to_dict("records"):
            if Step.ANSWERED in allowed(order["kind"], order["state"]):
                at, post = latest[order["order_id"]]
                known = self.steps.loc[self.steps["order_id"] == order["order_id"], "at"].max()
                row = {
                    "order_id": order["order_id"],
                    "step": str(Step.ANSWERED),
                    "at": max(at, known).isoformat(),
                    "post": post,
                }
                rows.append(row | {"step_id": "S" + row_digest(row)[:16]})
        return SCHEMAS["order_steps"].conform(pd.DataFrame(rows, columns=SCHEMAS["order_steps"].names))
