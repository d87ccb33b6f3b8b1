"""Trellis-coded quantisation: the levels before a latent choose which of two quantisers it goes through.

The levels of the first quantiser are the multiples of the step, those of the second one are the odd multiples
of half a step, and zero. Latents form chains; a chain has one of eight or 32 states, which the parity of each
level moves on, and the state chooses the quantiser of the next latent. Together the quantisers are twice as
fine as each of them, and the encoder looks for the best path by a Viterbi search
(`bandfold.onboard.quantisation.trellis_search`). The trellis of eight states is Ungerboeck's, that of 32 was
found by trying; the entropy tables know the quantiser, as in the dependent quantisation of H.266/VVC.

Chain ``a`` of a position goes through the channels that come at place ``a`` in their diagonals, and from the
last one on to the next component. So a diagonal has one latent of a chain at most, and its quantisers are
known before anything of it is decoded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import FEW_STATES, MANY_STATES

from .features import DIAGONAL_SLICES

CHAINS = 8
"""Chains of latents at each position, one for each channel of the longest diagonal."""

QUANTISERS = 2
"""States with an odd number take the second one."""


def _trellis(states: int, turning: int, mixed: int) -> NDArray[np.uint8]:
    """State that follows each state, after an even and after an odd level: shape (states, 2).

    States are shift registers whose lowest bit chooses the quantiser. An even level leads to an odd state
    where the bits of `turning` have an odd sum; the bits of `mixed` are added to the places that they hold.
    """
    found = np.empty((states, 2), dtype=np.uint8)
    for state in range(states):
        moved = (2 * state % states) ^ (state & mixed)
        found[state] = [moved | ((state & turning).bit_count() + parity) % 2 for parity in range(2)]
    found.flags.writeable = False
    return found


TRELLISES = {
    FEW_STATES: _trellis(FEW_STATES, 0b111, 0),
    MANY_STATES: _trellis(MANY_STATES, 0b10111, 0b10),
}
"""State that follows each state, after an even and after an odd level, by the number of states."""


class Chains:
    """States of all chains of a strip: 0 at first.

    Parameters
    ----------
    trellis : ndarray of uint8, shape (states, 2)
        One of `TRELLISES`.
    rows, columns : int
        Latent positions of the strip.
    """

    def __init__(self, trellis: NDArray[np.uint8], rows: int, columns: int) -> None:
        self.trellis = trellis
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
        part[...] = self.trellis[part, values & 1]


def _length(diagonal: int) -> int:
    return DIAGONAL_SLICES[diagonal].stop - DIAGONAL_SLICES[diagonal].start


def set_of_latents(quantised: NDArray[np.integer], states: int = FEW_STATES) -> NDArray[np.uint8]:
    """Number of the quantiser of each latent of a strip.

    Parameters
    ----------
    quantised : ndarray of integers, shape (64, components, rows, columns)
        Levels of the strip.
    states : int
        Of the trellis.

    Returns
    -------
    ndarray of uint8, same shape
    """
    chains = Chains(TRELLISES[states], *quantised.shape[2:])
    found = np.empty(quantised.shape, dtype=np.uint8)
    for component in range(quantised.shape[1]):
        for diagonal, channels in enumerate(DIAGONAL_SLICES):
            found[channels, component] = chains.quantisers(diagonal)
            chains.move(diagonal, quantised[channels, component])
    return found
