"""Latents under a factorised prior: planes of integers, one static table for each channel.

What a trained encoder that codes single bands leaves behind. Values are signed and their distributions are
seldom symmetric, so the sign is told by the token: 0, -1, 1, -2, 2, ... are numbered 0, 1, 2, 3, 4, ...
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.stream_budget import LATENT_WORK
from bandfold.bitstream.contexts.tables import CLASSES, MODES, SIDE_CLASSES, Tables
from bandfold.bitstream.entropy.ans import LARGEST_MAGNITUDE, PRECISION, TOKENS, AnsCoder
from bandfold.bitstream.payloads.payload import SIDE_UNIT, PayloadReader, PayloadWriter
from bandfold.common.errors import ModelError, StreamError

FIRST_PLANE_TABLE = len(MODES) * CLASSES + SIDE_CLASSES
"""Tables of a model are numbered from here, behind those of the format."""


def zigzag(values: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number signed integers: ``2 v`` for those from 0 up, ``-2 v - 1`` for those below.

    Parameters
    ----------
    values : ndarray of integers
        The integers.

    Returns
    -------
    ndarray of int64, same shape
        Not negative.
    """
    wide = values.astype(np.int64)
    return np.where(wide < 0, -2 * wide - 1, 2 * wide)


def unzigzag(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give back the integers that `zigzag` numbered."""
    half = numbers >> 1
    return np.where(numbers & 1 == 1, -half - 1, half)


@dataclass(frozen=True)
class PlaneTables(Tables):
    """The tables of the format and, behind them, those of a model.

    Parameters
    ----------
    modes : dict of str to Mode
        As in `Tables`.
    side : ndarray of int64, shape (SIDE_CLASSES, TOKENS)
        As in `Tables`.
    identity : bytes
        As in `Tables`.
    planes : ndarray of int64, shape (engines, channels, TOKENS)
        Frequencies of each channel for each of the model's engines; each row sums to 2**24.
    """

    planes: NDArray[np.int64]

    @cached_property
    def coder(self) -> AnsCoder:
        """The entropy coder over all tables."""
        shared = [*(self.modes[name].frequencies for name in MODES), self.side]
        return AnsCoder(np.concatenate([*shared, self.planes.reshape(-1, TOKENS)]))

    def first_plane_table(self, engine: int) -> int:
        """Number of the table of an engine's first channel."""
        return self.first_table("model") + engine * int(self.planes.shape[1])


def plane_tables(tables: Tables, frequencies: NDArray[Any]) -> PlaneTables:
    """Put the tables of a model behind those of the format.

    Parameters
    ----------
    tables : Tables
        Those of the format.
    frequencies : ndarray of integers, shape (engines, channels, TOKENS)
        Those of the model.

    Returns
    -------
    PlaneTables
        With the identity of `tables`: a model has a hash of its own.

    Raises
    ------
    ModelError
        If a frequency is below 1 or a table does not sum to 2**24.
    """
    planes = frequencies.astype(np.int64)
    if (
        planes.ndim != 3
        or planes.shape[2] != TOKENS
        or (planes < 1).any()
        or (planes.sum(axis=2) != 1 << PRECISION).any()
    ):
        raise ModelError("frequencies of a model must be positive, one per token, and sum to 2**24")
    return PlaneTables(tables.modes, tables.side, tables.identity, planes)


def write_planes(payload: PayloadWriter, quantised: NDArray[np.integer], first_table: int) -> None:
    """Append the latents of some bands, all of one engine.

    Parameters
    ----------
    payload : PayloadWriter
        Over `PlaneTables`.
    quantised : ndarray of integers, shape (bands, channels, rows, columns)
        A band of zeros takes a flag only.
    first_table : int
        From `PlaneTables.first_plane_table`.

    Raises
    ------
    StreamError
        If a latent cannot be coded.
    """
    numbers = zigzag(quantised)
    if int(numbers.max(initial=0)) > LARGEST_MAGNITUDE:
        raise StreamError("a latent is out of range: it cannot be coded")
    live = quantised.any(axis=(1, 2, 3))
    payload.integers(live.astype(int).tolist(), SIDE_UNIT, signed=False)
    kept = numbers[live]
    payload.values(kept.ravel(), _tables(kept.shape, first_table), signed=False)


def read_planes(
    payload: PayloadReader, shape: tuple[int, int, int, int], first_table: int
) -> NDArray[np.int32]:
    """Read what `write_planes` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Over `PlaneTables`.
    shape : tuple of int
        Bands, channels, rows and columns.
    first_table : int
        Number of the table of the first channel.

    Returns
    -------
    ndarray of int32, shape (bands, channels, rows, columns)

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    flags = payload.integers(shape[0], SIDE_UNIT, signed=False)
    if any(flag > 1 for flag in flags):
        raise StreamError("a band is neither coded nor empty: the segment is corrupt")
    live = np.array(flags, dtype=np.bool_)
    quantised = np.zeros(shape, dtype=np.int32)
    payload.budget.work(LATENT_WORK * int(live.sum()) * int(np.prod(shape[1:])), "latents")
    part = (int(live.sum()), *shape[1:])
    values = unzigzag(payload.values(_tables(part, first_table), signed=False))
    if np.abs(values).max(initial=0) > np.iinfo(np.int32).max:
        raise StreamError("a latent is out of range: the segment is corrupt")
    quantised[live] = values.reshape(part)
    return quantised


def _tables(shape: tuple[int, ...], first_table: int) -> NDArray[np.int32]:
    """Number of the table of each latent."""
    channels = first_table + np.arange(shape[1], dtype=np.int32)
    return np.broadcast_to(channels[:, None, None], shape).ravel()
