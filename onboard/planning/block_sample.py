"""A sample of the scene's own blocks, and its moments, from which partition, bases and rotations are found.

Blocks of 8 x 8 pixels rather than single pixels, so that what a component is worth can be measured after the
spatial transform. On a large scene 1/16 of the blocks give a basis as good as the one from all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.coding_weights import weights_of
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common import exact
from bandfold.common.scene import BLOCK, SceneSource, pad_to_blocks
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.samples.samples import Samples

ENOUGH_BLOCKS = 400
"""Below this many blocks the whole scene is the sample."""

FEW_BLOCKS = 256
"""Blocks, about, on which components are judged."""

PIXELS_AT_ONCE = 1 << 12
"""Pixels whose covariances are summed together."""

BANDS_SHARED = 512
"""Bands up to which threads sum covariances in matrices of their own: larger ones take much memory."""

THINNING = 16
"""One block in so many is taken from a scene that is much larger than `ENOUGH_BLOCKS`."""


@dataclass(frozen=True)
class BlockSample:
    """Blocks taken from a scene.

    Parameters
    ----------
    blocks : ndarray, shape (bands, count, 64)
        Samples of whole 8 x 8 blocks, of 8 or 16 bits as they are; edge blocks are filled by repetition.
    pixels : int
        Pixels of the whole scene, which the sample stands for.
    rows : ndarray of int64, shape (count,), optional
        Row of blocks of the scene that each was taken from.
    stride : int
        Only every so many-th band was taken.
    weights : ndarray of int64, shape (bands,), optional
        Codes of the weights of the bands, see `bandfold.bitstream.transforms.coding_weights`.
    added : int
        How many blocks, the last ones, do not stand for others; see `bandfold.onboard.planning.rare_blocks`.
    counted : ndarray of bool, shape (count, 64), optional
        Pixels that errors are told of: False beyond the borders of the scene, and where most bands have no
        data. None if all are, or it was not asked for; blocks that were added have none.
    workers : Workers
        Threads that share the work on the sample.
    """

    blocks: NDArray[Any]
    pixels: int
    rows: NDArray[np.int64] | None = None
    stride: int = 1
    weights: NDArray[np.int64] | None = None
    added: int = 0
    counted: NDArray[np.bool_] | None = None
    workers: Workers = field(default=ALONE, compare=False)

    @property
    def few(self) -> NDArray[Any]:
        """Some of the blocks: enough to see what components are worth, which takes more time than moments."""
        return self.thinned(FEW_BLOCKS)

    def thinned(self, count: int) -> NDArray[Any]:
        """Every n-th block, about so many, fewer than twice as many, and those that were added."""
        usual = self.blocks.shape[1] - self.added
        every = self.blocks[:, : usual : max(usual // count, 1)]
        return np.concatenate([every, self.blocks[:, usual:]], axis=1) if self.added else every

    @cached_property
    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means in counts, shape (bands,), and covariances of weighted counts, shape (bands, bands)."""
        return self._weighted(*covariance(self.blocks, self.workers))

    @property
    def counted_moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same of the pixels that errors are told of."""
        if self.counted is None or self.counted.all() or not self.counted.any():
            return self.moments
        others = ~self.counted
        if self.weights is None and not self.added and 2 * others.sum() < others.size:
            # Few pixels are summed, and taken away.
            return _without(*self.moments, others.size, *self._covariance_of(others), int(others.sum()))
        return self._weighted(*self._covariance_of(self.counted))

    def _covariance_of(self, pixels: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        usual = self.blocks[:, : len(pixels)].reshape(len(self.blocks), -1)
        return covariance(usual[:, pixels.reshape(-1), None], self.workers)

    def _weighted(
        self, mean: NDArray[np.float64], covariances: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.weights is not None:
            weights = weights_of(self.weights)
            covariances *= weights
            covariances *= weights[:, None]
        return mean, covariances


def _without(
    mean: NDArray[np.float64],
    covariances: NDArray[np.float64],
    count: int,
    gone_mean: NDArray[np.float64],
    gone: NDArray[np.float64],
    gone_count: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moments of what is left of some pixels; `gone` becomes the covariances."""
    left = count - gone_count
    left_mean = (count * mean - gone_count * gone_mean) / left
    away, moved = gone_mean - mean, left_mean - mean
    # Row by row in place: with thousands of bands each matrix of all pairs takes hundreds of megabytes.
    for band in range(len(gone)):
        own = count * covariances[band] - gone_count * (gone[band] + away[band] * away)
        gone[band] = own / left - moved[band] * moved
    return left_mean, gone


def sample_blocks(
    source: SceneSource,
    progress: Callable[[float], None] | None = None,
    *,
    enough: int = ENOUGH_BLOCKS,
    most: int = THINNING,
    stride: int = 1,
    counted: bool = False,
    workers: Workers = ALONE,
) -> BlockSample:
    """Read a regular sample of blocks from a scene of 8 or 16 bit counts.

    Parameters
    ----------
    source : SceneSource
        Integer samples (a scaled scene is wrapped first).
    progress : callable, optional
        Called with the fraction done.
    enough : int
        Blocks of the sample at least, where the scene has so many.
    most : int
        One block in so many is taken at least.
    stride : int
        Only every so many-th band is kept.
    counted : bool
        Whether to find out which pixels errors are told of.
    workers : Workers
        Which share the rows of blocks.

    Returns
    -------
    BlockSample
        All blocks of a small scene; about one in 16, but at least 400, of a large one.
    """
    info = source.info
    rows, columns = -(-info.lines // BLOCK), -(-info.samples // BLOCK)
    thinning = int(np.clip(rows * columns // enough, 1, most))
    row_stride, column_stride = _strides(thinning)
    turn = _turn(column_stride)
    starts = range(min(row_stride // 2, rows - 1), rows, row_stride)
    # Neighbouring rows start at other columns, so that the sample does not fall into a grid of streets.
    firsts = [min(number * turn % column_stride, columns - 1) for number in range(len(starts))]
    counts = [len(range(first, columns, column_stride)) for first in firsts]
    # Filled row by row: parts that are put together at the end would take twice the memory.
    taken = np.empty((-(-info.bands // stride), sum(counts), BLOCK * BLOCK), dtype=info.coded_dtype)
    places = np.cumsum([0, *counts]).tolist()
    told = np.ones((sum(counts), BLOCK, BLOCK), np.bool_)

    def take(number: int) -> None:
        first, place = firsts[number], places[number]
        row = starts[number]
        lines = slice(row * BLOCK, min((row + 1) * BLOCK, info.lines))
        strip = pad_to_blocks(source.read(slice(0, info.bands), lines)[::stride])
        blocks = strip.reshape(len(strip), BLOCK, columns, BLOCK)[:, :, first::column_stride]
        part = taken[:, place : place + counts[number]].reshape(len(strip), counts[number], BLOCK, BLOCK)
        part[...] = blocks.transpose(0, 2, 1, 3)
        if counted:
            known = np.zeros((BLOCK, columns * BLOCK), np.bool_)
            known[: lines.stop - lines.start, : info.samples] = _told_of(source, lines)
            own = known.reshape(BLOCK, columns, BLOCK)[:, first::column_stride]
            told[places[number] : places[number + 1]] = own.transpose(1, 0, 2)

    for number, _ in enumerate(workers.map(take, range(len(starts)))):
        if progress is not None:
            progress((number + 1) / len(starts))
    rows_of = np.repeat(list(starts), counts)
    pixels = info.lines * info.samples
    known_pixels = None if told.all() else told.reshape(-1, BLOCK * BLOCK)
    return BlockSample(taken, pixels, rows_of, stride, counted=known_pixels, workers=workers)


def _told_of(source: SceneSource, lines: slice) -> NDArray[np.bool_] | bool:
    """Pixels of some lines most bands of which have data."""
    mask = source.uncounted(lines).mask if isinstance(source, Samples) else None
    return True if mask is None else 2 * mask.sum(axis=0) < len(mask)


def _strides(thinning: int) -> tuple[int, int]:
    """Split a thinning factor into strides over block rows and columns; reading whole rows is what costs."""
    row_stride = 1
    while row_stride * row_stride * 4 <= thinning:
        row_stride *= 2
    return row_stride, max(thinning // row_stride, 1)


def _turn(stride: int) -> int:
    """By how many columns the next row starts further on, so that every column comes in time: about 0.4."""
    return next(turn for turn in range(max(2 * stride // 5, 1), stride + 1) if math.gcd(turn, stride) == 1)


def covariance(
    blocks: NDArray[Any], workers: Workers = ALONE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and covariance matrix of a sample of integer blocks.

    Parameters
    ----------
    blocks : ndarray, shape (bands, count, 64)
        Integers of 8 or 16 bits.
    workers : Workers
        Which share the pixels.

    Returns
    -------
    mean : ndarray, shape (bands,)
    covariances : ndarray, shape (bands, bands)
        Divided by the number of pixels.

    Notes
    -----
    The samples are centred by the rounded mean, so products stay below 2**32 and 2**20 of them below 2**52:
    the sums are exact.
    """
    bands = blocks.shape[0]
    flat = blocks.reshape(bands, -1)
    pixels = flat.shape[1]
    centre = np.rint(flat.sum(axis=1, dtype=np.int64) / pixels)
    gram = np.zeros((bands, bands))
    sums = np.zeros(bands)

    def sum_part(start: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        part = flat[:, start : start + PIXELS_AT_ONCE] - centre[:, None]
        return exact.integer_product(part, part.T), part.sum(axis=1)

    sharing = workers if bands <= BANDS_SHARED else ALONE
    for products, total in sharing.map(sum_part, range(0, pixels, PIXELS_AT_ONCE)):
        gram += products
        sums += total
    shift = sums / pixels
    # Row by row in place: with thousands of bands each matrix of all pairs takes hundreds of megabytes.
    gram /= pixels
    for band in range(bands):
        gram[band] -= shift[band] * shift
    return centre + shift, gram


def told_means(mean: NDArray[np.float64], step: float, pixels: int) -> tuple[NDArray[np.int64], int]:
    """Band means as a stream tells them: as coarse as an error that all pixels share may be.

    Parameters
    ----------
    mean : ndarray, shape (bands,)
        In counts.
    step : float
        Quantiser step in counts.
    pixels : int
        Of the scene.

    Returns
    -------
    means : ndarray of int64, shape (bands,)
        In units of ``1 / FRACTION`` of a count.
    shift : int
        They are multiples of two to this power.
    """
    unit = FRACTION * step / math.isqrt(pixels)
    shift = max(int(np.frexp(unit)[1]) - 1, 0)
    return np.rint(np.ldexp(mean * FRACTION, -shift)).astype(np.int64) << shift, shift
