"""Whether graphs of a context network give its classes on this machine.

The encoder runs context networks by kernels of its own. As graphs in ONNX and TFLite
(`bandfold.export.contexts`) others can look at them and run them: a graph takes the features of all latents
of a component as planes, and gives the class of each.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.context_network import ContextNetwork
from bandfold.bitstream.contexts.features import (
    CHANNEL_FEATURES,
    DIAGONAL_SLICES,
    DIAGONALS,
    GROUPS,
    LARGEST_LOG,
    POSITION_FEATURES,
)
from bandfold.bitstream.transforms.dct import DIAGONAL
from bandfold.common.errors import ModelError
from bandfold.common.scene import CHANNELS

from .engine_choice import ENGINES, IntegerModel

CHECKED_ENGINES = ("litert", "onnxruntime")
"""Engines of other projects: those that graphs are written for."""

ROWS, COLUMNS = 5, 7
"""Latent positions of the components that graphs are checked on."""

Features = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Features of all latents of a component: of each latent, shape (latent features, 64, rows, columns), of each
diagonal at each position, shape (POSITION_FEATURES, 15, rows, columns), of each channel, shape
(CHANNEL_FEATURES, 64)."""


def input_planes(features: Features) -> NDArray[np.int8]:
    """Arrange features as the graph of a context network takes them.

    Parameters
    ----------
    features : Features
        Of all latents of a component.

    Returns
    -------
    ndarray of int8, shape (1, 64 * features, rows, columns)
        All features of the first channel, then those of the second one, and so on.
    """
    latent, position, channel = features
    own = len(latent)
    planes = np.empty(
        (CHANNELS, own + POSITION_FEATURES + CHANNEL_FEATURES, *latent.shape[2:]), dtype=np.int8
    )
    planes[:, :own] = latent.swapaxes(0, 1)
    planes[:, own:-CHANNEL_FEATURES] = position[:, DIAGONAL].swapaxes(0, 1)
    planes[:, -CHANNEL_FEATURES:] = channel.T[:, :, None, None]
    return planes.reshape(1, -1, *latent.shape[2:])


def classes_of(network: ContextNetwork, features: Features) -> NDArray[np.uint8]:
    """Classes that the codec gives the latents of a component.

    Parameters
    ----------
    network : ContextNetwork
        That of the codec.
    features : Features
        Of all latents of a component.

    Returns
    -------
    ndarray of uint8, shape (64, rows, columns)
    """
    latent, position, channel = features
    return np.concatenate(
        [
            network.classes_of(
                diagonal, latent[:, part, None], position[:, diagonal, None], channel[:, part, None]
            )[:, 0]
            for diagonal, part in enumerate(DIAGONAL_SLICES)
        ]
    )


def probe_features(network: ContextNetwork) -> Iterator[Features]:
    """Features that graphs are checked on: of some 100,000 latents.

    Parameters
    ----------
    network : ContextNetwork
        What is to be checked: some of the features make its units as large and as small as they can be.

    Yields
    ------
    Features
        Nothing known, everything at its largest, all those at their largest with which a unit rises or falls,
        random ones of all sizes, and few among zeros, as they are usual.
    """
    weights = network.layers[0][0]
    yield _where(np.zeros_like(weights, dtype=np.bool_))
    yield _where(np.ones_like(weights, dtype=np.bool_))
    for unit in range(weights.shape[1]):
        yield _where(weights[:, unit : unit + 1] > 0)
        yield _where(weights[:, unit : unit + 1] < 0)
    generator = np.random.default_rng(0)
    for largest in (LARGEST_LOG, LARGEST_LOG // 2, LARGEST_LOG // 8):
        for share in (1.0, 0.5, 0.1, 0.02):
            yield (
                _random(generator, (network.latent_features, CHANNELS, ROWS, COLUMNS), largest, share),
                _random(generator, (POSITION_FEATURES, DIAGONALS, ROWS, COLUMNS), largest, share),
                _random(generator, (CHANNEL_FEATURES, CHANNELS), largest, share),
            )


def check_context_graphs(
    network: ContextNetwork, onnx: bytes, tflite: bytes, threads: int = 1
) -> Iterator[tuple[str, str]]:
    """Compare the classes of graphs with those of the codec, by every engine that is installed.

    Parameters
    ----------
    network : ContextNetwork
        That of the codec.
    onnx, tflite : bytes
        The same as graphs.
    threads : int
        Processor threads.

    Yields
    ------
    name : str
        Of the engine, one of `CHECKED_ENGINES`.
    reason : str
        Why it is not exact here; empty if it is.
    """
    probes = list(probe_features(network))
    planes = np.concatenate([input_planes(features) for features in probes])
    wanted = np.stack([classes_of(network, features) for features in probes])
    model = IntegerModel("the graph of a context network", onnx, tflite, b"")
    for name in CHECKED_ENGINES:
        if ENGINES[name].installed():
            try:
                found = ENGINES[name].open(model, threads, "").run(planes)
            except ModelError as error:
                yield name, str(error)
                continue
            same = found.shape == wanted.shape and bool((found == wanted).all())
            yield name, "" if same else "it gives other classes than the codec"


def _where(large: NDArray[np.bool_]) -> Features:
    """Features at their largest where they are wanted so, by group of weights, and 0 elsewhere."""
    by_feature = np.where(large[:, 0], np.float32(LARGEST_LOG), np.float32(0)).T
    by_diagonal = by_feature[:, GROUPS]
    latent, position, channel = np.split(
        by_diagonal, (-POSITION_FEATURES - CHANNEL_FEATURES, -CHANNEL_FEATURES)
    )
    return (
        _everywhere(latent[:, DIAGONAL]),
        _everywhere(position),
        channel[:, DIAGONAL],
    )


def _everywhere(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.broadcast_to(values[:, :, None, None], (*values.shape, ROWS, COLUMNS)).copy()


def _random(
    generator: np.random.Generator, shape: tuple[int, ...], largest: int, share: float
) -> NDArray[np.float32]:
    """Whole numbers up to the largest in a share of the places, and 0 in all others."""
    values = generator.integers(0, largest + 1, shape)
    return np.where(generator.random(shape) < share, values, 0).astype(np.float32)
