"""`bundle out|key|open|pack|in` as they are typed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.cli.main import main
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.workspace.county import found

Tacha = Callable[..., tuple[int, str, str]]
START = datetime(2026, 3, 1, tzinfo=UTC)
TOWN = "520525001"


@pytest.fixture
def tacha(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tacha:
    """Run a command on a county of one township with one plot: exit code, what was printed, what was complained."""
    plain = pd.DataFrame(
        {"township_id": [TOWN], "name": "凉水乡", "kind": "乡", "source": "made", "line_accuracy_m": 30.0}
    )
    square = shapely.MultiPolygon([shapely.box(5e5, 2.95e6, 5.1e5, 2.96e6)])
    towns = gpd.GeoDataFrame(plain, geometry=[square], crs=4544)
    county = found(tmp_path / "county", Settings(name="甲县", epsg=4544), towns, [], now=START)
    parcels = gpd.GeoDataFrame(
        {"parcel_id": ["靶1"], "township_id": TOWN, "source": "satellite", "source_id": "x", "status": "flagged"},
        geometry=[shapely.Point(5.05e5, 2.955e6)],
        crs=4544,
    ).assign(flagged_at=pd.Timestamp(START), accuracy_m=15.0)
    county.store.append(Entry("import"), Change("parcels", parcels), now=START)
    county.store.close()

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tacha", "--county", str(tmp_path / "county"), *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def test_a_bundle_goes_the_whole_way_round(tacha: Tacha, tmp_path: Path) -> None:
    """Out, key, open, pack, in; in again changes nothing and says so."""
    out, back, folder, key = (tmp_path / name for name in ("out.zip", "back.zip", "work", "key.txt"))
    code, said, _ = tacha("bundle", "out", "--township", TOWN, "--out", out, "--json")
    assert (code, "targets/targets.gpx" in json.loads(said)["files"]) == (0, True)
    key.write_text(tacha("bundle", "key", "--township", TOWN)[1])
    assert tacha("bundle", "open", out, "--key", key, "--out", folder)[0] == 0
    (folder / "forms" / "核查.csv").write_text("地块编号,踏查日期,队伍代码,结果\n靶1,2026-04-01,T1,未发现\n", "utf-8")
    packed = json.loads(tacha("bundle", "pack", folder, "--key", key.read_text(), "--out", back, "--json")[1])
    assert "forms/核查.csv" in packed["files"]
    merged = json.loads(tacha("bundle", "in", back, "--json")[1])["bundles"][0]
    assert (merged["new"], merged["read"], merged["refused_n"]) == ({"visits": 1}, 1, 0)
    code, said, _ = tacha("bundle", "in", back, back, "--lang", "en")
    assert (code, said.count("nothing new")) == (0, 2)
    assert "靶1" in tacha("plot", "show", "靶1")[1]


@pytest.mark.parametrize(
    "touched", [lambda data: data[:-30], lambda data: data.replace(b"manifest", b"manifesT"), bytes.lower]
)
def test_a_touched_bundle_is_refused_with_one_sentence(tacha: Tacha, tmp_path: Path, touched) -> None:  # type: ignore[no-untyped-def]
    """Exit 1, nothing on standard output, nothing laid out."""
    out = tmp_path / "out.zip"
    tacha("bundle", "out", "--township", TOWN, "--out", out)
    key = tacha("bundle", "key", "--township", TOWN)[1]
    out.write_bytes(touched(out.read_bytes()))
    for words in (("open", out, "--key", key, "--out", tmp_path / "w"), ("in", out)):
        code, said, why = tacha("bundle", *words)
        assert (code, said, why.count("\n")) == (1, "", 1)
    assert not (tmp_path / "w").exists()


def test_an_unknown_township_and_a_mistyped_key_are_said(tacha: Tacha, tmp_path: Path) -> None:
    for words in (("out", "--township", "9"), ("key", "--township", "9"), ("pack", tmp_path, "--key", "12")):
        code, _, why = tacha("bundle", *words)
        assert (code, why.count("\n")) == (1, 1)
