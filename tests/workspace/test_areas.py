"""A drawn area: counts by hand, and search theory at its two ends."""

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

sys.path.insert(0, str(Path(__file__).parents[1] / "ui"))
from ui_county import EPSG, SOUTH, WEST, make_county

from geo.crs import to_degrees
from geo.errors import FormatError, LayerError
from geo.workspace.areas import area_figures, drawn_shape, outline_of
from geo.workspace.county import County, open_county
from geo.workspace.covering import measure_borders
from geo.workspace.finding import search


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    opened = open_county(make_county(tmp_path_factory.mktemp("areas") / "县"))
    measure_borders(opened)
    return opened


def outline(west: float, south: float, east: float, north: float) -> list[tuple[float, float]]:
    """A rectangle (metres from the county's corner) in degrees."""
    x, y = np.array([west, east, east, west]) + WEST, np.array([south, south, north, north]) + SOUTH
    return list(zip(*to_degrees(x, y, EPSG), strict=True))


def test_what_lies_in_a_rectangle_is_counted(county: County) -> None:
    whole = area_figures(county, outline(0, 0, 4000, 3000), hours=1.0)
    part = area_figures(county, outline(100, 100, 1100, 1100), hours=1.0)
    assert (whole.parcels, whole.due) == (["P1", "P2"], ["P1"])
    assert part.parcels == ["P1"]
    assert part.area_km2 == pytest.approx(1.0, rel=1e-3)
    assert part.plantable_km2 == pytest.approx(1.0, rel=0.03)
    assert part.townships == ["520000001"]
    assert 0.0 < part.blind_km2 < part.plantable_km2


def test_parts_of_the_county_add_up_to_what_may_stand_in_it(county: County) -> None:
    whole = area_figures(county, outline(0, 0, 4000, 3000), hours=1.0)
    halves = [area_figures(county, outline(*box), hours=1.0) for box in ((0, 0, 4000, 1500), (0, 1500, 4000, 3000))]
    assert sum(half.standing for half in halves) == pytest.approx(whole.standing, rel=1e-6)


def test_hours_find_more_but_never_more_than_may_stand(county: County) -> None:
    found = [area_figures(county, outline(0, 0, 2000, 3000), hours=hours) for hours in (1.0, 5.0, 1e5)]
    expected = [one.expected for one in found]
    assert 0.0 < expected[0] < expected[1] < expected[2]
    assert expected[1] / 5.0 < expected[0]
    most = found[0].standing * county.settings.detection.availability
    assert expected[2] == pytest.approx(most, rel=1e-3)
    spent = area_figures(county, outline(0, 0, 2000, 3000), hours=found[0].hours_for[0.5])
    assert spent.expected == pytest.approx(0.5 * most, rel=1e-3)


@pytest.mark.parametrize("bad", [[(105.0, 26.8)], [(105.0, 26.8)] * 4, [(0.0, 0.0), (0.1, 0.0), (0.1, 0.1)]])
def test_what_is_no_area_of_the_county_is_said_to_be_none(county: County, bad: list[tuple[float, float]]) -> None:
    with pytest.raises(LayerError):
        area_figures(county, bad, hours=1.0)


def test_a_name_an_id_or_coordinates_find_their_place(county: County) -> None:
    assert [place.kind for place in search(county, "白岩")] == ["townships"]
    assert search(county, "T2")[0].kind == "parcels"
    here = to_degrees(WEST + 700, SOUTH + 900, EPSG)
    found = search(county, f"{WEST + 700:.1f}, {SOUTH + 900:.1f}")
    assert (found[0].longitude, found[0].latitude) == pytest.approx((float(here[0]), float(here[1])), abs=1e-7)
    assert search(county, "没有这个地方") == []
    with pytest.raises(LayerError):
        search(county, "116.4, 39.9")


SQUARE = "POLYGON ((105 26.6, 105.01 26.6, 105.01 26.61, 105 26.6))"


@pytest.mark.parametrize("form", ["GeoJSON", "KML", "GPKG", "ESRI Shapefile", "WKT"])
def test_an_area_is_taken_from_a_file_or_from_its_text(tmp_path: Path, form: str) -> None:
    shape = shapely.from_wkt(SQUARE)
    file = tmp_path / {"GeoJSON": "a.json", "KML": "a.kml", "GPKG": "a.gpkg", "ESRI Shapefile": "a.shp"}.get(form, "-")
    if form != "WKT":
        gpd.GeoDataFrame({"name": ["x"]}, geometry=[shape], crs=4326).to_file(file, driver=form)
    found = outline_of(SQUARE if form == "WKT" else str(file))
    assert shapely.Polygon(found).symmetric_difference(shape).area < 1e-12


def test_an_outline_with_many_corners_is_read() -> None:
    """A text longer than any file name is an outline, or none; never a file."""
    shape = shapely.Point(105, 26).buffer(0.01, quad_segs=16)
    assert len(outline_of(shape.wkt)) == 65
    with pytest.raises(FormatError, match="outline_bad"):
        outline_of("x" * 300)


@pytest.mark.parametrize(
    "text", ["nowhere.kml", "POINT (105 26)", "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))"]
)
def test_what_is_not_one_area_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="outline_"):
        outline_of(text)


def test_an_area_elsewhere_is_refused(county: County) -> None:
    with pytest.raises(LayerError, match="area_outside"):
        drawn_shape(county, outline_of("POLYGON ((80 40, 80.01 40, 80.01 40.01, 80 40))"))
