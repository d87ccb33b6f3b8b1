"""The alphabet of the entropy coder: small magnitudes are symbols, larger ones a symbol and raw bits.

Magnitudes below 16 are tokens 0-15. Above, every octave has two tokens, and the bits below the second most
significant one are written raw. The alphabet reaches 2**36, far beyond any latent of 16-bit samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIRECT = 16
"""Magnitudes below this are tokens."""

TOKENS = 80
"""Size of the alphabet."""

LARGEST_MAGNITUDE = (1 << 36) - 1
"""The last token of the alphabet still reaches this."""


def to_tokens(magnitudes: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Split magnitudes into tokens and numbers of raw bits.

    Parameters
    ----------
    magnitudes : ndarray of int64, shape (n,)
        0 to `LARGEST_MAGNITUDE`.

    Returns
    -------
    tokens : ndarray of int32, shape (n,)
        Symbols, 0 to ``TOKENS - 1``.
    widths : ndarray of int32, shape (n,)
        Low bits of the magnitude that follow raw.
    """
    tokens = magnitudes.astype(np.int32)
    widths = np.zeros_like(tokens)
    large = np.flatnonzero(magnitudes >= DIRECT)
    if large.size:
        value = magnitudes[large]
        exponent = np.frexp(value.astype(np.float64))[1].astype(np.int64) - 1
        tokens[large] = DIRECT + 2 * (exponent - 4) + ((value >> (exponent - 1)) & 1)
        widths[large] = exponent - 1
    return tokens, widths


def token_base(tokens: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Smallest magnitude of each token and the number of raw bits to add: the inverse of `to_tokens`.

    Parameters
    ----------
    tokens : ndarray of int32, shape (n,)
        Symbols, 0 to ``TOKENS - 1``.

    Returns
    -------
    base : ndarray of int64, shape (n,)
        What the raw bits are added to.
    widths : ndarray of int32, shape (n,)
        Raw bits that follow.
    """
    base = tokens.astype(np.int64)
    widths = np.zeros_like(tokens)
    large = tokens >= DIRECT
    if large.any():
        octave, half = np.divmod(tokens[large].astype(np.int64) - DIRECT, 2)
        base[large] = (2 + half) << (octave + 3)
        widths[large] = octave + 3
    return base, widths
