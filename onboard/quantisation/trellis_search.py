"""Trellis-coded quantisation (TCQ, dependent quantisation in VVC): the Viterbi search for the cheapest path.

A path costs its squared errors and, times the Lagrange multiplier, its bits. What a level does to the
contexts of others is left out of account: the search goes by the classes that other levels give, first those
of the scalar quantiser (see `bandfold.onboard.quantisation.rdoq`), then those of the path that was found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.context_network import ContextNetwork
from bandfold.bitstream.contexts.features import DIAGONAL_SLICES, DIAGONALS, Past
from bandfold.bitstream.contexts.tables import POINTS, TOKEN_COST_UNIT, Mode
from bandfold.bitstream.contexts.trellis_states import CHAINS, QUANTISERS, TRELLISES
from bandfold.bitstream.entropy.ans import DIRECT
from bandfold.bitstream.segments.latents import classify
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common.kernels import compiled

TRELLIS_RATIO = 0.54
"""The Lagrange multiplier over that of one quantiser, in steps squared: at the same rate two have the larger
step."""

PATIENCE = 0.25
"""A latent becomes zero, whatever the state is, where another level costs so much more, in steps squared."""

_NEVER = np.float32(1e30)


@dataclass(frozen=True)
class Prices:
    """What levels cost.

    Parameters
    ----------
    bits : ndarray of float32, shape (quantisers * classes, 18)
        By class and magnitude, times the Lagrange multiplier; the last two columns serve all magnitudes from
        16 on.
    below : ndarray of float32, same shape
        How far reconstruction points lie below their levels.
    small : ndarray of float32, shape (classes,)
        Latents below so many steps become zero.
    """

    bits: NDArray[np.float32]
    below: NDArray[np.float32]
    small: NDArray[np.float32]

    @staticmethod
    def of(mode: Mode, multiplier: float) -> Prices:
        """Prices under the tables of a mode; the Lagrange multiplier is in squared steps per bit."""
        magnitudes = np.minimum(np.arange(DIRECT + 2), DIRECT)
        bits = mode.costs[:, magnitudes] * (multiplier / TOKEN_COST_UNIT)
        below = np.concatenate([np.zeros((len(bits), 1)), mode.points], axis=1)[
            :, np.minimum(magnitudes, POINTS)
        ]
        below[mode.network.classes :] -= 0.5
        # Where magnitude 1 of the second quantiser, which stands for `one`, costs PATIENCE more than zero.
        one = 1.0 - mode.points[mode.network.classes :, 0]
        more = np.diff(bits[mode.network.classes :, :2], axis=1)[:, 0]
        small = (one * one + more - PATIENCE) / (2.0 * one)
        return Prices(*(np.ascontiguousarray(array, dtype=np.float32) for array in (bits, below, small)))


def best_path(
    latents: NDArray[np.int32],
    step: float,
    mode: Mode,
    multiplier: float,
    quantised: NDArray[np.int32],
    classes: NDArray[np.uint8],
    searches: int = 1,
) -> None:
    """Quantise a strip by the path of least cost through its trellis.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, rows, columns)
        In units of ``1 / FRACTION`` of a count.
    step : float
        In counts.
    mode : Mode
        With tables for both quantisers.
    multiplier : float
        Lagrange multiplier, in squared steps per bit.
    quantised : ndarray of int32, shape (64, components, rows, columns)
        Where levels are written; with a single search that may be where the latents are.
    classes : ndarray of uint8, shape (64, components, rows, columns)
        Contexts of the levels that the scalar quantiser found. Those of the result take their place; those of
        the second quantiser are numbered behind those of the first one.
    searches : int
        At least 1; each but the first one goes by the contexts of the path before. A second one saves 0.35 %,
        but takes as long as the first.
    """
    prices = Prices.of(mode, multiplier)
    scale = 1.0 / (step * FRACTION)
    count = np.uint8(mode.network.classes)
    for number in range(searches):
        if number:
            np.remainder(classes, count, out=classes)
        # A search leaves the quantisers where the classes were that it went by.
        _search(mode.states, latents, scale, prices.bits, prices.below, prices.small, quantised, classes)
        _classify(mode.network, quantised, classes, classes)


@compiled(
    "bf_contexts(network: bf_network,"
    " quantised: int32[64:channel_stride, components:component_stride, rows, columns],"
    " channel_stride: int64, component_stride: int64,"
    " second: uint8[64, components, rows, columns], components: int32, rows: int32, columns: int32,"
    " classes: out(uint8[64, components, rows, columns]), memory: out(uint8[bf_memory(rows, columns)]))"
)
def _classify(
    network: ContextNetwork,
    quantised: NDArray[np.int32],
    second: NDArray[np.uint8],
    classes: NDArray[np.uint8],
) -> None:
    """Classes of all latents of a segment, in the place of their quantisers if need be."""
    if quantised.size:
        found = classify(
            quantised, network, Past.empty(2, *quantised.shape[2:], extended=network.extended), second
        )[0]
        np.add(found, second * np.uint8(network.classes), out=classes)


@compiled("bf_trellis_memory(components: int64, kinds: int32) -> int64")
def _search_memory(components: int, kinds: int) -> int:
    """Bytes in which C keeps prices and the decisions of a search; NumPy has arrays of its own."""
    return 0


@compiled(
    "bf_trellis(states: int32, latents: int32[components, 64, rows, columns], components: int64,"
    " positions: int64 = rows * columns, scale: float64, kinds: int32, bits: float32[2 * kinds, 18],"
    " below: float32[2 * kinds, 18], small: float32[kinds],"
    " quantised: out(int32[64:channel_stride, components:component_stride, rows, columns]),"
    " channel_stride: int64, component_stride: int64,"
    " classes: out(uint8[64, components, rows, columns]),"
    " memory: out(uint8[bf_trellis_memory(components, kinds)]))"
)
def _search(
    states: int,
    latents: NDArray[np.int32],
    scale: float,
    bits: NDArray[np.float32],
    below: NDArray[np.float32],
    small: NDArray[np.float32],
    quantised: NDArray[np.int32],
    classes: NDArray[np.uint8],
) -> None:
    """Find the levels of the best path, and quantisers, which take the place of the classes."""
    prices = Prices(bits, below, small)
    # Levels may take the place of the latents.
    negative = latents.swapaxes(0, 1) < 0
    components, _, rows, columns = latents.shape
    before, parities = _ways(states)
    costs = np.full((states, CHAINS, rows, columns), _NEVER, dtype=np.float32)
    costs[0] = 0.0
    decisions = np.empty((components, states, *classes.shape[:1], rows, columns), dtype=np.bool_)
    # (quantisers, parities, 64, components, rows, columns)
    levels = np.empty((QUANTISERS, 2, *classes.shape), dtype=np.int32)
    for component in range(components):
        for channels in DIAGONAL_SLICES:
            scaled = np.abs(latents[component, channels].astype(np.float64)) * scale
            weighed = np.empty((QUANTISERS, 2, *scaled.shape), dtype=np.float32)
            for number in range(QUANTISERS):
                tables = classes[channels, component].astype(np.intp) + number * len(small)
                weighed[number], levels[number][:, channels, component] = _weigh(
                    scaled, 0.5 * number, prices, tables
                )
            part = costs[:, : len(scaled)]
            found = np.empty_like(part)
            for state in range(states):
                first, other = (
                    part[source] + weighed[source & 1, parity]
                    for source, parity in zip(before[state], parities[state], strict=True)
                )
                decisions[component, state, channels] = other < first
                found[state] = np.where(other < first, other, first)
            part[...] = found
        # Only differences count: small numbers stay exact enough.
        costs -= costs.min(axis=0)
    _trace((before, parities), costs.argmin(axis=0), decisions, levels, quantised, classes)
    np.negative(quantised, out=quantised, where=negative)


def _weigh(
    scaled: NDArray[np.float64], offset: float, prices: Prices, tables: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Costs and levels of the better even and the better odd magnitude: both of shape (2, ...)."""
    moved = scaled + offset
    lower = moved.astype(np.int32)
    part, whole = (moved - lower).astype(np.float32), scaled.astype(np.float32)
    place = np.minimum(lower, DIRECT)
    low = part + prices.below[tables, place]
    high = part - np.float32(1.0) + prices.below[tables, place + 1]
    low, high = low * low + prices.bits[tables, place], high * high + prices.bits[tables, place + 1]
    zero = whole * whole + prices.bits[tables, 0]
    turned, dead = lower % 2 == 1, whole < prices.small[tables % len(prices.small)]
    pair, odd = np.where(turned, high, low), np.where(turned, low, high)
    live = ~dead & (pair < zero)
    costs = np.stack([np.where(live, pair, zero), np.where(dead, _NEVER, odd)])
    return costs, np.stack([np.where(live, (lower + 1) & ~1, 0), lower | 1])


def _ways(states: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The two states before each one, rising, and the parities that lead from them: shape (states, 2)."""
    following = TRELLISES[states]
    ways = [np.argwhere(following == target) for target in range(states)]
    before, parities = np.moveaxis(np.array(ways), 2, 0)
    return before, parities


def _trace(
    ways: tuple[NDArray[np.intp], NDArray[np.intp]],
    states: NDArray[np.intp],
    decisions: NDArray[np.bool_],
    levels: NDArray[np.int32],
    quantised: NDArray[np.int32],
    chosen: NDArray[np.uint8],
) -> None:
    """Follow the best paths back from the states that they end in."""
    before, parities = ways
    for component in reversed(range(quantised.shape[1])):
        for diagonal in reversed(range(DIAGONALS)):
            channels = DIAGONAL_SLICES[diagonal]
            part = states[: channels.stop - channels.start]
            which = np.take_along_axis(decisions[component, :, channels], part[None], axis=0)[0].astype(
                np.intp
            )
            parity, part[...] = parities[part, which], before[part, which]
            chosen[channels, component] = part & 1
            options = levels[:, :, channels, component].reshape(2 * QUANTISERS, *part.shape)
            quantised[channels, component] = np.take_along_axis(
                options, (2 * (part & 1) + parity)[None], axis=0
            )[0]
