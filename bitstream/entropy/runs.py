"""Symbols that are to be coded: runs of groups, each group of one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Run:
    """Symbols in the order of coding, group by group.

    Parameters
    ----------
    symbols : ndarray of int32, shape (n,)
    tables : ndarray of int32, shape (groups,)
        Number of the table that codes each group.
    counts : ndarray of int32, shape (groups,)
        Symbols of each group.
    """

    symbols: NDArray[np.int32]
    tables: NDArray[np.int32]
    counts: NDArray[np.int32]

    @staticmethod
    def of(symbols: NDArray[np.int32], table: int) -> Run:
        """One group."""
        return Run(symbols, np.array([table], dtype=np.int32), np.array([len(symbols)], dtype=np.int32))


def groups_backwards(runs: Sequence[Run]) -> Iterator[tuple[NDArray[np.int32], int]]:
    """All groups, the last one first."""
    for run in reversed(runs):
        end = len(run.symbols)
        for table, count in zip(run.tables[::-1].tolist(), run.counts[::-1].tolist(), strict=True):
            yield run.symbols[end - count : end], table
            end -= count
