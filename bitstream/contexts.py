"""Contexts: what is known when a latent is coded, and the class of table that follows from it.

Latents are coded component by component and, within a component, diagonal by diagonal (channels of equal
i + j, see `bandfold.bitstream.dct`). When a diagonal is coded, all lower diagonals of the component and the
two components before it are known at every position of the strip, so the contexts of a whole diagonal are
computed at once, by the encoder and by the decoder alike.

Each latent gets `FEATURES` small integers: logarithms of magnitudes around it. A network of one hidden layer
with integer weights turns them into the class of the table that codes the latent. Everything is exact in
float32: no partial sum exceeds 2**24 (`ContextNetwork` checks it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .dct import DIAGONAL, FREQUENCIES
from .geometry import BLOCK, CHANNELS

FEATURES = 19
"""Integers that describe what is known around a latent."""

LARGEST_LOG = 127
"""Logarithms are cut here: 8 * log2(1 + 65535) = 128."""

DIAGONALS = int(DIAGONAL[-1]) + 1
"""Groups of channels that are coded together."""

GROUPS = np.array([0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7])
"""Group of weights that each diagonal uses."""

DIAGONAL_SLICES = tuple(
    slice(int(np.searchsorted(DIAGONAL, d, side="left")), int(np.searchsorted(DIAGONAL, d, side="right")))
    for d in range(DIAGONALS)
)
"""Channels of each diagonal."""

MAGNITUDE_LIMIT = 4095
"""Magnitudes are cut here before they are summed."""

Magnitudes = NDArray[np.int32]


def _log_table() -> NDArray[np.uint8]:
    """``round(8 * log2(1 + x))`` for x below 65536, by integers: the largest k with 2**(k - 1/2) <= (1 + x)**8."""
    table = np.empty(1 << 16, dtype=np.uint8)
    k = 0
    for x in range(1 << 16):
        power = (1 + x) ** 16
        while power >= 1 << (2 * k + 1):
            k += 1
        table[x] = min(k, LARGEST_LOG)
    return table


LOG = _log_table()
"""``round(8 log2(1 + x))``, shape (65536,)."""


def _neighbour(di: int, dj: int) -> NDArray[np.intp]:
    """Channel at frequency (i + di, j + dj), or `CHANNELS` (a plane of zeros) where there is none."""
    index = np.full((BLOCK, BLOCK), CHANNELS, dtype=np.intp)
    index[FREQUENCIES[:, 0], FREQUENCIES[:, 1]] = np.arange(CHANNELS)
    result = np.full(CHANNELS, CHANNELS, dtype=np.intp)
    for channel, (i, j) in enumerate(FREQUENCIES):
        if 0 <= i + di < BLOCK and 0 <= j + dj < BLOCK:
            result[channel] = index[i + di, j + dj]
    return result


_UP, _LEFT, _UP_LEFT, _UP2, _LEFT2 = (
    _neighbour(*shift) for shift in ((-1, 0), (0, -1), (-1, -1), (-2, 0), (0, -2))
)
_DOWN, _RIGHT = _neighbour(1, 0), _neighbour(0, 1)


@dataclass
class Surroundings:
    """Magnitudes of components, and sums of them, as far as they are known.

    All arrays have one more channel than there are, which stays zero: it stands for a missing neighbour.

    Parameters
    ----------
    count : int
        Components held side by side.
    rows, columns : int
        Latent positions of the strip.
    """

    count: int
    rows: int
    columns: int

    def __post_init__(self) -> None:
        shape = (CHANNELS + 1, self.count, self.rows, self.columns)
        self.magnitudes: Magnitudes = np.zeros(shape, dtype=np.int32)
        self.rings: Magnitudes = np.zeros(shape, dtype=np.int32)
        self.means: Magnitudes = np.zeros((CHANNELS + 1, self.count), dtype=np.int32)
        self.below: Magnitudes = np.zeros(
            (DIAGONALS + 1, self.count, self.rows, self.columns), dtype=np.int32
        )
        self.below_rings: Magnitudes = np.zeros_like(self.below)

    def learn(self, diagonal: int, values: NDArray[np.integer]) -> None:
        """Take in a coded diagonal.

        Parameters
        ----------
        diagonal : int
        values : ndarray, shape (channels of the diagonal, count, rows, columns)
            Quantised latents.
        """
        channels = DIAGONAL_SLICES[diagonal]
        magnitudes = np.minimum(np.abs(values), MAGNITUDE_LIMIT).astype(np.int32)
        self.magnitudes[channels] = magnitudes
        self.rings[channels] = ring_sum(magnitudes)
        positions = self.rows * self.columns
        total = magnitudes.sum(axis=(2, 3), dtype=np.int64)
        self.means[channels] = np.minimum((64 * total + positions // 2) // positions, 65535)
        self.below[diagonal + 1] = self.below[diagonal] + magnitudes.sum(axis=0)
        self.below_rings[diagonal + 1] = self.below_rings[diagonal] + self.rings[channels].sum(axis=0)

    def shifted(self) -> Surroundings:
        """Surroundings in which component ``k`` has moved to place ``k + 1`` and the first place is empty."""
        result = Surroundings(self.count, self.rows, self.columns)
        for name in ("magnitudes", "rings", "means", "below", "below_rings"):
            getattr(result, name)[:, 1:] = getattr(self, name)[:, :-1]
        return result


def ring_sum(planes: Magnitudes) -> Magnitudes:
    """Sum over the 8 neighbours in the last two axes; positions outside the strip count as zero."""
    vertical = planes.copy()
    vertical[..., 1:, :] += planes[..., :-1, :]
    vertical[..., :-1, :] += planes[..., 1:, :]
    box = vertical.copy()
    box[..., 1:] += vertical[..., :-1]
    box[..., :-1] += vertical[..., 1:]
    box -= planes
    return box


def features(diagonal: int, now: Surroundings, last: Surroundings, before: Surroundings) -> NDArray[np.uint8]:
    """Describe what is known around the latents of a diagonal.

    Parameters
    ----------
    diagonal : int
    now : Surroundings
        Of the component itself: lower diagonals are known.
    last, before : Surroundings
        Of the two components coded before it: everything is known; zeros where there is none.

    Returns
    -------
    ndarray of uint8, shape (FEATURES, channels of the diagonal, count, rows, columns)
    """
    channels = DIAGONAL_SLICES[diagonal]
    number = channels.stop - channels.start
    result = np.empty((FEATURES, number, now.count, now.rows, now.columns), dtype=np.uint8)
    up, left = _UP[channels], _LEFT[channels]
    recent = max(diagonal - 2, 0)
    here = now.magnitudes
    lines = (
        here[up],
        here[left],
        here[_UP_LEFT[channels]],
        here[_UP2[channels]] + here[_LEFT2[channels]],
        now.rings[up],
        now.rings[left],
        now.below[diagonal],
        now.below_rings[diagonal],
        now.below[diagonal] - now.below[recent],
        now.below_rings[diagonal] - now.below_rings[recent],
        last.magnitudes[channels],
        last.rings[channels],
        last.magnitudes[up]
        + last.magnitudes[left]
        + last.magnitudes[_DOWN[channels]]
        + last.magnitudes[_RIGHT[channels]],
        last.below[DIAGONALS],
        before.magnitudes[channels],
        before.rings[channels],
        (now.means[up] + now.means[left])[:, :, None, None],
        last.means[channels][:, :, None, None],
        (last.means[up] + last.means[left])[:, :, None, None],
    )
    for index, line in enumerate(lines):
        result[index] = LOG[np.minimum(line, 65535)]
    return result


@dataclass(frozen=True)
class ContextNetwork:
    """Integer network from features to classes.

    Parameters
    ----------
    hidden : ndarray, shape (groups, hidden units, FEATURES)
        Integer weights of the first layer, one matrix per group of diagonals.
    bias : ndarray, shape (64, hidden units)
        Integer bias of the first layer, one per channel.
    output : ndarray, shape (groups, hidden units)
        Integer weights of the second layer.
    offset : ndarray, shape (groups,)
        Integer bias of the second layer.
    shifts : tuple of int
        Right shifts after the first and the second layer.
    classes : int
        Number of classes.
    """

    hidden: NDArray[np.float32]
    bias: NDArray[np.float32]
    output: NDArray[np.float32]
    offset: NDArray[np.float32]
    shifts: tuple[int, int]
    classes: int

    def __post_init__(self) -> None:
        first = float(np.abs(self.hidden).sum(axis=2).max()) * LARGEST_LOG + float(np.abs(self.bias).max())
        second = float(np.abs(self.output).sum(axis=1).max()) * ACTIVATION_LIMIT + float(
            np.abs(self.offset).max()
        )
        if max(first, second) >= 1 << 24:
            raise ValueError(f"sums reach {max(first, second):.0f}: float32 is exact below 2**24 only")

    def classify(self, diagonal: int, described: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Class of each latent of a diagonal.

        Parameters
        ----------
        diagonal : int
        described : ndarray of uint8, shape (FEATURES, channels, ...)
            From `features`.

        Returns
        -------
        ndarray of uint8, shape (channels, ...)
        """
        group = int(GROUPS[diagonal])
        channels = DIAGONAL_SLICES[diagonal]
        number = channels.stop - channels.start
        flat = described.reshape(FEATURES, number, -1).astype(np.float32)
        units = np.tensordot(self.hidden[group], flat, axes=1)
        units += self.bias[channels].T[:, :, None]
        units *= np.float32(2.0 ** -self.shifts[0])
        np.floor(units, out=units)
        np.clip(units, 0.0, ACTIVATION_LIMIT, out=units)
        level = np.tensordot(self.output[group], units, axes=1)
        level += self.offset[group]
        level *= np.float32(2.0 ** -self.shifts[1])
        np.floor(level, out=level)
        return np.clip(level, 0, self.classes - 1).astype(np.uint8).reshape(described.shape[1:])


ACTIVATION_LIMIT = 1023.0
"""Hidden units are cut here."""
