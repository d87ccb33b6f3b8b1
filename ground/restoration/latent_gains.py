"""The restoration network of a package without ONNX Runtime: from what is known of latents to corrections.

Features are made where they are used, sixteen latents at a time: they never lie in memory. All is float32, in
operations whose order is defined, so that corrections have the same bits with and without compiled kernels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import Structure, compiled, structure
from bandfold.common.scene import CHANNELS

Float = NDArray[np.float32]

NEGLIGIBLE = 0.04
"""Steps: where 16 latents are all of level 0, and none has a candidate that is larger, none is corrected."""

TILE = 16
"""Latents that are looked at together."""

LAYERS = ("first", "second", "last")
"""Names of the layers."""

MOST_UNITS = 128
"""Units of a layer at most."""

_TOGETHER = 4
_BEHIND = 13
_LOGARITHMS = np.log1p(np.arange(1 << 12)).astype(np.float32)


@structure(
    "bf_gain_network(first: float32[units, 3 * kernels + 13], first_bias: float32[units],"
    " second: float32[more_units, units], second_bias: float32[more_units],"
    " last: float32[outputs, more_units], last_bias: float32[outputs], kernels: int64,"
    " features: int64 = 3 * kernels + 13, units: int64, more_units: int64, outputs: int64)"
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

    def __init__(self, layers: Sequence[tuple[Float, Float]], kernels: int) -> None:
        ends = [3 * kernels + _BEHIND, *(len(bias) for _, bias in layers)]
        shapes = [(outputs, inputs) for inputs, outputs in pairwise(ends)]
        if [weights.shape for weights, _ in layers] != shapes or len(layers) != len(LAYERS):
            raise ValueError("layers do not follow one another")
        if ends[-1] != kernels + 1 or max(ends[1:]) > MOST_UNITS:
            raise ValueError(f"layers of {ends[1:]} units")
        self.layers = tuple(layers)
        filled = [ends[0], *(-(-units // _TOGETHER) * _TOGETHER for units in ends[1:])]
        given: dict[str, Float] = {}
        for name, (weights, bias), inputs, outputs in zip(LAYERS, layers, filled, filled[1:], strict=False):
            given[name] = np.zeros((outputs, inputs), dtype=np.float32)
            given[name][: len(bias), : weights.shape[1]] = weights
            given[f"{name}_bias"] = np.zeros(outputs, dtype=np.float32)
            given[f"{name}_bias"][: len(bias)] = bias
        super().__init__(**given, kernels=kernels)

    def gains(self, features: Float) -> Float:
        """Run the network on latents whose features are there.

        Parameters
        ----------
        features : ndarray of float32, shape (features, n)
            See `bandfold.ground.restoration.latent_features.FeatureExtractor.features`.

        Returns
        -------
        ndarray of float32, shape (kernels + 1, n)
            Gain of each candidate correction, and of the sign.
        """
        values = features
        for number, (weights, bias) in enumerate(self.layers):
            values = weights @ values + bias[:, None]
            if number < len(self.layers) - 1:
                np.maximum(values, 0.0, out=values)
        return values

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


@structure(
    "bf_latent_facts(places: float32[5, 64, components], contexts: float32[classes, 3],"
    " logarithms: float32[magnitudes], components: int64, classes: int64, magnitudes: int64,"
    " negligible: float32)"
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

    components: int

    def __init__(self, frequency: Float, channel: Float, number: Float, contexts: Float) -> None:
        places = np.empty((5, *channel.shape), dtype=np.float32)
        places[:3], places[3], places[4] = frequency[:, :, None], channel, number
        super().__init__(
            places=places, contexts=contexts, logarithms=_LOGARITHMS, negligible=np.float32(NEGLIGIBLE)
        )


@compiled(
    "bf_correct(network: bf_gain_network, facts: bf_latent_facts,"
    " levels: int32[blocks, 64, facts.components], classes: uint8[blocks, 64, facts.components],"
    " candidates: float32[blocks, network.kernels, 64, facts.components],"
    " weights: float32[blocks, network.kernels], block_energy: float32[blocks, facts.components],"
    " blocks: int64, first: out(float32[network.units, 2 * network.kernels + 13]),"
    " bias: out(float32[network.units]), energy: out(float32[64, facts.components]),"
    " changes: out(float32[blocks, 64, facts.components]))"
)
def correct(
    network: GainNetwork,
    facts: LatentFacts,
    levels: NDArray[np.int32],
    classes: NDArray[np.uint8],
    candidates: Float,
    weights: Float,
    block_energy: Float,
    changes: Float,
) -> None:
    """Correct the latents of some blocks.

    Parameters
    ----------
    network : GainNetwork
        Gives the gains.
    facts : LatentFacts
        Of the strip.
    levels : ndarray of int32, shape (blocks, 64, components)
        Quantised latents.
    classes : ndarray of uint8, same shape
        Context of each, below the number of contexts.
    candidates : ndarray of float32, shape (blocks, kernels, 64, components)
        Candidate corrections, in steps.
    weights : ndarray of float32, shape (blocks, kernels)
        Weight of each average, as the network is told.
    block_energy : ndarray of float32, shape (blocks, components)
        Energy of each block.
    changes : ndarray of float32, shape (blocks, 64, components)
        Becomes the corrections, in steps: 0 where 16 latents in memory are of level 0 and have no candidates
        that count (`NEGLIGIBLE`).
    """
    kernels = network.kernels
    own = network.arrays["first"]
    first = np.concatenate([own[:, : 2 * kernels], own[:, 3 * kernels :]], axis=1)
    for block, values in enumerate(levels.reshape(len(levels), -1)):
        magnitudes, signs = np.abs(values), np.sign(values).astype(np.float32)
        candidate = candidates[block].reshape(kernels, -1)
        places = facts.arrays["places"].reshape(5, -1)
        inputs = np.concatenate([
            np.abs(candidate),
            candidate * signs,
            [magnitudes == value for value in range(3)],
            facts.arrays["logarithms"][None, np.minimum(magnitudes, len(_LOGARITHMS) - 1)],
            places[:3],
            facts.arrays["contexts"][classes[block].ravel()].T,
            places[3:4],
            np.tile(block_energy[block], CHANNELS)[None],
            places[4:],
        ]).astype(np.float32)  # fmt: skip
        bias = network.arrays["first_bias"].copy()
        for kernel in range(kernels):
            bias += own[:, 2 * kernels + kernel] * weights[block, kernel]
        hidden = np.maximum(_in_order(first, bias, inputs), 0.0)
        hidden = np.maximum(_in_order(network.arrays["second"], network.arrays["second_bias"], hidden), 0.0)
        gains = _in_order(network.arrays["last"], network.arrays["last_bias"], hidden)
        change = gains[kernels] * signs
        for gain, correction in zip(gains[:kernels], candidate, strict=True):
            change += gain * correction
        seen = (values != 0) | (np.abs(candidate) >= np.float32(NEGLIGIBLE)).any(axis=0)
        left = np.repeat(~seen.reshape(-1, TILE).any(axis=1), TILE)
        change[left] = 0.0
        changes[block] = change.reshape(CHANNELS, -1)


def _in_order(weights: Float, bias: Float, inputs: Float) -> Float:
    """A layer whose sums go from the bias over inputs in their order."""
    found = np.repeat(bias[:, None], inputs.shape[1], axis=1)
    for column, values in zip(weights.T, inputs, strict=True):
        found += column[:, None] * values
    return found
