"""The inverse transforms in integers: what they give is the same on every machine.

Decoders that do not refine may compute them in floating point. Here all products are of integers, and all
sums stay below 2**53: held in float64 they are exact, so that their order and the library that computes them
do not matter. Each stage is rounded to `SAMPLE_UNIT`.

That the sums stay below follows from the transforms being orthonormal: what a sum is made of has the energy
of the samples of a block in all bands, below 2**16 counts times the root of 64 times the bands, times
`SAMPLE_UNIT` and `INVERSE_UNIT`: 2**49 for 256 bands.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.band_prediction import SAMPLE_UNIT
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.bitstream.transforms.klt import FRACTION, Fold
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

_MEAN_UNITS = round(FRACTION / SAMPLE_UNIT)
"""Units of the band means of a fold in ``1 / SAMPLE_UNIT`` of a count."""

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
        if not levels[0].flags.c_contiguous or not classes[0].flags.c_contiguous:
            # Where levels took the place of latents, they lie otherwise than their classes.
            levels, classes = np.ascontiguousarray(levels), np.ascontiguousarray(classes)
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
    blocks = blocks.reshape(BLOCK, BLOCK, len(numbers), levels.shape[2]).transpose(2, 0, 3, 1)
    planes[:] = blocks.reshape(planes.shape)


def _latents(
    levels: NDArray[np.int32], classes: NDArray[np.uint8], points: NDArray[np.float64], step: float
) -> NDArray[np.float64]:
    """Latents at their reconstruction points, in units of ``1 / SAMPLE_UNIT`` of a count."""
    magnitudes = np.abs(levels.astype(np.int64))
    places = np.clip(magnitudes - 1, 0, points.shape[1] - 1)
    values = np.rint((magnitudes * float(POINT_UNIT) - points[classes, places]) * step * STEP_SCALE)
    return np.where(levels == 0, 0.0, np.copysign(np.minimum(values, LARGEST), levels))


@structure(
    "bf_refinement_unfolding(second: float64[merged, through], first: float64[weights], rows: int64[total],"
    " ends: int64[intervals], counts: int64[intervals], means: float64[bands], limits: float64[2],"
    " merged: int64, through: int64, weights: int64, total: int64, intervals: int64, bands: int64)"
)
class InverseFold(Structure):
    """How bands come from those components that are not zero: the inverse of both KLTs, and means.

    Of each interval of bands it holds which components it needs, those that passed the second KLT first, and
    the part of the inverse of its own KLT that takes them to its bands. Without a fold, components are bands.

    Parameters
    ----------
    fold : Fold
        The vectors of both KLTs, and the means of the bands.
    live : ndarray of intp, shape (live,)
        Which components there are planes of, rising.
    limits : numpy.iinfo
        Range of the counts.
    """

    def __init__(self, fold: Fold, live: NDArray[np.intp], limits: Any) -> None:
        second, first, rows = np.zeros((0, 0)), [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
        self._bands_of_planes = live if fold.second is None else None
        if fold.second is not None:
            inside, outside = fold.split
            # They come first.
            through = int(np.count_nonzero(live < fold.second.count))
            second = _inverse(fold.second)[:, live[:through]]
            places = outside[live[through:] - fold.second.count]
            before = 0
            for vectors in fold.first:
                own = slice(before, before + vectors.count)
                merged = np.flatnonzero((inside >= own.start) & (inside < own.stop))
                other = np.flatnonzero((places >= own.start) & (places < own.stop))
                columns = np.concatenate([inside[merged], places[other]]) - before
                first.append(_inverse(vectors)[:, columns].ravel())
                rows.append(np.concatenate([merged, len(second) + through + other]))
                before += vectors.count
        means = (fold.means + _MEAN_UNITS // 2) // _MEAN_UNITS + SAMPLE_UNIT // 2
        super().__init__(
            second=np.ascontiguousarray(second),
            first=np.concatenate(first),
            rows=np.concatenate(rows),
            ends=np.array([] if fold.second is None else fold.ends, dtype=np.int64),
            counts=np.array([len(one) for one in rows[1:]], dtype=np.int64),
            means=means.astype(np.float64),
            limits=np.array([limits.min, limits.max], dtype=np.float64),
        )

    def write_counts(self, planes: NDArray[np.float64], counts: NDArray[np.uint16]) -> None:
        """Make bands of a row of blocks, and round them to counts.

        Parameters
        ----------
        planes : ndarray of float64, shape (live, 8, whole columns)
            Components from `ComponentTransform.planes`.
        counts : ndarray of uint16, shape (bands, lines, samples)
            Gets the counts, negative ones modulo 2**16; without lines and columns that fill up the last
            blocks.
        """
        if self._bands_of_planes is None:
            _write_bands(self, planes, counts)
            return
        means, limits = self.arrays["means"], self.arrays["limits"]
        for start in range(0, len(means), BANDS_TOGETHER):
            bands = slice(start, min(start + BANDS_TOGETHER, len(means)))
            held = np.flatnonzero((self._bands_of_planes >= start) & (self._bands_of_planes < bands.stop))
            values = np.zeros((bands.stop - start, *planes.shape[1:]))
            values[self._bands_of_planes[held] - start] = planes[held]
            counts_of(values, means[bands], limits, 1.0, counts[bands])


@compiled(
    "bf_refinement_bands(unfolding: bf_refinement_unfolding, planes: float64[live, 8, across], live: int32,"
    " lines: int32, across: int32, samples: int32, counts: out(uint16[bands:stride, lines, samples]),"
    " bands: int32, stride: int64, scratch: out(float64[32 * (unfolding.merged + 8)]),"
    " places: out(int64[live + unfolding.merged]))"
)
def _write_bands(unfolding: InverseFold, planes: NDArray[np.float64], counts: NDArray[np.uint16]) -> None:
    second, first, rows, ends, sizes, means, limits = (
        unfolding.arrays[name] for name in ("second", "first", "rows", "ends", "counts", "means", "limits")
    )
    # No components may be live.
    pixels = planes.reshape(len(planes), planes.shape[1] * planes.shape[2])
    components = np.concatenate([_apply(second, pixels[: second.shape[1]]), pixels])
    start = weight = row = 0
    for end, size in zip(ends.tolist(), sizes.tolist(), strict=True):
        weights = first[weight : weight + (end - start) * size].reshape(end - start, size)
        values = (weights @ components[rows[row : row + size]]).reshape(end - start, *planes.shape[1:])
        counts_of(values, means[start:end], limits, 1.0 / INVERSE_UNIT, counts[start:end])
        start, weight, row = end, weight + weights.size, row + size


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
