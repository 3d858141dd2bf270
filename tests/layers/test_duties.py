"""Who answers, and for what nobody does."""

from datetime import UTC, datetime

import pandas as pd

from geo.layers import duties

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)
TABLE = duties.SCHEMA.conform(
    pd.DataFrame(
        {
            "duty_id": ["1", "2", "3", "4"],
            "unit_kind": ["village"] * 4,
            "unit_id": ["v1", "v1", "v2", "v3"],
            "post": ["镇领导", "村主任", "村主任", "村主任"],
            "duty_kind": ["包保", "属地", "属地", "属地"],
            "valid_from": ["2026-01-01T00:00Z", "2026-01-01T00:00Z", "2025-01-01T00:00Z", "2026-04-01T00:00Z"],
            "valid_to": [None, None, "2026-03-01T04:00Z", None],
        }
    )
)


def test_a_duty_holds_from_its_first_moment_to_before_its_last() -> None:
    """valid_to is the first moment it no longer holds."""
    assert duties.in_force(TABLE, NOON)["duty_id"].tolist() == ["1", "2"]


def test_expired_and_future_posts_leave_nobody() -> None:
    """v2's post ended, v3's has not begun, v4 never had one."""
    assert set(duties.posts_by_unit(TABLE, NOON)) & {"v1", "v2", "v3", "v4"} == {"v1"}


def test_the_local_post_is_named_first() -> None:
    """属地 before 包保."""
    assert duties.post_of("v1", TABLE, NOON) == "村主任、镇领导"
    assert duties.post_of("v2", TABLE, NOON) is None
