"""Weights of bands and of blocks, by codes that stand for the same numbers everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PER_OCTAVE = 8
"""Codes of an octave."""

LARGEST_CODE = 12 * PER_OCTAVE - 1
"""Weights are ``2**(-code / PER_OCTAVE)``, about: 1 down to almost ``2**-12``."""

_MANTISSAS = np.array([65536, 60097, 55109, 50535, 46341, 42495, 38968, 35734], dtype=np.float64)
"""``2**(-code / PER_OCTAVE)`` of the first octave in units of ``2**-_BITS``, rounded."""

_BITS = 16


def weights_of(codes: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Weights of bands or blocks: what has a small one is coded coarsely.

    Parameters
    ----------
    codes : ndarray of int
        0 to `LARGEST_CODE`.

    Returns
    -------
    ndarray
        Of the same shape; above 0, at most 1; exact in float64.
    """
    octaves, within = np.divmod(codes, PER_OCTAVE)
    return np.ldexp(_MANTISSAS[within], -_BITS - octaves.astype(np.int32))
