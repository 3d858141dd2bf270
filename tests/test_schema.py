"""The contract of tables: what is cast, what is refused, and that every refusal is counted once."""

from datetime import UTC, datetime, timedelta

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import DatumError, LayerError
from geo.schema import Column, Kind, Schema
from geo.season import CHINA
from geo.store.rows import rows_of

SCHEMA = Schema(
    "things",
    "thing_id",
    (
        Column("thing_id"),
        Column("kind", choices=("甲", "乙")),
        Column("n", Kind.INTEGER, required=False, low=0, high=10),
        Column("at", Kind.TIME, required=False),
        Column("edge", Kind.FLAG, required=False),
    ),
    geometry=("Point",),
    geometry_required=False,
)
POINT = shapely.Point(1, 2)


def table(**columns: list[object]) -> gpd.GeoDataFrame:
    """A table of two good things with some columns changed."""
    plain: dict[str, list[object]] = {"thing_id": ["1", "2"], "kind": ["甲", "乙"], "n": [1, 2], "at": [None, None]}
    return gpd.GeoDataFrame(plain | columns, geometry=[POINT, None], crs=4544)


def codes(rows: pd.DataFrame) -> list[tuple[object, str, str]]:
    return [(r.row, r.field, r.code) for r in SCHEMA.refusals(SCHEMA.conform(rows))]


def test_good_rows_pass() -> None:
    """Missing optional columns are added empty, unknown ones dropped."""
    rows = SCHEMA.conform(table(extra=[1, 2]))
    SCHEMA.check(rows)
    assert list(rows.columns) == [*SCHEMA.names, "geometry"]


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("thing_id", ["1", None], (1, "thing_id", "value_missing")),
        ("thing_id", ["1", "1"], (1, "thing_id", "duplicate")),
        ("kind", ["甲", "丙"], (1, "kind", "value_unknown")),
        ("n", [11, 2], (0, "n", "value_high")),
        ("n", [1, -1], (1, "n", "value_low")),
    ],
)
def test_a_bad_value_is_refused_by_row_and_field(column: str, values: list[object], expected: object) -> None:
    """Row, field and code."""
    assert codes(table(**{column: values})) == [expected]


def test_a_row_with_three_faults_is_refused_once() -> None:
    """Counts must add up."""
    assert len(codes(table(thing_id=[None, "2"], kind=["x", "乙"], n=[99, 1]))) == 1


def test_naive_times_become_missing_and_aware_ones_utc() -> None:
    """No zone is guessed."""
    rows = SCHEMA.conform(table(at=["2026-01-01T08:00:00+08:00", "2026-01-01T08:00:00"]))
    assert rows["at"].iloc[0] == pd.Timestamp("2026-01-01T00:00Z")
    assert pd.isna(rows["at"].iloc[1])


def test_codes_stay_text_without_a_decimal_tail() -> None:
    """A code read as a number comes back as its digits."""
    assert SCHEMA.conform(table(thing_id=[529901001.0, 2]))["thing_id"].tolist() == ["529901001", "2"]


def test_wrong_geometry_and_degrees_are_refused() -> None:
    """A line is no point; degrees are no metres."""
    rows = table()
    rows.geometry = [shapely.LineString([(0, 0), (1, 1)]), None]
    assert codes(rows) == [(0, "geometry", "geometry_kind")]
    with pytest.raises(DatumError):
        SCHEMA.check(SCHEMA.conform(table().set_crs(4326, allow_override=True)))


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.TIME])
@pytest.mark.parametrize(
    "value", [10**400, "9" * 400, 2**53 + 2, -(2**60), datetime(1, 1, 1, tzinfo=CHINA), "1899-12-30T00:00:00Z"]
)
def test_a_value_beyond_all_measure_is_missing_and_no_crash(kind: Kind, value: object) -> None:
    """No row holds a count that a double cannot tell from the next, nor the time of a clock that was never set."""
    one = Schema("things", "id", (Column("id"), Column("it", kind, required=False)))
    held = one.conform_row({"id": "1", "it": value})["it"]
    assert held == rows_of(one.conform(pd.DataFrame({"id": ["1"], "it": [str(value)]})))[0]["it"]
    assert held is None


def test_check_raises_with_the_first_bad_row() -> None:
    """The sentence names layer, row and field."""
    with pytest.raises(LayerError) as raised:
        SCHEMA.check(SCHEMA.conform(table(n=[1, 77])))
    assert (raised.value.fields["row"], raised.value.fields["field"]) == (1, "n")


@given(st.lists(st.tuples(st.sampled_from(["1", "2", "3", None]), st.sampled_from(["甲", "丙", None])), max_size=8))
def test_accepted_and_refused_add_up(rows: list[tuple[object, object]]) -> None:
    """Each row is either good or refused exactly once."""
    made = SCHEMA.conform(pd.DataFrame(rows, columns=["thing_id", "kind"], dtype=object))
    refused = SCHEMA.refusals(made)
    kept = made.drop(index=[r.row for r in refused])
    assert len(kept) + len(refused) == len(rows)
    assert SCHEMA.refusals(kept) == []


ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=6),
    st.sampled_from(
        ["甲", " 乙 ", "3", "3.0", "2.5", "1e1", "inf", "1_0", "是", "no", "2026-03-01T08:00+08:00", "2026-03-01"]
    ),
    st.integers(-20, 20),
    st.floats(-1e6, 1e6) | st.just(float("nan")),
    st.booleans(),
    st.integers(0, 10**15).map(lambda us: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)),
    st.just(pd.NA),
)


@given(st.fixed_dictionaries(dict.fromkeys(SCHEMA.names, ANYTHING)), st.sampled_from([None, POINT, POINT.buffer(1)]))
def test_one_row_is_held_to_the_contract_like_a_table_of_one(values: dict[str, object], place: object) -> None:
    """`conform_row` and `row_refusal` say of a mapping what `conform` and `refusals` say of a table."""
    whole = SCHEMA.conform(gpd.GeoDataFrame({n: [v] for n, v in values.items()}, geometry=[place], crs=4544))
    row = SCHEMA.conform_row(values | {"geometry": place})
    assert row == rows_of(whole)[0]
    assert SCHEMA.row_refusal(row) == next(iter(SCHEMA.refusals(whole)), None)
    assert SCHEMA.conform_row(row) == row
