"""A strip block by block, as restoration looks at it, and the pixels that its levels stand for.

All components of a pixel, or of a latent, lie side by side. Pixels are in float32, in operations whose order
is defined: they have the same bits with and without compiled kernels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import Structure, compiled, structure
from bandfold.common.scene import BLOCK, CHANNELS
from bandfold.ground.synthesis.decoded_latents import DecodedLatents

from .block_cosines import FREQUENCY_CHANNELS, LINE_TRANSFORM, from_cosines, turn_first
from .block_turns import FILLED, BlockTurns

MARGIN = BLOCK
"""Pixels around a strip that are not there."""

_FRONTS = 8
"""Components whose planes tell most pixels apart. Of up to `FILLED` in all there is a plane of each."""

Float = NDArray[np.float32]


@structure(
    "bf_strip(quantised: out(int32[blocks, 64, filled]), contexts: out(uint8[blocks, 64, filled]),"
    " sums: out(int64[blocks, filled]), pixels: out(float32[lines, samples, filled]),"
    " front: out(float32[fronts, lines, samples]), present: out(float32[lines, samples]),"
    " blocks: int64, filled: int64, lines: int64, samples: int64, fronts: int64)"
)
class StripBlocks(Structure):
    """The levels, contexts and pixels of a strip.

    Parameters
    ----------
    decoded : DecodedLatents
        The strip.
    turns : BlockTurns
        Its rotations.

    Attributes
    ----------
    levels : ndarray of int32, shape (blocks, 64, filled)
        Quantised latents, row by row of blocks.
    classes : ndarray of uint8, same shape
        Their contexts.
    magnitudes : ndarray of int64, shape (blocks, filled)
        Sums over the levels of a block.
    count : int
        Blocks.
    starts : ndarray of int64, shape (blocks,)
        Place of the first pixel around each block, ``line * samples + sample``, margin included.
    """

    filled: int

    def __init__(self, decoded: DecodedLatents, turns: BlockTurns) -> None:
        _, components, rows, columns = decoded.quantised.shape
        filled = -(-components // FILLED) * FILLED
        shape = (BLOCK * rows + 2 * MARGIN, BLOCK * columns + 2 * MARGIN)
        super().__init__(
            quantised=np.empty((rows * columns, CHANNELS, filled), dtype=np.int32),
            contexts=np.empty((rows * columns, CHANNELS, filled), dtype=np.uint8),
            sums=np.empty((rows * columns, filled), dtype=np.int64),
            pixels=np.zeros((*shape, filled), dtype=np.float32),
            front=np.zeros((filled if filled == FILLED else _FRONTS, *shape), dtype=np.float32),
            present=np.zeros(shape, dtype=np.float32),
        )
        self.levels, self.classes = self.arrays["quantised"], self.arrays["contexts"]
        self.magnitudes = self.arrays["sums"]
        self._chosen = None if decoded.chosen is None else np.ascontiguousarray(decoded.chosen)
        _lay_out(
            np.ascontiguousarray(decoded.quantised),
            np.ascontiguousarray(decoded.classes),
            decoded.below.astype(np.float32),
            turns.back,
            self._chosen,
            LINE_TRANSFORM,
            FREQUENCY_CHANNELS,
            self,
        )
        self.count = rows * columns
        row, column = np.divmod(np.arange(self.count), columns)
        self.starts = BLOCK * (row * shape[1] + column)

    def chosen_of(self, blocks: slice | NDArray[np.intp]) -> NDArray[np.uint8] | None:
        """Which rotation some blocks went through.

        Parameters
        ----------
        blocks : slice or ndarray of int
            Numbers of blocks.

        Returns
        -------
        ndarray of uint8, shape (blocks,), or None
            None without rotations.
        """
        return None if self._chosen is None else self._chosen.ravel()[blocks]


def magnitude_sums(quantised: NDArray[np.int32]) -> NDArray[np.int64]:
    """Sum the magnitudes of levels over all blocks.

    Parameters
    ----------
    quantised : ndarray of int32, shape (64, components, rows, columns)
        Levels.

    Returns
    -------
    ndarray of int64, shape (64, components)
    """
    sums = np.empty(quantised.shape[:2], dtype=np.int64)
    _magnitude_sums(np.ascontiguousarray(quantised), sums)
    return sums


@compiled(
    "bf_magnitude_sums(quantised: int32[64, components, rows, columns], components: int64, rows: int64,"
    " columns: int64, sums: out(int64[64, components]))"
)
def _magnitude_sums(quantised: NDArray[np.int32], sums: NDArray[np.int64]) -> None:
    sums[...] = np.abs(quantised.astype(np.int64)).sum(axis=(2, 3))


@compiled(
    "bf_lay_out(quantised: int32[64, components, rows, columns],"
    " classes: uint8[64, components, rows, columns], components: int64, rows: int64, columns: int64,"
    " below: float32[*, 3], inverses: float32[kinds, size, width], kinds: int64, size: int64, width: int64,"
    " chosen: uint8[rows, columns] | None, matrix: float32[8, 8], channels: int32[64], strip: bf_strip,"
    " latents: out(float32[64, strip.filled]))"
)
def _lay_out(
    quantised: NDArray[np.int32],
    classes: NDArray[np.uint8],
    below: Float,
    inverses: Float,
    chosen: NDArray[np.uint8] | None,
    matrix: Float,
    channels: NDArray[np.int32],
    strip: StripBlocks,
) -> None:
    _, components, rows, columns = quantised.shape
    for values, to in ((quantised, strip.levels), (classes, strip.classes)):
        to[..., components:] = 0
        to[..., :components] = values.reshape(CHANNELS, components, -1).transpose(2, 0, 1)
    magnitudes = np.abs(strip.levels.astype(np.int64))
    strip.magnitudes[...] = magnitudes.sum(axis=1)
    column = np.clip(magnitudes, 1, below.shape[1]) - 1
    points = magnitudes.astype(np.float32) - below[strip.classes, column]
    latents = np.where(
        strip.levels == 0, np.float32(0.0), np.copysign(points, strip.levels.astype(np.float32))
    )
    if chosen is not None:
        turn_first(latents, inverses, chosen.ravel())
    pixels = from_cosines(latents[:, channels])
    lines = pixels.reshape(rows, columns, BLOCK, BLOCK, -1).transpose(0, 2, 1, 3, 4)
    inner = (slice(MARGIN, MARGIN + BLOCK * rows), slice(MARGIN, MARGIN + BLOCK * columns))
    strip.arrays["pixels"][inner] = lines.reshape(BLOCK * rows, BLOCK * columns, -1)
    front = strip.arrays["front"]
    front[...] = strip.arrays["pixels"][..., : len(front)].transpose(2, 0, 1)
    strip.arrays["present"][inner] = 1.0
