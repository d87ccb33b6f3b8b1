"""From floats to the integers that are shipped, exact in the decoder's arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts import LARGEST_LOG
from bandfold.bitstream.network import ACTIVATION_LIMIT
from bandfold.bitstream.rans import PRECISION
from bandfold.bitstream.tokens import TOKENS

from .floatnetwork import FEATURE_SCALE, FloatNetwork

HIDDEN_UNIT = 48.0
"""Steps of a hidden unit's integer for each unit of its float."""

FIRST_SHIFT, SECOND_SHIFT = 10, 12
"""Fractional bits of the layers' weights, fewer where sums would leave what float32 holds exactly."""

EXACT_LIMIT = float(1 << 24)
"""Integers below this are exact in float32."""

TAIL_FALL = 0.6
"""Probability of each token over that of the one before, beyond those that training tells apart."""


def integer_network(network: FloatNetwork) -> dict[str, NDArray[np.int32]]:
    """Round a network to the integers of `bandfold.bitstream.contexts.ContextNetwork`.

    Parameters
    ----------
    network : FloatNetwork

    Returns
    -------
    dict of str to ndarray of int32
        ``hidden``, ``bias``, ``output``, ``offset`` and ``shifts``. The class is the level of the float
        network rounded to the nearest integer, up to what rounding the weights changes.
    """
    hidden, bias, first = _fixed_point(
        network.hidden * (FEATURE_SCALE * HIDDEN_UNIT), network.bias * HIDDEN_UNIT, FIRST_SHIFT, LARGEST_LOG
    )
    output, offset, second = _fixed_point(
        network.output / HIDDEN_UNIT, network.offset + 0.5, SECOND_SHIFT, ACTIVATION_LIMIT
    )
    return {
        "hidden": hidden.transpose(0, 2, 1).astype(np.int32),
        "bias": bias.astype(np.int32),
        "output": output.astype(np.int32),
        "offset": offset.astype(np.int32),
        "shifts": np.array([first, second], dtype=np.int32),
    }


def _fixed_point(
    weights: NDArray[np.float64], bias: NDArray[np.float64], shift: int, largest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Round a layer with as many fractional bits as keep its sums exact; axis 1 of the weights is summed."""
    while True:
        rounded, offset = np.rint(np.ldexp(weights, shift)), np.rint(np.ldexp(bias, shift))
        reach = float(np.abs(rounded).sum(axis=1).max()) * largest + float(np.abs(offset).max())
        if reach < EXACT_LIMIT:
            return rounded, offset, shift
        shift -= 1


def integer_frequencies(probabilities: NDArray[np.float64]) -> NDArray[np.int32]:
    """Round probabilities to frequencies that an entropy coder can use.

    Parameters
    ----------
    probabilities : ndarray, shape (classes, tokens)
        Not negative, in any unit.

    Returns
    -------
    ndarray of int32, shape (classes, tokens)
        Each at least 1, each row summing to 2**24.
    """
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    spare = (1 << PRECISION) - shares.shape[1]
    frequencies = np.floor(shares * spare).astype(np.int64) + 1
    rows = np.arange(len(frequencies))
    frequencies[rows, frequencies.argmax(axis=1)] += (1 << PRECISION) - frequencies.sum(axis=1)
    result: NDArray[np.int32] = frequencies.astype(np.int32)
    return result


def extended(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Append the tokens that training does not tell apart, each less likely than the one before.

    Parameters
    ----------
    probabilities : ndarray, shape (classes, trained tokens)

    Returns
    -------
    ndarray, shape (classes, TOKENS)
    """
    fall = TAIL_FALL ** np.arange(1, TOKENS - probabilities.shape[1] + 1)
    return np.concatenate([probabilities, probabilities[:, -1:] * fall], axis=1)
