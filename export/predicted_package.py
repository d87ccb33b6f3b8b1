"""A trained lapped transform and its contexts as a package: int8 graphs for every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package
from bandfold.bitstream.segments.band_codec import ANALYSIS, QUANTISED
from bandfold.bitstream.segments.predicted_codec import LATENT_UNIT, PredictedCodec, codec_arrays
from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.bitstream.transforms.lapped_synthesis import KERNEL_UNIT, SUPPORT
from bandfold.common.scene import BLOCK, CHANNELS
from bandfold.onboard.networks.conv_stack import HIGH, ConvLayer, ConvStack
from bandfold.onboard.networks.engine_choice import golden_digest, probe, require_exact
from bandfold.onboard.networks.numpy_network import NumpyNetwork
from bandfold.onboard.prediction.innovation_network import innovation_model
from bandfold.onboard.prediction.innovations import INPUT_UNIT

from .qoperator import to_qoperator
from .tflite import to_tflite

COARSE_UNITS = (8, 8, 8)
"""Units of the channels of the first diagonals, in ``1 / LATENT_UNIT`` of a step: latents are large there."""

FINE_UNIT = 4
"""Unit of all others."""


def latent_units() -> NDArray[np.int32]:
    """Unit of the integers that each channel of an analysis gives, shape (64,)."""
    diagonals = FREQUENCIES.sum(axis=1)
    coarse = np.array([*COARSE_UNITS, FINE_UNIT], dtype=np.int32)
    return coarse[np.minimum(diagonals, len(COARSE_UNITS))]


def integer_analysis(kernels: NDArray[np.float64], units: NDArray[np.int32]) -> ConvStack:
    """A transform as a convolution in 8-bit integers over blocks, whose samples are channels.

    Parameters
    ----------
    kernels : ndarray, shape (64, 24, 24)
        Basis functions.
    units : ndarray of int32, shape (64,)
        Unit of what each channel gives, in ``1 / LATENT_UNIT`` of a step.

    Returns
    -------
    ConvStack
        One layer of 3 x 3 blocks, from 64 channels to 64.
    """
    across = SUPPORT // BLOCK
    taps = kernels.reshape(CHANNELS, across, BLOCK, across, BLOCK).transpose(0, 2, 4, 1, 3)
    real = taps.reshape(CHANNELS, CHANNELS, across, across) * (LATENT_UNIT / INPUT_UNIT)
    real = real / units[:, None, None, None]
    scales = (np.abs(real).max(axis=(1, 2, 3)) / HIGH).astype(np.float32)
    weights = np.rint(real / scales.astype(np.float64)[:, None, None, None]).astype(np.int8)
    layer = ConvLayer(weights, scales, np.zeros(CHANNELS, np.int32), 1, np.float32(1), 0)
    return ConvStack(np.float32(1), 0, (layer,))


def predicted_package(
    name: str,
    transforms: Sequence[NDArray[np.float64]],
    contexts: Mapping[str, NDArray[Any]],
    *,
    description: str,
    release: str,
    card: Mapping[str, Any],
) -> Package:
    """Make a package, and try its networks on every engine that is installed.

    Parameters
    ----------
    name : str
        Of the package.
    transforms : sequence of ndarray, each of shape (64, 24, 24)
        Basis functions of each engine; encoders try them, the first one first.
    contexts : mapping of str to ndarray
        Context network and tables, named as those of single bands.
    description : str
        One line.
    release : str
        Version of bandfold that packs it.
    card : mapping
        What else is to be known.

    Returns
    -------
    Package

    Raises
    ------
    ModelError
        If engines differ, or it does not make up a model.
    """
    units = latent_units()
    stacks = [integer_analysis(kernels, units) for kernels in transforms]
    golden = [golden_digest(NumpyNetwork(stack).run(probe(stack))) for stack in stacks]
    arrays = codec_arrays(
        np.stack([np.rint(kernels * KERNEL_UNIT).astype(np.int16) for kernels in transforms]),
        np.stack([units for _ in transforms]),
        np.stack([np.frombuffer(one, np.uint8) for one in golden]),
        contexts,
    )
    engines: dict[str, bytes] = {}
    for number, stack in enumerate(stacks):
        engines[ANALYSIS.format(number)] = to_qoperator(stack).SerializeToString()
        engines[QUANTISED.format(number)] = to_tflite(stack)
    package = Package(Manifest(name, "codec", description, release, dict(card)), arrays, engines)
    codec = PredictedCodec.from_package(package)
    for engine in range(codec.engines):
        require_exact(innovation_model(codec, engine))
    return package
