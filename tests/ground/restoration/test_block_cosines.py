"""The separable cosine transform is that of the format, there and back."""

import numpy as np

from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.ground.restoration.block_cosines import FREQUENCY_CHANNELS, from_cosines, to_cosines


def test_latents_are_those_of_the_matrix_of_the_format():
    pixels = np.random.default_rng(0).normal(0, 1, (5, 64, 13)).astype(np.float32)
    found = to_cosines(pixels)
    expected = np.matmul(DCT / DCT_UNIT, pixels)
    np.testing.assert_allclose(found, expected[:, FREQUENCY_CHANNELS], atol=2e-3)
    np.testing.assert_allclose(from_cosines(found), pixels, atol=1e-5)
