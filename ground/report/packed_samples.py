"""Samples as 16-bit codes, as the script of a report reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING = 65535
"""Code of a sample without data."""


@dataclass(frozen=True)
class PackedSamples:
    """Samples as codes: a sample is ``offset + scale * code``, or absent where its code is `MISSING`.

    Parameters
    ----------
    scale, offset : float
        Value of one code, and of code 0.
    codes : ndarray of uint16
        Little-endian, shaped as the samples.
    """

    scale: float
    offset: float
    codes: NDArray[np.uint16]

    @staticmethod
    def of(samples: NDArray[np.float32], *, exact: bool) -> PackedSamples:
        """Pack samples.

        Parameters
        ----------
        samples : ndarray of float32
            Of any shape; NaN where there is no data.
        exact : bool
            Whether they are whole numbers: those keep their values where they span less than `MISSING`.

        Returns
        -------
        PackedSamples
            Others are rounded to `MISSING` levels between the lowest and the highest.
        """
        present = np.isfinite(samples)
        low = float(samples[present].min()) if present.any() else 0.0
        high = float(samples[present].max()) if present.any() else 0.0
        fits = exact and high - low < MISSING
        scale = 1.0 if fits else (high - low) / (MISSING - 1) or 1.0
        codes = np.full(samples.shape, MISSING, "<u2")
        codes[present] = np.rint((samples[present].astype(np.float64) - low) / scale)
        return PackedSamples(scale, low, codes)
