"""The inverse transforms in integers: what they give is the same on every machine.

Decoders that do not refine may compute them in floating point. Here all products are of integers, and all
sums stay below 2**53: held in float64 they are exact, so that their order and the library that computes them
do not matter. Each stage is rounded to `SAMPLE_UNIT`.

That the sums stay below follows from the transforms being orthonormal: what a sum is made of has the energy
of the samples of a block in all bands, below 2**16 counts times the root of 64 times the bands, times
`SAMPLE_UNIT` and `INVERSE_UNIT`: 2**49 for 256 bands.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from bandfold.common.kernels import Structure, compiled, structure
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


@structure(
    "bf_refinement_transform(points: float64[kinds, deepest], inverses: float64[matrices, size, size],"
    " cosines: float64[64, 64], step: float64, kinds: int64, deepest: int64, matrices: int64, size: int64)"
)
class ComponentTransform(Structure):
    """Leads from levels to components of pixels: reconstruction points, rotations, cosine transform.

    Parameters
    ----------
    mode : Mode
        Statistics of the contexts of levels, with their reconstruction points.
    step_code : int
        Quantiser step in units of 1/256 of a count.
    rotations : tuple of Vectors
        The matrices that blocks choose from, of one size.
    """

    def __init__(self, mode: Mode, step_code: int, rotations: tuple[Vectors, ...]) -> None:
        inverses = [_inverse(matrix).T for matrix in rotations]
        super().__init__(
            points=np.rint(mode.points * POINT_UNIT),
            inverses=np.ascontiguousarray(np.stack(inverses)) if inverses else np.zeros((0, 0, 0)),
            cosines=_inverse_cosine(),
            step=float(step_code),
        )

    def live(self, segment: Segment) -> NDArray[np.intp]:
        """Which components are not zero everywhere.

        Parameters
        ----------
        segment : Segment
            Levels, and which rotations blocks have chosen.

        Returns
        -------
        ndarray of intp, shape (live,)
            Rising.
        """
        levels = segment.quantised
        # One axis after the other is several times as fast as all of them at once.
        found = np.any(np.any(np.any(levels, axis=3), axis=2), axis=0)
        if segment.chosen is not None:
            turned = found[: self.arrays["inverses"].shape[1]]
            turned[:] = turned.any()
        return np.flatnonzero(found)

    def planes(self, segment: Segment, row: int, live: NDArray[np.intp]) -> NDArray[np.float64]:
        """Components of a row of blocks.

        Parameters
        ----------
        segment : Segment
            Levels, and the contexts that they were coded in.
        row : int
            Number of the row.
        live : ndarray of intp, shape (live,)
            From `live`.

        Returns
        -------
        ndarray of float64, shape (live, 8, 8 * columns)
            Integers, in units of ``1 / SAMPLE_UNIT`` of a count.
        """
        planes = np.empty((len(live), BLOCK, BLOCK * segment.quantised.shape[3]))
        chosen = None if segment.chosen is None else segment.chosen[row]
        levels, classes = segment.quantised[:, :, row], segment.classes[:, :, row]
        _components(self, levels, classes, chosen, live.astype(np.int64, copy=False), planes)
        return planes


@compiled(
    "bf_refinement_components(transform: bf_refinement_transform,"
    " levels: int32[64 : channel, components : component, columns],"
    " classes: uint8[64 : channel, components : component, columns], components: int32, columns: int64,"
    " channel: int64, component: int64, chosen: uint8[columns] | None, numbers: int64[count], count: int64,"
    " planes: out(float64[count, 8, 8 * columns]), scratch: out(float64[512 * (transform.size + 1)]))"
)
def _components(
    transform: ComponentTransform,
    levels: NDArray[np.int32],
    classes: NDArray[np.uint8],
    chosen: NDArray[np.uint8] | None,
    numbers: NDArray[np.int64],
    planes: NDArray[np.float64],
) -> None:
    points, inverses, cosines = (transform.arrays[name] for name in ("points", "inverses", "cosines"))
    latents = _latents(levels, classes, points, transform.step)
    for number, inverse in enumerate(inverses if chosen is not None else ()):
        top = latents[:, : len(inverse), chosen == number].transpose(1, 0, 2)
        rotated = _apply(inverse.T, top.reshape(len(inverse), -1)).reshape(top.shape)
        latents[:, : len(inverse), chosen == number] = rotated.transpose(1, 0, 2)
    blocks = _apply(cosines.T, latents[:, numbers].reshape(CHANNELS, -1))
    blocks = blocks.reshape(BLOCK, BLOCK, len(numbers), -1).transpose(2, 0, 3, 1)
    planes[:] = blocks.reshape(planes.shape)


def _latents(
    levels: NDArray[np.int32], classes: NDArray[np.uint8], points: NDArray[np.float64], step: float
) -> NDArray[np.float64]:
    """Latents at their reconstruction points, in units of ``1 / SAMPLE_UNIT`` of a count."""
    magnitudes = np.abs(levels.astype(np.int64))
    places = np.clip(magnitudes - 1, 0, points.shape[1] - 1)
    values = np.rint((magnitudes * float(POINT_UNIT) - points[classes, places]) * step * STEP_SCALE)
    return np.where(levels == 0, 0.0, np.copysign(np.minimum(values, LARGEST), levels))


@dataclass(frozen=True)
class Unfolding:
    """How some bands, without their means, come from components.

    Parameters
    ----------
    bands : slice
        An interval of the fold; without a fold, any bands.
    merged : ndarray of intp
        Which components that passed the second KLT are of the interval.
    others : ndarray of intp
        Which planes are components of the interval as they are: they come behind the merged ones.
    first : ndarray of float64, shape (bands, merged + others), or None
        Of the inverse of the KLT of the interval what these components need. None where planes are bands.
    places : ndarray of intp
        Without a fold, bands of the planes in `others`, counted from the first one.
    """

    bands: slice
    merged: NDArray[np.intp]
    others: NDArray[np.intp]
    first: NDArray[np.float64] | None
    places: NDArray[np.intp]


class InverseFold:
    """How all bands come from those components that are not zero: the inverse of both KLTs.

    Parameters
    ----------
    fold : Fold
        The vectors of both KLTs.
    live : ndarray of intp, shape (live,)
        Which components there are planes of, rising.
    """

    def __init__(self, fold: Fold, live: NDArray[np.intp]) -> None:
        nothing = np.zeros(0, dtype=np.intp)
        self._second = np.zeros((0, 0))
        self._groups: list[Unfolding] = []
        if fold.second is None:
            for start in range(0, fold.bands, BANDS_TOGETHER):
                bands = slice(start, min(start + BANDS_TOGETHER, fold.bands))
                others = np.flatnonzero((live >= bands.start) & (live < bands.stop))
                self._groups.append(Unfolding(bands, nothing, others, None, live[others] - bands.start))
            return
        inside, outside = fold.split
        # They come first.
        through = int(np.count_nonzero(live < fold.second.count))
        self._second = _inverse(fold.second)[:, live[:through]]
        places = outside[live[through:] - fold.second.count]
        before = 0
        for start, end, vectors in zip(fold.starts, fold.ends, fold.first, strict=True):
            own = slice(before, before + vectors.count)
            merged = np.flatnonzero((inside >= own.start) & (inside < own.stop))
            other = np.flatnonzero((places >= own.start) & (places < own.stop))
            columns = np.concatenate([inside[merged], places[other]]) - before
            first = _inverse(vectors)[:, columns]
            self._groups.append(Unfolding(slice(start, end), merged, through + other, first, columns))
            before += vectors.count

    def bands(self, planes: NDArray[np.float64]) -> Iterator[tuple[slice, NDArray[np.float64], float]]:
        """Bands of some pixels, not rounded yet.

        Parameters
        ----------
        planes : ndarray of float64, shape (live, pixels)
            Components from `ComponentTransform.planes`.

        Yields
        ------
        bands : slice
            Which bands.
        values : ndarray of float64, shape (bands, pixels)
            Integers.
        unit : float
            Their unit, in units of the planes: they are to be rounded to these, and cut at `LARGEST`.
        """
        merged = _apply(self._second, planes[: self._second.shape[1]])
        for group in self._groups:
            if group.first is None:
                values = np.zeros((group.bands.stop - group.bands.start, planes.shape[1]))
                values[group.places] = planes[group.others]
                yield group.bands, values, 1.0
            else:
                needed = np.concatenate([merged[group.merged], planes[group.others]])
                yield group.bands, group.first @ needed, 1.0 / INVERSE_UNIT


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
    """Of shape (64 channels, 64 pixels)."""
    return np.ascontiguousarray(integer_inverse(DCT.T, DCT_UNIT).T)
