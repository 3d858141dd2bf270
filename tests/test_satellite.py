"""The satellite front door: windows in, parcels out."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from geo.errors import GeoError
from geo.grid import Frame
from geo.layers import parcels
from geo.layers.scenes import Window
from geo.satellite import Flagged, flag_parcels
from geo.season import Season
from geo.settings import FlaggingSettings

NOW = datetime(2026, 5, 1, tzinfo=UTC)
DATES = (date(2026, 1, 21), date(2026, 2, 20), date(2026, 4, 11))
FRAME = Frame(0.0, 800.0, 10.0, 80, 120, 4544)


def scene() -> np.ndarray:
    index = np.random.default_rng(5).normal(0.3, 0.02, (3, 80, 120)).astype(np.float32)
    index[2, 30:33, 57:62] = 0.7
    return index


def flagged(*windows: Window) -> Flagged:
    return flag_parcels(windows, season=Season(2026), settings=FlaggingSettings(), flagged_at=NOW)


def test_one_patch_becomes_one_parcel_with_its_reasons() -> None:
    found = flagged(Window(DATES, scene(), FRAME, (0, 0, 80, 120)))
    parcels.SCHEMA.check(found.parcels)
    assert len(found.parcels) == 1
    one = found.parcels.iloc[0]
    assert one.geometry.area == 15 * 100.0
    assert one["scene_id"] == "2026-04-11"
    assert one["reason"].startswith("vegetated=0.70;rise=0.4")
    assert found.seen_km2 == pytest.approx(0.96)


def test_a_patch_across_two_windows_is_flagged_once() -> None:
    """Cores meet in the middle of the patch; halos of 20 cells let both windows see it whole."""
    index = scene()
    left = Window(DATES, index[:, :, :80], FRAME.window(0, 0, 80, 80), (0, 0, 80, 60))
    right = Window(DATES, index[:, :, 40:], FRAME.window(0, 40, 80, 80), (0, 20, 80, 80))
    assert len(flagged(left, right).parcels) == 1


def test_the_order_of_the_scenes_does_not_matter() -> None:
    turned = Window(DATES[::-1], scene()[::-1], FRAME, (0, 0, 80, 120))
    assert len(flagged(turned).parcels) == 1


@pytest.mark.parametrize("kept", [[0], [0, 1]])
def test_without_a_scene_in_flower_and_an_earlier_one_it_refuses(kept: list[int]) -> None:
    with pytest.raises(GeoError, match="scenes_few"):
        flagged(Window(tuple(DATES[k] for k in kept), scene()[kept], FRAME, (0, 0, 80, 120)))


def test_quiet_ground_gives_an_empty_layer() -> None:
    found = flagged(Window(DATES, np.full((3, 80, 120), 0.3, np.float32), FRAME, (0, 0, 80, 120)))
    parcels.SCHEMA.check(found.parcels)
    assert found.parcels.empty


@pytest.mark.real
def test_a_real_stack_with_clouds_runs_and_stays_finite(real_data: Path) -> None:
    folder = real_data / "satellite"
    index = np.load(folder / "eopatch_data_NDVI.npy")[..., 0]
    cloud = np.load(folder / "eopatch_mask_CLM.npy")[..., 0] > 0
    days = [datetime.fromisoformat(t).date() for t in json.loads((folder / "eopatch_timestamps.json").read_text())]
    frame = Frame(465181.0, 5080254.0, 10.0, *index.shape[1:], 32633)
    window = Window(tuple(days), np.where(cloud, np.nan, index).astype(np.float32), frame, (0, 0, *frame.shape))
    found = flag_parcels([window], season=Season(2017), settings=FlaggingSettings(), flagged_at=NOW)
    assert np.isfinite(found.parcels["suspicion"]).all()
    assert found.parcels["suspicion"].between(0.0, 1.0).all()
    assert found.seen_km2 + found.unseen_km2 == pytest.approx(1.01)
    assert len(found.scenes) >= 2
