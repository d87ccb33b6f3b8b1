"""The cosine transform in integers, and the order of its channels."""

import math

import numpy as np

from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT, DIAGONAL, FREQUENCIES


def test_channels_are_all_frequencies_by_diagonal():
    pairs = [tuple(pair) for pair in FREQUENCIES.tolist()]
    assert pairs[:7] == [(0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (2, 0), (0, 3)]
    assert sorted(pairs) == [(i, j) for i in range(8) for j in range(8)]
    assert (np.diff(DIAGONAL) >= 0).all()
    assert pairs == sorted(pairs, key=lambda pair: (pair[0] + pair[1], pair[0]))


def test_entries_are_rounded_cosines():
    for channel, (i, j) in enumerate(FREQUENCIES.tolist()):
        for y in range(8):
            for x in range(8):
                weight = math.sqrt((1 if i == 0 else 2) * (1 if j == 0 else 2)) / 8
                value = (
                    weight
                    * math.cos(math.pi * (2 * y + 1) * i / 16)
                    * math.cos(math.pi * (2 * x + 1) * j / 16)
                )
                assert DCT[channel, 8 * y + x] == round(value * DCT_UNIT)


def test_no_entry_is_near_a_tie():
    # A cosine that differs in its last bits, as those of two C libraries do, must not change the matrix.
    line = [
        [math.sqrt((1 if k == 0 else 2) / 8) * math.cos(math.pi * (2 * x + 1) * k / 16) for x in range(8)]
        for k in range(8)
    ]
    scaled = np.einsum("iy,jx->ijyx", line, line) * DCT_UNIT
    assert np.abs(scaled - np.floor(scaled) - 0.5).min() > 0.001


def test_matrix_is_nearly_orthonormal():
    matrix = DCT / DCT_UNIT
    assert np.abs(matrix @ matrix.T - np.eye(64)).max() < 3.1e-4
    assert np.linalg.cond(matrix) < 1.0005


def test_matrix_cannot_be_changed():
    assert not DCT.flags.writeable
