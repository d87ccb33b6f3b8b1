"""A decoder that also finds out what each component and each spectral interval of a stream costs."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import Fold
from bandfold.ground.decoder import Decoder


class BitCountingDecoder(Decoder):
    """A decoder that adds up what the latents of each component cost in the tables that code them.

    Parameters
    ----------
    source : bytes or path_like
        A stream, or the file that holds it.
    **options
        Keywords of `Decoder`.

    Attributes
    ----------
    component_bits : ndarray of float64, shape (components,)
        In all strips decoded so far. Raw bits and signs count; the masks of absent samples and the maps of
        rotations do not, and neither does the frame of a section.
    band_bits : ndarray of float64, shape (bands,)
        The same by band. A component that comes from several intervals is shared among them by the squared
        entries of its vector; what an interval takes is shared by its bands alike.
    """

    def __init__(self, source: bytes | str | os.PathLike[str], **options: Any) -> None:
        super().__init__(source, **options)
        self.component_bits = np.zeros(0)
        self.band_bits = np.zeros(self.info.bands)
        self._strip_decoder.count_bits = self._add

    @property
    def interval_bits(self) -> NDArray[np.float64]:
        """Bits by interval of `Decoder.fold`, shape (intervals,): other folds may have other intervals."""
        totals = np.concatenate([[0.0], np.cumsum(self.band_bits)])
        return np.diff(totals[[0, *self.fold.ends]])

    def _add(self, bits: NDArray[np.float64], fold: Fold) -> None:
        if len(bits) > len(self.component_bits):
            self.component_bits = np.pad(self.component_bits, (0, len(bits) - len(self.component_bits)))
        self.component_bits[: len(bits)] += bits
        bands = np.diff(fold.ends, prepend=0)
        self.band_bits += np.repeat(shared_bits(bits, fold) / bands, bands)


def shared_bits(bits: NDArray[np.float64], fold: Fold) -> NDArray[np.float64]:
    """Share what components cost among the intervals that they come from.

    Parameters
    ----------
    bits : ndarray of float64, shape (components,)
        What each component costs.
    fold : Fold
        The KLT of each interval and the second KLT that merges them.

    Returns
    -------
    ndarray of float64, shape (intervals,)
        In sum the same. What a component of the second KLT costs is shared by the squared entries of its
        vector.
    """
    intervals = len(fold.ends)
    numbers = np.arange(intervals)
    if fold.second is None:
        shares = np.bincount(np.repeat(numbers, np.diff(fold.ends, prepend=0)), bits, intervals)
        return shares.astype(np.float64)
    source = np.repeat(numbers, [vectors.count for vectors in fold.first])
    inside, outside = fold.split
    count = fold.second.count
    squares = np.square(fold.second.orthonormal)
    merged = squares / squares.sum(axis=0) @ bits[:count]
    sources = np.concatenate([source[inside], source[outside]])
    return np.bincount(sources, np.concatenate([merged, bits[count:]]), intervals).astype(np.float64)
