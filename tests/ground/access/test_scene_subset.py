"""The header of a part of a scene stays true."""

import numpy as np
import pytest

from bandfold.common.scene import SceneInfo
from bandfold.ground.access.scene_subset import ScenePart, subset_info

METADATA = {
    "wavelength": ("400", "410", "420", "430", "440"),
    "fwhm": ("9", "8", "7", "6", "5"),
    "bbl": ("1", "0", "1", "0", "1"),
    "band names": ("a", "b", "c", "d", "e"),
    "default bands": ("4", "3", "2"),
    "map info": ("UTM", "1.000", "1.5", "500000.0", "4000000.0"),
    "y start": "1",
    "geo points": ("1", "1", "48.0", "11.0"),
    "wavelength units": "Nanometers",
}


def part(bands=(0, 5), lines=(0, 9), samples=(0, 3), **changes):
    info = SceneInfo(5, 9, 3, np.dtype("int16"), no_data=-1.0, metadata={**METADATA, **changes})
    return subset_info(info, ScenePart(slice(*bands), slice(*lines), slice(*samples)))


def test_whole_scene_is_unchanged():
    assert part().shape == (5, 9, 3)
    assert dict(part().metadata) == METADATA


def test_lists_are_cut_to_the_bands():
    info = part(bands=(1, 4))
    assert info.shape == (3, 9, 3)
    assert info.no_data == -1
    changed = {
        "wavelength": ("410", "420", "430"),
        "fwhm": ("8", "7", "6"),
        "bbl": ("0", "1", "0"),
        "band names": ("b", "c", "d"),
        "default bands": ("3", "2", "1"),
    }
    assert dict(info.metadata) == {**METADATA, **changed}


@pytest.mark.parametrize("shown", [("5", "3", "2"), ("1",), "1", ("x", "3", "2"), ("2.5",)])
def test_default_bands_that_are_left_out_are_dropped(shown):
    assert "default bands" not in part(bands=(1, 4), **{"default bands": shown}).metadata


def test_list_of_another_length_is_kept():
    assert part(bands=(1, 4), wavelength=("1", "2")).metadata["wavelength"] == ("1", "2")


def test_georeference_moves_with_the_first_line():
    info = part(lines=(4, 9))
    assert info.shape == (5, 5, 3)
    assert info.metadata["map info"] == ("UTM", "1.000", "-2.5", "500000.0", "4000000.0")
    assert info.metadata["y start"] == "5"
    assert info.metadata["geo points"] == ("1.0", "-3.0", "48.000000", "11.000000")
    assert "geo points" in part(lines=(0, 4)).metadata


def test_georeference_that_is_no_number_is_kept():
    assert part(lines=(4, 9), **{"y start": "top"}).metadata["y start"] == "top"


def test_georeference_moves_with_the_first_sample():
    info = part(samples=(1, 3), **{"x start": "7", "geotransform": ("10", "2", "0.5", "90", "0.25", "-2")})
    assert info.shape == (5, 9, 2)
    assert info.metadata["map info"] == ("UTM", "0.000", "1.5", "500000.0", "4000000.0")
    assert (info.metadata["x start"], info.metadata["y start"]) == ("8", "1")
    assert info.metadata["geo points"] == ("0.0", "1.0", "48.000000", "11.000000")
    assert info.metadata["geotransform"] == ("12.0", "2", "0.5", "90.25", "0.25", "-2")
    assert "rpc info" not in part(samples=(1, 3), **{"rpc info": ("1", "2")}).metadata
