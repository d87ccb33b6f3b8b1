"""Blocks that a sample does not know: a ship, a greenhouse, whose spectra no block of the sample has.

A fold leaves out what its sample does not show, and a few pixels of another kind may then have most of the
error of a scene. All blocks are looked at in some bands: those are taken too which have much outside of the
strongest components of the sample, as in detectors of anomalies by orthogonal subspace projection (Harsanyi
and Chang, 1994), and which resemble no block of the sample there. Samples that a sensor made up, a hit of a
particle or a number that fell below zero and became the highest, are looked for in all bands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common import exact
from bandfold.common.scene import BLOCK, CHANNELS, SceneSource, pad_to_blocks

from .block_sample import BlockSample, covariance

BANDS_LOOKED_AT = 16
"""Bands in which all blocks are looked at ..."""

STRONGEST = 4
"""... and components, at most a half of them, in which spectra are allowed to differ. What a pixel has
outside of them is its residual, and the largest residual of its pixels is that of a block."""

USUAL_SHARE = 0.9
"""Blocks of the sample, in parts of it, whose residuals are usual ..."""

LEAST_EXCESS = 4.0
"""... and times their energy that others must have to be unusual."""

LEAST_COSINE_SQUARED, LEAST_ENERGY = 0.75, 0.25
"""An unusual block is known where the residual of a block of the sample points where its own does, with this
part of its energy at least."""

FARTHER = 2
"""Times as far from the mean as any sampled block of its band that a sample must be to be far off."""

MOST_ADDED = 0.05
"""Blocks that are added at most, in parts of the sample."""

PIXELS_AT_ONCE = 1 << 13
"""Pixels that are looked at together: it bounds memory, and changes nothing."""

VECTOR_UNIT = 1 << 12
"""Vectors are integers in units of one part of this: sums of products are the same on every machine."""


def add_rare_blocks(sample: BlockSample, source: SceneSource, lines: Iterable[slice]) -> BlockSample:
    """Add blocks that a sample does not know to it.

    Parameters
    ----------
    sample : BlockSample
        Blocks of these lines, in all bands.
    source : SceneSource
        Integer samples that they were taken from.
    lines : iterable of slice
        Half-open ranges of lines that the sample stands for; each begins at a block.

    Returns
    -------
    BlockSample
        The same one if it knows all blocks. Blocks that are added stand for themselves alone, others for
        many: so they are brought nearer to the mean, by the root of the share of blocks that were sampled,
        and moments count them rightly.
    """
    count = sample.blocks.shape[1]
    if count * CHANNELS >= sample.pixels:
        return sample
    bands = np.unique(np.linspace(0, len(sample.blocks) - 1, BANDS_LOOKED_AT).round().astype(int))
    mean, covariances = covariance(sample.blocks[bands])
    outside = exact.eigh(covariances)[1][:, min(STRONGEST, len(bands) // 2) :].T
    vectors, centre = np.rint(outside * VECTOR_UNIT), np.rint(mean)[:, None]

    def residuals(samples: NDArray[Any]) -> NDArray[np.float64]:
        """Residuals of blocks, shape (count, components); samples are (bands, count, 64)."""
        flat = samples.reshape(len(bands), -1)
        found = exact.integer_product(vectors, flat - centre)
        found /= VECTOR_UNIT
        np.rint(found, out=found)
        energy = np.einsum("ij,ij->j", found, found).reshape(samples.shape[1:])
        largest = energy.argmax(axis=1) + np.arange(len(energy)) * CHANNELS
        return found[:, largest].T

    known = residuals(sample.blocks[bands])
    limit = LEAST_EXCESS * float(np.sort(_energies(known))[int(USUAL_SHARE * (count - 1))])
    known = known[_energies(known) > LEAST_ENERGY * limit]
    sums = sample.blocks.reshape(len(sample.blocks), -1).sum(axis=1, dtype=np.int64)
    means = np.rint(sums / (count * CHANNELS)).astype(np.int64)[:, None, None]
    reach = FARTHER * np.maximum(
        sample.blocks.max(axis=(1, 2)) - means[:, 0, 0], means[:, 0, 0] - sample.blocks.min(axis=(1, 2))
    )
    limits = np.iinfo(sample.blocks.dtype)
    highest = np.minimum(means[:, 0, 0] + reach, limits.max).astype(sample.blocks.dtype)
    lowest = np.maximum(means[:, 0, 0] - reach, limits.min).astype(sample.blocks.dtype)
    # Mostly no sample can lie so low.
    may_be_low = np.flatnonzero(lowest > limits.min)

    def look(part: slice) -> list[tuple[float, int, int]]:
        planes = pad_to_blocks(source.read(slice(0, source.info.bands), part))
        rows, columns = planes.shape[1] // BLOCK, planes.shape[2] // BLOCK
        blocks = planes[bands].reshape(len(bands), rows, BLOCK, columns, BLOCK).swapaxes(2, 3)
        found = residuals(blocks.reshape(len(bands), rows * columns, CHANNELS))
        energy = _energies(found)
        rare = energy > limit
        rare[rare] = ~_are_known(found[rare], known)
        for place, far in _far(planes, highest, lowest, may_be_low):
            rare[place] = True
            energy[place] = max(energy[place], far)
        places = np.flatnonzero(rare)
        return [
            (-of, part.start + place // columns * BLOCK, place % columns)
            for of, place in zip(energy[places].tolist(), places.tolist(), strict=True)
        ]

    height = BLOCK * max(PIXELS_AT_ONCE // (BLOCK * source.info.samples), 1)
    parts = [
        slice(start, min(start + height, part.stop))
        for part in lines
        for start in range(part.start, part.stop, height)
    ]
    found = [place for places in sample.workers.map(look, parts) for place in places]
    if not found:
        return sample
    added = [
        _read(source, line, column) for _, line, column in sorted(found)[: max(int(count * MOST_ADDED), 1)]
    ]
    share = math.sqrt(count * CHANNELS / sample.pixels)
    nearer = np.rint(means + (np.stack(added, axis=1) - means) * share).astype(sample.blocks.dtype)
    return replace(sample, blocks=np.concatenate([sample.blocks, nearer], axis=1), added=len(added))


def _far(
    planes: NDArray[np.integer],
    highest: NDArray[np.integer],
    lowest: NDArray[np.integer],
    may_be_low: NDArray[np.intp],
) -> Iterator[tuple[int, float]]:
    """Blocks with samples beyond the limits of their bands, and squares of how far beyond they are."""
    # Whole lines at a time, of which processors compare many samples at once.
    shape = planes.shape[1] // BLOCK, BLOCK, planes.shape[2]
    columns = planes.shape[2] // BLOCK
    high = planes.reshape(len(planes), *shape).max(axis=2)
    low = planes[may_be_low].reshape(len(may_be_low), *shape).min(axis=2)
    for found, limit, further in ((high, highest, np.greater), (low, lowest[may_be_low], np.less)):
        far = further(found, limit[:, None, None])
        # Mostly there is none, which is known sooner than where they are.
        for band, row, sample in np.argwhere(far).tolist() if far.any() else ():
            beyond = int(found[band, row, sample]) - int(limit[band])
            yield row * columns + sample // BLOCK, float(beyond * beyond)


def _energies(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared lengths of rows of integers."""
    found: NDArray[np.float64] = np.einsum("ij,ij->i", residuals, residuals)
    return found


def _are_known(found: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each residual resembles one that is known."""
    along = exact.integer_product(found, known.T)
    mine, theirs = _energies(found)[:, None], _energies(known)
    alike = (along > 0) & (along * along > LEAST_COSINE_SQUARED * (mine * theirs))
    enough = theirs > LEAST_ENERGY * mine
    answer: NDArray[np.bool_] = np.any(alike & enough, axis=1)
    return answer


def _read(source: SceneSource, line: int, column: int) -> NDArray[np.integer]:
    """One block in all bands: shape (bands, 64)."""
    last = min(line + BLOCK, source.info.lines)
    strip = source.read(slice(0, source.info.bands), slice(line, last))[
        :, :, column * BLOCK : (column + 1) * BLOCK
    ]
    return pad_to_blocks(strip).reshape(len(strip), CHANNELS)
