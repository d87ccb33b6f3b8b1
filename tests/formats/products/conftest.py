"""Small imitations of the products of missions, with the structure of the real ones."""

import numpy as np
import pytest

from bandfold.synthetic.scenes import SyntheticScene

from ...cli.conftest import run

__all__ = ["run"]

BANDS, LINES, SAMPLES = 12, 70, 24


@pytest.fixture(scope="session")
def counts():
    """A made-up scene of bands, lines and samples."""
    return SyntheticScene(LINES, SAMPLES, BANDS, seed=5).read(slice(0, BANDS), slice(0, LINES))


@pytest.fixture(scope="session")
def wavelengths():
    return np.linspace(381, 2493, BANDS).round(3)


@pytest.fixture(scope="session")
def grids():
    """Longitude and latitude of each pixel of a swath that lies askew."""
    line, sample = np.mgrid[:LINES, :SAMPLES].astype(float)
    return 11.5 + 6e-4 * sample - 1e-4 * line, 48.25 - 5e-4 * line - 1e-4 * sample


def read(source):
    return source.read(slice(0, source.info.bands), slice(0, source.info.lines))


def numbers(source, key):
    return np.array([float(item) for item in source.info.metadata[key]])
