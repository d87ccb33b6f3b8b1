"""Blocks and strips."""

import numpy as np
import pytest

from bandfold.common.scene import BLOCK, block_rows, pad_to_blocks, strips


@pytest.mark.parametrize("lines", range(1, 21))
@pytest.mark.parametrize("samples", [1, 2, 3, 7, 8, 9, 16, 20])
def test_padding_mirrors_as_often_as_it_must(lines, samples):
    plane = np.arange(2 * lines * samples).reshape(2, lines, samples)
    padded = pad_to_blocks(plane)
    target = [-(-size // 8) * 8 for size in (lines, samples)]
    # NumPy's symmetric padding is the same mirror, the edge being repeated.
    expected = np.pad(plane, [(0, 0), (0, target[0] - lines), (0, target[1] - samples)], mode="symmetric")
    np.testing.assert_array_equal(padded, expected)


def test_whole_blocks_are_not_copied():
    plane = np.zeros((3, 16, 24))
    assert pad_to_blocks(plane) is plane


@pytest.mark.parametrize("length", range(1, 40))
def test_block_rows(length):
    assert (block_rows(length) - 1) * BLOCK < length <= block_rows(length) * BLOCK


@pytest.mark.parametrize("lines", [1, 7, 8, 9, 64, 65, 1000])
@pytest.mark.parametrize("height", [8, 64, 2048])
def test_strips_cover_all_lines_once(lines, height):
    parts = strips(lines, height)
    assert [line for part in parts for line in range(part.start, part.stop)] == list(range(lines))
    assert all(part.stop - part.start == height for part in parts[:-1])
