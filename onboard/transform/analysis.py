"""Samples in, latents out: the fold and the transform of its components, block row by block row.

With compiled kernels both happen in one pass over the samples, and component planes exist for eight lines of
eight blocks only; without them planes of some lines are folded (`bandfold.onboard.transform.fold`) and
transformed (`cosine_transform`). The bits are the same.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT, FREQUENCIES
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.common.errors import SceneError
from bandfold.common.exact import integer_product
from bandfold.common.kernels import Structure, compiled, structure
from bandfold.common.scene import BLOCK, CHANNELS, SceneSource, block_rows, mirrored, pad_to_blocks, strips
from bandfold.common.strip_memory import StripMemory
from bandfold.common.workers import ALONE, Workers

from .fold import fold_blocks, fold_strip

LARGEST_LATENT = float(np.iinfo(np.int32).max)
"""Fewer than 4096 bands never reach this: ``2**22`` of a sample, ``2**3`` of a block, ``2**6`` of bands."""

LINES_AT_ONCE = 16
"""Lines that are read and folded together: it bounds memory. The last ones are mirrored among themselves, so
that another number would change streams of scenes with a part of a block at their end."""

_KINDS = {np.dtype(name): kind for kind, name in enumerate(("uint8", "int8", "uint16", "int16", "int32"))}
"""Types that the kernel reads, by its numbers."""

_PARITIES = FREQUENCIES[:, 1] % 2 + 2 * (FREQUENCIES[:, 0] % 2)
"""Whether each channel is even or odd along samples and lines: a quarter of a block tells the rest."""

_CHANNELS = np.stack([np.flatnonzero(kind == _PARITIES) for kind in range(4)]).astype(np.int32)

_COSINES = DCT.reshape(CHANNELS, BLOCK, BLOCK)[_CHANNELS, : BLOCK // 2, : BLOCK // 2].reshape(4, 16, 16)


@structure(
    "bf_fold(bands: int32, intervals: int32, ends: int32[intervals], counts: int32[intervals],"
    " means: float64[bands], first: float64[(ends * counts).sum() - (ends[:-1] * counts[1:]).sum()],"
    " merged: int32, seconds: int32, others: int32, inside: int32[merged], outside: int32[others],"
    " second: float64[merged, seconds], cosines: float64[4, 16, 16], channels: int32[4, 16])"
)
class FoldStructure(Structure):
    """A fold with a spectral transform, for C.

    Parameters
    ----------
    fold : Fold
        What it is made from.
    """

    def __init__(self, fold: Fold) -> None:
        if fold.second is None:
            raise ValueError("an unfolded scene has no second fold")
        self.fold = fold
        inside, outside = (part.astype(np.int32) for part in fold.split)
        super().__init__(
            ends=np.array(fold.ends, dtype=np.int32),
            counts=np.array([one.count for one in fold.first], dtype=np.int32),
            means=fold.means / FRACTION,
            first=np.concatenate([np.zeros(0), *(one.integers.ravel() for one in fold.first)]),
            inside=inside,
            outside=outside,
            second=np.ascontiguousarray(fold.second.integers),
            cosines=_COSINES,
            channels=_CHANNELS,
        )


@compiled("bf_analysis_memory(fold: bf_fold) -> int64")
def _analysis_memory(fold: FoldStructure) -> int:
    """Numbers of float64 that C works in; NumPy has arrays of its own."""
    return 0


@compiled(
    "bf_analyse(fold: bf_fold, samples: any[fold.bands:band_stride, *:line_stride, *:sample_stride],"
    " kind: int32, band_stride: int64, line_stride: int64, sample_stride: int64, lines: int64[8 * rows],"
    " columns: int64[8 * across], rows: int32, across: int32,"
    " latents: out(int32[fold.seconds + fold.others:component_stride, 64:channel_stride, rows, across]),"
    " component_stride: int64, channel_stride: int64,"
    " memory: out(float64[bf_analysis_memory(fold)])) -> int32"
)
def _analyse(
    fold: FoldStructure,
    samples: NDArray[Any],
    kind: int,
    lines: NDArray[np.int64],
    columns: NDArray[np.int64],
    latents: NDArray[np.int32],
) -> int:
    """Fold and transform blocks of the lines and columns given; returns 1 if a latent exceeds 32 bits."""
    planes = fold_blocks(fold.fold, samples[:, lines][:, :, columns])
    latents[...] = cosine_transform(planes)
    return 0


class Analysis:
    """A fold and the transform of its components.

    Parameters
    ----------
    fold : Fold
        How bands become components.
    workers : Workers
        Which share the lines of a strip.
    """

    def __init__(self, fold: Fold, workers: Workers = ALONE) -> None:
        self._workers = workers
        self._fold = fold
        self._structure = FoldStructure(fold) if fold.second is not None else None

    def strip(
        self, source: SceneSource, lines: slice, memory: StripMemory | None = None
    ) -> NDArray[np.int32]:
        """Analyse a strip.

        Parameters
        ----------
        source : SceneSource
            Integer samples.
        lines : slice
            Lines of the strip, half-open.
        memory : StripMemory, optional
            Where the array is taken from: the next strip with it gets the same one.

        Returns
        -------
        ndarray of int32, shape (components, 64, rows, columns)
            Blocks at the edges are filled by mirroring.

        Raises
        ------
        SceneError
            If a latent exceeds 32 bits, which takes thousands of bands.
        """
        height, samples = lines.stop - lines.start, source.info.samples
        shape = (self._fold.components, CHANNELS, block_rows(height), block_rows(samples))
        latents = (memory or StripMemory()).array("latents", shape, np.int32)

        def analyse(part: slice) -> None:
            inside = slice(lines.start + part.start, lines.start + part.stop)
            rows = slice(part.start // BLOCK, block_rows(part.stop))
            if self._structure is None:
                planes = fold_strip(self._fold, source, inside)
                latents[:, :, rows] = cosine_transform(pad_to_blocks(planes))
                return
            block = source.read(slice(0, self._fold.bands), inside)
            down, across = (mirrored(length, BLOCK) for length in block.shape[1:])
            _transform(self._structure, block, down, across, latents[:, :, rows])

        for _ in self._workers.map(analyse, strips(height, LINES_AT_ONCE)):
            pass
        return latents

    def blocks(self, blocks: NDArray[Any]) -> NDArray[np.int32]:
        """Analyse a sample of blocks.

        Parameters
        ----------
        blocks : ndarray of integers, shape (bands, count, 64)
            Samples of each block in raster order.

        Returns
        -------
        ndarray of int32, shape (components, 64, count)
        """
        bands, count, _ = blocks.shape
        if self._structure is None:
            planes = fold_blocks(self._fold, blocks).reshape(self._fold.components, -1, BLOCK)
            return cosine_transform(planes).reshape(-1, CHANNELS, count)
        # A line begins 8 samples after the one before, a block 64 after its neighbour: no sample is moved.
        flat = np.ascontiguousarray(blocks).reshape(bands, -1)
        strides = (flat.strides[0], BLOCK * flat.itemsize, flat.itemsize)
        shape = (bands, BLOCK, flat.shape[1] - (BLOCK - 1) * BLOCK)
        view = np.lib.stride_tricks.as_strided(flat, shape, strides, writeable=False)
        columns = (np.arange(count)[:, None] * CHANNELS + np.arange(BLOCK)).ravel()
        latents = np.empty((self._fold.components, CHANNELS, 1, count), dtype=np.int32)
        _transform(self._structure, view, np.arange(BLOCK), columns, latents)
        return latents[:, :, 0]


def _transform(
    fold: FoldStructure,
    samples: NDArray[Any],
    lines: NDArray[np.intp],
    columns: NDArray[np.intp],
    latents: NDArray[np.int32],
) -> None:
    """Fold and transform the blocks that some lines and columns of samples make up."""
    kind = _KINDS.get(samples.dtype)
    if kind is None:
        raise ValueError(f"samples are {samples.dtype}: counts have 8, 16 or 32 bits")
    # Places are int32 on machines of 32 bits.
    rows, across = (places.astype(np.int64, copy=False) for places in (lines, columns))
    if _analyse(fold, samples, kind, rows, across, latents):
        refuse_large_latents()


def cosine_transform(planes: NDArray[np.float64]) -> NDArray[np.int32]:
    """Transform component planes block by block.

    Components stay below 2**30 (17-bit samples, 6 fractional bits, a norm over at most 2**14 bands), a
    block's sum below 2**47: exact.

    Parameters
    ----------
    planes : ndarray, shape (components, 8 * rows, 8 * columns)
        Integers held in float64, in units of ``1 / FRACTION`` of a count.

    Returns
    -------
    ndarray of int32, shape (components, 64, rows, columns)
        Latents in the same unit, channels in the order of `bandfold.bitstream.transforms.dct.FREQUENCIES`.

    Raises
    ------
    SceneError
        If a latent exceeds 32 bits, which takes thousands of bands.
    """
    count, lines, samples = planes.shape
    rows, columns = lines // BLOCK, samples // BLOCK
    latents = np.empty((count, CHANNELS, rows, columns), dtype=np.int32)
    # One component at a time bounds the memory of the rearranged copy.
    for plane, out in zip(planes, latents, strict=True):
        blocks = plane.reshape(rows, BLOCK, columns, BLOCK).transpose(1, 3, 0, 2).reshape(CHANNELS, -1)
        product = integer_product(DCT, blocks)
        product /= DCT_UNIT
        np.rint(product, out=product)
        if product.size and float(np.abs(product).max()) > LARGEST_LATENT:
            refuse_large_latents()
        out[:] = product.reshape(CHANNELS, rows, columns)
    return latents


def refuse_large_latents() -> NoReturn:
    """Say that a latent does not fit.

    Raises
    ------
    SceneError
        Always.
    """
    raise SceneError("a component exceeds 32 bits: cut the scene into parts of fewer than 4096 bands")
