"""The restoration network of a package without ONNX Runtime: from what is known of latents to corrections.

Features, weights and units are whole numbers of 16 bits, and their sums are exact: corrections have the same
bits with and without compiled kernels, on every processor. Two of them share a word, as processors multiply
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import Structure, compiled, structure
from bandfold.common.scene import CHANNELS

from .block_turns import FILLED

Float = NDArray[np.float32]
Words = NDArray[np.int32]

NEGLIGIBLE = 0.08
"""Steps: a latent of level 0 is not corrected where the magnitudes of its candidates add up to less."""

LAYERS = ("first", "second", "last")
"""Names of the layers."""

MOST_UNITS = 128
"""Units of a layer at most."""

INPUT_ONE = 1024
"""What a feature of 1 is as a whole number."""

_UNIT_ONE = 256
"""What 1 is in hidden units."""

_HIGHEST = (1 << 14) - 1
"""Where units are cut, and features above and below."""

_FINEST = 14
"""Bits behind the point of a weight, at most."""

_TOGETHER = 4
_LAST_FEATURES = 13
"""Features behind those of the candidates, and the number of averages."""

_ORDER = (0, 1, 2, 3, 4, 5, 6, 10, 12, 13, 7, 8, 9, 11)
"""These as words hold them: of magnitude, place, nothing, and of context and block."""

_MAGNITUDES = 1 << 12


def whole_features(features: NDArray[np.floating]) -> Words:
    """Features as the network is told them.

    Parameters
    ----------
    features : ndarray of float, any shape
        See `bandfold.ground.restoration.latent_features`.

    Returns
    -------
    ndarray of int32, same shape
        In units of ``1 / INPUT_ONE``.
    """
    scaled = np.clip(features * np.float32(INPUT_ONE), -_HIGHEST, _HIGHEST)
    return np.asarray(np.rint(scaled), dtype=np.int32)


def _paired(low: Words, high: Words | int) -> Words:
    """Words of two numbers of 16 bits."""
    return np.asarray((low & 0xFFFF) | (high << 16), dtype=np.int32)


def _halves(words: Words) -> Words:
    """Both numbers of words, side by side: the last axis is twice as long."""
    halves = np.stack([words << 16 >> 16, words >> 16], axis=-1)
    return halves.reshape(*words.shape[:-1], 2 * words.shape[-1])


@structure(
    "bf_gain_network(first: int32[units, kernels + 7], first_bias: int32[units],"
    " by_weight: int32[units, kernels], second: int32[more_units, units // 2],"
    " second_bias: int32[more_units], last: int32[outputs, more_units // 2], last_bias: int32[outputs],"
    " shifts: int32[2], gain_unit: float32, kernels: int64, units: int64, more_units: int64, outputs: int64)"
)
class GainNetwork(Structure):
    """A network of two hidden layers of rectified linear units, from features to gains.

    Parameters
    ----------
    layers : sequence of (ndarray of float32, ndarray of float32)
        Weights of shape (outputs, inputs) and biases of shape (outputs,) of three layers.
    kernels : int
        Averages that it weighs: it gives a gain for each, and one for the sign.

    Raises
    ------
    ValueError
        If the layers do not follow one another, or are larger than compiled kernels expect.
    """

    kernels: int
    gain_unit: float

    def __init__(self, layers: Sequence[tuple[Float, Float]], kernels: int) -> None:
        ends = [3 * kernels + _LAST_FEATURES, *(len(bias) for _, bias in layers)]
        shapes = [(outputs, inputs) for inputs, outputs in pairwise(ends)]
        if [weights.shape for weights, _ in layers] != shapes or len(layers) != len(LAYERS):
            raise ValueError("layers do not follow one another")
        if ends[-1] != kernels + 1 or max(ends[1:]) > MOST_UNITS:
            raise ValueError(f"layers of {ends[1:]} units")
        self.layers = tuple(layers)
        filled = [ends[0], *(-(-units // _TOGETHER) * _TOGETHER for units in ends[1:])]
        whole, finest = [], []
        for number, ((weights, bias), shape) in enumerate(zip(layers, pairwise(filled), strict=True)):
            values = np.zeros(shape[::-1])
            values[: len(bias), : weights.shape[1]] = weights
            offsets = np.zeros(shape[1])
            offsets[: len(bias)] = bias
            one = INPUT_ONE if number == 0 else _UNIT_ONE
            # What is cut off of the units that follow, in bits; none of gains.
            cut = one.bit_length() - _UNIT_ONE.bit_length() if number < len(LAYERS) - 1 else -_FINEST
            found = _whole_layer(values, offsets * one, cut)
            whole.append(found[:2])
            finest.append(found[2] + max(cut, 0))
        (first, first_bias), (second, second_bias), (last, last_bias) = whole
        candidates = _paired(first[:, :kernels], first[:, kernels : 2 * kernels])
        rest = np.pad(first[:, 3 * kernels :], ((0, 0), (0, 1)))[:, _ORDER]
        super().__init__(
            first=np.concatenate([candidates, _pairs(rest)], axis=1),
            first_bias=first_bias,
            by_weight=np.ascontiguousarray(first[:, 2 * kernels : 3 * kernels]),
            second=_pairs(second),
            second_bias=second_bias,
            last=_pairs(last),
            last_bias=last_bias,
            shifts=np.array(finest[:2], dtype=np.int32),
            gain_unit=1.0 / (_UNIT_ONE << finest[2]),
            kernels=kernels,
        )

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of a package, from which `from_arrays` reads them again.

        Returns
        -------
        dict of str to ndarray
            By the names of the package format.
        """
        pairs = zip(LAYERS, self.layers, strict=True)
        return {
            name: array
            for layer, (weights, bias) in pairs
            for name, array in ((f"{layer}_weights", weights), (f"{layer}_bias", bias))
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[Any]], kernels: int) -> GainNetwork | None:
        """Find the network among the arrays of a package.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            Of the package.
        kernels : int
            Averages that it weighs.

        Returns
        -------
        GainNetwork or None
            None where the package was made without these arrays.

        Raises
        ------
        KeyError, ValueError
            If some are missing, or they are no such network.
        """
        if f"{LAYERS[0]}_weights" not in arrays:
            return None
        layers = [(arrays[f"{name}_weights"], arrays[f"{name}_bias"]) for name in LAYERS]
        for weights, bias in layers:
            if not all(part.dtype.kind == "f" and np.isfinite(part).all() for part in (weights, bias)):
                raise ValueError("weights are no finite floats")
            if weights.ndim != 2 or bias.ndim != 1:
                raise ValueError("weights are no matrices")
        return GainNetwork([(w.astype(np.float32), b.astype(np.float32)) for w, b in layers], kernels)


def _pairs(values: Words) -> Words:
    """Numbers that lie side by side as words."""
    return _paired(values[..., ::2], values[..., 1::2])


def _whole_layer(
    weights: NDArray[np.float64], bias: NDArray[np.float64], cut: int
) -> tuple[Words, Words, int]:
    """A layer in whole numbers, and the bits behind the point: as many as 16 bits and sums of 32 hold."""
    for bits in range(_FINEST, -1, -1):
        whole = np.rint(weights * 2.0**bits)
        # Units are rounded where they are cut.
        half = 2.0 ** (bits + cut - 1) if bits + cut > 0 else 0.0
        offsets = np.rint(bias * 2.0**bits) + half
        largest = np.abs(whole).sum(axis=1) * _HIGHEST + np.abs(offsets)
        if np.abs(whole).max() < 1 << 15 and largest.max() < 1 << 31:
            return whole.astype(np.int32), offsets.astype(np.int32), bits
    raise ValueError("weights are too large")


@structure(
    "bf_latent_facts(magnitudes: int32[known, 2], places: int32[64, filled, 3], contexts: int32[classes, 2],"
    " filled: int64, classes: int64, known: int64, negligible: float32)"
)
class LatentFacts(Structure):
    """What the network is told of all latents of a strip.

    Parameters
    ----------
    frequency : ndarray of float32, shape (3, 64)
        Of each channel, see `bandfold.ground.restoration.latent_features.FREQUENCY_FEATURES`.
    channel : ndarray of float32, shape (64, components)
        Energy of each channel of each component.
    number : ndarray of float32, shape (components,)
        Number of each component.
    contexts : ndarray of float32, shape (classes, 3)
        What each context lets expect of a latent.
    """

    filled: int

    def __init__(self, frequency: Float, channel: Float, number: Float, contexts: Float) -> None:
        places = np.zeros((CHANNELS, -(-len(number) // FILLED) * FILLED, 6), dtype=np.int32)
        told = places[:, : len(number)]
        told[..., :3] = whole_features(frequency.T)[:, None]
        told[..., 3], told[..., 4] = whole_features(channel), whole_features(number)
        context = whole_features(contexts)
        super().__init__(
            magnitudes=_MAGNITUDE_WORDS,
            places=_pairs(places),
            # The half of the last word is that of the block.
            contexts=np.stack([_paired(context[:, 0], context[:, 1]), context[:, 2] & 0xFFFF], axis=1),
            negligible=np.float32(NEGLIGIBLE),
        )


def _magnitude_words() -> Words:
    """What is told of each magnitude: whether it is 0, 1, 2, and its logarithm."""
    magnitudes = np.arange(_MAGNITUDES)
    told = np.stack([*(magnitudes == value for value in range(3)), np.log1p(magnitudes)], axis=1)
    return _pairs(whole_features(told))


_MAGNITUDE_WORDS = _magnitude_words()


@compiled("bf_pairs(wanted: int32) -> int32")
def choose_pair_products(wanted: int) -> int:
    """Choose the instructions that multiply pairs of numbers, for tests: all give the same corrections.

    Parameters
    ----------
    wanted : int
        1 for the fastest ones of this processor, 2 for the next.

    Returns
    -------
    int
        How many kinds there are; none without compiled kernels.
    """
    return 0


@compiled(
    "bf_correct(network: bf_gain_network, facts: bf_latent_facts, levels: int32[blocks, 64, facts.filled],"
    " classes: uint8[blocks, 64, facts.filled],"
    " candidates: float32[blocks, network.kernels, 64, facts.filled],"
    " told: int32[blocks, network.kernels + facts.filled], wanted: uint8[blocks, 64, facts.filled] | None,"
    " blocks: int64, found: out(int32[64 * facts.filled + 16]),"
    " changes: out(float32[blocks, 64, facts.filled]))"
)
def correct(
    network: GainNetwork,
    facts: LatentFacts,
    levels: NDArray[np.int32],
    classes: NDArray[np.uint8],
    candidates: Float,
    told: Words,
    wanted: NDArray[np.uint8] | None,
    changes: Float,
) -> None:
    """Correct the latents of some blocks.

    Parameters
    ----------
    network : GainNetwork
        Gives the gains.
    facts : LatentFacts
        Of the strip.
    levels : ndarray of int32, shape (blocks, 64, filled)
        Quantised latents.
    classes : ndarray of uint8, same shape
        Context of each, below the number of contexts.
    candidates : ndarray of float32, shape (blocks, kernels, 64, filled)
        Candidate corrections, in steps.
    told : ndarray of int32, shape (blocks, kernels + filled)
        What the network is told of each block: the weight of each average, then the energy of each component;
        see `whole_features`.
    wanted : ndarray of uint8, shape (blocks, 64, filled), or None
        Which latents are to be corrected; None: all.
    changes : ndarray of float32, shape (blocks, 64, filled)
        Becomes the corrections, in steps: 0 where a latent is of level 0 and its candidates are
        `NEGLIGIBLE`.
    """
    kernels = network.kernels
    first, second, last = (_halves(network.arrays[name]) for name in LAYERS)
    shifts = network.arrays["shifts"].tolist()
    changes[...] = 0.0
    for block, level in enumerate(levels.reshape(len(levels), -1)):
        candidate = candidates[block].reshape(kernels, -1)
        size = np.zeros(candidate.shape[1], dtype=np.float32)
        for one in candidate:
            size += np.abs(one)
        seen = (level != 0) | (size >= np.float32(NEGLIGIBLE))
        if wanted is not None:
            seen &= wanted[block].ravel() != 0
        at = np.flatnonzero(seen)
        signs, candidate = np.sign(level[at]).astype(np.float32), candidate[:, at]
        magnitudes = np.minimum(np.abs(level[at].astype(np.int64)), _MAGNITUDES - 1)
        context = facts.arrays["contexts"][classes[block].ravel()[at]]
        energy = told[block, kernels:][at % facts.filled]
        behind = [
            facts.arrays["magnitudes"][magnitudes],
            facts.arrays["places"].reshape(-1, 3)[at],
            np.stack([context[:, 0], context[:, 1] | energy << 16], axis=1),
        ]
        pairs = _paired(whole_features(np.abs(candidate)), whole_features(candidate * signs))
        inputs = _halves(np.concatenate([pairs.T, *behind], axis=1))
        bias = network.arrays["first_bias"] + network.arrays["by_weight"] @ told[block, :kernels]
        units = _cut(_sums(inputs, first, bias) >> shifts[0])
        units = _cut(_sums(units, second, network.arrays["second_bias"]) >> shifts[1])
        gains = _sums(units, last, network.arrays["last_bias"]).T.astype(np.float32)
        change = gains[kernels] * signs
        for gain, correction in zip(gains[kernels - 1 :: -1], candidate[::-1], strict=True):
            change += gain * correction
        changes[block].reshape(-1)[at] = change * np.float32(network.gain_unit)


def _sums(inputs: Words, weights: Words, bias: Words) -> Words:
    """Products of whole numbers, whose sums are below 2**31: exact in float64."""
    products: NDArray[np.float64] = inputs.astype(np.float64) @ weights.astype(np.float64).T
    return products.astype(np.int32) + bias


def _cut(units: Words) -> Words:
    return np.clip(units, 0, _HIGHEST)
