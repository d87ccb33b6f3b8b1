"""Post-training quantisation: a stack of convolutions in 8-bit integers, and what that costs each layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.calibration.activations import Observer, choose_range
from bandfold.onboard.networks.conv_stack import HIGH, LOW, ConvLayer, ConvStack
from bandfold.onboard.networks.integer_network import to_integers
from bandfold.onboard.networks.numpy_network import NumpyNetwork

from .float_stack import FloatLayer, FloatStack

ACTIVATION_BITS, WEIGHT_BITS = 8, 16
"""Bits of the mantissas of scales. The product of two of them is exact in float32, so it does not matter in
which precision an engine multiplies them."""


REPORTED = 8
"""Batches of the calibration set that reports are made of: the engine that shows every layer is slow."""


@dataclass(frozen=True)
class LayerReport:
    """What quantisation did to a tensor on the calibration set.

    Parameters
    ----------
    name : str
        ``input``, or ``layer`` and its number.
    low, high : float
        Range that integers cover.
    seen_low, seen_high : float
        Range of the values before quantisation.
    clipped : float
        Share of the values outside of the range that integers cover.
    snr : float
        Energy of the values over that of the error, in dB; all earlier layers quantised as well. Of a last
        layer that rounds: over the error of the rounded values, most of which are 0 at low rates.
    """

    name: str
    low: float
    high: float
    seen_low: float
    seen_high: float
    clipped: float
    snr: float

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values that JSON can hold."""
        return {
            key: value if not isinstance(value, float) or math.isfinite(value) else None
            for key, value in asdict(self).items()
        }


def quantise(
    network: FloatStack, batches: Sequence[NDArray[np.float32]], method: str = "headroom"
) -> tuple[ConvStack, list[LayerReport]]:
    """Quantise a network with the ranges that a calibration set has.

    Parameters
    ----------
    network : FloatStack
        If it rounds its output, integers of the output are those: its unit is 1.
    batches : sequence of ndarray of float32, shape (n, inputs, lines, samples)
        The calibration set.
    method : str
        Key of `bandfold.calibration.activations.METHODS`.

    Returns
    -------
    stack : ConvStack
        The network in 8-bit integers.
    report : list of LayerReport
        Of the input and of each layer.
    """
    observers = [Observer() for _ in range(len(network.layers) + 1)]
    for batch in batches:
        for observer, values in zip(observers, (batch, *network.activations(batch)), strict=True):
            observer.add(values)
    units = [affine(*choose_range(observer, method)) for observer in observers]
    if network.rounds:
        units[-1] = (np.float32(1.0), 0)
    layers = []
    for layer, (input_scale, _), (scale, zero) in zip(network.layers, units, units[1:], strict=False):
        # What is never negative begins at the lowest integer: then clipping is the ReLU.
        layers.append(_quantised(layer, input_scale, scale, LOW if layer.relu else zero))
    stack = ConvStack(*units[0], tuple(layers))
    return stack, _report(network, stack, observers, batches[:REPORTED])


def affine(low: float, high: float) -> tuple[np.float32, int]:
    """Unit and zero of 8-bit integers that cover a range.

    Parameters
    ----------
    low, high : float
        ``low <= 0 <= high``, not equal.

    Returns
    -------
    scale : float32
        Value of one unit; its mantissa has `ACTIVATION_BITS` bits.
    zero : int
        The integer that stands for 0, -128 to 127.
    """
    scale = round_up((high - low) / (HIGH - LOW), ACTIVATION_BITS)
    return scale, int(np.clip(round(LOW - low / float(scale)), LOW, HIGH))


def round_up(value: float, bits: int) -> np.float32:
    """Round a number up to a mantissa of few bits.

    Parameters
    ----------
    value : float
        Positive.
    bits : int
        Of the mantissa.

    Returns
    -------
    float32
        The least number of that kind that is not below it.
    """
    mantissa, exponent = math.frexp(value)
    return np.float32(math.ldexp(math.ceil(mantissa * 2**bits) / 2**bits, exponent))


def _quantised(layer: FloatLayer, input_scale: np.float32, scale: np.float32, zero: int) -> ConvLayer:
    largest = np.abs(layer.weights).max(axis=(1, 2, 3))
    # A channel without weights still has a bias, whose unit this is.
    scales = np.array(
        [round_up(float(value) / HIGH, WEIGHT_BITS) if value > 0 else scale for value in largest], np.float32
    )
    weights = np.rint(layer.weights / scales[:, None, None, None]).astype(np.int8)
    unit = scales.astype(np.float64) * float(input_scale)
    bias = np.clip(np.rint(layer.bias / unit), -(1 << 30), 1 << 30).astype(np.int32)
    return ConvLayer(weights, scales, bias, layer.stride, scale, zero)


def _report(
    network: FloatStack,
    stack: ConvStack,
    observers: Sequence[Observer],
    batches: Sequence[NDArray[np.float32]],
) -> list[LayerReport]:
    scales = (*stack.scales, stack.layers[-1].scale)
    zeros = (*stack.zeros, stack.layers[-1].zero)
    ranges = [
        ((LOW - zero) * float(scale), (HIGH - zero) * float(scale))
        for scale, zero in zip(scales, zeros, strict=True)
    ]
    energy, error = np.zeros(len(scales)), np.zeros(len(scales))
    clipped, counted = np.zeros(len(scales)), np.zeros(len(scales))
    golden = NumpyNetwork(stack)
    for batch in batches:
        integers = to_integers(batch, stack.scale, stack.zero)
        exact = (batch, *network.activations(batch))
        for number, (found, values) in enumerate(
            zip((integers, *golden.layers(integers)), exact, strict=True)
        ):
            wanted = np.rint(values) if network.rounds and number == len(exact) - 1 else values
            low, high = ranges[number]
            half = float(scales[number]) / 2
            clipped[number] += ((values < low - half) | (values > high + half)).sum()
            counted[number] += values.size
            energy[number] += (wanted.astype(np.float64) ** 2).sum()
            restored = (found.astype(np.float64) - zeros[number]) * float(scales[number])
            error[number] += ((restored - wanted) ** 2).sum()
    names = ["input", *(f"layer {number}" for number in range(1, len(scales)))]
    return [
        LayerReport(
            name,
            *ranges[number],
            observers[number].low,
            observers[number].high,
            float(clipped[number] / counted[number]),
            10 * math.log10(energy[number] / error[number]) if error[number] and energy[number] else math.inf,
        )
        for number, name in enumerate(names)
    ]
