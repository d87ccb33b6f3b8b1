"""Samples in, latents out: the fold and the transform of its components, block row by block row.

With compiled kernels both happen in one pass over the samples, and component planes exist for eight lines of
eight blocks only; without them planes of some lines are folded (`bandfold.onboard.transform.fold`) and
transformed (`.cosine`). The bits are the same.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.dct import DCT, FREQUENCIES
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.common import kernels
from bandfold.common.geometry import BLOCK, CHANNELS, block_rows, mirrored, pad_to_blocks, strips
from bandfold.common.kernels import pointer
from bandfold.common.scene import SceneSource
from bandfold.common.workers import ALONE, Workers

from .cosine import cosine_transform, refuse_large_latents
from .fold import fold_blocks, fold_strip

LINES_AT_ONCE = 16
"""Lines that are read and folded together: it bounds memory, and changes no bit."""

_KINDS = {np.dtype(name): kind for kind, name in enumerate(("uint8", "int8", "uint16", "int16", "int32"))}
"""Types that the kernel reads, by its numbers."""

_PARITIES = FREQUENCIES[:, 1] % 2 + 2 * (FREQUENCIES[:, 0] % 2)
"""Whether each channel is even or odd along samples and lines: a quarter of a block tells the rest."""

_CHANNELS = np.stack([np.flatnonzero(kind == _PARITIES) for kind in range(4)]).astype(np.int32)

_COSINES = np.ascontiguousarray(DCT.reshape(CHANNELS, BLOCK, BLOCK)[_CHANNELS, : BLOCK // 2, : BLOCK // 2])


class _KernelFold(ctypes.Structure):
    """``bf_fold`` of common/native/analysis.c."""

    _fields_ = (
        ("bands", ctypes.c_int32),
        ("intervals", ctypes.c_int32),
        *((name, ctypes.c_void_p) for name in ("ends", "counts", "means", "first")),
        *((name, ctypes.c_int32) for name in ("merged", "seconds", "others")),
        *((name, ctypes.c_void_p) for name in ("inside", "outside", "second", "cosines", "channels")),
    )

    def __init__(self, fold: Fold) -> None:
        if fold.second is None:
            raise ValueError("an unfolded scene has no second fold")
        inside, outside = (part.astype(np.int32) for part in fold.split)
        ends, counts = (
            np.array(numbers, dtype=np.int32) for numbers in (fold.ends, [one.count for one in fold.first])
        )
        first = np.concatenate([np.zeros(0), *(one.integers.ravel() for one in fold.first)])
        second = np.ascontiguousarray(fold.second.integers)
        # Kept here, since C knows addresses only.
        self.arrays = (
            ends,
            counts,
            fold.means / FRACTION,
            first,
            inside,
            outside,
            second,
            _COSINES,
            _CHANNELS,
        )
        addresses = [pointer(array, array.dtype.type) for array in self.arrays]
        sizes = (len(inside), fold.second.count, len(outside))
        super().__init__(fold.bands, len(ends), *addresses[:4], *sizes, *addresses[4:])


class Analysis:
    """A fold and the transform of its components.

    Parameters
    ----------
    fold : Fold
    workers : Workers
        Which share the lines of a strip.
    """

    def __init__(self, fold: Fold, workers: Workers = ALONE) -> None:
        self._workers = workers
        self._fold = fold
        self._kernel = None
        if kernels.library is not None and fold.second is not None:
            self._kernel = _KernelFold(fold)

    def strip(self, source: SceneSource, lines: slice) -> NDArray[np.int32]:
        """Analyse a strip.

        Parameters
        ----------
        source : SceneSource
            Integer samples.
        lines : slice

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
        latents = np.empty(shape, dtype=np.int32)

        def analyse(part: slice) -> None:
            inside = slice(lines.start + part.start, lines.start + part.stop)
            rows = slice(part.start // BLOCK, block_rows(part.stop))
            if self._kernel is None:
                planes = fold_strip(self._fold, source, inside)
                latents[:, :, rows] = cosine_transform(pad_to_blocks(planes))
                return
            block = source.read(slice(0, self._fold.bands), inside)
            strides = [stride // block.itemsize for stride in block.strides]
            places = [
                mirrored(length, BLOCK) * stride
                for length, stride in zip(block.shape[1:], strides[1:], strict=True)
            ]
            self._run(self._kernel, block, strides[0], places[0], places[1], latents, rows)

        for _ in self._workers.map(analyse, strips(height, LINES_AT_ONCE)):
            pass
        return latents

    def blocks(self, blocks: NDArray[np.int32]) -> Iterator[NDArray[np.int32]]:
        """Analyse a sample of blocks, component by component.

        Parameters
        ----------
        blocks : ndarray of int32, shape (bands, count, 64)

        Yields
        ------
        ndarray of int32, shape (64, count)
        """
        count = blocks.shape[1]
        if self._kernel is None:
            for plane in fold_blocks(self._fold, blocks):
                yield cosine_transform(plane.reshape(1, -1, BLOCK)).reshape(CHANNELS, -1)
            return
        latents = np.empty((self._fold.components, CHANNELS, 1, count), dtype=np.int32)
        whole = np.ascontiguousarray(blocks)
        columns = (np.arange(count)[:, None] * CHANNELS + np.arange(BLOCK)).ravel()
        lines = np.arange(BLOCK) * BLOCK
        self._run(self._kernel, whole, count * CHANNELS, lines, columns, latents, slice(0, 1))
        yield from latents[:, :, 0]

    def _run(
        self,
        kernel: _KernelFold,
        samples: NDArray[Any],
        band_stride: int,
        lines: NDArray[np.intp],
        columns: NDArray[np.intp],
        latents: NDArray[np.int32],
        rows: slice,
    ) -> None:
        kind = _KINDS.get(samples.dtype)
        if kind is None:
            raise ValueError(f"samples are {samples.dtype}: counts have 8, 16 or 32 bits")
        _, _, height, across = latents.shape
        line_places, column_places = (np.ascontiguousarray(places, np.int64) for places in (lines, columns))
        memory = np.empty(kernels.functions().bf_analysis_memory(ctypes.byref(kernel)))
        failed = kernels.functions().bf_analyse(
            ctypes.byref(kernel),
            samples.ctypes.data,
            kind,
            band_stride,
            pointer(line_places, np.int64),
            pointer(column_places, np.int64),
            rows.stop - rows.start,
            across,
            pointer(latents, np.int32) + rows.start * across * latents.itemsize,
            CHANNELS * height * across,
            height * across,
            pointer(memory, np.float64),
        )
        if failed:
            refuse_large_latents()
