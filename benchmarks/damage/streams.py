"""Small streams of several kinds, to be damaged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import MetadataValue, Scaling
from bandfold.onboard import ArraySource, Encoder
from bandfold.synthetic.scenes import SyntheticScene

MODEL = "balle48-relu-cal-l1"
"""Shipped package that codes the stream of a trained model."""

SENSOR = "aviris-224"
"""Shipped package that the stream of a sensor is folded with."""


def _cube(lines: int, samples: int, bands: int, seed: int) -> NDArray[Any]:
    return SyntheticScene(lines, samples, bands, seed).read(slice(0, bands), slice(0, lines))


def _two_covers() -> NDArray[Any]:
    """Two kinds of land in turn, of bands that go together in other ways: blocks want rotations."""
    chance = np.random.default_rng(6)
    mixings = chance.normal(size=(2, 12, 4)) * 300
    kinds = np.add.outer(np.arange(64) // 16, np.arange(64) // 16) % 2
    parts = mixings[kinds] @ chance.normal(size=(64, 64, 4, 1))
    cube: NDArray[np.uint16] = np.rint(parts[..., 0].transpose(2, 0, 1) + 5000).astype(np.uint16)
    return cube


def small_streams() -> dict[str, bytes]:
    """Encode a scene of 8 bands, 20 lines and 12 samples in three ways.

    Returns
    -------
    dict of str to bytes
        Streams of three strips by what they are.
    """
    cube = _cube(20, 12, 8, seed=1)
    return {
        "whole scene": Encoder(step=40.0, strip_lines=8).encode(cube),
        "stream of lines": Encoder(step=40.0, strip_lines=8, stream=True, repeat=1).encode(cube),
        "band by band": Encoder(step=60.0, strip_lines=8, spectral="none").encode(cube),
    }


def model_stream() -> bytes:
    """Encode the scene of `small_streams` with a trained model, band by band.

    Returns
    -------
    bytes
        A stream of three strips.
    """
    return Encoder(step=100.0, strip_lines=8, model=MODEL).encode(_cube(20, 12, 8, seed=1))


def hostile_seeds() -> dict[str, bytes]:
    """Encode small scenes of all kinds that need no package of a user, to be mutated past their checksums.

    Returns
    -------
    dict of str to bytes
        Streams by what they are: between them every kind of section, of transform and of what a segment may
        hold. An input costs what its stream holds, so most have 6 bands of 8 lines and 12 samples, which are
        one strip of two blocks; strips that depend on each other come two or three at a time.
    """
    cube = _cube(12, 12, 6, seed=1)
    strip = cube[:, :8]
    holes = strip.copy()
    holes[:, 3:6, 2:5] = 0
    about: dict[str, MetadataValue] = {
        "wavelength": tuple(f"{400 + 10.5 * band}" for band in range(6)),
        "description": "a scene",
    }
    floats = strip.astype(np.float32) / 7
    floats[2, 5, 3] = 1e30
    marked = np.zeros((8, 12), dtype=bool)
    marked[4:, 3:9] = True
    return {
        "whole scene": Encoder(step=40.0, strip_lines=8).encode(cube),
        "stream of lines": Encoder(step=40.0, strip_lines=8, stream=True, repeat=1).encode(cube),
        "band by band": Encoder(step=60.0, strip_lines=8, spectral="none").encode(cube),
        "holes": Encoder(step=80.0).encode(ArraySource(holes, no_data=0.0, metadata=about)),
        "one quantiser": Encoder(step=30.0, quantiser="uniform").encode(strip),
        "many states": Encoder(step=30.0, quantiser="dependent-32").encode(strip),
        "rotated": Encoder(step=300.0, strip_lines=32, quantiser="uniform").encode(_two_covers()),
        "sensor": Encoder(step=400.0, sensor=SENSOR, spectral="sensor").encode(_cube(8, 8, 224, seed=4)),
        "scaled": Encoder(step=80.0).encode(ArraySource(strip.astype(np.float32), scaling=Scaling(0.5, 1.0))),
        "outliers": Encoder(step=100.0).encode(ArraySource(floats)),
        "regions": Encoder(step=80.0, partition=(3, 6), roi=((marked, 2.0),)).encode(strip),
        "weights": Encoder(step=40.0, weights=(1.0, 1.0, 4.0, 1.0, 1.0, 2.0)).encode(strip),
        "lossless": Encoder(lossless=True, strip_lines=8).encode(cube),
        "lossless floats": Encoder(lossless=True).encode(ArraySource(strip.astype(np.float32) / 7)),
        "limits": Encoder(max_error=3, strip_lines=8).encode(cube),
        "limits of floats": Encoder(max_error=0.5).encode(ArraySource(floats)),
        "relative limits": Encoder(relative_error=0.01, max_error=4).encode(strip),
        "predicted": Encoder(step=40.0, strip_lines=8, model="innovations").encode(cube),
        "trained model": Encoder(step=100.0, model=MODEL).encode(strip),
    }


def long_stream() -> bytes:
    """Encode 512 lines as they come.

    Returns
    -------
    bytes
        A stream of 64 strips, each of several chunks.
    """
    return Encoder(step=30.0, strip_lines=8, stream=True, repeat=4).encode(_cube(512, 24, 12, seed=2))
