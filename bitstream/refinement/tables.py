"""The trained statistics of refinement: weights of the contexts, and frequencies of tokens in each class.

They are integers, shipped as package data and made by ``python -m bandfold.calibration.refinement``. A
payload is read with the tables that it was written with, which the stream names by a hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import DATA
from bandfold.bitstream.entropy.ans import PRECISION, TOKENS
from bandfold.common import exact
from bandfold.common.errors import ModelError
from bandfold.common.kernels import Structure, structure

from .scales import CLASSES, LOGARITHMS, WEIGHT_GROUPS, inverse_scales

SHIPPED_REFINEMENT = DATA / "refinement.npz"
"""The tables that are used where none are given."""

FEATURES = 8
"""What is known around a sample, see `bandfold.bitstream.refinement.contexts`."""

GUESS_BITS = 12
"""The top bits of the low part of a state tell the first token that it may be."""

LARGEST_FEATURES = (16, 255, 2 * 255, 9 * 255, 25 * 255, 16 * 255, 9 * 16 * 255, 7 * 16 * 255)
"""What each feature is at most."""

WEIGHT_UNIT = 1 << 16
"""Weight of a feature that is the mean of normalised magnitudes."""


@structure(
    "bf_refinement(starts: uint32[classes, 81], guess: uint8[classes, 4096], weights: int32[groups, 8],"
    " logarithms: int32[4096], inverse: int32[scales], classes: int32)"
)
class _Layout(Structure):
    """The tables as the compiled functions see them."""


@dataclass(frozen=True, eq=False)
class RefinementTables:
    """Trained statistics of refinement.

    Parameters
    ----------
    frequencies : ndarray of int64, shape (CLASSES, TOKENS)
        Frequency of each token in each class: at least 1, and 2**24 in sum over a class.
    weights : ndarray of int32, shape (WEIGHT_GROUPS, FEATURES)
        Of what is known around a sample, for each group of scales of a band.
    identity : bytes
        First 4 bytes of the SHA-256 of both.
    """

    frequencies: NDArray[np.int64]
    weights: NDArray[np.int32]
    identity: bytes

    @cached_property
    def structure(self) -> Structure:
        """The tables as the compiled functions see them."""
        starts = np.zeros((CLASSES, TOKENS + 1), dtype=np.uint32)
        np.cumsum(self.frequencies, axis=1, out=starts[:, 1:])
        tops = np.arange(1 << GUESS_BITS) << (PRECISION - GUESS_BITS)
        guess = np.array(
            [np.searchsorted(row, tops, side="right") - 1 for row in starts[:, :-1]], dtype=np.uint8
        )
        return _Layout(
            starts=starts,
            guess=guess,
            weights=self.weights,
            logarithms=LOGARITHMS,
            inverse=inverse_scales(),
        )

    @cached_property
    def rows(self) -> list[list[int]]:
        """Cumulative frequencies of each class as Python integers, for the coder in plain Python."""
        return [row.tolist() for row in self.structure.arrays["starts"]]

    @cached_property
    def costs(self) -> NDArray[np.float64]:
        """Bits of each token in each class."""
        return PRECISION - exact.log2(self.frequencies.astype(np.float64))


@cache
def load_refinement_tables(path: Path | None = None) -> RefinementTables:
    """Read tables from a file.

    Parameters
    ----------
    path : Path, optional
        The shipped tables if not given.

    Returns
    -------
    RefinementTables

    Raises
    ------
    ModelError
        If the file cannot be read or does not hold such tables.
    """
    file = SHIPPED_REFINEMENT if path is None else path
    try:
        with open(file, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return refinement_from_arrays({name: archive[name] for name in archive.files})
    except (OSError, EOFError, BadZipFile, ValueError, KeyError, AttributeError) as error:
        raise ModelError(f"refinement tables cannot be read from {file}: {error}") from error


def refinement_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> RefinementTables:
    """Build tables from the arrays of their file.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        ``frequencies`` and ``weights``.

    Returns
    -------
    RefinementTables

    Raises
    ------
    ValueError
        If an array has another shape, frequencies do not sum to 2**24, or weights are too large.
    """
    frequencies = np.ascontiguousarray(arrays["frequencies"], dtype=np.int64)
    weights = np.ascontiguousarray(arrays["weights"], dtype=np.int32)
    if frequencies.shape != (CLASSES, TOKENS) or weights.shape != (WEIGHT_GROUPS, FEATURES):
        raise ValueError(f"frequencies {frequencies.shape} or weights {weights.shape} have another shape")
    if (frequencies < 1).any() or (frequencies.sum(axis=1) != 1 << PRECISION).any():
        raise ValueError("frequencies must be positive and sum to 2**24 in each class")
    if (np.abs(weights.astype(np.int64)) @ np.array(LARGEST_FEATURES)).max() >= 1 << 31:
        raise ValueError("weights are so large that sums of features exceed 31 bits")
    digest = hashlib.sha256()
    for array in (frequencies.astype("<i4"), weights.astype("<i4")):
        digest.update(array.tobytes())
    return RefinementTables(frequencies, weights, digest.digest()[:4])
