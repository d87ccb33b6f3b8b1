"""Quantisation of what a prediction lacks, so that no sample is off by more than a limit.

With a limit d the step is ``2 d + 1`` counts. Differences wrap around at 32 bits, which matters to lossless
samples of all 32 bits only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError
from bandfold.common.kernels import compiled

from .band_prediction import FARTHEST, Bounds

LARGEST_LIMIT = (1 << 31) - 1
"""Limits are 32-bit integers."""


@compiled(
    "bf_refinement_quantise(samples: int32[pixels], predicted: int32[pixels], absent: uint8[pixels] | None,"
    " pixels: int64, limit: int64, quantised: out(int32[pixels])) -> int64"
)
def quantise(
    samples: NDArray[np.int32],
    predicted: NDArray[np.int32],
    absent: NDArray[np.uint8] | None,
    limit: int,
    quantised: NDArray[np.int32],
) -> int:
    """Count the steps from predictions to samples.

    Parameters
    ----------
    samples, predicted : ndarray of int32, shape (pixels,)
        Of a band.
    absent : ndarray of uint8, shape (pixels,), or None
        Not 0 where a sample is absent: it gets no steps.
    limit : int
        Largest error in counts.
    quantised : ndarray of int32, shape (pixels,)
        Written: the steps.

    Returns
    -------
    int
        Sum of their magnitudes.
    """
    error = samples.astype(np.int64) - predicted
    if limit:
        error = np.sign(error) * ((np.abs(error) + limit) // (2 * limit + 1))
    if absent is not None:
        error[absent != 0] = 0
    quantised[:] = error.astype(np.int32)
    return int(np.abs(quantised.astype(np.int64)).sum())


def reconstruct(
    predicted: NDArray[np.int32],
    quantised: NDArray[np.int32],
    limit: int,
    bounds: Bounds,
    base: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Add steps to predictions.

    Parameters
    ----------
    predicted, quantised : ndarray of int32, shape (pixels,)
        Predictions, and the steps from them.
    limit : int
        Largest error in counts.
    bounds : Bounds
        Where samples are cut.
    base : ndarray of int32, shape (pixels,)
        Base of the band.

    Returns
    -------
    refined : ndarray of int32, shape (pixels,)
        The samples.
    difference : ndarray of int32, shape (pixels,)
        What they differ from the base by, cut at `FARTHEST`.
    """
    refined, difference = np.empty_like(base), np.empty_like(base)
    limits = np.array([limit, bounds.lowest, bounds.highest], dtype=np.int64)
    _reconstruct(predicted, quantised, base, limits, refined, difference)
    return refined, difference


@compiled(
    "bf_refinement_reconstruct(predicted: int32[pixels], quantised: int32[pixels], base: int32[pixels],"
    " pixels: int64, limits: int64[3], refined: out(int32[pixels]), difference: out(int32[pixels]))"
)
def _reconstruct(
    predicted: NDArray[np.int32],
    quantised: NDArray[np.int32],
    base: NDArray[np.int32],
    limits: NDArray[np.int64],
    refined: NDArray[np.int32],
    difference: NDArray[np.int32],
) -> None:
    limit, lowest, highest = limits.tolist()
    value = predicted + quantised.astype(np.int64) * (2 * limit + 1)
    if limit == 0:
        value = value.astype(np.int32).astype(np.int64)
    refined[:] = np.clip(value, lowest, highest)
    difference[:] = np.clip(refined.astype(np.int64) - base, -FARTHEST, FARTHEST)


def check_magnitudes(quantised: NDArray[np.int32], limit: int, bounds: Bounds) -> None:
    """Refuse steps that lead from no sample to another.

    Parameters
    ----------
    quantised : ndarray of int32, shape (pixels,)
        Steps.
    limit : int
        Largest error in counts.
    bounds : Bounds
        Where samples are.

    Raises
    ------
    StreamError
        If a step leads too far.
    """
    most = bounds.magnitude_limit(2 * limit + 1)
    if most < LARGEST_LIMIT and int(np.abs(quantised.astype(np.int64)).max(initial=0)) > most:
        raise StreamError("refinement leads out of the range of samples: the section is corrupt")
