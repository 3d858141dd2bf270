"""County settings from and to plain tables."""

import pytest

from geo.settings import AbsenceSettings, DetectionSettings, Settings, assumptions, from_mapping, to_mapping


def test_settings_survive_the_way_to_a_table_and_back() -> None:
    """Nothing is lost."""
    settings = Settings(name="示例县", absence=AbsenceSettings(prior=0.9))
    assert from_mapping(Settings, to_mapping(settings)) == settings


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"nmae": "x"}, "unknown settings"),
        ({"absence": {"prior": "high"}}, "float is needed"),
        ({"absence": {"prior": 1.5}}, "prior must lie"),
        ({"absence": 3}, "a table is needed"),
        ({"season": True}, "int is needed"),
        ({"detection": {"availability": 1.0}}, "availability must lie"),
        ({"detection": {"sweep_width_m": {"open": [10.0, 200.0, 5.0]}}}, "three widths"),
        ({"planning": {"spacing_widths": 0.0, "off_path": -1.0}}, "too small: off_path, spacing_widths"),
        ({"planning": {"rest_min": -60.0}}, "too small: rest_min"),
        ({"planning": {"hours": -3.0, "reserve": 2.0}}, r"hours \(0 to 24\), reserve \(0 to 1\)"),
        ({"planning": {"impassable_deg": 95.0}}, "impassable_deg"),
        ({"scheduling": {"target_min": 0.0}}, "target_min above 0"),
        ({"scheduling": {"rest_weekdays": [7]}}, "rest_weekdays"),
    ],
)
def test_a_wrong_setting_is_named(table: dict[str, object], said: str) -> None:
    """The key and what is needed."""
    with pytest.raises(ValueError, match=said):
        from_mapping(Settings, table)


def test_the_defaults_are_those_of_the_conventions() -> None:
    """a, W, reach, speeds, prior and introduction as agreed."""
    detection, absence = DetectionSettings(), AbsenceSettings()
    assert (detection.availability, detection.reach_m, detection.search_speed_kmh, detection.top_speed_kmh) == (
        0.85,
        150,
        1,
        4,
    )
    assert detection.sweep_width_m == {"open": (10, 30, 20), "crops": (6, 20, 12), "scrub": (4, 12, 8)}
    assert (absence.prior, absence.introduction, absence.courtyard_share) == (0.5, (0.02, 0.02, 0.02, 0.01, 0.01), 0.3)


def test_every_assumption_is_printed() -> None:
    """The groups a figure rests on stand beside it."""
    assert assumptions(Settings())["absence"]["prior"] == 0.5
    assert set(assumptions(Settings())) == {
        "calendar", "detection", "absence", "coverage", "borders", "priority", "lookouts", "sensors",
    }  # fmt: skip


def test_a_setting_that_no_longer_means_anything_does_not_keep_an_older_county_shut() -> None:
    held = from_mapping(Settings, {"planning": {"candidates_n": 40, "history_mass": 0.05, "hours": 6.0}})
    assert held.planning.hours == 6.0
