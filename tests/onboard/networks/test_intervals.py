"""The published intervals, found in scenes of any number of bands."""

import numpy as np

from bandfold.onboard.networks.intervals import AVIRIS_LIMITS, interval_ends
from bandfold.onboard.planning.partition import AVIRIS_2022


def metadata(centres, units="Nanometers"):
    return {"wavelength": tuple(f"{centre:.3f}" for centre in centres), "wavelength units": units}


def test_a_whole_aviris_scene_has_the_published_ones():
    assert interval_ends(224) == AVIRIS_2022 == (40, 96, 155, 165, 224)


def test_scenes_that_lost_bands_are_mapped_in_proportion():
    assert interval_ends(205) == (37, 88, 142, 151, 205)


def test_first_bands_of_a_scene_keep_their_numbers():
    assert interval_ends(64) == (40, 64, 64, 64, 64)
    assert interval_ends(12) == (12, 12, 12, 12, 12)


def test_wavelengths_decide_where_they_are_known():
    centres = np.linspace(400, 1000, 186)
    ends = interval_ends(186, metadata(centres))
    assert ends[1:] == (186, 186, 186, 186)
    assert centres[ends[0] - 1] < AVIRIS_LIMITS[0] <= centres[ends[0]]
    assert interval_ends(186, metadata(centres / 1000, "Micrometers")) == ends
    assert interval_ends(186, metadata(centres / 1000, "")) == ends


def test_wavelengths_that_do_not_rise_or_are_none_are_not_used():
    falling = metadata(np.linspace(2500, 400, 224))
    assert interval_ends(224, falling) == AVIRIS_2022
    assert interval_ends(224, {"wavelength": ("red",) * 224}) == AVIRIS_2022
    assert interval_ends(224, metadata(np.linspace(400, 2500, 7))) == AVIRIS_2022
