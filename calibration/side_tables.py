"""Tables for side information: two-sided geometric distributions, two classes an octave of their mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import SIDE_CLASSES
from bandfold.bitstream.entropy.ans import TOKENS, token_base

from .integer_tables import integer_frequencies

FIRST_CLASS_OF_ONE = 8
"""The class that starts at a mean magnitude of 1."""

SURPRISE = 0.02
"""Share of a flat distribution that is mixed in: what follows a running mean may leap."""

_SURPRISE_ZERO, _SURPRISE_SCALE, _SURPRISE_FALL = 0.3, 0.2, 3.0
"""Its probability of zero, of the other tokens, and the tokens over which these halve."""


def side_tables() -> NDArray[np.int32]:
    """Make the tables.

    Returns
    -------
    ndarray of int32, shape (SIDE_CLASSES, TOKENS)
        Frequencies, each row summing to 2**24.
    """
    low, bits = token_base(np.arange(TOKENS, dtype=np.int32))
    first = low.astype(np.float64)
    end = first + np.ldexp(1.0, bits)
    mean = 2.0 ** ((np.arange(SIDE_CLASSES) - FIRST_CLASS_OF_ONE) / 2 + 0.25)
    # P(k) = (1 - r) / (1 + r) * r**|k| has the mean magnitude 2 r / (1 - r**2).
    ratio = ((np.sqrt(1.0 + mean * mean) - 1.0) / mean)[:, None]
    zero = (1.0 - ratio) / (1.0 + ratio)
    expected = np.where(low == 0, zero, 2.0 * zero / (1.0 - ratio) * (ratio**first - ratio**end))
    token = np.arange(TOKENS)
    flat = np.where(token == 0, _SURPRISE_ZERO, _SURPRISE_SCALE * 0.5 ** (token / _SURPRISE_FALL))
    return integer_frequencies((1.0 - SURPRISE) * expected + SURPRISE * flat)
