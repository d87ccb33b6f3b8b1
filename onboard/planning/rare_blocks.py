"""Blocks that a sample does not know: a ship, a greenhouse, whose spectra no block of the sample has.

A fold leaves out what its sample does not show, and a few pixels of another kind may then have most of the
error of a scene. All blocks are looked at in some bands: those are taken too which have much outside of the
strongest components of the sample, as in detectors of anomalies by orthogonal subspace projection (Harsanyi
and Chang, 1994), and which resemble no block of the sample there. Samples that a sensor made up, a hit of a
particle or a number that fell below zero and became the highest, are looked for in all bands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
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
    found_ranges = sample.workers.later(lambda: _Ranges(sample.blocks))
    spectra = _Spectra(sample.blocks)
    ranges = found_ranges()

    def look(part: slice) -> list[tuple[float, int, int]]:
        planes = pad_to_blocks(source.read(slice(0, source.info.bands), part))
        excess = np.maximum(spectra.excess(planes), ranges.excess(planes))
        return [
            (-excess[row, column], part.start + row * BLOCK, column)
            for row, column in np.argwhere(excess > 0.0).tolist()
        ]

    height = BLOCK * max(PIXELS_AT_ONCE // (BLOCK * source.info.samples), 1)
    parts = [
        slice(start, min(start + height, part.stop))
        for part in lines
        for start in range(part.start, part.stop, height)
    ]
    # Those first that exceed most.
    found = sorted(place for places in sample.workers.map(look, parts) for place in places)
    if not found:
        return sample
    added = [_read(source, line, column) for _, line, column in found[: max(int(count * MOST_ADDED), 1)]]
    share = math.sqrt(count * CHANNELS / sample.pixels)
    means = ranges.means[:, None, None]
    nearer = np.rint(means + (np.stack(added, axis=1) - means) * share).astype(sample.blocks.dtype)
    return replace(sample, blocks=np.concatenate([sample.blocks, nearer], axis=1), added=len(added))


class _Spectra:
    """What a sample knows of spectra, in some bands.

    Parameters
    ----------
    blocks : ndarray of integers, shape (bands, count, 64)
        The sample.
    """

    def __init__(self, blocks: NDArray[Any]) -> None:
        # Not np.unique, which imports masked arrays: they take longer than all of this.
        bands = np.linspace(0, len(blocks) - 1, BANDS_LOOKED_AT).round().astype(int)
        self._bands = bands[np.diff(bands, prepend=-1) > 0]
        mean, covariances = covariance(blocks[self._bands])
        outside = exact.eigh(covariances)[1][:, min(STRONGEST, len(self._bands) // 2) :]
        self._vectors, self._centre = np.rint(outside.T * VECTOR_UNIT), np.rint(mean)[:, None]
        known = self._residuals(blocks[self._bands])
        energies = _energies(known)
        self._limit = LEAST_EXCESS * float(np.sort(energies)[int(USUAL_SHARE * (len(energies) - 1))])
        self._known = known[energies > LEAST_ENERGY * self._limit]

    def excess(self, planes: NDArray[np.integer]) -> NDArray[np.float64]:
        """Energy of the residuals of blocks of planes that are unusual and not known; 0 of all others."""
        rows, columns = planes.shape[1] // BLOCK, planes.shape[2] // BLOCK
        blocks = planes[self._bands].reshape(len(self._bands), rows, BLOCK, columns, BLOCK).swapaxes(2, 3)
        found = self._residuals(blocks.reshape(len(self._bands), rows * columns, CHANNELS))
        energies = _energies(found)
        unusual = np.flatnonzero(energies > self._limit)
        excess = np.zeros(rows * columns)
        excess[unusual] = np.where(_are_known(found[unusual], self._known), 0.0, energies[unusual])
        return excess.reshape(rows, columns)

    def _residuals(self, blocks: NDArray[Any]) -> NDArray[np.float64]:
        """Residuals of blocks, shape (count, components)."""
        flat = blocks.reshape(len(self._bands), -1)
        found = exact.integer_product(self._vectors, flat - self._centre)
        found /= VECTOR_UNIT
        np.rint(found, out=found)
        energy = np.einsum("ij,ij->j", found, found).reshape(blocks.shape[1:])
        return found[:, energy.argmax(axis=1) + np.arange(len(energy)) * CHANNELS].T


class _Ranges:
    """What a sample knows of the range of each band.

    Parameters
    ----------
    blocks : ndarray of integers, shape (bands, count, 64)
        The sample.

    Attributes
    ----------
    means : ndarray of int64, shape (bands,)
        Of the samples of each band, rounded.
    """

    def __init__(self, blocks: NDArray[Any]) -> None:
        sums = blocks.reshape(len(blocks), -1).sum(axis=1, dtype=np.int64)
        self.means = np.rint(sums / (blocks.shape[1] * CHANNELS)).astype(np.int64)
        high, low = blocks.max(axis=(1, 2)), blocks.min(axis=(1, 2))
        reach = FARTHER * np.maximum(high - self.means, self.means - low)
        limits = np.iinfo(blocks.dtype)
        self._highest = np.minimum(self.means + reach, limits.max).astype(blocks.dtype)
        self._lowest = np.maximum(self.means - reach, limits.min).astype(blocks.dtype)
        # Mostly no sample can lie so low.
        self._may_be_low = np.flatnonzero(self._lowest > limits.min)

    def excess(self, planes: NDArray[np.integer]) -> NDArray[np.float64]:
        """Squares of how far blocks of planes exceed the range of any band; 0 of those that do not."""
        rows, columns = planes.shape[1] // BLOCK, planes.shape[2] // BLOCK
        excess = np.zeros((rows, columns))
        # Whole lines at a time, of which processors compare many samples at once.
        high = planes.reshape(len(planes), rows, BLOCK, -1).max(axis=2)
        low = (
            planes[self._may_be_low].reshape(len(self._may_be_low), rows, BLOCK, columns * BLOCK).min(axis=2)
        )
        for found, limit, further in (
            (high, self._highest, np.greater),
            (low, self._lowest[self._may_be_low], np.less),
        ):
            far = further(found, limit[:, None, None])
            # Mostly there is none, which is known sooner than where they are.
            for band, row, sample in np.argwhere(far).tolist() if far.any() else ():
                beyond = int(found[band, row, sample]) - int(limit[band])
                place = row, sample // BLOCK
                excess[place] = max(excess[place], float(beyond * beyond))
        return excess


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
