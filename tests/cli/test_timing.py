"""`seen` as a user types it."""

import json

from typed import Tacha


def test_seen_answers_in_json_and_words(tacha: Tacha) -> None:
    plain = json.loads(tacha("seen", "--since", "2026-04-01", "--half-life", "14", "--until-next-stage", "--json")[1])
    assert (plain["half_life_days"], plain["ends_with_stage"]) == (14.0, True)
    assert plain["since"].startswith("2026-04-01")
    assert {"as_of", "assumptions", "ledger_head", "townships"} <= set(plain)
    assert "第2轮 开花期" in tacha("seen")[1]
    assert "halve every 7 days" in tacha("seen", "--half-life", "7", "--lang", "en")[1]


def test_a_date_that_is_none_is_refused(tacha: Tacha) -> None:
    code, _, complaint = tacha("seen", "--since", "spring")
    assert code == 2
    assert "YYYY-MM-DD" in complaint
