"""Times of recorders: the plain form read in bulk is the same as the one read with care."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.formats.values import utc_seconds

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC))  # noqa: DTZ001


@given(st.lists(MOMENTS, min_size=1, max_size=20))
def test_plain_times_are_the_seconds_python_says(moments: list[datetime]) -> None:
    texts = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in moments]
    assert utc_seconds(texts, None, {}).tolist() == [moment.timestamp() for moment in moments]


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-05T01:02:03Z",
        "2026-02-30T01:02:03Z",
        "2026-03-05T01:02:60Z",
        "2026-03-05T01:02:-3Z",
        "+026-03-05T01:02:03Z",
    ],
)
def test_a_time_that_is_none_is_a_fault_and_spoils_no_other(text: str) -> None:
    faults: dict[int, object] = {}
    found = utc_seconds(["1970-01-01T00:01:00Z", text], None, faults)  # type: ignore[arg-type]
    assert found[0] == 60.0
    assert np.isnan(found[1])
    assert list(faults) == [1]


def test_a_zone_that_is_not_utc_is_taken_off() -> None:
    assert utc_seconds(["1970-01-01T08:01:00+08:00", "1970-01-01T00:01:00Z"], None, {}).tolist() == [60.0, 60.0]
