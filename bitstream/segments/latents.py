"""How the quantised latents of a segment are written: component by component, diagonal by diagonal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.context_network import ContextNetwork
from bandfold.bitstream.contexts.features import (
    DIAGONAL_BOUNDS,
    DIAGONAL_SLICES,
    DIAGONALS,
    Past,
    Surroundings,
    magnitudes_of,
)
from bandfold.bitstream.entropy.ans import Run, to_tokens
from bandfold.bitstream.payloads.payload import SIDE_UNIT, PayloadWriter, arrange_values
from bandfold.common.kernels import compiled

EXTENT_MEAN = SIDE_UNIT
"""Expected change of the number of coded diagonals from one component to the next."""

LARGEST_SQUARED = 1 << 15
"""Magnitudes are cut here before they are squared: sums stay exact."""

MOST_TABLES = 256
"""Classes of a context network, at most: C counts latents by class."""


class LatentStatistics(NamedTuple):
    """What a segment needs to know of the latents of each component before it writes them.

    Parameters
    ----------
    nonzero : ndarray of int64, shape (components,)
        Number of latents that are not zero.
    energy : ndarray of int64, shape (components,)
        Sum of their squares, of magnitudes up to `LARGEST_SQUARED`.
    bits : ndarray of int64, shape (components,)
        Number of their signs and raw bits.
    extents : ndarray of int64, shape (components,)
        Diagonals to code, 0 to 15: up to the last one that holds anything.
    """

    nonzero: NDArray[np.int64]
    energy: NDArray[np.int64]
    bits: NDArray[np.int64]
    extents: NDArray[np.int64]

    @staticmethod
    def of(quantised: NDArray[np.int32]) -> LatentStatistics:
        """Count latents.

        Parameters
        ----------
        quantised : ndarray of int32, shape (64, components, rows, columns)
            Levels of a segment; channels and components may lie apart in memory.

        Returns
        -------
        LatentStatistics
        """
        counts = np.empty((4, quantised.shape[1]), dtype=np.int64)
        _count(quantised, *counts)
        return LatentStatistics(*counts)

    def part(self, components: slice) -> LatentStatistics:
        """Statistics of some components."""
        return LatentStatistics(
            self.nonzero[components], self.energy[components], self.bits[components], self.extents[components]
        )


@compiled(
    "bf_statistics(quantised: int32[64:channel_stride, components:component_stride, rows, columns],"
    " channel_stride: int64, component_stride: int64, components: int64,"
    " positions: int64 = rows * columns, nonzero: out(int64[components]), energy: out(int64[components]),"
    " bits: out(int64[components]), extents: out(int64[components]))"
)
def _count(
    quantised: NDArray[np.int32],
    nonzero: NDArray[np.int64],
    energy: NDArray[np.int64],
    bits: NDArray[np.int64],
    extents: NDArray[np.int64],
) -> None:
    for one in range(len(nonzero)):
        magnitudes = np.abs(quantised[:, one].astype(np.int64))
        nonzero[one] = np.count_nonzero(magnitudes)
        bits[one] = nonzero[one] + to_tokens(magnitudes.ravel())[1].sum()
        np.minimum(magnitudes, LARGEST_SQUARED, out=magnitudes)
        energy[one] = (magnitudes * magnitudes).sum()
        filled = [number for number, part in enumerate(DIAGONAL_SLICES) if magnitudes[part].any()]
        extents[one] = filled[-1] + 1 if filled else 0


def write_latents(
    payload: PayloadWriter,
    pieces: Iterable[tuple[NDArray[np.int32], NDArray[np.uint8]]],
    positions: int,
    mode: str,
    statistics: LatentStatistics,
    before: int = DIAGONALS,
) -> None:
    """Append the latents of some components to a payload.

    Parameters
    ----------
    payload : PayloadWriter
        What they are appended to.
    pieces : iterable of tuple
        The components, some at a time: their levels, an ndarray of int32 of shape (64, components, rows,
        columns), and the class of the table that codes each of them, an ndarray of uint8 of the same shape.
        Channels may lie apart in memory, of levels components, too.
    positions : int
        Rows times columns.
    mode : str
        One of `bandfold.bitstream.contexts.tables.MODES`.
    statistics : LatentStatistics
        Of these components.
    before : int
        Diagonals coded of the component before these; of the first one, all.
    """
    extents = np.ascontiguousarray(statistics.extents)
    payload.integers(np.diff(extents, prepend=before).tolist(), EXTENT_MEAN)
    tokens = np.empty(int(DIAGONAL_BOUNDS[extents].sum()) * positions, dtype=np.uint8)
    tables, counts = np.empty((2, int(extents.sum()) * MOST_TABLES), dtype=np.int32)
    # One bit more: C writes each sign before it is known whether there is one.
    bits = np.empty(int(statistics.bits.sum()) + 1, dtype=np.uint8)
    first = payload.tables.first_table(mode)
    done = place = groups = bit = 0
    for levels, classes in pieces:
        part = slice(done, done + levels.shape[1])
        groups += _arrange(
            levels,
            classes,
            extents[part],
            first,
            tokens[place:],
            tables[groups:],
            counts[groups:],
            bits[bit:],
        )
        place += int(DIAGONAL_BOUNDS[extents[part]].sum()) * positions
        bit += int(statistics.bits[part].sum())
        done = part.stop
    payload.append(Run(tokens, tables[:groups].copy(), counts[:groups].copy()), bits[:-1])


@compiled(
    "bf_arrange(quantised: int32[64:channel_stride, components:component_stride, rows, columns],"
    " channel_stride: int64, component_stride: int64,"
    " classes: uint8[64:stride, components, rows, columns], stride: int64, components: int64,"
    " positions: int64 = rows * columns, extents: int64[components], first_table: int32,"
    " tokens: out(uint8[*]), tables: out(int32[most]), counts: out(int32[most]), bits: out(uint8[*]),"
    " memory: out(uint8[40 * rows * columns + 256])) -> int64"
)
def _arrange(
    quantised: NDArray[np.int32],
    classes: NDArray[np.uint8],
    extents: NDArray[np.int64],
    first_table: int,
    tokens: NDArray[np.uint8],
    tables: NDArray[np.int32],
    counts: NDArray[np.int32],
    bits: NDArray[np.uint8],
) -> int:
    """Put tokens and raw bits into the order of coding, grouped by class; returns the number of groups."""
    positions = quantised.shape[2] * quantised.shape[3]
    lengths = [(part.stop - part.start) * positions for part in DIAGONAL_SLICES]
    place = groups = bit = 0
    for component, extent in enumerate(extents.tolist()):
        channels = slice(0, DIAGONAL_BOUNDS[extent])
        values = quantised[channels, component].ravel().astype(np.int64)
        numbers = classes[channels, component].ravel().astype(np.int16) + np.int16(first_table)
        run, raw = arrange_values(values, numbers, lengths[:extent], signed=True)
        tokens[place : place + len(values)] = run.symbols
        tables[groups : groups + len(run.tables)] = run.tables
        counts[groups : groups + len(run.tables)] = run.counts
        bits[bit : bit + len(raw)] = raw
        place, groups, bit = place + len(values), groups + len(run.tables), bit + len(raw)
    return groups


def classify(
    quantised: NDArray[np.integer],
    network: ContextNetwork,
    past: Past,
    second: NDArray[np.uint8] | None = None,
) -> tuple[NDArray[np.uint8], Past]:
    """Class of every latent of some components, given all the others.

    Parameters
    ----------
    quantised : ndarray of integers, shape (64, components, rows, columns)
        Levels of at least one component.
    network : ContextNetwork
        That classifies them.
    past : Past
        The two components before the first of these, as extended as the network.
    second : ndarray of uint8, same shape, optional
        1 for latents that went through the second of two quantisers.

    Returns
    -------
    classes : ndarray of uint8, same shape
        Without regard to the quantiser.
    past : Past
        These components.
    """
    count = quantised.shape[1]
    now = learn(quantised, network, second)
    learnt = now.past(past)
    run = past.then(learnt)
    last, before = run.part(1, count + 1), run.part(0, count)
    classes = np.empty(quantised.shape, dtype=np.uint8)
    for diagonal, channels in enumerate(DIAGONAL_SLICES):
        classes[channels] = network.classify(diagonal, now, last, before)
    return classes, learnt


def last_two(
    quantised: NDArray[np.integer],
    network: ContextNetwork,
    count: int,
    second: NDArray[np.uint8] | None = None,
) -> tuple[Past, Past]:
    """What the next component is coded by, where only levels are at hand.

    Parameters
    ----------
    quantised : ndarray of integers, shape (64, components, rows, columns)
        Levels.
    network : ContextNetwork
        That is to be shown what is known.
    count : int
        Components that are known, from the first one on.
    second : ndarray of uint8, same shape, optional
        1 for latents that went through the second of two quantisers.

    Returns
    -------
    last, before : Past
        The component of number ``count - 1`` and the one before it; zeros where there is none.
    """
    nothing = Past.empty(2, *quantised.shape[2:], extended=network.extended)
    # Histories begin with the first component; all else needs no more than two.
    part = slice(0 if network.extended else max(count - 2, 0), count)
    now = learn(quantised[:, part], network, None if second is None else second[:, part])
    run = nothing.then(now.past(nothing))
    known = run.means.shape[1]
    return run.part(known - 1, known), run.part(known - 2, known - 1)


def learn(
    quantised: NDArray[np.integer], network: ContextNetwork, second: NDArray[np.uint8] | None = None
) -> Surroundings:
    """Take in all diagonals of some components.

    Parameters
    ----------
    quantised : ndarray of integers, shape (64, components, rows, columns)
        Levels.
    network : ContextNetwork
        That is to be shown what is known.
    second : ndarray of uint8, same shape, optional
        1 for latents that went through the second of two quantisers.

    Returns
    -------
    Surroundings
    """
    now = Surroundings(*quantised.shape[1:], extended=network.extended)
    magnitudes = magnitudes_of(quantised, network.half_steps, second)
    for diagonal, channels in enumerate(DIAGONAL_SLICES):
        now.learn(diagonal, magnitudes[channels])
    return now
