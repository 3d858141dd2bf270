"""Rewards for leads, by the lead's number only: 查实 → 应奖 → 已兑现, each step in the ledger."""

from datetime import datetime
from typing import Any

import pandas as pd

from geo.errors import StoreError
from geo.layers.leads import NEXT_REWARD, REWARD_STATES
from geo.ledger import Entry
from geo.store import Change
from geo.workspace.county import County


def record_reward(county: County, lead_id: str, state: str, *, now: datetime) -> bool:
    """
    The next state of a lead's reward; False where it stands there already.

    Raises
    ------
    StoreError
        No such lead, or a step left out or taken back.
    """
    lead = county.store.read("leads", [lead_id])
    if lead.empty:
        raise StoreError("lead_unknown", value=lead_id)
    held = lead["reward_state"].iloc[0]
    stands = held if isinstance(held, str) else None
    if stands == state:
        return False
    if NEXT_REWARD.get(stands) != state:
        raise StoreError("reward_move", lead=lead_id, state=stands or "–", wanted=state)
    after = lead.assign(reward_state=state)
    if state == REWARD_STATES[0] and pd.isna(lead["verified_at"].iloc[0]):
        after["verified_at"] = pd.Series([now], index=lead.index, dtype="datetime64[ms, UTC]")
    change = Change("leads", after, replace=True, before=lead)
    county.store.append(Entry("reward", {"lead_id": lead_id, "state": state}), change, now=now)
    return True


def rewards(county: County) -> list[dict[str, Any]]:
    """Every lead with a reward state, by number, and what comes next."""
    leads = county.store.read("leads")
    held = leads[leads["reward_state"].notna()].sort_values("lead_id")
    return [
        {"lead_id": lead, "reward_state": state, "next": NEXT_REWARD.get(state)}
        for lead, state in zip(held["lead_id"], held["reward_state"], strict=True)
    ]
