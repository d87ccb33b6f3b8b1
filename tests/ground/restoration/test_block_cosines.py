"""The separable cosine transform is that of the format, with and without compiled kernels."""

import numpy as np

from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.common.kernels import switched_off
from bandfold.ground.restoration.block_cosines import block_cosines


def test_latents_are_those_of_the_matrix_of_the_format():
    pixels = np.random.default_rng(0).normal(0, 1, (5, 64, 13)).astype(np.float32)
    latents, plain = pixels.copy(), pixels.copy()
    block_cosines(latents)
    with switched_off():
        block_cosines(plain)
    np.testing.assert_array_equal(latents, plain)
    np.testing.assert_allclose(latents, np.matmul(DCT / DCT_UNIT, pixels), atol=2e-3)
