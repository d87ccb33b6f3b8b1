"""The three-level wavelet transform of CCSDS 122.0-B-2, in floating point and in integers (section 3).

Both are 9/7 transforms. That of integers predicts odd samples from the four even ones around them and
updates the even ones by two of those, rounded each time, so that it is reversible. Subbands lie in
one array as they are drawn: the low-pass one of the last level in the upper left corner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 3

BLOCK = 1 << LEVELS
"""Lines and samples of an image are padded to multiples of this."""

_LOW = (0.852698679009, 0.377402855613, -0.110624404418, -0.023849465020, 0.037828455507)
_HIGH = (-0.788485616406, 0.418092273222, 0.040689417609, -0.064538882629)
"""Analysis filters from their centre outwards (table 3-1); both are symmetric, and nearly orthonormal."""

_LOW_BACK, _HIGH_BACK = (
    tuple(-tap if index % 2 == 0 else tap for index, tap in enumerate(taps)) for taps in (_HIGH, _LOW)
)
"""Synthesis filters, by exchange: low-pass from the high-pass one of the analysis, and the other way."""

_Step = Callable[[NDArray[Any]], NDArray[Any]]


def forward(image: NDArray[np.integer], *, reversible: bool) -> NDArray[np.int64]:
    """Transform an image.

    Parameters
    ----------
    image : ndarray of integers, shape (lines, samples)
        Multiples of 8 of at least 16.
    reversible : bool
        Whether the transform of integers is used, which `inverse` undoes exactly.

    Returns
    -------
    ndarray of int64, shape (lines, samples)
        Coefficients, those of the transform in floating point rounded to the nearest integer.
    """
    step: _Step = _analyse_integers if reversible else _analyse
    plane = image.astype(np.int64 if reversible else np.float64)
    lines, samples = plane.shape
    for _ in range(LEVELS):
        part = plane[:lines, :samples]
        plane[:lines, :samples] = step(step(part).T).T
        lines, samples = lines // 2, samples // 2
    return np.rint(plane).astype(np.int64)


def inverse(coefficients: NDArray[Any], *, reversible: bool) -> NDArray[np.float64]:
    """Undo `forward`.

    Parameters
    ----------
    coefficients : ndarray, shape (lines, samples)
        As `forward` returns them, or near them.
    reversible : bool
        As for `forward`; coefficients are then rounded to integers first.

    Returns
    -------
    ndarray of float64, shape (lines, samples)
        The image, not rounded and not clipped.
    """
    step: _Step = _synthesise_integers if reversible else _synthesise
    plane = np.rint(coefficients).astype(np.int64) if reversible else coefficients.astype(np.float64)
    for level in reversed(range(LEVELS)):
        lines, samples = (extent >> level for extent in plane.shape)
        part = plane[:lines, :samples]
        plane[:lines, :samples] = step(step(part.T).T)
    return plane.astype(np.float64)


def _extended(rows: NDArray[Any], margin: int) -> NDArray[Any]:
    """Rows mirrored at both ends, whose own samples are not repeated."""
    return np.pad(rows, ((0, 0), (margin, margin)), mode="reflect")


def _filtered(rows: NDArray[Any], taps: tuple[float, ...], first: int, count: int) -> NDArray[Any]:
    """Every second output of a symmetric filter, the first one centred at column `first`."""
    centre = rows[:, first : first + 2 * count : 2]
    result = taps[0] * centre
    for offset, tap in enumerate(taps[1:], start=1):
        left = rows[:, first - offset : first - offset + 2 * count : 2]
        right = rows[:, first + offset : first + offset + 2 * count : 2]
        result += tap * (left + right)
    return result


def _analyse(rows: NDArray[Any]) -> NDArray[Any]:
    half = rows.shape[1] // 2
    wide = _extended(rows, 4)
    return np.concatenate([_filtered(wide, _LOW, 4, half), _filtered(wide, _HIGH, 5, half)], axis=1)


def _synthesise(rows: NDArray[Any]) -> NDArray[Any]:
    half = rows.shape[1] // 2
    low, high = np.zeros_like(rows), np.zeros_like(rows)
    low[:, ::2], high[:, 1::2] = rows[:, :half], rows[:, half:]
    low, high = _extended(low, 4), _extended(high, 4)
    result = np.empty_like(rows)
    for parity in range(2):
        result[:, parity::2] = _filtered(low, _LOW_BACK, 4 + parity, half) + _filtered(
            high, _HIGH_BACK, 4 + parity, half
        )
    return result


def _prediction(even: NDArray[Any]) -> NDArray[Any]:
    """What odd samples are predicted to be, from the two even ones on each side."""
    # Mirrored at the first sample, which is even, and at the last one, which is odd.
    wide = np.concatenate([even[:, 1:2], even, even[:, -1:], even[:, -2:-1]], axis=1)
    near, far = wide[:, 1:-2] + wide[:, 2:-1], wide[:, :-3] + wide[:, 3:]
    # 9/16 of the near ones less 1/16 of the far ones plus 1/2, rounded down.
    predicted: NDArray[Any] = (9 * near - far + 8) >> 4
    return predicted


def _update(high: NDArray[Any]) -> NDArray[Any]:
    """What is taken from even samples: a quarter of the two coefficients beside, rounded."""
    before = np.concatenate([high[:, :1], high[:, :-1]], axis=1)
    update: NDArray[Any] = (2 - before - high) >> 2
    return update


def _analyse_integers(rows: NDArray[Any]) -> NDArray[Any]:
    even = rows[:, ::2]
    high = rows[:, 1::2] - _prediction(even)
    return np.concatenate([even - _update(high), high], axis=1)


def _synthesise_integers(rows: NDArray[Any]) -> NDArray[Any]:
    half = rows.shape[1] // 2
    high = rows[:, half:]
    even = rows[:, :half] + _update(high)
    result = np.empty_like(rows)
    result[:, ::2], result[:, 1::2] = even, high + _prediction(even)
    return result
