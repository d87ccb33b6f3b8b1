"""Plans with a model: intervals by wavelength or number, means, and a first guess of the step."""

from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.packages.package import load_package
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.onboard.networks.band_planner import BandPlanner
from bandfold.onboard.samples.samples import ArraySource

CODEC = BandCodec.from_package(load_package(Path(__file__).parents[2] / "golden" / "golden-walsh.bfm"))


def planner(bands, **metadata):
    rng = np.random.default_rng(0)
    cube = rng.integers(0, 1000, (bands, 24, 24)).astype(np.int16)
    cube -= 200 * np.arange(bands, dtype=np.int16)[:, None, None]
    return cube, BandPlanner(ArraySource(cube, metadata=metadata), CODEC)


@pytest.mark.parametrize(
    ("bands", "ends", "engines"),
    [
        (1, (1,), (0,)),
        (2, (2,), (0,)),
        (4, (2, 4), (0, 1)),
        (7, (2, 4, 7), (0, 1, 1)),
        (180, (40, 80, 180), (0, 1, 1)),
    ],
)
def test_intervals_by_number_without_empty_ones(bands, ends, engines):
    fold = planner(bands)[1].plan(4.0).fold
    assert (fold.ends, fold.engines) == (ends, engines)
    assert not fold.spectral


def test_intervals_by_wavelength():
    centres = ("710.0", "790.0", "805.0", "900.0")
    fold = planner(4, wavelength=centres, **{"wavelength units": "nm"})[1].plan(4.0).fold
    assert (fold.ends, fold.engines) == ((2, 4), (1, 1))


def test_means_are_as_coarse_as_the_step_allows():
    cube, found = planner(3)
    means = cube.mean(axis=(1, 2))
    for step in (1.0, 64.0, 4096.0):
        told = found.plan(step).fold.means / 64
        assert np.abs(told - means).max() <= max(step / 24, 1 / 64)
    assert found.plan(4096.0).fold.mean_shift > found.plan(64.0).fold.mean_shift


def test_guesses_fall_with_what_is_asked_for():
    found = planner(4)[1]
    steps = [found.step_for_bits(bits) for bits in (100.0, 1000.0, 10000.0)]
    assert steps == sorted(steps, reverse=True)
    assert found.step_for_error(4.0) > found.step_for_error(1.0) > 0
