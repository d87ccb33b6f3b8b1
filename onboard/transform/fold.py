"""The band loop: bands pass one after the other, are folded into a few component planes and forgotten.

An arriving band ``b`` adds ``V[b, :] * (x_b - mean_b)`` to the component planes of its interval. The work per
band is one multiply-add per component and pixel, so time is linear in the number of bands and memory does not
depend on it. Bands go through in small groups, because a matrix product is faster than its rows one by one;
everything is exact in integers, so the size of the group changes no bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.bitstream.transforms.vectors import BASIS_UNIT
from bandfold.common import exact
from bandfold.common.scene import SceneSource

BAND_GROUP = 16
"""Bands folded by one matrix product."""


def fold_strip(fold: Fold, source: SceneSource, lines: slice) -> NDArray[np.float64]:
    """Fold the lines of a strip.

    Parameters
    ----------
    fold : Fold
        How bands become components.
    source : SceneSource
        Integer samples.
    lines : slice
        Lines of the strip.

    Returns
    -------
    ndarray, shape (components, lines, samples)
        Integers held in float64, in units of ``1 / FRACTION`` of a count.
    """
    height, samples = lines.stop - lines.start, source.info.samples

    def groups() -> Iterator[tuple[slice, NDArray[Any]]]:
        for start, end in zip(fold.starts, fold.ends, strict=True):
            for low in range(start, end, BAND_GROUP):
                bands = slice(low, min(low + BAND_GROUP, end))
                yield bands, source.read(bands, lines).reshape(bands.stop - low, -1)

    return _fold(fold, groups(), height * samples).reshape(fold.components, height, samples)


def fold_blocks(fold: Fold, blocks: NDArray[Any]) -> NDArray[np.float64]:
    """Fold a sample of blocks held in memory.

    Parameters
    ----------
    fold : Fold
        How bands become components.
    blocks : ndarray of integers, shape (bands, ...)
        Samples, 8 or 16 bit integers.

    Returns
    -------
    ndarray, shape (components, ...)
        As in `fold_strip`.
    """
    flat = blocks.reshape(blocks.shape[0], -1)
    intervals = (
        (slice(start, end), flat[start:end]) for start, end in zip(fold.starts, fold.ends, strict=True)
    )
    return _fold(fold, intervals, flat.shape[1]).reshape(fold.components, *blocks.shape[1:])


def _fold(fold: Fold, groups: Iterator[tuple[slice, NDArray[Any]]], pixels: int) -> NDArray[np.float64]:
    """Fold groups of bands, which arrive in order and do not cross the ends of intervals."""
    if fold.second is None:
        planes = np.empty((fold.bands, pixels))
        for bands, group in groups:
            planes[bands] = _centre(fold, bands, group) * FRACTION
        return planes
    counts = [vectors.count for vectors in fold.first]
    planes = np.zeros((sum(counts), pixels))
    top = np.cumsum([0, *counts])
    for bands, group in groups:
        interval = int(np.searchsorted(fold.ends, bands.start, side="right"))
        basis = fold.first[interval].integers[
            bands.start - fold.starts[interval] : bands.stop - fold.starts[interval]
        ]
        if basis.shape[1]:
            target = planes[top[interval] : top[interval + 1]]
            target += exact.integer_product(basis.T, _centre(fold, bands, group))
    _round_to_unit(planes, BASIS_UNIT / FRACTION)
    return _second_fold(fold, planes)


def _second_fold(fold: Fold, planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Merge the strongest components of all intervals and append the others."""
    if fold.second is None:
        raise ValueError("an unfolded scene has no second fold")
    inside, outside = fold.split
    result = np.empty((fold.components, planes.shape[1]))
    merged = result[: fold.second.count]
    merged[:] = exact.integer_product(fold.second.integers.T, planes[inside])
    _round_to_unit(merged, BASIS_UNIT)
    result[fold.second.count :] = planes[outside]
    return result


def _centre(fold: Fold, bands: slice, group: NDArray[Any]) -> NDArray[np.float64]:
    """Samples less their band's mean: multiples of ``1 / FRACTION``, so exact."""
    centred: NDArray[np.float64] = group - (fold.means[bands] / FRACTION)[:, None]
    return centred


def _round_to_unit(planes: NDArray[np.float64], unit: float) -> None:
    planes /= unit
    np.rint(planes, out=planes)
