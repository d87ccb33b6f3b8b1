"""Blocks that a sample does not know: a ship, a greenhouse, whose spectra no block of the sample has.

A fold leaves out what its sample does not show, and a few pixels of another kind may then have most of the
error of a scene. All blocks are looked at in some bands: those are taken too in which more is outside of the
strongest components of the sample than in any block of it, as in detectors of anomalies by orthogonal
subspace projection (Harsanyi and Chang, 1994).
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

BANDS_LOOKED_AT = 12
"""Bands in which all blocks are looked at ..."""

STRONGEST = 4
"""... and components, at most a half of them, in which spectra are allowed to differ."""

LEAST_EXCESS = 2.0
"""Times the energy outside of those components that the block of the sample with the most of it has."""

MOST_ADDED = 0.05
"""Blocks that are added at most, in parts of the sample."""

PIXELS_AT_ONCE = 1 << 14
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

    def energies(samples: NDArray[Any]) -> NDArray[np.float64]:
        """Energy of each pixel outside of the strongest components; samples are (bands, pixels)."""
        places = exact.integer_product(vectors, samples - centre)
        places /= VECTOR_UNIT
        np.rint(places, out=places)
        energy: NDArray[np.float64] = np.einsum("ij,ij->j", places, places)
        return energy

    sampled = (
        energies(sample.blocks[bands].reshape(len(bands), -1)).reshape(sample.blocks.shape[1:]).sum(axis=1)
    )
    limit = LEAST_EXCESS * sampled.max()

    def look(part: slice) -> list[tuple[float, int, int]]:
        block = np.stack([source.read(slice(band, band + 1), part)[0] for band in bands.tolist()])
        padded = pad_to_blocks(block)
        shape = (padded.shape[1] // BLOCK, BLOCK, padded.shape[2] // BLOCK, BLOCK)
        energy = energies(padded.reshape(len(bands), -1)).reshape(shape).sum(axis=(1, 3))
        return [
            (-energy[row, column], part.start + row * BLOCK, column)
            for row, column in np.argwhere(energy > limit).tolist()
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
    means = sample.blocks.reshape(len(sample.blocks), -1).sum(axis=1, dtype=np.int64) / (count * CHANNELS)
    means = np.rint(means)[:, None, None]
    nearer = np.rint(means + (np.stack(added, axis=1) - means) * share).astype(sample.blocks.dtype)
    return replace(sample, blocks=np.concatenate([sample.blocks, nearer], axis=1), added=len(added))


def _read(source: SceneSource, line: int, column: int) -> NDArray[np.integer]:
    """One block in all bands: shape (bands, 64)."""
    last = min(line + BLOCK, source.info.lines)
    strip = source.read(slice(0, source.info.bands), slice(line, last))[
        :, :, column * BLOCK : (column + 1) * BLOCK
    ]
    return pad_to_blocks(strip).reshape(len(strip), CHANNELS)
