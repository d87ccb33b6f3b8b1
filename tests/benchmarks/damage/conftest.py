"""A small stream to damage."""

import numpy as np
import pytest

from bandfold.benchmarks.damage.decode_trial import Subject
from bandfold.onboard import Encoder


@pytest.fixture(scope="module")
def subject():
    rng = np.random.default_rng(1)
    cube = (100 + np.cumsum(rng.normal(0, 3, (3, 20, 9)), axis=1)).astype(np.uint8)
    return Subject(Encoder(step=9.0, strip_lines=8, spectral="none").encode(cube))
