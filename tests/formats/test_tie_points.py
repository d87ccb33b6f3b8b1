"""Tie points: thinned out of grids, written as ENVI has them, and moved with the lines."""

import numpy as np
import pytest

from bandfold.formats.tie_points import GEO_POINTS, TiePoint, field_of, moved, read_tie_points, thinned


def test_field_and_back():
    points = [TiePoint(0, 0, 11.25, 48.5), TiePoint(63, 64, -179.999999, -89.5)]
    field = field_of(points)
    assert field[:4] == ("1.5", "1.5", "48.500000", "11.250000")
    assert read_tie_points({GEO_POINTS: field}) == points
    assert read_tie_points({GEO_POINTS: moved(field, 64)})[1] == points[1]._replace(line=0)


@pytest.mark.parametrize("value", [(), "1", ("1", "2", "3"), ("a", "b", "c", "d")])
def test_what_nobody_understands(value):
    assert read_tie_points({GEO_POINTS: value}) == []
    assert moved(value, 3) is None


def test_error_of_interpolation():
    line, sample = np.mgrid[:150, :100].astype(float)
    longitude, latitude = 10 + 1e-3 * sample, 50 - 1e-3 * line
    points, error = thinned(longitude, latitude)
    assert {one.line for one in points} == {0, 64, 128, 149}
    assert {one.sample for one in points} == {0, 64, 99}
    assert error < 1e-3
    # A mountain between the points moves a pixel by a hundredth of a degree.
    latitude[30, 30] += 0.01
    assert thinned(longitude, latitude)[1] == pytest.approx(1113.2, rel=1e-3)


def test_across_the_date_line_and_with_absent_places():
    line, sample = np.mgrid[:70, :70].astype(float)
    longitude = (179.98 + 1e-3 * sample + 180) % 360 - 180
    latitude = 1e-3 * line
    points, error = thinned(longitude, latitude)
    assert error < 1e-3
    assert all(-180 <= one.longitude < 180 for one in points)
    latitude[0], longitude[5, 5] = -9999, np.nan
    points, error = thinned(longitude, latitude)
    assert {one.line for one in points} == {64, 69}
    assert np.isfinite(error)
    points, error = thinned(np.full((9, 9), np.nan), np.full((9, 9), -9999.0))
    assert points == []
    assert np.isnan(error)
