"""The inverse transforms in integers: what they give is the same on every machine.

Decoders that do not refine may compute them in floating point. Here all products are of integers, and all
sums stay below 2**53: held in float64 they are exact, so that their order and the library that computes them
do not matter. Each stage is rounded to `SAMPLE_UNIT`.

That the sums stay below follows from the transforms being orthonormal: what a sum is made of has the energy
of the samples of a block in all bands, below 2**16 counts times the root of 64 times the bands, times
`SAMPLE_UNIT` and `INVERSE_UNIT`: 2**49 for 256 bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.band_prediction import SAMPLE_UNIT
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.lapped_synthesis import POINT_UNIT
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common.kernels import compiled
from bandfold.common.scene import BLOCK, CHANNELS

INVERSE_UNIT = 1 << 22
"""Entries of inverse matrices are integers in units of ``1 / INVERSE_UNIT``."""

LARGEST = float(1 << 28)
"""Latents, planes and bands are cut here, in units of ``1 / SAMPLE_UNIT`` of a count."""

BANDS_TOGETHER = 16
"""Bands that are made together where nothing folds them."""

STEP_SCALE = SAMPLE_UNIT / (256.0 * POINT_UNIT)
"""From points times the code of the step (1/256 count) to ``1 / SAMPLE_UNIT`` of a count."""


def integer_inverse(basis: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Map from coefficients of a nearly orthonormal basis back to what they were made of, in integers.

    One step of the iteration of Newton and Schulz from the transpose, ``B (2 I - B'B)``: what the basis lacks
    to be orthonormal is squared (Ben-Israel and Greville, Generalized Inverses, 2003, section 7.7).

    Parameters
    ----------
    basis : ndarray of float64, shape (n, count)
        Integers: a vector in each column, nearly orthonormal.
    unit : float
        Entries are in units of ``1 / unit``, a power of two of at most 2**16.

    Returns
    -------
    ndarray of float64, shape (n, count)
        Integers, in units of ``1 / INVERSE_UNIT``.
    """
    entries, whole = basis.astype(np.int64), round(unit)
    lacking = 2 * whole * whole * np.eye(basis.shape[1], dtype=np.int64) - entries.T @ entries
    shift = 3 * (whole.bit_length() - 1) - (INVERSE_UNIT.bit_length() - 1)
    return ((entries @ lacking + (1 << (shift - 1))) >> shift).astype(np.float64)


def exact_latents(segment: Segment, step_code: int, mode: Mode) -> NDArray[np.float64]:
    """Latents at their reconstruction points.

    Parameters
    ----------
    segment : Segment
        Levels, and the contexts that they were coded in.
    step_code : int
        Quantiser step in units of 1/256 of a count.
    mode : Mode
        Statistics of these contexts, with their reconstruction points.

    Returns
    -------
    ndarray of float64, shape (64, components, rows, columns)
        Integers, in units of ``1 / SAMPLE_UNIT`` of a count.
    """
    latents = np.zeros(segment.quantised.shape)
    # Few levels are not zero where the rate is low.
    live = np.flatnonzero(segment.quantised)
    levels = segment.quantised.ravel()[live]
    magnitudes = np.abs(levels.astype(np.int64))
    points = np.rint(mode.points * POINT_UNIT).astype(np.int64)
    below = points[segment.classes.ravel()[live], np.minimum(magnitudes - 1, points.shape[1] - 1)]
    values = np.rint((magnitudes * POINT_UNIT - below) * float(step_code) * STEP_SCALE)
    latents.ravel()[live] = np.copysign(np.minimum(values, LARGEST), levels)
    return latents


def undo_rotations(
    latents: NDArray[np.float64], chosen: NDArray[np.uint8] | None, matrices: tuple[Vectors, ...]
) -> None:
    """Undo the rotation of the strongest components of each block, in place.

    Parameters
    ----------
    latents : ndarray of float64, shape (64, components, rows, columns)
        Integers, in units of ``1 / SAMPLE_UNIT`` of a count.
    chosen : ndarray of uint8, shape (rows, columns), or None
        Number of the matrix of each block; None if none was rotated.
    matrices : tuple of Vectors
        The matrices that blocks choose from.
    """
    if chosen is None:
        return
    for number, matrix in enumerate(matrices):
        members = np.flatnonzero(chosen == number)
        if members.size:
            blocks = latents.reshape(*latents.shape[:2], -1)
            top = blocks[:, : matrix.count, members].transpose(1, 0, 2)
            rotated = _apply(_inverse(matrix), top.reshape(matrix.count, -1)).reshape(top.shape)
            blocks[:, : matrix.count, members] = rotated.transpose(1, 0, 2)


def component_planes(latents: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Planes of those components that are not zero everywhere, by the inverse cosine transform.

    Parameters
    ----------
    latents : ndarray of float64, shape (64, components, rows, columns)
        Integers, in units of ``1 / SAMPLE_UNIT`` of a count.

    Returns
    -------
    live : ndarray of intp, shape (live,)
        Numbers of these components.
    planes : ndarray of float64, shape (live, 64 * rows * columns)
        Integers in the same unit, pixels in raster order of whole blocks.
    """
    _, _, rows, columns = latents.shape
    live = np.flatnonzero(latents.any(axis=(0, 2, 3)))
    blocks = _apply(_inverse_cosine(), latents[:, live].reshape(CHANNELS, -1))
    planes = blocks.reshape(BLOCK, BLOCK, len(live), rows, columns).transpose(2, 3, 0, 4, 1)
    return live, planes.reshape(len(live), rows * columns * CHANNELS)


@dataclass(frozen=True)
class Unfolding:
    """How some bands, without their means, come from components: the inverse of both KLTs.

    Parameters
    ----------
    bands : slice
        An interval of the fold; without a fold, any bands.
    second : ndarray of float64, shape (merged, through)
        Of the inverse of the second KLT what gives components of the interval.
    through : ndarray of intp, shape (through,)
        Which planes pass the second KLT.
    others : ndarray of intp
        Which planes are components of the interval as they are: they come behind the merged ones.
    first : ndarray of float64, shape (bands, merged + others), or None
        Of the inverse of the KLT of the interval what these components need. None where planes are bands.
    places : ndarray of intp
        Without a fold, bands of the planes in `others`, counted from the first one.
    """

    bands: slice
    second: NDArray[np.float64]
    through: NDArray[np.intp]
    others: NDArray[np.intp]
    first: NDArray[np.float64] | None
    places: NDArray[np.intp]

    def apply(self, planes: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Bands of some pixels, not rounded yet.

        Parameters
        ----------
        planes : ndarray of float64, shape (live, pixels)
            From `component_planes`, or a part of it.

        Returns
        -------
        bands : ndarray of float64, shape (bands, pixels)
            Integers.
        unit : float
            Their unit, in units of the planes: they are to be rounded to these, and cut at `LARGEST`.
        """
        if self.first is None:
            result = np.zeros((self.bands.stop - self.bands.start, planes.shape[1]))
            result[self.places] = planes[self.others]
            return result, 1.0
        merged = _apply(self.second, planes[self.through])
        return self.first @ np.concatenate([merged, planes[self.others]]), 1.0 / INVERSE_UNIT


def unfoldings(fold: Fold, live: NDArray[np.intp]) -> list[Unfolding]:
    """How all bands come from those components that are not zero.

    Parameters
    ----------
    fold : Fold
        The vectors of both KLTs.
    live : ndarray of intp, shape (live,)
        Which components there are planes of.

    Returns
    -------
    list of Unfolding
        In the order of their bands.
    """
    nothing = np.zeros(0, dtype=np.intp)
    found = []
    if fold.second is None:
        for start in range(0, fold.bands, BANDS_TOGETHER):
            bands = slice(start, min(start + BANDS_TOGETHER, fold.bands))
            others = np.flatnonzero((live >= bands.start) & (live < bands.stop))
            places = live[others] - bands.start
            found.append(Unfolding(bands, np.zeros((0, 0)), nothing, others, None, places))
        return found
    inverse = _inverse(fold.second)
    inside, outside = fold.split
    through = np.flatnonzero(live < fold.second.count)
    beside = np.flatnonzero(live >= fold.second.count)
    places = outside[live[beside] - fold.second.count]
    before = 0
    for start, end, vectors in zip(fold.starts, fold.ends, fold.first, strict=True):
        own = slice(before, before + vectors.count)
        merged = np.flatnonzero((inside >= own.start) & (inside < own.stop))
        other = np.flatnonzero((places >= own.start) & (places < own.stop))
        columns = np.concatenate([inside[merged], places[other]]) - before
        second, first = inverse[merged][:, live[through]], _inverse(vectors)[:, columns]
        found.append(Unfolding(slice(start, end), second, through, beside[other], first, columns))
        before += vectors.count
    return found


def _apply(inverse: NDArray[np.float64], coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Product, rounded to the unit of the coefficients."""
    result = np.asarray(inverse @ coefficients)
    result *= 1.0 / INVERSE_UNIT
    np.rint(result, out=result)
    return np.clip(result, -LARGEST, LARGEST, out=result)


@compiled(
    "bf_refinement_counts(planes: float64[bands, 8, across], means: float64[bands], limits: float64[2],"
    " unit: float64, bands: int32, lines: int32, across: int32, samples: int32,"
    " counts: out(uint16[bands:stride, lines, samples]), stride: int64)"
)
def counts_of(
    planes: NDArray[np.float64],
    means: NDArray[np.float64],
    limits: NDArray[np.float64],
    unit: float,
    counts: NDArray[np.uint16],
) -> None:
    """Round bands to counts.

    Parameters
    ----------
    planes : ndarray of float64, shape (bands, 8, whole columns)
        Lines of blocks, without the means of the bands: integers in units of `unit`.
    means : ndarray of float64, shape (bands,)
        What is added, in units of ``1 / SAMPLE_UNIT`` of a count, with what rounding down lacks.
    limits : ndarray of float64, shape (2,)
        Lowest and highest count.
    unit : float
        In units of ``1 / SAMPLE_UNIT`` of a count, to which planes are rounded.
    counts : ndarray of uint16, shape (bands, lines, samples)
        Gets the counts, negative ones modulo 2**16; without lines and columns that fill up the last blocks.
    """
    _, lines, samples = counts.shape
    rounded = np.clip(np.rint(planes[:, :lines, :samples] * unit), -LARGEST, LARGEST)
    rounded += means[:, None, None]
    rounded *= 1.0 / SAMPLE_UNIT
    counts[:] = np.clip(np.floor(rounded), *limits).astype(np.int32).astype(np.uint16)


def _inverse(vectors: Vectors) -> NDArray[np.float64]:
    return integer_inverse(vectors.integers, BASIS_UNIT)


@cache
def _inverse_cosine() -> NDArray[np.float64]:
    """Of shape (64 pixels, 64 channels)."""
    return integer_inverse(DCT.T, DCT_UNIT)
