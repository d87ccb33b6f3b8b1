"""Bins of quantised latents: where they lay before, and corrected latents held there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.common.kernels import compiled

BIN_BELOW, BIN_ABOVE = 0.5, 1.5
"""Steps that a magnitude may lie below its level, and above it: the encoder may have lowered the nearest
level by one, by rate-distortion optimised quantisation."""

TCQ_BIN, TCQ_ZERO_BIN = 0.8, 1.0
"""Steps that latents lie from their level, and from level 0, at most, but for a few: the Viterbi search of
trellis-coded quantisation does not always take the nearest level."""

_POINTS = 3


def bin_tables(mode: Mode) -> NDArray[np.float32]:
    """Where latents lie beside their level.

    Parameters
    ----------
    mode : Mode
        Statistics that they were coded with. Of two quantisers, levels of the second one are half a step
        nearer to 0.

    Returns
    -------
    ndarray of float32, shape (classes, 4, 3)
        By context and magnitude (0, 1, 2, and all above): what the reconstruction point and both ends of the
        bin lie above the magnitude, in steps.
    """
    tables = np.empty((len(mode.points), _POINTS + 1, 3), dtype=np.float32)
    tables[:, 0, 0], tables[:, 1:, 0] = 0.0, -mode.points
    if mode.dependent:
        nearer = np.where(np.arange(len(tables)) >= mode.network.classes, 0.5, 0.0)[:, None]
        tables[:, 0, 1:] = -TCQ_ZERO_BIN, TCQ_ZERO_BIN
        tables[:, 1:, 1], tables[:, 1:, 2] = -nearer - TCQ_BIN, -nearer + TCQ_BIN
    else:
        tables[:, 0, 1:] = -BIN_ABOVE, BIN_ABOVE
        tables[:, 1:, 1:] = -BIN_BELOW, BIN_ABOVE
    return tables


@compiled(
    "bf_into_bins(levels: int32[blocks, 64, filled], classes: uint8[blocks, 64, filled],"
    " changes: float32[blocks, 64, filled], tables: float32[*, 4, 3], trust: float32, at: int64,"
    " blocks: int64, filled: int64, components: int64, positions: int64,"
    " latents: out(float32[64, components, positions]), live: out(uint8[components]))"
)
def into_bins(
    levels: NDArray[np.int32],
    classes: NDArray[np.uint8],
    changes: NDArray[np.float32],
    tables: NDArray[np.float32],
    trust: float,
    at: int,
    latents: NDArray[np.float32],
    live: NDArray[np.uint8],
) -> None:
    """Correct latents of some blocks as far as they stay in their bins.

    Parameters
    ----------
    levels : ndarray of int32, shape (blocks, 64, filled)
        Quantised latents.
    classes : ndarray of uint8, same shape
        Their contexts.
    changes : ndarray of float32, same shape
        Corrections, in steps.
    tables : ndarray of float32, shape (classes, 4, 3)
        From `bin_tables`.
    trust : float
        How much of the corrections is applied: 0 to 1.
    at : int
        Number of the first of these blocks.
    latents : ndarray of float32, shape (64, components, positions)
        Those of these blocks are written, in steps.
    live : ndarray of uint8, shape (components,)
        Becomes 1 for components of which one is not 0, else 0.
    """
    size = np.abs(levels.astype(np.float32))
    beside = tables[classes, np.minimum(size, _POINTS).astype(np.intp)]
    # A latent of the other sign is corrected the other way.
    point = size + beside[..., 0] + np.float32(trust) * np.where(levels < 0, -changes, changes)
    found = np.minimum(np.maximum(point, size + beside[..., 1]), size + beside[..., 2])
    found = np.where(levels < 0, -found, found)[..., : len(live)]
    latents[..., at : at + len(levels)] = found.transpose(1, 2, 0)
    live[...] = found.any(axis=(0, 1))
