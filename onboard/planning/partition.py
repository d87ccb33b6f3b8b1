"""The spectral partition: intervals of highly correlated bands, given or found by dynamic programming."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.payloads.klt_code import MOST_ENTRIES
from bandfold.common.errors import SettingsError
from bandfold.common.scene import SceneSource

from .block_sample import covariance, sample_blocks

AVIRIS_2022 = (40, 96, 155, 165, 224)
"""Ends of the intervals that Mijares i Verdu et al. give for AVIRIS (bands 1-40, 41-96, ...)."""

BANDS_PER_INTERVAL = 45
"""Bands that an interval has on average where no number of intervals is given."""

LONGEST_INTERVAL = 128
"""Bands of an interval at most: the work per band grows with it and the basis too."""


def default_intervals(bands: int) -> int:
    """Number of intervals for a scene of `bands` bands: 5 for AVIRIS."""
    return max(1, round(bands / BANDS_PER_INTERVAL))


def find_partition(source: SceneSource, intervals: int | None = None) -> tuple[int, ...]:
    """Find the spectral partition of a scene of integer samples.

    Parameters
    ----------
    source : SceneSource
        8 or 16 bit integer samples (wrap a scaled scene in `ScaledSource`).
    intervals : int, optional
        Number of intervals; one per 45 bands if not given.

    Returns
    -------
    tuple of int
        End of each interval (exclusive, 0-based), the last one being the number of bands.

    Raises
    ------
    SettingsError
        If more intervals than bands, or fewer than one, are asked for.
    """
    return partition_bands(covariance(sample_blocks(source).blocks)[1], intervals)


def partition_bands(covariances: NDArray[np.float64], intervals: int | None = None) -> tuple[int, ...]:
    """Cut the spectrum so that bands of an interval correlate.

    Minimises the sum over intervals of (sum of ``1 - rho**2`` over the pairs of the interval) / (its length).

    Parameters
    ----------
    covariances : ndarray, shape (bands, bands)
        Covariance matrix. A constant band correlates with every other: it may fall into any interval.
    intervals : int, optional
        Number of intervals; one per 45 bands if not given.

    Returns
    -------
    tuple of int
        End of each interval, exclusive.

    Raises
    ------
    SettingsError
        If more intervals than bands, or fewer than one, are asked for.
    """
    bands = covariances.shape[0]
    intervals = default_intervals(bands) if intervals is None else intervals
    if not 1 <= intervals <= bands:
        raise SettingsError(f"{intervals} intervals asked for on {bands} bands: give 1 to {bands}")
    longest = max(LONGEST_INTERVAL, -(-bands // intervals))
    cost = _interval_costs(covariances, longest)
    best = np.full(bands + 1, np.inf)
    best[0] = 0.0
    back = np.zeros((intervals, bands + 1), dtype=np.intp)
    ends_of_all = np.arange(bands + 1)
    for number in range(intervals):
        # Of each end all starts, from the farthest on; those before the first band cost more than any.
        before = np.lib.stride_tricks.sliding_window_view(
            np.concatenate([np.full(longest, np.inf), best]), longest
        )
        total = before[: bands + 1] + cost[:, ::-1]
        chosen = np.argmin(total, axis=1)
        best, back[number] = total[ends_of_all, chosen], ends_of_all - longest + chosen
    ends = [bands]
    for number in range(intervals - 1, 0, -1):
        ends.append(int(back[number, ends[-1]]))
    return tuple(reversed(ends))


def partition_ends(partition: str | Sequence[int]) -> tuple[int, ...] | None:
    """The ends that a partition stands for.

    Parameters
    ----------
    partition : "auto", "aviris-2022" or sequence of int
        A name, or the end of each interval, exclusive.

    Returns
    -------
    tuple of int or None
        End of each interval, exclusive; None where they are to be found in the scene.

    Raises
    ------
    SettingsError
        If the name is unknown.
    """
    if not isinstance(partition, str):
        return tuple(int(end) for end in partition)
    if partition == "auto":
        return None
    if partition == "aviris-2022":
        return AVIRIS_2022
    raise SettingsError(f"partition {partition!r} is unknown: use auto, aviris-2022 or the ends of intervals")


def check_partition(ends: Sequence[int], bands: int) -> tuple[int, ...]:
    """Check the ends of a given partition.

    Parameters
    ----------
    ends : sequence of int
        End of each interval, exclusive.
    bands : int
        Bands of the scene.

    Returns
    -------
    tuple of int

    Raises
    ------
    SettingsError
        If the ends do not rise strictly from at least 1 to the number of bands, or an interval is too long.
    """
    ends = tuple(int(end) for end in ends)
    rising = all(low < high for low, high in zip((0, *ends), ends, strict=False))
    if not ends or not rising or ends[-1] != bands:
        raise SettingsError(
            f"partition {ends} does not rise to the {bands} bands of the scene: its last end must be {bands}"
        )
    if not fits(ends):
        raise SettingsError(
            f"partition has intervals of up to {max(np.diff((0, *ends)))} bands: "
            f"their bases could have more than {MOST_ENTRIES} entries; cut it finer"
        )
    return ends


def fits(ends: Sequence[int]) -> bool:
    """Whether the bases of a partition have no more entries than a stream may have.

    Parameters
    ----------
    ends : sequence of int
        End of each interval, exclusive.

    Returns
    -------
    bool
    """
    return sum((high - low) ** 2 for low, high in zip((0, *ends), ends, strict=False)) <= MOST_ENTRIES


def _interval_costs(covariances: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """Cost of every interval of up to `longest` bands, by its end and its length less one.

    Parameters
    ----------
    covariances : ndarray, shape (bands, bands)
        Covariance matrix.
    longest : int
        Bands of an interval at most.

    Returns
    -------
    ndarray, shape (bands + 1, longest)
        Infinite where an interval would start before the first band.
    """
    bands = covariances.shape[0]
    variance = np.diagonal(covariances)
    live = variance > 0
    scale = np.where(live, variance, 1.0)
    # Losses summed over both axes. Row by row: with thousands of bands a matrix takes hundreds of megabytes.
    summed = np.zeros((bands + 1, bands + 1))
    column_sums = np.zeros(bands)
    for row in range(bands):
        loss = 1.0 - np.minimum(covariances[row] / scale[row] * (covariances[row] / scale), 1.0)
        column_sums += np.where(live[row] & live, loss, 0.0)
        np.cumsum(column_sums, out=summed[row + 1, 1:])
    costs = np.full((bands + 1, longest), np.inf)
    for length in range(1, min(longest, bands) + 1):
        start = np.arange(bands + 1 - length)
        end = start + length
        square = summed[end, end] - summed[start, end] - summed[end, start] + summed[start, start]
        costs[length:, length - 1] = square / 2.0 / length
    return costs
