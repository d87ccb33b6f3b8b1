"""Trellis-coded quantisation: the levels before a latent choose which of two quantisers it goes through.

The levels of the first quantiser are the multiples of the step, those of the second one are the odd multiples
of half a step, and zero. Latents form chains; a chain has one of eight states, which the parity of each level
moves on, and the state chooses the quantiser of the next latent. Together the quantisers are twice as fine as
each of them, and the encoder looks for the best path by a Viterbi search
(`bandfold.onboard.quantisation.trellis_search`). The trellis is Ungerboeck's with eight states, the entropy
tables know the quantiser, as in the dependent quantisation of H.266/VVC.

Chain ``a`` of a position goes through the channels that come at place ``a`` in their diagonals, and from the
last one on to the next component. So a diagonal has one latent of a chain at most, and its quantisers are
known before anything of it is decoded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .features import DIAGONAL_SLICES

CHAINS = 8
"""Chains of latents at each position, one for each channel of the longest diagonal."""

NEXT = np.array([[0, 1], [3, 2], [5, 4], [6, 7], [1, 0], [2, 3], [4, 5], [7, 6]], dtype=np.uint8)
"""State that follows each state, after an even and after an odd level."""

STATES = len(NEXT)
"""States of the trellis."""

QUANTISERS = 2
"""States with an odd number take the second one."""


class Chains:
    """States of all chains of a strip: 0 at first.

    Parameters
    ----------
    rows, columns : int
        Latent positions of the strip.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.states = np.zeros((CHAINS, rows, columns), dtype=np.uint8)

    def quantisers(self, diagonal: int) -> NDArray[np.uint8]:
        """Number of the quantiser of each latent of a diagonal: shape (channels, rows, columns)."""
        return self.states[: _length(diagonal)] & np.uint8(1)

    def move(self, diagonal: int, values: NDArray[np.integer]) -> None:
        """Take in a diagonal; those beyond the extent of a component count as zeros.

        Parameters
        ----------
        diagonal : int
            0 to 14.
        values : ndarray of integers, shape (channels of the diagonal, rows, columns)
            Levels of the diagonal.
        """
        part = self.states[: _length(diagonal)]
        part[...] = NEXT[part, values & 1]


def _length(diagonal: int) -> int:
    return DIAGONAL_SLICES[diagonal].stop - DIAGONAL_SLICES[diagonal].start


def set_of_latents(quantised: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Number of the quantiser of each latent of a strip.

    Parameters
    ----------
    quantised : ndarray of integers, shape (64, components, rows, columns)
        Levels of the strip.

    Returns
    -------
    ndarray of uint8, same shape
    """
    chains = Chains(*quantised.shape[2:])
    found = np.empty(quantised.shape, dtype=np.uint8)
    for component in range(quantised.shape[1]):
        for diagonal, channels in enumerate(DIAGONAL_SLICES):
            found[channels, component] = chains.quantisers(diagonal)
            chains.move(diagonal, quantised[channels, component])
    return found
