"""Settings are checked before they count, and their change is on the record."""

from datetime import UTC, datetime

import pytest
from ui_county import make_county

from geo.errors import GeoError
from geo.workspace.administering import change_settings, settings_text
from geo.workspace.county import open_county
from geo.workspace.rights import Actor, Denied, Role

NOW = datetime(2026, 3, 20, tzinfo=UTC)


def test_a_changed_setting_counts_is_on_the_ledger_and_the_old_file_stays(tmp_path):
    county = open_county(make_county(tmp_path / "县"))
    text = settings_text(county)
    assert "prior = 0.5" in text
    done = change_settings(county, text.replace("prior = 0.5", "prior = 0.7"), now=NOW)
    assert done is not None
    assert done.body["settings"]["absence.prior"] == {"before": 0.5, "after": 0.7}
    assert open_county(county.path).settings.absence.prior == 0.7
    assert "prior = 0.5" in next((county.path / "backups").glob("county-settings-*.toml")).read_text("utf-8")
    assert change_settings(open_county(county.path), settings_text(county), now=NOW) is None


@pytest.mark.parametrize(
    "change", [("prior = 0.5", "prior = 7"), ("epsg = 4544", "epsg = 4545"), ("prior = 0.5", "prior = [")]
)
def test_a_wrong_setting_changes_nothing_and_is_said(tmp_path, change):
    county = open_county(make_county(tmp_path / "县"))
    text, entries = settings_text(county), len(county.store.entries())
    with pytest.raises(GeoError):
        change_settings(county, text.replace(*change), now=NOW)
    assert settings_text(county) == text
    assert len(county.store.entries()) == entries


def test_settings_are_the_administrators(tmp_path):
    path = make_county(tmp_path / "县")
    county = open_county(path, Actor(Role.COUNTY, name="甲"))
    with pytest.raises(Denied):
        settings_text(county)
    with pytest.raises(Denied):
        change_settings(county, "", now=NOW)
