"""What averages of pixels suggest for latents: their transform, turned as the encoder turned the block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import compiled
from bandfold.common.scene import CHANNELS

from .block_cosines import FREQUENCY_CHANNELS, LINE_TRANSFORM, to_cosines, turn_first
from .block_turns import BlockTurns

LARGEST_CORRECTION = np.float32(3.0)
"""Steps that a candidate correction is held to: no latent is so far from its reconstruction point."""


def suggest(changes: NDArray[np.float32], turns: BlockTurns, chosen: NDArray[np.uint8] | None) -> None:
    """Turn changes of pixels into candidate corrections of latents, in place.

    Parameters
    ----------
    changes : ndarray of float32, shape (blocks, kernels, 64, filled)
        In steps; of pixels, line by line, then of latents, in the order of channels.
    turns : BlockTurns
        Rotations of the strip.
    chosen : ndarray of uint8, shape (blocks,), or None
        Which of them each block chose; None without rotations.
    """
    _suggest(changes, LINE_TRANSFORM, FREQUENCY_CHANNELS, turns.forth, chosen, LARGEST_CORRECTION)


@compiled(
    "bf_suggest(changes: out(float32[blocks, kernels, 64, filled]), blocks: int64, kernels: int64,"
    " filled: int64, matrix: float32[8, 8], channels: int32[64], rotations: float32[kinds, size, width],"
    " kinds: int64, size: int64, width: int64, chosen: uint8[blocks] | None, limit: float32)"
)
def _suggest(
    changes: NDArray[np.float32],
    matrix: NDArray[np.float32],
    channels: NDArray[np.int32],
    rotations: NDArray[np.float32],
    chosen: NDArray[np.uint8] | None,
    limit: np.float32,
) -> None:
    found = np.empty_like(changes)
    flat = changes.reshape(-1, CHANNELS, changes.shape[3])
    found.reshape(flat.shape)[:, channels] = to_cosines(flat)
    if chosen is not None:
        turn_first(found, rotations, chosen)
    np.clip(found, -limit, limit, out=changes)
