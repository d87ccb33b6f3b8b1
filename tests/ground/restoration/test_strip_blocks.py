"""A strip block by block: the pixels of the format, with and without compiled kernels."""

import numpy as np
import pytest

from bandfold.common.kernels import switched_off
from bandfold.ground.restoration.block_turns import BlockTurns
from bandfold.ground.restoration.strip_blocks import MARGIN, StripBlocks, magnitude_sums
from bandfold.ground.synthesis.inverse_transforms import inverse_cosine_transform, inverse_rotation

from .test_restorer import decoded, points_of, rotation

ARRAYS = ("quantised", "contexts", "sums", "pixels", "front", "present")


@pytest.mark.parametrize("components", [1, 16, 21])
@pytest.mark.parametrize("rotations", [0, 2])
def test_pixels_are_those_of_the_inverse_transforms(components, rotations):
    matrices = tuple(rotation(seed, min(components, 18)) for seed in range(rotations))
    strip = decoded(components=components, rows=2, columns=19, rotations=matrices)
    strip.quantised[3, 0, 1, 2] = -70_000
    blocks = StripBlocks(strip, BlockTurns(matrices))
    with switched_off():
        plain = StripBlocks(strip, BlockTurns(matrices))
    for name in ARRAYS:
        np.testing.assert_array_equal(blocks.arrays[name], plain.arrays[name])
    latents = points_of(strip).astype(np.float64)
    inverse_rotation(latents, strip.chosen, matrices)
    planes = inverse_cosine_transform(latents, 16, 152)
    inner = blocks.arrays["pixels"][MARGIN:-MARGIN, MARGIN:-MARGIN]
    # The matrix of the format is rounded to 2**-15.
    np.testing.assert_allclose(inner[..., :components].transpose(2, 0, 1), planes, atol=1e-2 + 7e-5 * 70_000)
    near = np.abs(planes).max(axis=0) < 100
    np.testing.assert_allclose(
        inner[..., :components].transpose(2, 0, 1)[:, near], planes[:, near], atol=2e-2
    )
    assert not inner[..., components:].any()
    assert blocks.arrays["pixels"].sum() == pytest.approx(inner.sum(), rel=1e-4)


def test_levels_lie_block_by_block():
    strip = decoded(components=5, rows=2, columns=3)
    blocks = StripBlocks(strip, BlockTurns(()))
    np.testing.assert_array_equal(blocks.levels[4, :, :5], strip.quantised[:, :, 1, 1])
    np.testing.assert_array_equal(blocks.classes[4, :, :5], strip.classes[:, :, 1, 1])
    np.testing.assert_array_equal(blocks.magnitudes[4, :5], np.abs(strip.quantised[:, :, 1, 1]).sum(axis=0))
    sums = magnitude_sums(strip.quantised)
    np.testing.assert_array_equal(sums, np.abs(strip.quantised).sum(axis=(2, 3)))
    with switched_off():
        np.testing.assert_array_equal(magnitude_sums(strip.quantised), sums)
