"""The entropy coder behind a small interface: compiled, or constriction, or `rans`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bandfold.common import kernels
from bandfold.common.errors import StreamError

from . import rans
from .kernelcoder import KernelBackend
from .runs import Run, groups_backwards

try:
    import constriction
except ImportError:  # pragma: no cover - Linux on ARM has no wheel
    constriction = None


class Decoder(Protocol):
    """Reads symbols back in the order in which they were encoded."""

    def decode(self, count: int, table: int) -> NDArray[np.int32]:
        """Read `count` symbols coded with table number `table`."""

    def finish(self) -> None:
        """Raise `StreamError` if anything is left to read."""


class Backend(Protocol):
    """An entropy coder for a fixed family of tables."""

    def encode(self, runs: Sequence[Run]) -> NDArray[np.uint32]:
        """Encode runs of groups of symbols; words come in reading order."""

    def decoder(self, words: NDArray[np.uint32]) -> Decoder:
        """Start reading words."""


class RansBackend:
    """`Backend` in plain Python.

    Parameters
    ----------
    frequencies : ndarray, shape (tables, symbols)
        Each row sums to ``2**24``, each entry is at least 1.
    """

    def __init__(self, frequencies: NDArray[np.integer]) -> None:
        self._tables = [rans.RansTable(row) for row in frequencies]

    def encode(self, runs: Sequence[Run]) -> NDArray[np.uint32]:
        """See `Backend.encode`."""
        return rans.encode(
            [(symbols, self._tables[table]) for symbols, table in groups_backwards(runs)][::-1]
        )

    def decoder(self, words: NDArray[np.uint32]) -> Decoder:
        """See `Backend.decoder`."""
        rans.refuse_empty_word(words)
        return _RansReader(rans.RansDecoder(words), self._tables)


class _RansReader:
    def __init__(self, reader: rans.RansDecoder, tables: list[rans.RansTable]) -> None:
        self._reader = reader
        self._tables = tables

    def decode(self, count: int, table: int) -> NDArray[np.int32]:
        return self._reader.decode(count, self._tables[table])

    def finish(self) -> None:
        self._reader.finish()


class ConstrictionBackend:
    """`Backend` by constriction's ``AnsCoder``; the same words as `RansBackend`.

    Parameters
    ----------
    frequencies : ndarray, shape (tables, symbols)
        As for `RansBackend`.
    """

    def __init__(self, frequencies: NDArray[np.integer]) -> None:
        # With perfect=False constriction gives each symbol one unit and spreads the rest by probability:
        # handing it f - 1 reproduces the integer frequencies f exactly.
        self._models = [
            constriction.stream.model.Categorical((row.astype(np.float64) - 1.0), perfect=False)
            for row in frequencies
        ]

    def encode(self, runs: Sequence[Run]) -> NDArray[np.uint32]:
        """See `Backend.encode`."""
        coder = constriction.stream.stack.AnsCoder()
        for symbols, table in groups_backwards(runs):
            coder.encode_reverse(symbols, self._models[table])
        words: NDArray[np.uint32] = coder.get_compressed()[::-1]
        return words

    def decoder(self, words: NDArray[np.uint32]) -> Decoder:
        """See `Backend.decoder`."""
        rans.refuse_empty_word(words)
        return _ConstrictionReader(
            constriction.stream.stack.AnsCoder(np.ascontiguousarray(words[::-1])), self._models
        )


class _ConstrictionReader:
    def __init__(self, coder: Any, models: list[Any]) -> None:
        self._coder = coder
        self._models = models

    def decode(self, count: int, table: int) -> NDArray[np.int32]:
        symbols: NDArray[np.int32] = self._coder.decode(self._models[table], count)
        return symbols

    def finish(self) -> None:
        if not self._coder.is_empty():
            raise StreamError("entropy-coded data do not end where they should: the segment is corrupt")


def backend(frequencies: NDArray[np.integer]) -> Backend:
    """Return the fastest coder that is installed.

    Parameters
    ----------
    frequencies : ndarray, shape (tables, symbols)
        Each row sums to ``2**24``, each entry is at least 1.

    Returns
    -------
    Backend
    """
    if kernels.library is not None:
        return KernelBackend(frequencies)
    return RansBackend(frequencies) if constriction is None else ConstrictionBackend(frequencies)
