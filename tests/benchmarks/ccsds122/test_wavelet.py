"""The wavelet transforms of CCSDS 122: checked against their formulas, sample by sample, and undone."""

import numpy as np
import pytest

from bandfold.benchmarks.ccsds122.blocks import from_blocks, to_blocks
from bandfold.benchmarks.ccsds122.wavelet import forward, inverse


def integers_by_hand(x):
    """Section 3.3 of the standard as it is written, with its own formulas for both ends."""
    half = len(x) // 2
    high = []
    for j in range(half):
        if j == half - 1:
            predicted = 9 / 8 * x[2 * j] - 1 / 8 * x[2 * j - 2]
        else:
            before = x[2 * j - 2] if j else x[2]
            after = x[2 * j + 4] if j < half - 2 else x[2 * j + 2]
            predicted = 9 / 16 * (x[2 * j] + x[2 * j + 2]) - 1 / 16 * (before + after)
        high.append(x[2 * j + 1] - int(np.floor(predicted + 1 / 2)))
    low = [x[0] - int(np.floor(-high[0] / 2 + 1 / 2))]
    low += [x[2 * j] - int(np.floor(-(high[j - 1] + high[j]) / 4 + 1 / 2)) for j in range(1, half)]
    return low + high


def by_hand(image):
    plane = image.astype(int).copy()
    for level in range(3):
        lines, samples = (extent >> level for extent in plane.shape)
        for row in range(lines):
            plane[row, :samples] = integers_by_hand(plane[row, :samples].tolist())
        for column in range(samples):
            plane[:lines, column] = integers_by_hand(plane[:lines, column].tolist())
    return plane


@pytest.fixture
def image():
    return np.random.default_rng(1).integers(0, 65536, (24, 40)).astype(np.uint16)


def test_integers_are_those_of_the_formulas_and_come_back(image):
    coefficients = forward(image, reversible=True)
    assert (coefficients == by_hand(image)).all()
    assert (inverse(coefficients, reversible=True) == image).all()


def test_floats_come_back_but_for_rounding(image):
    coefficients = forward(image, reversible=False)
    assert np.abs(inverse(coefficients, reversible=False) - image).max() < 2


def test_floats_keep_energy_and_gather_what_is_flat_in_the_corner():
    flat = np.full((32, 32), 1000, np.uint16)
    coefficients = forward(flat, reversible=False)
    # Two dimensions and three levels of a gain of the square root of two.
    assert np.abs(coefficients[:4, :4] - 8000).max() <= 1
    coefficients[:4, :4] = 0
    assert not coefficients.any()


def test_blocks_gather_families_of_one_place():
    plane = np.arange(32 * 40).reshape(32, 40)
    blocks = to_blocks(plane)
    assert blocks.shape == (20, 64)
    # Second block of the second row: DC, parents, children of the first family, its first four grandchildren.
    row, column = 1, 1
    expected = [
        plane[row, column],
        plane[row, 5 + column],
        plane[4 + row, column],
        plane[4 + row, 5 + column],
    ]
    expected += plane[2:4, 10 + 2 : 10 + 4].ravel().tolist()
    assert blocks[6, :8].tolist() == expected
    assert blocks[6, 16:20].tolist() == plane[4:6, 20 + 4 : 20 + 6].ravel().tolist()
    assert blocks[6, 20:24].tolist() == plane[4:6, 20 + 6 : 20 + 8].ravel().tolist()
    assert blocks[6, -4:].tolist() == plane[16 + 6 : 16 + 8, 20 + 6 : 20 + 8].ravel().tolist()
    assert (from_blocks(blocks, plane.shape) == plane).all()
