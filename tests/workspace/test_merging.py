"""Returned bundles: once however often, alike in whatever order, whole or not at all, contradictions listed."""

import itertools
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import shapely
from bundle_county import (
    FINDS,
    NOW,
    OTHER,
    PACKED,
    VILLAGES,
    VISITS,
    gpx,
    returned,
    standing,
    table,
    with_targets,
)  # fmt: skip
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from geo.errors import FormatError, GeoError, StoreError
from geo.formats.bundle import RETURN, Manifest, sealed
from geo.layers import SCHEMAS
from geo.layers.steps import Act
from geo.words import explain
from geo.workspace.bundling import key_for
from geo.workspace.county import County, open_county
from geo.workspace.life import record_step
from geo.workspace.merging import bundle_in
from geo.workspace.recording import record_verification

VISIT = {"地块编号": "靶P1", "踏查日期": "2026-04-02", "队伍代码": "T1", "结果": "未发现", "人数": 3}
SIGNED = {"照片文件": "a.jpg", "已签字": "是", "签字岗位": "网格长"}
VILLAGE = {"村代码": "520525001201", "队伍代码": "T1", "踏查日期": "2026-04-01", "结果": "未发现", "地类": "田间"}
FIND = {"地块编号": "靶P2", "队伍代码": "T1", "发现时间": "2026-04-03 10:00", "株数": 12, "生长期": "开花期"}


@pytest.fixture
def county(village_county: County) -> County:
    return with_targets(village_county)


def plots(county: County) -> dict[str, tuple[str, Any]]:
    """State and reason of every plot."""
    held = county.store.read("parcels")
    reasons = held["reason"].where(held["reason"].notna(), None)
    return dict(zip(held["parcel_id"], zip(held["status"], reasons, strict=True), strict=True))


def test_everything_a_township_brings_goes_in_with_one_entry(county: County, tmp_path: Path) -> None:
    """A track, a village's line, a visit with a picture, a find: one ledger entry, and it verifies."""
    files = {
        "tracks/T1/walk.gpx": gpx(county, 0.0),
        "forms/村.csv": table(VILLAGES, [VILLAGE]),
        "forms/靶标.csv": table(VISITS, [VISIT | SIGNED, {"地块编号": "靶P2"}]),
        "forms/发现.csv": table(FINDS, [FIND, {"发现编号": standing(county)}]),
        "photos/a.jpg": b"\xff\xd8picture",
    }  # fmt: skip
    before = len(county.store.entries())
    merged = bundle_in(county, returned(county, tmp_path, files), now=NOW)
    assert merged.new == {"tracks": 1, "returns": 1, "visits": 2, "finds": 1, "photos": 1}
    assert [file.json("en")["refused"] for file in merged.report.files] == [[]] * 4
    assert len(county.store.entries()) == before + 1
    assert {key: status for key, (status, _) in plots(county).items()} == {
        "靶P1": "visited", "靶P2": "confirmed", "靶P3": "confirmed", "靶Q1": "flagged",
    }  # fmt: skip
    visits = county.store.read("visits").set_index("parcel_id")
    assert (visits.loc["靶P1", "evidence"], visits["team_id"].unique().tolist()) == ("B", ["T1"])
    find = county.store.read("finds").set_index("parcel_id").loc["靶P2"]
    assert (find["recorded_at"], find["plants_n"]) == (pd.Timestamp(PACKED), 12)
    assert county.store.read("tracks")["team_id"].tolist() == ["T1"]
    assert county.store.verify().ok


def test_the_same_bundle_again_changes_nothing(county: County, tmp_path: Path) -> None:
    """No row, no ledger entry; the same records in a bundle packed later are known too."""
    files = {"forms/x.csv": table(VISITS, [VISIT]), "forms/y.csv": table(FINDS, [FIND])}
    files["tracks/T1/w.gpx"] = gpx(county, 0.0)
    bundle_in(county, returned(county, tmp_path, files), now=NOW)
    head = county.store.head()
    for packed in (PACKED, PACKED + timedelta(days=2)):
        again = bundle_in(county, returned(county, tmp_path, files, packed=packed), now=NOW + timedelta(days=3))
        assert (again.entry, again.new) == (None, {})
        assert {r.code for file in again.report.files for r in file.refused} == {"duplicate"}
    assert county.store.head() == head


def test_a_find_keeps_the_earliest_moment_it_was_written_down(county: County, tmp_path: Path) -> None:
    """A later copy comes in first: when the earlier one arrives, the find is as old as that."""
    files = {"forms/y.csv": table(FINDS, [FIND])}
    early, late = (returned(county, tmp_path, files, packed=PACKED + timedelta(days=n)) for n in (0, 5))
    bundle_in(county, late, now=NOW)
    bundle_in(county, early, now=NOW)
    assert county.store.read("finds").set_index("parcel_id").loc["靶P2", "recorded_at"] == pd.Timestamp(PACKED)
    assert bundle_in(county, late, now=NOW).entry is None


def line(kind: str, **values: object) -> tuple[str, dict[str, object]]:
    return kind, values


VISIT_LINES = st.builds(
    lambda plot, day, outcome, reason: line(
        "visit", **{"地块编号": plot, "踏查日期": f"2026-04-0{day}", "队伍代码": "T1", "结果": outcome, "人数": day}
        | ({"原因或备注": reason} if outcome == "核查排除" else {})
    ),
    st.sampled_from(["靶P1", "靶P2", "靶P3"]),
    st.integers(1, 4),
    st.sampled_from(["未发现", "发现", "核查排除", "无法到达"]),
    st.sampled_from(["草坪", "滑坡"]),
)  # fmt: skip
FIND_LINES = st.builds(
    lambda plot, day, plants, gone: line(
        "find", **FIND | {"地块编号": plot, "发现时间": f"2026-04-0{day}", "株数": plants}
        | ({"铲除方式": "强制铲除", "铲除时间": f"2026-04-0{day + 1}"} if gone else {})
    ),
    st.sampled_from(["靶P1", "靶P2"]), st.integers(1, 3), st.integers(1, 3), st.booleans(),
)  # fmt: skip
DESTROYED = st.builds(
    lambda day, percent: line(
        "find", **{"发现编号": "STANDING", "铲除方式": "强制铲除"}
        | {"铲除率（%）": percent, "铲除时间": f"2026-04-0{day}"}
    ),
    st.integers(1, 3), st.sampled_from([50, 100]),
)  # fmt: skip
LINES = st.lists(st.one_of(VISIT_LINES, FIND_LINES, DESTROYED), min_size=1, max_size=4)
BUNDLES = st.lists(LINES, min_size=2, max_size=3)


def state(county: County) -> dict[str, pd.DataFrame]:
    """All that bundles can change, whatever the order of arrival."""
    held = {}
    for layer in ("tracks", "visits", "finds", "parcels", "refusals"):
        table = pd.DataFrame(county.store.read(layer))
        if "geometry" in table:
            table["geometry"] = shapely.to_wkt(table["geometry"].to_numpy())
        held[layer] = table.sort_values(SCHEMAS[layer].key).reset_index(drop=True)
    return held


def test_pictures_of_several_bundles_add_up_in_any_order(county: County, tmp_path: Path) -> None:
    """One picture for two finds, for a visit, after a destruction and alone: the same rows, each bundle once."""
    picture, find = {"photos/a.jpg": b"\xff\xd8picture", "photos/b.jpg": b"\xff\xd8other"}, standing(county)
    other = FIND | {"地块编号": "靶P1", "照片文件": "a.jpg", "铲除方式": "强制铲除", "铲除时间": "2026-04-04"}
    gone = {"发现编号": find, "铲除方式": "强制铲除", "铲除时间": "2026-04-02", "铲除后照片": "a.jpg"}
    files = [
        {"forms/f.csv": table(FINDS, [FIND | {"照片文件": "a.jpg、b.jpg"}])} | picture,
        {"forms/f.csv": table(FINDS, [other | {"铲除后照片": "a.jpg"}]), "forms/v.csv": table(VISITS, [VISIT | SIGNED])}
        | picture,
        {"forms/f.csv": table(FINDS, [gone])} | picture,
        picture,
    ]
    paths = [returned(county, tmp_path, one, packed=PACKED + timedelta(days=n)) for n, one in enumerate(files)]
    found = []
    for order in itertools.permutations(range(len(paths))):
        copy = open_county(shutil.copytree(county.path, tmp_path / "-".join(map(str, order))))
        for number in order:
            assert [bundle_in(copy, paths[number], now=NOW).entry is None for _ in range(2)] == [False, True]
        rows = copy.store.read("photos")[["photo_id", "sha256", "shows", "find_id", "visit_id", "parcel_id", "team_id"]]
        found.append(rows.sort_values("photo_id").reset_index(drop=True))
        copy.store.close()
    assert sorted(found[0]["shows"]) == ["现场"] * 3 + ["铲除前"] * 3 + ["铲除后"]
    for one in found[1:]:
        pd.testing.assert_frame_equal(one, found[0])


@pytest.mark.slow
@given_settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BUNDLES, st.data())
def test_order_and_repetition_of_bundles_do_not_matter(
    county: County, tmp_path_factory: pytest.TempPathFactory, bundles: list[Any], data: st.DataObject
) -> None:
    """Any order, any number of copies: the same tracks, visits, finds, plots, and a ledger that holds."""
    folder = tmp_path_factory.mktemp("order")
    find = standing(county)
    paths = []
    for number, lines in enumerate(bundles):
        files = {"tracks/T1/w.gpx": gpx(county, 1000.0 * (number % 2))}
        for kind, heads in (("visit", VISITS), ("find", FINDS)):
            held = [{k: find if v == "STANDING" else v for k, v in one.items()} for what, one in lines if what == kind]
            files |= {f"forms/{kind}.csv": table(heads, held)} if held else {}
        paths.append(returned(county, folder, files, packed=PACKED + timedelta(days=number)))
    once = data.draw(st.permutations(range(len(paths))))
    copies = data.draw(st.lists(st.integers(0, len(paths) - 1), max_size=3))
    often = data.draw(st.permutations([*range(len(paths)), *copies]))
    results = []
    for name, order in (("one", once), ("two", often)):
        shutil.copytree(county.path, folder / name)
        copy = open_county(folder / name)
        for number in order:
            bundle_in(copy, paths[number], now=NOW)
        entries = len(copy.store.entries())
        for number in order:
            assert bundle_in(copy, paths[number], now=NOW).entry is None
        assert len(copy.store.entries()) == entries
        assert copy.store.verify().ok
        results.append(state(copy))
        copy.store.close()
    for layer, one in results[0].items():
        pd.testing.assert_frame_equal(one, results[1][layer])


def test_contradictions_are_kept_listed_and_the_same_in_either_order(county: County, tmp_path: Path) -> None:
    """One says lawn, the other counts plants: the plants stand, both records stay, the contradiction is told."""
    lawn = VISIT | {"地块编号": "靶P2", "结果": "核查排除", "原因或备注": "草坪"}
    dismissed = {"forms/a.csv": table(VISITS, [lawn])}
    found = {"forms/b.csv": table(FINDS, [FIND])}
    paths = [returned(county, tmp_path, files) for files in (dismissed, found)]
    told = []
    for name, order in (("one", (0, 1)), ("two", (1, 0))):
        shutil.copytree(county.path, tmp_path / name)
        copy = open_county(tmp_path / name)
        merged = [bundle_in(copy, paths[number], now=NOW) for number in order]
        assert plots(copy)["靶P2"] == ("confirmed", None)
        assert (len(copy.store.read("visits")), len(copy.store.read("finds"))) == (1, 2)
        told.append([(one.kind, one.subject) for one in merged[1].contradicts])
        assert "靶P2" in merged[1].sentences("en", file="x")[-1]
    assert told[0] == told[1] == [("conflict_dismissed", "靶P2")]


def test_two_words_on_one_destruction_are_both_kept_and_the_cautious_one_stands(county: County, tmp_path: Path) -> None:
    """Half or all of it, at the same moment: half stands, whoever came first, and the plot is not cleared."""
    find = standing(county)
    lines = [{"发现编号": find, "铲除方式": "强制铲除", "铲除率（%）": n, "铲除时间": "2026-04-02"} for n in (50, 100)]
    paths = [returned(county, tmp_path, {"forms/a.csv": table(FINDS, [one])}) for one in lines]
    for name, order in (("one", (0, 1)), ("two", (1, 0))):
        shutil.copytree(county.path, tmp_path / name)
        copy = open_county(tmp_path / name)
        merged = [bundle_in(copy, paths[number], now=NOW) for number in order]
        held = copy.store.read("finds", [find]).iloc[0]
        assert (held["fraction"], plots(copy)["靶P3"][0]) == (0.5, "confirmed")
        assert [one.kind for one in merged[1].contradicts] == ["conflict_destruction"]
        assert len({line for e in copy.store.entries() if e.kind == "bundle" for line in e.body["lines"]}) == 2


def test_a_destruction_clears_the_plot_and_a_verified_find_is_left_alone(county: County, tmp_path: Path) -> None:
    find = standing(county)
    gone = {"发现编号": find, "铲除方式": "强制铲除", "铲除时间": "2026-04-02"}
    bundle_in(county, returned(county, tmp_path, {"forms/a.csv": table(FINDS, [gone])}), now=NOW)
    assert plots(county)["靶P3"][0] == "eradicated"
    record_verification(county.store, find, now=NOW)
    later = {"forms/a.csv": table(FINDS, [gone | {"铲除率（%）": 20, "铲除时间": "2026-04-09"}])}
    merged = bundle_in(county, returned(county, tmp_path, later), now=NOW)
    assert (merged.entry, merged.report.files[0].refused[0].code) == (None, "find_verified")
    assert plots(county)["靶P3"][0] == "rechecked"


def test_a_find_on_a_plot_that_was_settled_opens_it_again_and_says_so(county: County, tmp_path: Path) -> None:
    test_a_destruction_clears_the_plot_and_a_verified_find_is_left_alone(county, tmp_path)
    again = {"forms/b.csv": table(FINDS, [FIND | {"地块编号": "靶P3", "发现时间": "2026-04-09"}])}
    merged = bundle_in(county, returned(county, tmp_path, again), now=NOW)
    assert (merged.reopened, plots(county)["靶P3"][0]) == (["靶P3"], "confirmed")


@pytest.mark.parametrize(
    ("heads", "values", "code"),
    [
        (VISITS, VISIT | {"地块编号": "靶Q1"}, "bundle_elsewhere"),
        (VISITS, VISIT | {"地块编号": "靶P9"}, "parcel_unknown"),
        (VISITS, VISIT | {"队伍代码": "T9"}, "team_unknown"),
        (VISITS, VISIT | {"照片文件": "none.jpg"}, "bundle_photo_missing"),
        (VISITS, VISIT | {"结果": "核查排除"}, "reason_missing"),
        (VISITS, VISIT | {"结果": "核查排除", "原因或备注": "看着不像"}, "dismissal_uncoded"),
        (VISITS, VISIT | {"人数": "三"}, "record_value_bad"),
        (VISITS, VISIT | {"踏查日期": "2026-09-01"}, "time_future"),
        (FINDS, FIND | {"株数": "-1"}, "record_value_bad"),
        (FINDS, FIND | {"铲除方式": "强制铲除", "铲除时间": "2026-04-01"}, "time_backwards"),
        (FINDS, {"发现编号": "F0", "铲除时间": "2026-04-04"}, "find_unknown"),
        (FINDS, FIND | {"地块编号": ""}, "record_geometry_missing"),
        (VILLAGES, VILLAGE | {"村代码": "520525002203"}, "bundle_elsewhere"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_taken_says_why_and_the_others_go_in(
    county: County, tmp_path: Path, heads: tuple[str, ...], values: dict[str, object], code: str
) -> None:
    """Its number, its field and the reason; a good line beside it is taken."""
    good = {"forms/good.csv": table(VISITS, [VISIT])}
    merged = bundle_in(county, returned(county, tmp_path, good | {"forms/bad.csv": table(heads, [values])}), now=NOW)
    bad = next(file for file in merged.report.files if file.file == "bad.csv")
    assert [(r.code, r.row) for r in bad.refused] == [(code, 2)]
    assert merged.new == {"visits": 1}
    assert all("{" not in text for text in merged.sentences("zh", file="x") + merged.sentences("en", file="x"))


def test_a_bundle_of_another_county_or_touched_on_the_way_leaves_no_trace(county: County, tmp_path: Path) -> None:
    """Sealed with another key, one byte other, or no bundle: one sentence, and the county is as it was."""
    head = county.store.head()
    path = returned(county, tmp_path, {"forms/x.csv": table(VISITS, [VISIT])})
    data = path.read_bytes()
    path.write_bytes(data.replace(b"forms/x.csv", b"forms/y.csv"))
    for content in (path.read_bytes(), data[:-40], b"PK\x03\x04", b"text"):
        path.write_bytes(content)
        with pytest.raises(GeoError) as refused:
            bundle_in(county, path, now=NOW)
        assert "\n" not in explain(refused.value)
    (county.path / "bundle.key").write_text("00" * 32)
    path.write_bytes(data)
    with pytest.raises(FormatError, match="bundle_tampered"):
        bundle_in(county, path, now=NOW)
    (county.path / "bundle.key").write_text("short")
    with pytest.raises(StoreError, match="county_key_bad"):
        bundle_in(county, path, now=NOW)
    assert county.store.head() == head


def test_a_township_cannot_speak_for_another(county: County, tmp_path: Path) -> None:
    """Its key seals only its own name: a manifest that names the neighbour is refused."""
    neighbour = Manifest(RETURN, "甲县", OTHER, "白岩镇", "2026-04-10T00:00:00.000Z")
    forged = sealed(neighbour, {"photos/a.jpg": b"x"}, key_for(county, "520525001"))
    path = tmp_path / "forged.zip"
    path.write_bytes(forged)
    with pytest.raises(FormatError, match="bundle_tampered"):
        bundle_in(county, path, now=NOW)


def test_a_file_outside_the_three_folders_is_refused(county: County, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="bundle_file_foreign"):
        bundle_in(county, returned(county, tmp_path, {"county.toml": b"x"}), now=NOW)


def test_a_dismissal_reason_is_that_of_the_latest_visit(county: County, tmp_path: Path) -> None:
    """Whatever the order they come in."""
    for order in ((0, 1), (1, 0)):
        shutil.copytree(county.path, tmp_path / str(order))
        copy = open_county(tmp_path / str(order))
        said = ((1, "草坪"), (2, "滑坡"))
        dismissed = VISIT | {"结果": "核查排除"}
        lines = [dismissed | {"踏查日期": f"2026-04-0{day}", "原因或备注": why} for day, why in said]
        for number in order:
            path = returned(copy, tmp_path, {"forms/x.csv": table(VISITS, [lines[number]])})
            bundle_in(copy, path, now=NOW)
        assert plots(copy)["靶P1"] == ("dismissed", "滑坡")


def test_a_visit_keeps_the_reason_a_step_dismissed_the_plot_for(county: County, tmp_path: Path) -> None:
    looked = {"at": datetime(2026, 4, 1, 2, tzinfo=UTC), "reason": "草坪", "team_id": "T1"}
    record_step(county.store, "靶P1", Act.DISMISS, looked, now=NOW)
    assert plots(county)["靶P1"] == ("dismissed", "草坪")
    bundle_in(county, returned(county, tmp_path, {"forms/x.csv": table(VISITS, [VISIT])}), now=NOW)
    assert plots(county)["靶P1"] == ("dismissed", "草坪")


def test_a_moment_written_with_its_hour_is_that_hour(county: County, tmp_path: Path) -> None:
    bundle_in(county, returned(county, tmp_path, {"forms/y.csv": table(FINDS, [FIND])}), now=NOW)
    found = county.store.read("finds").set_index("parcel_id").loc["靶P2", "found_at"]
    assert found == pd.Timestamp(datetime(2026, 4, 3, 2, tzinfo=UTC))
