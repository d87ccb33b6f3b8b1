"""Side information of a KLT before another codec: band means and a basis of 16-bit entries, all counted."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<HHb?")


class KltSide(NamedTuple):
    """What a decoder is told of a KLT.

    Attributes
    ----------
    means : ndarray of int16 or uint16, shape (bands,)
        Of the bands, of the type of the samples.
    basis : ndarray of float64, shape (bands, kept)
        What components are multiplied by.
    exponent : int
        Components are told in units of two to this power.
    size : int
        Bytes that told it.
    """

    means: NDArray[Any]
    basis: NDArray[np.float64]
    exponent: int
    size: int

    def samples(self, components: NDArray[np.float64]) -> NDArray[Any]:
        """Samples from components.

        Parameters
        ----------
        components : ndarray of float64, shape (kept, pixels)
            In units of the samples.

        Returns
        -------
        ndarray of int16 or uint16, shape (bands, pixels)
        """
        limits = np.iinfo(self.means.dtype)
        pixels = self.basis @ components + self.means[:, None]
        samples: NDArray[Any] = np.clip(np.rint(pixels), limits.min, limits.max).astype(self.means.dtype)
        return samples


def write_side(
    means: NDArray[np.float64], basis: NDArray[np.float64], exponent: int, *, signed: bool
) -> bytes:
    """Tell a KLT.

    Parameters
    ----------
    means : ndarray, shape (bands,)
        Whole numbers of 16 bits.
    basis : ndarray, shape (bands, kept)
        Orthonormal columns.
    exponent : int
        See `KltSide`.
    signed : bool
        Whether samples are signed.

    Returns
    -------
    bytes
    """
    # A scale per eigenvector: at 90 dB an entry of a fixed 2**-15 would already be the larger error.
    scales = (np.abs(basis).max(axis=0) / (2**15 - 1)).astype("<f4")
    entries = np.clip(np.rint(basis / scales.astype(np.float64)), -(2**15), 2**15 - 1).astype("<i2")
    told = means.astype("<i2" if signed else "<u2")
    return b"".join(
        (_HEADER.pack(*basis.shape, exponent, signed), told.tobytes(), scales.tobytes(), entries.tobytes())
    )


def side_size(bands: int, kept: int) -> int:
    """Bytes that `write_side` gives."""
    return _HEADER.size + 2 * bands + kept * (4 + 2 * bands)


def read_side(stream: bytes) -> KltSide:
    """Read what `write_side` wrote from the begin of a stream."""
    bands, kept, exponent, signed = _HEADER.unpack_from(stream)
    offset = _HEADER.size
    means = np.frombuffer(stream, "<i2" if signed else "<u2", bands, offset)
    offset += means.nbytes
    scales = np.frombuffer(stream, "<f4", kept, offset).astype(np.float64)
    offset += 4 * kept
    entries = np.frombuffer(stream, "<i2", bands * kept, offset).reshape(bands, kept)
    return KltSide(means, entries * scales, exponent, offset + entries.nbytes)
