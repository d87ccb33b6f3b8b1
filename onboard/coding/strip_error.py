"""The squared error of a strip from its latents: of the samples that count, and of no others.

The transforms are orthonormal, so that errors of latents are those of samples (Parseval). That holds for
whole blocks: where a block reaches beyond the scene, or has samples without data or kept exactly, the errors
of its components are transformed back and weighed pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common.exact import integer_product
from bandfold.common.scene import BLOCK, block_rows

if TYPE_CHECKING:
    from bandfold.onboard.samples.samples import Uncounted

ERROR_UNIT = float(1 << 20)
"""Squared errors are summed as integers in units of ``step**2 / ERROR_UNIT``: their sum has no order."""

LARGEST_SUM = float(1 << 62)
"""Sums of a component stay below this, in 64 bits: the errors of its latents are cut to their share of it."""

_PART = 1024.0
"""Errors that are transformed back are integers in units of ``step / _PART``."""

_LARGEST = float(1 << 30)
"""They are cut here, at a million steps: products stay exact."""


class CountedSamples:
    """Which samples of a strip count where its error is measured.

    Parameters
    ----------
    uncounted : Uncounted
        Samples without data, and those that are kept exactly.
    """

    def __init__(self, uncounted: Uncounted) -> None:
        bands, height, samples = uncounted.shape
        rows, columns = block_rows(height), block_rows(samples)
        weights = np.zeros((rows * BLOCK, columns * BLOCK))
        mask = uncounted.mask
        present = bands - (0 if mask is None else mask.sum(axis=0))
        # Filled with one value, they take no part in the error of a pixel.
        gone = 0 if mask is None else int(mask.all(axis=(1, 2)).sum())
        weights[:height, :samples] = present / max(bands - gone, 1)
        by_line = np.broadcast_to(present, (height, samples)).sum(axis=1)
        self.count = int(by_line.sum())
        self.whole = bands * height * samples
        self.gone = gone * height * samples
        self.empty = bands * samples * int((by_line == 0).sum())
        blocks = weights.reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3)
        self._blocks = blocks.reshape(rows, columns, BLOCK * BLOCK)
        whole = (self._blocks == 1).all(axis=2)
        self._cut = None if whole.all() else ~whole
        self._whole = whole

    def squared_error(
        self,
        latents: NDArray[np.int32],
        levels: NDArray[np.int32],
        classes: NDArray[np.uint8],
        step: float,
        mode: Mode,
    ) -> float:
        """Sum of the squared errors of the samples that count.

        Parameters
        ----------
        latents : ndarray of int32, shape (components, 64, rows, columns)
            In units of ``1 / FRACTION`` of a count.
        levels : ndarray of int32, shape (64, components, rows, columns)
            What they are quantised to.
        classes : ndarray of uint8, shape (64, components, rows, columns)
            Contexts of the levels.
        step : float
            Quantiser step in counts.
        mode : Mode
            Reconstruction points.

        Returns
        -------
        float
            In counts squared.
        """
        total = 0
        for error in _errors(latents, levels, classes, step, mode):
            if self._cut is not None:
                total += self._cut_blocks(error[:, self._cut])
            squares = error if self._cut is None else error[:, self._whole]
            squares *= squares
            squares *= ERROR_UNIT
            # Levels are within two steps of their latents: only what is coded wrongly reaches this.
            np.minimum(squares, LARGEST_SUM / max(squares.size, 1), out=squares)
            total += int(np.rint(squares).astype(np.int64).sum())
        return total * (step * step / ERROR_UNIT)

    def _cut_blocks(self, error: NDArray[np.float64]) -> int:
        """Sum over blocks that are weighed pixel by pixel, for errors of one component in steps."""
        if self._cut is None or not error.size:
            return 0
        integers = np.clip(np.rint(error * _PART), -_LARGEST, _LARGEST)
        pixels = integer_product(np.ascontiguousarray(DCT.T), integers) / (DCT_UNIT * _PART)
        pixels *= pixels
        pixels *= self._blocks[self._cut].T
        pixels *= ERROR_UNIT
        np.minimum(pixels, LARGEST_SUM / max(pixels.size, 1), out=pixels)
        return int(np.rint(pixels).astype(np.int64).sum())


def _errors(
    latents: NDArray[np.int32],
    levels: NDArray[np.int32],
    classes: NDArray[np.uint8],
    step: float,
    mode: Mode,
) -> Iterable[NDArray[np.float64]]:
    """Errors of each component in steps, with the sign of the latent."""
    for given, values, kinds in zip(latents, levels.swapaxes(0, 1), classes.swapaxes(0, 1), strict=True):
        error = np.abs(given) * (1.0 / (FRACTION * step)) - mode.reconstruction_points(np.abs(values), kinds)
        np.negative(error, out=error, where=given < 0)
        yield error
