"""Contexts: what encoder and decoder know when a latent is coded.

Latents are coded component by component and, within a component, diagonal by diagonal (channels of equal
i + j, see `bandfold.bitstream.transforms.dct`). When a diagonal is coded, all lower diagonals of the
component and the two components before it are known at every position of the strip, so the contexts of a
whole diagonal are computed at once, by the encoder and by the decoder alike.

What is known is described by logarithms of magnitudes, small integers of three kinds: some belong to one
latent, some to a position (all channels of the diagonal there), some to a channel (all of the strip).
`bandfold.bitstream.contexts.context_network` turns them into the class of the table that codes the latent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.dct import DIAGONAL, FREQUENCIES
from bandfold.common.kernels import compiled
from bandfold.common.scene import BLOCK, CHANNELS

LATENT_FEATURES = 11
"""Features of a latent of its own, from two components."""

EXTENDED_FEATURES = 5
"""More features of a latent, by direction and from all components before: extended networks know them too."""

POSITION_FEATURES = 5
"""Features that the latents of a diagonal share at one position."""

CHANNEL_FEATURES = 3
"""Features that all latents of a channel share."""

LARGEST_LOG = 127
"""Logarithms are cut here; 8 * log2(1 + 65535) is 128."""

GROUPS = np.array([0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7])
"""Group of weights of the context network that each diagonal uses."""

DIAGONALS = int(DIAGONAL[-1]) + 1
"""Groups of channels that are coded together."""

DIAGONAL_SLICES = tuple(
    slice(int(np.searchsorted(DIAGONAL, d, side="left")), int(np.searchsorted(DIAGONAL, d, side="right")))
    for d in range(DIAGONALS)
)
"""Channels of each diagonal."""

DIAGONAL_BOUNDS = np.array([0, *(channels.stop for channels in DIAGONAL_SLICES)], dtype=np.int32)
"""First channel of each diagonal, and the end of the last one, shape (16,)."""
DIAGONAL_BOUNDS.flags.writeable = False

MAGNITUDE_LIMIT = 2047
"""Magnitudes are cut here before they are summed, so that the sum of 8 neighbours fits 16 bits."""

SUM_LIMIT = 65535
"""Sums are cut here before their logarithm is taken."""

HISTORY_FADING = 4
"""A history loses one in two to this power of itself with each component."""

HISTORY_BITS = 3
"""Fractional bits of histories."""


Integers = TypeVar("Integers", bound=np.integer[Any])


def _log_table() -> NDArray[np.uint8]:
    """``round(8 * log2(1 + x))`` by integers: the largest k with ``2**(2 k - 1) <= (1 + x)**16``."""
    # Where each logarithm begins: 127 numbers, since a board imports this before every scene.
    starts = [0]
    for k in range(1, LARGEST_LOG + 1):
        start = max(int(2.0 ** (k / 8 - 1 / 16)) - 2, 0)
        while (1 + start) ** 16 < 1 << (2 * k - 1):
            start += 1
        starts.append(start)
    return np.repeat(np.arange(LARGEST_LOG + 1, dtype=np.uint8), np.diff([*starts, SUM_LIMIT + 1]))


LOG = _log_table()
"""``round(8 log2(1 + x))``, shape (65536,)."""
LOG.flags.writeable = False


@compiled("bf_logarithms(log: uint8[65536], sums: uint16[count], count: int64, found: out(uint8[count]))")
def find_logarithms(log: NDArray[np.uint8], sums: NDArray[np.uint16], found: NDArray[np.uint8]) -> None:
    """Logarithms of sums, as C finds them: all of them are those of the table.

    Parameters
    ----------
    log : ndarray of uint8, shape (65536,)
        `LOG`.
    sums : ndarray of uint16, shape (n,)
        Sums of magnitudes.
    found : ndarray of uint8, shape (n,)
        Written to.
    """
    found[:] = log[sums]


def neighbour(di: int, dj: int) -> NDArray[np.intp]:
    """Channel at frequency (i + di, j + dj), or `CHANNELS` (a plane of zeros) where there is none."""
    index = np.full((BLOCK, BLOCK), CHANNELS, dtype=np.intp)
    index[FREQUENCIES[:, 0], FREQUENCIES[:, 1]] = np.arange(CHANNELS)
    result = np.full(CHANNELS, CHANNELS, dtype=np.intp)
    for channel, (i, j) in enumerate(FREQUENCIES):
        if 0 <= i + di < BLOCK and 0 <= j + dj < BLOCK:
            result[channel] = index[i + di, j + dj]
    return result


NEIGHBOURS = np.stack(
    [neighbour(di, dj) for di, dj in ((-1, 0), (0, -1), (-1, -1), (-2, 0), (0, -2), (1, 0), (0, 1))]
)
"""Channels above, on the left, above on the left, two above, two on the left, below, on the right."""

_UP, _LEFT, _UP_LEFT, _UP2, _LEFT2, _DOWN, _RIGHT = NEIGHBOURS


@dataclass(frozen=True)
class Past:
    """What the coding of a component needs of an earlier one.

    All arrays but `whole` have a channel more than there are, which stays zero: it stands for a missing
    neighbour. The last two have no channels where features are not extended.

    Parameters
    ----------
    own : ndarray of uint8, shape (65, components, rows, columns)
        Logarithm of each magnitude.
    ring : ndarray of uint8, same shape
        Logarithm of the sum over the 8 neighbouring positions.
    cross : ndarray of uint8, same shape
        Logarithm of the sum over the 4 neighbouring frequencies.
    whole : ndarray of uint8, shape (components, rows, columns)
        Logarithm of the sum over all channels.
    means : ndarray of int32, shape (65, components)
        64 times the mean magnitude of each channel.
    history : ndarray of uint16, shape (65, components, rows, columns)
        Sum of the magnitudes of this component and all before it, which fade with each component, see
        `next_history`.
    faded : ndarray of uint8, same shape
        Logarithm of the history.
    """

    own: NDArray[np.uint8]
    ring: NDArray[np.uint8]
    cross: NDArray[np.uint8]
    whole: NDArray[np.uint8]
    means: NDArray[np.int32]
    history: NDArray[np.uint16]
    faded: NDArray[np.uint8]

    @staticmethod
    def empty(count: int, rows: int, columns: int, *, extended: bool = False) -> Past:
        """Components of zeros: what precedes the first one."""
        planes = np.zeros((CHANNELS + 1, count, rows, columns), dtype=np.uint8)
        more = planes if extended else planes[:0]
        means = np.zeros((CHANNELS + 1, count), dtype=np.int32)
        return Past(planes, planes, planes, planes[0], means, more.astype(np.uint16), more)

    def then(self, other: Past) -> Past:
        """These components followed by others."""
        return Past(
            **{
                name: np.concatenate([part, getattr(other, name)], axis=_AXES.get(name, 1))
                for name, part in vars(self).items()
            }
        )

    def part(self, start: int, stop: int) -> Past:
        """Components `start` to `stop`."""
        chosen = slice(start, stop)
        return Past(
            **{
                name: part[chosen] if _AXES.get(name, 1) == 0 else part[:, chosen]
                for name, part in vars(self).items()
            }
        )


_AXES = {"whole": 0}
"""Axis of the components in the arrays of a `Past`, where it is not the second one."""


class Surroundings:
    """Components in coding: what is known of them grows diagonal by diagonal.

    Parameters
    ----------
    count : int
        Components held side by side: one for the decoder, several for the encoder, which knows them all.
    rows, columns : int
        Latent positions of the strip.
    extended : bool
        Whether features are extended: by direction, and from all components before.
    """

    def __init__(self, count: int, rows: int, columns: int, *, extended: bool = False) -> None:
        shape = (CHANNELS + 1, count, rows, columns)
        self._magnitudes = np.zeros(shape, dtype=np.uint16)
        self._own = np.zeros(shape, dtype=np.uint8)
        self._ring = np.zeros(shape, dtype=np.uint8)
        self._across = np.zeros(shape if extended else (0, *shape[1:]), dtype=np.uint8)
        self._along = np.zeros_like(self._across)
        self._means = np.zeros((CHANNELS + 1, count), dtype=np.int32)
        self._below = np.zeros((DIAGONALS + 1, count, rows, columns), dtype=np.int32)
        self._below_ring = np.zeros((DIAGONALS + 1, count, rows, columns), dtype=np.int32)

    @property
    def extended(self) -> bool:
        """Whether features are extended."""
        return len(self._across) > 0

    def learn(self, diagonal: int, magnitudes: NDArray[np.uint16]) -> None:
        """Take in a coded diagonal.

        Parameters
        ----------
        diagonal : int
            0 to 14: sum of the vertical and the horizontal frequency of its channels.
        magnitudes : ndarray of uint16, shape (channels of the diagonal, count, rows, columns)
            From `magnitudes_of`.
        """
        channels = DIAGONAL_SLICES[diagonal]
        self._magnitudes[channels] = magnitudes
        rings = ring_sum(magnitudes)
        self._own[channels] = LOG[magnitudes]
        self._ring[channels] = LOG[rings]
        if self.extended:
            self._across[channels] = LOG[_beside(magnitudes)]
            self._along[channels] = LOG[_beside(magnitudes.swapaxes(2, 3)).swapaxes(2, 3)]
        positions = magnitudes.shape[2] * magnitudes.shape[3]
        total = magnitudes.sum(axis=(2, 3), dtype=np.int64)
        self._means[channels] = np.minimum((64 * total + positions // 2) // positions, SUM_LIMIT)
        self._below[diagonal + 1] = self._below[diagonal] + magnitudes.sum(axis=0, dtype=np.int32)
        self._below_ring[diagonal + 1] = self._below_ring[diagonal] + rings.sum(axis=0, dtype=np.int32)

    def past(self, last: Past) -> Past:
        """What later components need, once all diagonals are known.

        Parameters
        ----------
        last : Past
            Components before these, the last one of which is the one right before the first of these.

        Returns
        -------
        Past
            These components.
        """
        cross = np.zeros_like(self._own)
        magnitudes = self._magnitudes
        cross[:CHANNELS] = LOG[magnitudes[_UP] + magnitudes[_LEFT] + magnitudes[_DOWN] + magnitudes[_RIGHT]]
        history = np.zeros(self._across.shape, dtype=np.uint16)
        if self.extended:
            before = last.history[:, -1]
            for component in range(history.shape[1]):
                history[:, component] = before = next_history(before, magnitudes[:, component])
        return Past(
            self._own,
            self._ring,
            cross,
            _log(self._below[DIAGONALS]),
            self._means,
            history,
            LOG[history],
        )

    def latent_features(self, diagonal: int, last: Past, before: Past) -> NDArray[np.float32]:
        """Describe what is known around each latent of a diagonal.

        Parameters
        ----------
        diagonal : int
            0 to 14: sum of the vertical and the horizontal frequency of its channels.
        last, before : Past
            The components coded one and two before each of these.

        Returns
        -------
        ndarray of float32, shape (features, channels of the diagonal, count, rows, columns)
            Small integers: `LATENT_FEATURES` of them and, if they are extended, `EXTENDED_FEATURES` more.
        """
        channels = DIAGONAL_SLICES[diagonal]
        up, left = _UP[channels], _LEFT[channels]
        own, ring = self._own, self._ring
        planes = [
            own[up],
            own[left],
            own[_UP_LEFT[channels]],
            np.maximum(own[_UP2[channels]], own[_LEFT2[channels]]),
            ring[up],
            ring[left],
            last.own[channels],
            last.ring[channels],
            last.cross[channels],
            before.own[channels],
            before.ring[channels],
        ]
        if self.extended:
            across, along = self._across, self._along
            planes += [across[up], along[up], across[left], along[left]]
            planes.append(last.faded[channels])
        return np.stack(planes, dtype=np.float32)

    def position_features(self, diagonal: int, last: Past) -> NDArray[np.float32]:
        """Describe what is known at each position: shape (POSITION_FEATURES, count, rows, columns)."""
        recent = max(diagonal - 2, 0)
        result = np.empty((POSITION_FEATURES, *last.whole.shape), dtype=np.float32)
        sums = np.empty((POSITION_FEATURES - 1, *last.whole.shape), dtype=np.int32)
        sums[0] = self._below[diagonal]
        sums[1] = self._below_ring[diagonal]
        np.subtract(sums[0], self._below[recent], out=sums[2])
        np.subtract(sums[1], self._below_ring[recent], out=sums[3])
        result[:-1] = _log(sums)
        result[-1] = last.whole
        return result

    def channel_features(self, diagonal: int, last: Past) -> NDArray[np.float32]:
        """Describe what is known of each channel: shape (CHANNEL_FEATURES, channels, count)."""
        channels = DIAGONAL_SLICES[diagonal]
        up, left = _UP[channels], _LEFT[channels]
        sums = np.empty((CHANNEL_FEATURES, len(up), self._means.shape[1]), dtype=np.int32)
        np.add(self._means[up], self._means[left], out=sums[0])
        sums[1] = last.means[channels]
        np.add(last.means[up], last.means[left], out=sums[2])
        return _log(sums).astype(np.float32)


def magnitudes_of(
    values: NDArray[np.integer], half_steps: bool = False, second: NDArray[np.integer] | None = None
) -> NDArray[np.uint16]:
    """Magnitudes of latents as contexts see them.

    Parameters
    ----------
    values : ndarray of integers
        Quantised latents.
    half_steps : bool
        Whether they are wanted in half steps, so that those of two quantisers are alike.
    second : ndarray of integers, same shape, optional
        1 for latents that went through the second quantiser, whose levels lie half a step lower.

    Returns
    -------
    ndarray of uint16, same shape
        `MAGNITUDE_LIMIT` at most.
    """
    found: NDArray[np.uint16] = np.minimum(np.abs(values), MAGNITUDE_LIMIT).astype(np.uint16)
    if half_steps:
        found = np.minimum(2 * found, np.uint16(MAGNITUDE_LIMIT))
        if second is not None:
            np.subtract(found, 1, out=found, where=(second & 1).astype(np.bool_) & (found > 0))
    return found


def ring_sum(planes: NDArray[Integers]) -> NDArray[Integers]:
    """Sum over the 8 neighbours in the last two axes; positions outside the strip count as zero."""
    vertical = planes.copy()
    vertical[..., 1:, :] += planes[..., :-1, :]
    vertical[..., :-1, :] += planes[..., 1:, :]
    box = vertical.copy()
    box[..., 1:] += vertical[..., :-1]
    box[..., :-1] += vertical[..., 1:]
    box -= planes
    return box


def next_history(history: NDArray[np.uint16], magnitudes: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Let the history of magnitudes fade, and add those of the next component.

    Parameters
    ----------
    history : ndarray of uint16
        Of all components before, with `HISTORY_BITS` fractional bits.
    magnitudes : ndarray of uint16, same shape
        Of the next component.

    Returns
    -------
    ndarray of uint16, same shape
        ``history * (1 - 2**-HISTORY_FADING)``, rounded down, and the magnitudes: `SUM_LIMIT` at most.
    """
    kept = history.astype(np.int32) * ((1 << HISTORY_FADING) - 1) >> HISTORY_FADING
    kept += magnitudes.astype(np.int32) << HISTORY_BITS
    result: NDArray[np.uint16] = np.minimum(kept, SUM_LIMIT).astype(np.uint16)
    return result


def _beside(planes: NDArray[Integers]) -> NDArray[Integers]:
    """Sum over both neighbours in the last axis; positions outside the strip count as zero."""
    result = np.zeros_like(planes)
    result[..., 1:] += planes[..., :-1]
    result[..., :-1] += planes[..., 1:]
    return result


def _log(sums: NDArray[np.int32]) -> NDArray[np.uint8]:
    return np.asarray(LOG[np.minimum(sums, SUM_LIMIT)], dtype=np.uint8)
