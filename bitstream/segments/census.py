"""What a segment needs to know of its components before it writes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.features import DIAGONAL_BOUNDS, DIAGONAL_SLICES, DIAGONALS
from bandfold.bitstream.entropy.tokens import to_tokens
from bandfold.common import kernels
from bandfold.common.kernels import pointer

LARGEST_COUNTED = 1 << 15
"""Magnitudes are cut here before they are squared: sums stay exact."""


@dataclass(frozen=True)
class Census:
    """Counts of each component of a segment.

    Parameters
    ----------
    live : ndarray of int64, shape (components,)
        Latents that are not zero.
    energy : ndarray of int64, shape (components,)
        Sum of their squares, of magnitudes up to 2**15.
    bits : ndarray of int64, shape (components,)
        Their signs and raw bits.
    extents : ndarray of int64, shape (components,)
        Diagonals to code, 0 to 15: up to the last one that holds anything.
    """

    live: NDArray[np.int64]
    energy: NDArray[np.int64]
    bits: NDArray[np.int64]
    extents: NDArray[np.int64]

    @staticmethod
    def of(quantised: NDArray[np.int32]) -> Census:
        """Count latents.

        Parameters
        ----------
        quantised : ndarray of int32, shape (64, components, rows, columns)

        Returns
        -------
        Census
        """
        if kernels.library is not None and quantised.flags.c_contiguous:
            return _compiled(quantised)
        components = quantised.shape[1]
        live, energy, bits, extents = np.zeros((4, components), dtype=np.int64)
        for one in range(components):
            magnitudes = np.abs(quantised[:, one].astype(np.int64))
            live[one] = np.count_nonzero(magnitudes)
            bits[one] = live[one] + to_tokens(magnitudes.ravel())[1].sum()
            np.minimum(magnitudes, LARGEST_COUNTED, out=magnitudes)
            energy[one] = (magnitudes * magnitudes).sum()
            for diagonal in range(DIAGONALS):
                if magnitudes[DIAGONAL_SLICES[diagonal]].any():
                    extents[one] = diagonal + 1
        return Census(live, energy, bits, extents)

    def part(self, components: slice) -> Census:
        """Counts of some components."""
        return Census(
            self.live[components], self.energy[components], self.bits[components], self.extents[components]
        )


def _compiled(quantised: NDArray[np.int32]) -> Census:
    _, components, rows, columns = quantised.shape
    counts = np.empty((4, components), dtype=np.int64)
    kernels.functions().bf_census(
        pointer(quantised, np.int32),
        components,
        rows * columns,
        pointer(DIAGONAL_BOUNDS, np.int32),
        *(pointer(row, np.int64) for row in counts),
    )
    return Census(*counts)
