"""Limits in the units of the data: those in counts keep them, and what no count can keep is refused."""

import numpy as np
import pytest

from bandfold.bitstream.container.refinement_layout import LARGEST_LIMIT
from bandfold.bitstream.transforms.scaling import apply_scaling
from bandfold.common.errors import SettingsError
from bandfold.common.scene import BandScaling, Scaling, SceneInfo
from bandfold.onboard.refinement.limits_in_counts import limits_in_counts


def info(dtype="uint16", scaling=None, bands=3):
    return SceneInfo(bands, 8, 8, np.dtype(dtype), scaling=scaling)


@pytest.mark.parametrize(
    ("limits", "counts"),
    [
        ((0.0,), (0, 0, 0)),
        ((2.9,), (2, 2, 2)),
        ((0.5,), (0, 0, 0)),
        ((1.0, 2.0, 3.0), (1, 2, 3)),
        ((4.0, 4.0, 4.0), (4, 4, 4)),
        ((1e9,), (LARGEST_LIMIT,) * 3),
    ],
)
def test_integers_are_counts(limits, counts):
    assert limits_in_counts(limits, info()).tolist() == list(counts)


def test_an_offset_of_whole_numbers_changes_nothing():
    scaling = Scaling(1.0, -70000.0, np.dtype("uint16"))
    assert limits_in_counts((3.0,), info("int32", scaling)).tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [
        ("float32", 0.001),
        ("float32", 1 / 3),
        ("float32", -0.25),
        ("float32", 1e-30),
        ("float32", 1e20),
        ("float64", 0.001),
        ("float64", 1e20),
        ("int32", 7.0),
        ("int32", -1.5),
    ],
)
def test_no_sample_leaves_its_limit(dtype, scale):
    """Samples half a count beside a count, decoded as far off as the limit in counts allows."""
    scaling = Scaling(scale, 0.3 * scale, np.dtype("int16"))
    about = info(dtype, scaling, bands=1)
    for factor in (0.51, 1.0, 2.3, 9.0, 77.7):
        limit = factor * abs(scale) + (0.5 if dtype == "int32" else 0.0)
        if factor == 0.51:
            limit += abs(scale) * 32768 * 2.0**-22
        (allowed,) = limits_in_counts((limit,), about).tolist()
        counts = np.arange(-32768 + 200, 32767 - 200, 97)
        samples = (counts + 0.4999) * scaling.scale + scaling.offset
        given = np.rint(samples).astype(dtype) if dtype == "int32" else samples.astype(dtype)
        coded = np.rint((given.astype(np.float64) - scaling.offset) / scaling.scale)
        for way in (-1, 1):
            decoded = apply_scaling((coded + way * allowed).astype(np.int16)[None, None], about)[0, 0]
            assert np.abs(decoded.astype(np.float64) - given.astype(np.float64)).max() <= limit


@pytest.mark.parametrize("limit", [0.1, 0.49])
def test_what_the_scaling_rounds_away_is_refused(limit):
    with pytest.raises(SettingsError, match=r"below what the scaling of band 0 rounds.*finer --scale"):
        limits_in_counts((limit,), info("float32", Scaling(1.0)))


def test_no_error_at_all_is_left_to_the_samples():
    assert not limits_in_counts((0.0,), info("float32", Scaling(0.5))).any()


def test_bands_of_another_precision_have_limits_of_theirs():
    scaling = Scaling(0.5, bands=(BandScaling(1, 3, 100.0),))
    assert limits_in_counts((8.1,), info("float32", scaling)).tolist() == [15, 1, 15]
    with pytest.raises(SettingsError, match="band 1"):
        limits_in_counts((1.0,), info("float32", scaling))


def test_there_is_one_limit_or_one_for_each_band():
    with pytest.raises(SettingsError, match="2 limits for 3 bands"):
        limits_in_counts((1.0, 2.0), info())
