"""The rate model: what things cost in bits, estimated before anything is coded, and what a bit is worth.

Bits and squared errors are compared by one Lagrange multiplier. Estimates go from coarse to fine: by
variances, before anything is transformed; by logarithms of latents; and of side information by its entries.
(Levels are decided at the costs of the tables that code them: `bandfold.onboard.quantisation`.) All of it is
element-wise arithmetic and sums of integers or `math.fsum`, so that encoders decide alike on every machine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common import exact
from bandfold.common.exact import exp2, log2_of
from bandfold.common.kernels import compiled
from bandfold.common.scene import CHANNELS

if TYPE_CHECKING:
    from bandfold.bitstream.transforms.selection import Turn

LAGRANGE_MULTIPLIER = 0.13
"""Squared error, in steps squared, that one bit must save: what a finer step buys with it."""

FINEST_PLAN, COARSEST_PLAN = 2.0**-10, 2.0**20
"""Steps in counts for which plans are made whatever error is asked for: beyond them a stream cannot tell the
band means, and below them nothing changes."""

KNEE = LAGRANGE_MULTIPLIER / (2 * math.log(2.0))
"""Variance, in steps squared, at which a component begins to cost bits: below it, leaving it out costs as
much
as ``log2(1 + v / KNEE) / 2`` bits do, above it that is about the bits that it takes."""

BITS_SLOPE = 1.5
"""A latent of ``u`` steps costs about ``log2(1 + BITS_SLOPE * |u|)`` bits, among its neighbours."""

BITS_UNIT = 256
"""Sums of bits of latents are integers in units of ``1 / BITS_UNIT`` bit: they do not depend on an order."""

ERROR_UNIT = 256
"""Likewise squared errors, in units of ``step**2 / ERROR_UNIT``."""

AT_ONCE = 1 << 16
"""Latents that NumPy looks at together: it bounds memory."""

LATENT_BITS = 5.0
"""Bits of a lone latent of one step: its position, sign and magnitude ..."""

OCTAVE_BITS = 1.5
"""... and for each doubling beyond it, as measured on coded scenes."""

SMALLEST_GAIN = 0.8
"""Latents of fewer steps than this never gain."""

LARGEST_GAIN = 1024.0
"""Latents of more steps than this gain no more: a component that has one is worth its vector."""

GAIN_UNIT = 256
"""Gains are summed as integers in units of ``step**2 / GAIN_UNIT``, below 2**53 for 2**25 latents."""

ENTRY_OVERHEAD = 1.5
"""Bits of an entry of a vector whose entries have a standard deviation of one unit of precision. A Gaussian
would take log2(sqrt(2 pi e)), which is 2.05; running means tell which entries are large."""

TURN_ZERO_BITS = 0.3
"""Bits of an entry that is zero of the matrix that turns a sensor's components ..."""

TURN_LEVEL_BITS = 1.2
"""... and for each doubling of the others, as coded."""

MAP_SHARE = 0.6
"""Share of ``log2(matrices)`` that a block's choice of a rotation costs after coding: neighbours agree."""

SECTION_BITS = 160
"""Bits of the sections of a fold and its rotations without anything in them ..."""

MEAN_BITS = 4
"""... and of each band mean."""


def gaussian_bits(covariances: NDArray[np.float64], step: float) -> float:
    """Bits of a pixel under the best fold for a Gaussian source: ``log2(det(1 + C / d)) / 2``.

    Parameters
    ----------
    covariances : ndarray, shape (bands, bands)
        In counts squared.
    step : float
        Quantiser step in counts; ``d`` is `KNEE` times its square.

    Returns
    -------
    float
    """
    return log_determinant(covariances / (KNEE * step * step)) / 2


def component_bits(variances: NDArray[np.float64], step: float) -> float:
    """Bits of a pixel of independent Gaussian components: the sum of ``log2(1 + v / d) / 2``.

    Parameters
    ----------
    variances : ndarray, shape (components,)
        In counts squared.
    step : float
        Quantiser step in counts; ``d`` is `KNEE` times its square.

    Returns
    -------
    float
    """
    knee = KNEE * step * step
    return math.fsum(exact.log2(1.0 + np.maximum(variances, 0.0) / knee).tolist()) / 2


def log_determinant(matrix: NDArray[np.float64]) -> float:
    """``log2(det(1 + matrix))`` of a covariance matrix, by elimination: the same bits on every machine.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Symmetric, no eigenvalue below 0.

    Returns
    -------
    float
        In bits.
    """
    pivots = np.empty(len(matrix))
    _eliminate(np.ascontiguousarray(matrix + np.eye(len(matrix))), pivots)
    return math.fsum(exact.log2(pivots).tolist())


@compiled(
    "bf_pivots(matrix: out(float64[n, n]), n: int64, pivots: out(float64[n]), scaled: out(float64[n]))",
)
def _eliminate(matrix: NDArray[np.float64], pivots: NDArray[np.float64]) -> None:
    """Pivots of Gaussian elimination, at least 1; the matrix is used up."""
    for place in range(len(matrix)):
        pivot = max(float(matrix[place, place]), 1.0)
        pivots[place] = pivot
        below = matrix[place + 1 :, place + 1 :]
        below -= matrix[place + 1 :, place, None] * (matrix[None, place, place + 1 :] / pivot)


def step_for_bits(variances: NDArray[np.float64], pixels: int, factor: float, bits: float) -> float:
    """Estimate the step at which a scene costs so many bits.

    Parameters
    ----------
    variances : ndarray, shape (components,)
        Of components, or of bands; in counts squared.
    pixels : int
        Of the scene.
    factor : float
        Fitted on coded scenes: of folded components, or of bands that a model codes.
    bits : float
        Of the whole scene.

    Returns
    -------
    float
        Quantiser step in counts.
    """
    low, high = -4.0, 20.0
    for _ in range(30):
        middle = (low + high) / 2
        ratio = np.maximum(variances, 0.0) / exp2(2 * middle)
        # Strong components are smooth and cost less than their variance says, weak ones are noise.
        rate = exact.log2(1.0 + factor * np.sqrt(ratio) * ratio / (1.0 + ratio)) / 2
        total = math.fsum(rate.tolist()) * pixels
        low, high = (middle, high) if total > bits else (low, middle)
    return exp2((low + high) / 2)


def step_for_error(mse: float) -> float:
    """Estimate the step, in counts, at which a scene has a mean squared error, in counts squared."""
    return min(max(exp2(log2_of(12.0 * mse) / 2 + 0.5), FINEST_PLAN), COARSEST_PLAN)


def latent_bits(latents: NDArray[np.float64] | NDArray[np.int32], scale: float) -> NDArray[np.float32]:
    """Approximate bits of latents, by element-wise operations only: ``log2(1 + scale * |latent|)``.

    The logarithm is the exponent of the float and its mantissa, taken as linear: within 0.09 bit, and the
    same bits on every machine.

    Parameters
    ----------
    latents : ndarray of float64 or int32
        In units of ``1 / FRACTION`` of a count.
    scale : float
        From `bits_scale`.

    Returns
    -------
    ndarray of float32, same shape
    """
    value = latents.astype(np.float32)
    np.abs(value, out=value)
    value *= np.float32(scale)
    value += np.float32(1.0)
    bits = value.view(np.int32).astype(np.float32)
    bits *= np.float32(1.0 / (1 << 23))
    bits -= np.float32(127.0)
    return bits


def bits_scale(step: float) -> float:
    """The factor from latents, in units of ``1 / FRACTION``, to `BITS_SLOPE` times their number of steps."""
    return BITS_SLOPE / (step * FRACTION)


def latent_cost(latents: NDArray[np.int32], step: float) -> tuple[float, float]:
    """Approximate bits of all latents together, and what is lost of them.

    Parameters
    ----------
    latents : ndarray of int32
        In units of ``1 / FRACTION`` of a count.
    step : float
        Quantiser step in counts.

    Returns
    -------
    bits : float
        See `latent_bits`; a multiple of ``1 / BITS_UNIT``.
    error : float
        Squared error in steps squared, a multiple of ``1 / ERROR_UNIT``: small latents become zero, the error
        of all others is even.
    """
    totals = np.empty(2, dtype=np.int64)
    _sum_costs(np.ascontiguousarray(latents).reshape(-1), bits_scale(step), 1.0 / (step * FRACTION), totals)
    return int(totals[0]) / BITS_UNIT, int(totals[1]) / ERROR_UNIT


@compiled(
    "bf_cost(latents: int32[count], count: int64, scale: float32, steps: float64, totals: out(int64[2]))"
)
def _sum_costs(latents: NDArray[np.int32], scale: float, steps: float, totals: NDArray[np.int64]) -> None:
    bits, error = 0, 0
    for start in range(0, len(latents), AT_ONCE):
        part = latents[start : start + AT_ONCE]
        bits += int(np.rint(latent_bits(part, scale) * np.float32(BITS_UNIT)).astype(np.int64).sum())
        u = part.astype(np.float64) * steps
        error += int(np.rint(np.minimum(u * u, 1.0 / 12) * ERROR_UNIT).astype(np.int64).sum())
    totals[:] = bits, error


def latent_gain(latents: NDArray[np.int32], step: float) -> NDArray[np.float64]:
    """What coding the latents of each component saves: squared error less what its bits are worth.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, blocks)
        In units of ``1 / FRACTION`` of a count.
    step : float
        Quantiser step in counts.

    Returns
    -------
    ndarray of float64, shape (components,)
        In units of ``step**2 / GAIN_UNIT``: sums of integers, which do not depend on the order.
    """
    gains = np.empty(len(latents))
    _sum_gains(
        latents,
        1.0 / (step * FRACTION),
        SMALLEST_GAIN,
        LARGEST_GAIN,
        LAGRANGE_MULTIPLIER,
        LATENT_BITS,
        OCTAVE_BITS,
        gains,
    )
    return gains


@compiled(
    "bf_gain(latents: int32[components, channels, blocks], components: int64,"
    " count: int64 = channels * blocks, scale: float64, smallest: float64, largest: float64, weight: float64,"
    " bits: float64, octave_bits: float64, gains: out(float64[components]))"
)
def _sum_gains(
    latents: NDArray[np.int32],
    scale: float,
    smallest: float,
    largest: float,
    weight: float,
    bits: float,
    octave_bits: float,
    gains: NDArray[np.float64],
) -> None:
    for component, part in enumerate(latents):
        u = np.minimum(np.abs(part.astype(np.float64)) * scale, largest)
        u = u[u > smallest]
        # The exponent of the float and its mantissa, taken as linear, as in `latent_bits`.
        octaves = u.astype(np.float32).view(np.int32) * (1.0 / (1 << 23)) - 127.0
        gain = u * u - 1.0 / 12 - weight * (bits + octave_bits * octaves)
        gains[component] = np.rint(np.maximum(gain, 0.0) * GAIN_UNIT).sum()


def vector_bits(vectors: Vectors) -> NDArray[np.float64]:
    """Estimate what each column costs in the stream.

    Parameters
    ----------
    vectors : Vectors
        Quantised columns.

    Returns
    -------
    ndarray, shape (count,)
        Bits: a Gaussian's entropy at the column's mean square, from 0.3 bit an entry that is told.
    """
    rows, count = vectors.codes.shape
    n = rows - np.arange(count)
    energy = (vectors.codes * vectors.codes).sum(axis=0) / n
    bits: NDArray[np.float64] = n * np.maximum(exact.log2(energy + 0.06) / 2 + ENTRY_OVERHEAD, 0.3)
    return bits


def turn_bits(turn: Turn) -> NDArray[np.float64]:
    """Estimate what each column of the matrix costs that turns a sensor's components.

    Parameters
    ----------
    turn : Turn
        The quantised matrix.

    Returns
    -------
    ndarray, shape (count,)
        Bits.
    """
    levels = np.abs(turn.codes >> turn.shifts[:, None]).astype(np.float64)
    return exact.column_sums(TURN_ZERO_BITS + TURN_LEVEL_BITS * exact.log2(1.0 + 2.0 * levels))


def rotation_map_bits(matrices: int, pixels: int) -> float:
    """Estimate what it costs to tell which rotation each block of a scene takes, among so many matrices."""
    return MAP_SHARE * log2_of(float(max(matrices, 1))) * pixels / CHANNELS


def least_fold_bits(bands: int) -> float:
    """Bits of a fold for so many bands, without vectors."""
    return SECTION_BITS + MEAN_BITS * bands
