"""From floats to the integers that are shipped, exact in the decoder's arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.context_network import BYTE_LIMIT
from bandfold.bitstream.entropy.ans import PRECISION, TOKENS

from .float_network import CHANNEL_GROUPS, FEATURE_SCALE, FloatNetwork, members_of_groups

SHIFT = 7
"""Fractional bits of the sums of hidden layers."""

LARGEST_SHIFT = 12
"""Fractional bits of the sums of the last layer, at most."""

REACHED = 99.99
"""Percentile of a unit that becomes the largest of its integers."""

TAIL_FALL = 0.6
"""Probability of each token over that of the one before, beyond those that training tells apart."""


def integer_network(
    network: FloatNetwork, features: NDArray[np.uint8], channels: NDArray[np.uint8]
) -> dict[str, NDArray[np.int32]]:
    """Round a network to the integers of `bandfold.bitstream.contexts.context_network.ContextNetwork`.

    Weights and units are rounded to bytes. The unit of the integers of each hidden unit is chosen so that its
    range over the examples is used, and its weights stay within theirs.

    Parameters
    ----------
    network : FloatNetwork
        As it was trained.
    features : ndarray of uint8, shape (n, features)
        Of examples.
    channels : ndarray of uint8, shape (n,)
        Frequency of each example, 0 to 63.

    Returns
    -------
    dict of str to ndarray of int32
        ``hidden``, ``bias``, ``middle``, ``middle_bias``, ``output``, ``offset`` and ``shifts``. The class is
        the level of the float network rounded to the nearest integer, up to what rounding weights and units
        changes.
    """
    first, second = (np.full(part.shape, 1e-3) for part in (network.hidden[:, 0], network.middle_bias))
    for group, members in members_of_groups(channels):
        if len(members):
            found = network.units(features[members], channels[members], group)
            for reach, units in zip((first, second), found, strict=True):
                reach[group] = np.maximum(np.percentile(units, REACHED, axis=0), reach[group])
    hidden, steps = _hidden_layer(network.hidden * FEATURE_SCALE, first)
    bias = network.bias * steps[CHANNEL_GROUPS] + 0.5
    middle, others = _hidden_layer(network.middle / steps[:, :, None], second)
    output = network.output / others
    shift = min(int(np.floor(np.log2(BYTE_LIMIT / max(float(np.abs(output).max()), 1e-9)))), LARGEST_SHIFT)
    return {
        "hidden": hidden,
        "bias": _rounded(bias, SHIFT),
        "middle": middle,
        "middle_bias": _rounded(network.middle_bias * others + 0.5, SHIFT),
        "output": _rounded(output, shift),
        "offset": _rounded(network.offset + 0.5, shift),
        "shifts": np.array([SHIFT, SHIFT, shift], dtype=np.int32),
    }


def _hidden_layer(
    weights: NDArray[np.float64], reach: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Integer weights (groups, units, inputs), and steps of a unit's integer for each unit of its float.

    Weights are those of shape (groups, inputs, units); units reach `reach`, of shape (groups, units).
    """
    largest = np.maximum(np.abs(weights).max(axis=1), 1e-9)
    steps = np.minimum(BYTE_LIMIT / reach, BYTE_LIMIT / np.ldexp(largest, SHIFT))
    return _rounded(weights * steps[:, None], SHIFT).transpose(0, 2, 1), steps


def _rounded(values: NDArray[np.float64], shift: int) -> NDArray[np.int32]:
    return np.rint(np.ldexp(values, shift)).astype(np.int32)


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
        Positive; each row sums to 1.

    Returns
    -------
    ndarray, shape (classes, TOKENS)
        Rows sum to more than 1; `integer_frequencies` takes them so.
    """
    fall = TAIL_FALL ** np.arange(1, TOKENS - probabilities.shape[1] + 1)
    return np.concatenate([probabilities, probabilities[:, -1:] * fall], axis=1)
