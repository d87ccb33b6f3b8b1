"""What averages suggest for latents, with and without compiled kernels."""

import numpy as np
import pytest

from bandfold.common.kernels import switched_off
from bandfold.ground.restoration.block_cosines import FREQUENCY_CHANNELS, to_cosines
from bandfold.ground.restoration.block_turns import BlockTurns
from bandfold.ground.restoration.suggestions import LARGEST_CORRECTION, suggest

from .test_restorer import rotation


@pytest.mark.parametrize("size", [0, 3, 20])
def test_suggestions_have_the_same_bits_without_compiled_kernels(size):
    rng = np.random.default_rng(size)
    changes = rng.normal(0, 1, (6, 2, 64, 32)).astype(np.float32)
    # Nothing in some averages, and in some components.
    changes[2, 1], changes[3, ..., :16] = 0.0, 0.0
    turns = BlockTurns((rotation(1, size), rotation(2, size)) if size else ())
    # One block is left as it is.
    chosen = np.array([0, 1, 1, 0, 2, 1], dtype=np.uint8) if size else None
    latents = to_cosines(changes.reshape(-1, 64, 32)).reshape(changes.shape)
    found, plain = changes.copy(), changes.copy()
    suggest(found, turns, chosen)
    with switched_off():
        suggest(plain, turns, chosen)
    np.testing.assert_array_equal(found, plain)
    assert np.abs(found).max() == LARGEST_CORRECTION
    expected = np.empty_like(latents)
    expected[:, :, FREQUENCY_CHANNELS] = latents
    for block, matrix in enumerate(() if chosen is None else chosen[:2]):
        own = expected[block, ..., :size] @ turns.forth[matrix][:, :size]
        expected[block, ..., :size] = own
    np.testing.assert_allclose(
        found[:2], np.clip(expected[:2], -LARGEST_CORRECTION, LARGEST_CORRECTION), atol=1e-5
    )
