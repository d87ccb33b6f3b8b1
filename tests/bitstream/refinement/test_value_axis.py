"""Cells of relative limits: as wide as the limit of each value allows; values that are told."""

import numpy as np
import pytest

from bandfold.bitstream.refinement.band_prediction import Bounds
from bandfold.bitstream.refinement.used_values import used_values
from bandfold.bitstream.refinement.value_axis import relative_axis


@pytest.mark.parametrize("floor", [0, 1, 25])
@pytest.mark.parametrize("share", [1, 655, 6554, 40000, 65535])
@pytest.mark.parametrize(
    ("lowest", "highest"), [(0, 65535), (-32768, 32767), (700, 900), (-900, -700), (0, 0)]
)
def test_the_value_that_stands_for_a_cell_is_within_the_limit_of_all_its_values(
    share, floor, lowest, highest
):
    axis = relative_axis(share, floor, lowest, highest)
    values = np.arange(lowest, highest + 1)
    held = axis.values(axis.positions(values.astype(np.int32)))
    assert (np.abs(held.astype(np.int64) - values) <= np.maximum(np.abs(values) * share >> 16, floor)).all()
    assert lowest <= held.min()
    assert held.max() <= highest
    assert (np.diff(axis.centres.astype(np.int64)) > 0).all()


def test_cells_are_few():
    # A limit of one percent: two percent a cell from 100 counts on.
    assert len(relative_axis(656, 1, 0, 65535).centres) < 34 + np.log(65535 / 100) / 0.0199


def test_long_ranges_are_searched():
    axis = relative_axis(6554, 10, -(1 << 31), (1 << 31) - 1)
    values = np.array([-(1 << 31), -5, 0, 7, 123456, (1 << 31) - 1], np.int32)
    held = axis.values(axis.positions(values)).astype(np.int64)
    assert (np.abs(held - values) <= np.maximum(np.abs(values.astype(np.int64)) // 10, 10)).all()


def test_values_at_both_ends_of_32_bits_are_not_told():
    """Their distances are larger than what is told of one."""
    bounds = Bounds(-(1 << 31), (1 << 31) - 1)
    near = np.array([-(1 << 31), -(1 << 31) + 1, 1, 2], dtype=np.int32)
    assert used_values(np.repeat(near, 40), bounds) is None
    far = np.array([-(1 << 30), 0, 1 << 30], dtype=np.int32)
    np.testing.assert_array_equal(used_values(np.repeat(far, 40), bounds), far)
