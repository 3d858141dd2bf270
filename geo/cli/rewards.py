"""`reward`: the state of a lead's reward, by the lead's number only."""

from typing import Annotated

import typer

from geo.cli.speaking import now, session
from geo.errors import StoreError


def register(app: typer.Typer) -> None:
    app.command()(reward)


def reward(
    context: typer.Context,
    lead: Annotated[str | None, typer.Argument(help="线索编号 lead id")] = None,
    state: Annotated[str | None, typer.Argument(help="查实 → 应奖 → 已兑现 state")] = None,
) -> None:
    """线索奖励：查实 → 应奖 → 已兑现（只凭线索编号，不记举报人） rewards by lead number; without arguments: all."""
    from geo.workspace.rewards import record_reward, rewards

    talk = session(context)
    county = talk.open()
    if lead and state:
        changed = record_reward(county, lead, state, now=now())
        talk.answer({"lead_id": lead, "reward_state": state, "changed": changed})
        talk.print(talk.say("reward_done", id=lead, state=state))
        return
    if lead and not county.store.holds("leads", [lead]):
        raise StoreError("lead_unknown", value=lead)
    found = [row for row in rewards(county) if lead in (None, row["lead_id"])]
    talk.answer({"rewards": found})
    names = ("lead_id", "reward_state")
    rows = [[row[name] for name in names] for row in found]
    talk.table(talk.say("rewards_title"), [talk.say(f"column_{name}") for name in names], rows)
