"""Differences of neighbouring numbers in Rice codes (section 4.3.2 of CCSDS 122.0-B-2).

DC coefficients and the bit depths of blocks are coded so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bits import BitReader, Bits, EndOfBitsError, to_bits

GAGGLE = 16
"""Blocks that share a code."""


def code_differences(values: NDArray[np.int64], width: int, *, signed: bool) -> Bits:
    """Code numbers by their differences.

    Parameters
    ----------
    values : ndarray of int64, shape (count,)
        At least one.
    width : int
        Bits that hold each of them, at least 2.
    signed : bool
        Whether in two's complement.

    Returns
    -------
    ndarray of uint8
        Bits.
    """
    low, high = _limits(width, signed)
    mapped = np.zeros(len(values), np.int64)
    before, step = values[:-1], np.diff(values)
    room = np.minimum(before - low, high - before)
    inside = np.where(step >= 0, 2 * step, -2 * step - 1)
    mapped[1:] = np.where(np.abs(step) <= room, inside, room + np.abs(step))
    parts = []
    for start in range(0, len(values), GAGGLE):
        gaggle = mapped[max(start, 1) : start + GAGGLE]
        option = _best_option(gaggle, width)
        parts.append(to_bits(np.array([option]), np.array([_option_bits(width)])))
        if start == 0:
            parts.append(to_bits(values[:1], np.array([width])))
        if option == _uncoded(width):
            parts.append(to_bits(gaggle, np.full(len(gaggle), width)))
        else:
            zeros = gaggle >> option
            parts.append(_unary(zeros))
            parts.append(to_bits(gaggle, np.full(len(gaggle), option)))
    return np.concatenate(parts)


def read_differences(reader: BitReader, count: int, width: int, *, signed: bool) -> NDArray[np.int64]:
    """Read what `code_differences` wrote, as far as it goes.

    Parameters
    ----------
    reader : BitReader
        Stands at the first bit.
    count : int
        Numbers there should be.
    width, signed
        As for `code_differences`.

    Returns
    -------
    ndarray of int64, shape (at most count,)
        Fewer than `count` if the bits end before.
    """
    low, high = _limits(width, signed)
    values: list[int] = []
    try:
        for start in range(0, count, GAGGLE):
            option = reader.read(_option_bits(width))
            if start == 0:
                first = reader.read(width)
                values.append(first - (1 << width) if first > high else first)
            inside = range(min(GAGGLE, count - start) - (start == 0))
            if option == _uncoded(width):
                mapped = [reader.read(width) for _ in inside]
            else:
                zeros = [reader.read_zeros() for _ in inside]
                mapped = [(one << option) + reader.read(option) for one in zeros]
            for one in mapped:
                values.append(_next(values[-1], one, low, high))
    except EndOfBitsError:
        pass
    return np.array(values, np.int64)


def _next(before: int, mapped: int, low: int, high: int) -> int:
    """The number after another one."""
    room = min(before - low, high - before)
    if mapped <= 2 * room:
        return before + (mapped // 2 if mapped % 2 == 0 else -(mapped + 1) // 2)
    # Beyond the nearer limit there is nothing: the sign is known.
    step = mapped - room
    return min(before + step, high) if before - low < high - before else max(before - step, low)


def _limits(width: int, signed: bool) -> tuple[int, int]:
    return (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)


def _option_bits(width: int) -> int:
    """Bits that name a code: the logarithm of the width, rounded up."""
    return (width - 1).bit_length()


def _uncoded(width: int) -> int:
    return (1 << _option_bits(width)) - 1


def _best_option(gaggle: NDArray[np.int64], width: int) -> int:
    """The code that takes the fewest bits."""
    costs = [
        int((gaggle >> option).sum()) + (1 + option) * len(gaggle) for option in range(max(width - 1, 1))
    ]
    best = int(np.argmin(costs))
    return best if costs[best] < width * len(gaggle) else _uncoded(width)


def _unary(zeros: NDArray[np.int64]) -> Bits:
    """Runs of zeros, each with a one after it."""
    bits = np.zeros(int(zeros.sum()) + len(zeros), np.uint8)
    bits[np.cumsum(zeros + 1) - 1] = 1
    return bits
