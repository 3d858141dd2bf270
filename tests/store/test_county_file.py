"""county.toml: settings there and back, and mistakes in it explained."""

import pytest

from geo.errors import StoreError
from geo.settings import AbsenceSettings, Settings
from geo.store import read_settings, write_settings
from geo.words import explain


def test_settings_come_back_as_they_went_in(tmp_path):
    """Names in Chinese, nested tables, tuples."""
    settings = Settings(name="纳雍县", epsg=4544, absence=AbsenceSettings(prior=0.9, introduction=(0.1, 0.2)))
    write_settings(tmp_path, settings)
    assert read_settings(tmp_path) == settings
    assert [file.name for file in tmp_path.iterdir()] == ["county.toml"]


@pytest.mark.parametrize("text", ["nmae = 1", "cell_m = '10'", "= 3", "[absence]\nprior = 2.0", "absence = 4"])
def test_a_mistake_in_the_file_is_named(tmp_path, text):
    """Unknown name, wrong type, no TOML, impossible value."""
    (tmp_path / "county.toml").write_text(text, "utf-8")
    with pytest.raises(StoreError) as refused:
        read_settings(tmp_path)
    assert refused.value.code == "settings_bad"
    assert "county.toml" in explain(refused.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    """GB18030 instead of UTF-8."""
    (tmp_path / "county.toml").write_bytes("name = '县'".encode("gb18030"))
    with pytest.raises(StoreError, match="settings_bad"):
        read_settings(tmp_path)


def test_a_folder_without_settings_is_no_county(tmp_path):
    with pytest.raises(StoreError, match="store_missing"):
        read_settings(tmp_path)
