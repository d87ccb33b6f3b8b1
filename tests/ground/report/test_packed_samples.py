"""Samples as codes of a page and its tiles."""

import numpy as np
import pytest

from bandfold.ground.report.packed_samples import MISSING, PackedSamples


@pytest.mark.parametrize(
    ("values", "exact", "error"),
    [
        ([-32768, 0, 7, 32766], True, 0.0),
        ([0, 65535, 100], True, 0.51),
        ([0.25, 0.5, -1e30], False, 1e30 / 65534),
        ([5, 5], True, 0.0),
        ([], True, 0.0),
    ],
)
def test_samples_come_back(values, exact, error):
    cube = np.array([*values, np.nan], np.float32).reshape(1, 1, -1)
    packed = PackedSamples.of(cube, exact=exact)
    codes = packed.codes[0, 0].astype(np.float64)
    assert codes[-1] == MISSING
    back = packed.offset + packed.scale * codes[:-1]
    assert np.abs(back - cube[0, 0, :-1]).max(initial=0) <= error
    assert (codes[:-1] < MISSING).all()
